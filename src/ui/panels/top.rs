//! The line at the top: where each receiver listens, how the fleet fares, and what can be opened.

use std::net::SocketAddr;

use egui::{
    Align, Atom, Button, Frame, IdSalt, Layout, Popup, PopupCloseBehavior, RichText, Role, Sense, TextStyle, Ui, Vec2,
    WidgetInfo, text::LayoutJob, vec2,
};

use super::{
    events, keep,
    receivers::{self, Detail, Ports},
    taps,
};
use crate::{
    backend::{ListenAt, ReceiverLine, ReceiverStatus},
    model::{DeviceState, Protocol},
    ui::{
        Action, Cx, Data,
        command::{self, Group, Shown, TABLE, UserCommand},
        format,
        icons::{self, Icon},
        lamps::{self, Age, Mark, State},
        status::{LATE_RHYTHMS, LOST_MIN, LOST_RHYTHMS, STALE_RHYTHMS},
        theme,
        view::{PhonesTab, Sheet, ThemeChoice},
        widgets,
    },
};

/// Side of a lamp, in points.
const LAMP: f32 = 10.0;

/// The line and what is being typed in its pop-ups.
#[derive(Default)]
pub(super) struct Top {
    ports: Ports,
    /// Room that everything behind the receivers took in the last frame, in points.
    behind: f32,
}

impl Top {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let roomy = ui.available_width() > 1_250.0;
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), theme::ROW + 2.0),
            Layout::right_to_left(Align::Center),
            |ui| {
                tools(ui, cx);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.set_clip_rect(ui.max_rect().expand(4.0));
                    let data = cx.data;
                    let detail = self.detail(ui, &data.station.receivers, roomy);
                    for line in &data.station.receivers {
                        self.receiver(ui, cx, line, detail);
                    }
                    let begin = ui.cursor().left();
                    if let Some((age, text)) = taps::together(&data.station.taps, roomy) {
                        tap_button(ui, cx, age, &text);
                    }
                    if !data.station.receivers.is_empty() {
                        ui.separator();
                    }
                    counts(ui, cx, roomy);
                    let behind = ui.min_rect().right() - begin;
                    if (behind - std::mem::replace(&mut self.behind, behind)).abs() > 0.5 {
                        // The receivers may say more now, or have to say less.
                        ui.ctx().request_repaint();
                    }
                });
            },
        );
    }

    /// How much the receivers may say: what stands behind them is not to be cut.
    fn detail(&self, ui: &Ui, lines: &[ReceiverLine], roomy: bool) -> Detail {
        let font = TextStyle::Button.resolve(ui.style());
        let spacing = ui.spacing();
        let beside = LAMP + 2.0 * spacing.button_padding.x + spacing.icon_spacing + spacing.item_spacing.x;
        let width = |detail: Detail| -> f32 {
            let texts =
                lines.iter().map(|line| format!("{} {}", line.protocol.title(), receivers::detail(line, detail)));
            let galleys = texts.map(|text| ui.painter().layout_no_wrap(text, font.clone(), egui::Color32::WHITE));
            galleys.map(|galley| galley.size().x + beside + 1.0).sum()
        };
        let room = ui.available_width() - self.behind;
        let fits = |detail: &Detail| (roomy || *detail != Detail::Full) && width(*detail) <= room;
        Detail::ALL.into_iter().find(fits).unwrap_or(Detail::Least)
    }

    fn receiver(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine, detail: Detail) {
        let p = theme::palette(ui);
        let title = line.protocol.title();
        let hint =
            if detail == Detail::Least { receivers::sentence(line) } else { "Where this receiver listens".to_owned() };
        let detail = receivers::detail(line, detail);
        let age = match line.status {
            ReceiverStatus::Listening(_) => Age::Fresh,
            ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => Age::Late,
            ReceiverStatus::Off => Age::Stale,
        };
        let mut text = LayoutJob::default();
        let font = TextStyle::Button.resolve(ui.style());
        text.append(&format!("{title} "), 0.0, egui::TextFormat::simple(font.clone(), p.strong));
        let waits = matches!(line.status, ReceiverStatus::Waiting { .. });
        text.append(&detail, 1.0, egui::TextFormat::simple(font, if waits { p.late } else { p.weak }));
        let lamp = Atom::paint(Vec2::splat(LAMP), move |ui, args| {
            lamps::paint_receiver(ui.painter(), args.rect, age, theme::palette(ui));
        });
        let button = ui.add(Button::new((lamp, text)).frame_when_inactive(false));
        let button = button.on_hover_text(hint);
        let frame = Frame::popup(ui.style()).inner_margin(14);
        Popup::from_toggle_button_response(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .frame(frame)
            .width(330.0)
            .show(|ui| self.receiver_sheet(ui, cx, line));
    }

    fn receiver_sheet(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine) {
        let p = theme::palette(ui);
        let (protocol, wanted) = (line.protocol, receivers::wanted(line));
        ui.add_space(2.0);
        ui.label(RichText::new(format!("{} receiver", protocol.title())).text_style(theme::title()).color(p.strong));
        ui.label(widgets::weak(ui, receivers::sentence(line)));
        ui.add_space(theme::GAP);
        receivers::reach(ui, cx, line);
        ui.add_space(theme::GAP);
        self.ports.ui(ui, cx, line);
        ui.add_space(theme::GAP);
        let everywhere = wanted.is_some_and(|address| address.ip().is_unspecified());
        let port = wanted.map_or(protocol.default_port(), |address| address.port());
        if everywhere {
            for ip in cx.data.station.lan.iter().filter(|ip| ip.is_ipv4()) {
                let address = receivers::reachable_at(protocol, *ip, port);
                if widgets::copyable(ui, &address, "address") {
                    cx.ask(Action::Copy(address, "the address"));
                }
            }
            let open = match protocol {
                Protocol::Gt06 => "GT06 knows no passwords: whoever reaches this port can send positions.",
                Protocol::OwnTracks if cx.data.phones.rows.is_empty() => {
                    "Whoever reaches this port can send positions."
                }
                Protocol::OwnTracks => "Who has no password can be reported for by whoever reaches this port.",
            };
            ui.label(widgets::weak(ui, open));
        }
        if protocol == Protocol::OwnTracks {
            ui.horizontal(|ui| {
                if ui.button("Add a phone…").clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::AddPhone)));
                    Popup::close_all(ui.ctx());
                }
                if ui.button("HTTPS, passwords…").clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::Phones(PhonesTab::Https))));
                    Popup::close_all(ui.ctx());
                }
            });
        }
        if line.shown_out > 0 {
            let text = format::counted(line.shown_out, "connection had to make room", "connections had to make room");
            ui.label(widgets::weak(ui, format!("{text}: all places were taken, and nothing of use had come over it.")));
        }
        if line.connections > 0 {
            let n = line.connections as u64;
            ui.label(widgets::weak(ui, format::counted(n, "connection is open", "connections are open")));
        }
    }
}

/// What the taps do, in short; a click opens their sheet.
fn tap_button(ui: &mut Ui, cx: &mut Cx<'_>, age: Age, text: &str) {
    let p = theme::palette(ui);
    let lamp = Atom::paint(Vec2::splat(LAMP), move |ui, args| {
        lamps::paint_receiver(ui.painter(), args.rect, age, theme::palette(ui));
    });
    let text = RichText::new(text).color(if age == Age::Late { p.late } else { p.strong });
    let button = ui.add(Button::new((lamp, text)).frame_when_inactive(false));
    if button.on_hover_text("What overhears trackers that talk with another server").clicked() {
        cx.ask(Action::Sheet(Some(Sheet::Taps)));
    }
}

/// True where [`banners`] has something to say.
pub(super) fn any_banner(data: &Data) -> bool {
    let station = &data.station;
    let waits = |line: &ReceiverLine| matches!(line.status, ReceiverStatus::Waiting { .. });
    keep::any_banner(data)
        || station.store_trouble.is_some()
        || station.viewer
        || station.capture.is_some()
        || station.demo
        || station.demo_left
        || data.trouble.is_some()
        || station.receivers.iter().any(waits)
}

/// The receivers that wait for their port, each with its cure; and what else has to be known all the time.
pub(super) fn banners(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    keep::banners(ui, cx);
    let data = cx.data;
    if let Some(trouble) = &data.station.store_trouble {
        super::trouble::banner(ui, cx, trouble);
    } else if let Some(status) = &data.station.capture {
        super::sources::banner(ui, cx, status);
    } else if data.station.viewer {
        widgets::banner(ui, Icon::Lock, p.notice, p.late, |ui| {
            ui.label("Another Wayglass receives into this folder. This window only looks on.");
            ui.label(widgets::weak(ui, data.station.data_dir.display().to_string()));
        });
    }
    for line in &data.station.receivers {
        let ReceiverStatus::Waiting { wanted, error, holder, retry_at } = &line.status else { continue };
        widgets::banner(ui, Icon::Warning, p.fault, p.alarm, |ui| {
            let title = line.protocol.title();
            let why = match holder {
                Some(holder) => format!("{title} cannot listen on {wanted}: port in use by {holder}"),
                None => format!("{title} cannot listen on {wanted}: {error}"),
            };
            ui.label(widgets::strong(ui, why));
            if let Some(port) = receivers::other_port(*wanted, &data.station.receivers)
                && ui.button(format!("Use {port}")).clicked()
            {
                cx.ask(Action::Listen(line.protocol, ListenAt::Address(SocketAddr::new(wanted.ip(), port))));
            }
            if ui.button("Retry").clicked() {
                cx.ask(Action::Retry(line.protocol));
            }
            let in_s = format::age_s(*retry_at, cx.now);
            ui.label(widgets::weak(ui, format!("next try in {}", format::age(in_s))));
            ui.request_repaint_after(std::time::Duration::from_secs(1));
        });
    }
    if let Some(trouble) = &data.trouble {
        widgets::banner(ui, Icon::Warning, p.fault, p.alarm, |ui| {
            ui.label(widgets::strong(ui, format!("Could not read what is stored: {trouble}")));
            if ui.button("Read again").clicked() {
                cx.ask(Action::ReadAgain);
            }
        });
    }
    if data.station.demo {
        widgets::banner(ui, Icon::Play, p.notice, p.late, |ui| {
            ui.label(widgets::strong(ui, "Demo"));
            ui.label("Three simulated vehicles are on the road. They speak the real protocols to the real receivers.");
            if ui.button("Stop and remove").clicked() {
                cx.ask(Action::StopDemo);
            }
        });
    } else if data.station.demo_left {
        widgets::banner(ui, Icon::Play, p.notice, p.late, |ui| {
            ui.label("Vehicles of an earlier demo are still in the list.");
            if ui.button("Remove").clicked() {
                cx.ask(Action::StopDemo);
            }
        });
    }
}

/// Senders that nobody has decided about, if there are any.
fn new_senders(ui: &mut Ui, cx: &mut Cx<'_>, roomy: bool) {
    let p = theme::palette(ui);
    let n_new = cx.data.tally.new;
    if n_new > 0 {
        let text = format!("{} new", format::count(n_new));
        let short = match n_new {
            _ if roomy => text.clone(),
            ..100 => text.clone(),
            100..1_000 => format::count(n_new),
            1_000.. => "999+".to_owned(),
        };
        let short = RichText::new(short).color(p.suspect);
        let button = ui.add(Button::new(short).fill(p.suspect.gamma_multiply(0.15)));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
        if button.on_hover_text(format!("{text}: senders nobody has decided about yet")).clicked() {
            if !cx.view.open.devices {
                cx.ask(Action::ToggleDevices);
            }
            let newest = cx.data.in_state(DeviceState::New).last().map(|d| d.device.id);
            cx.ask(Action::SelectDevice(newest));
        }
    }
}

fn counts(ui: &mut Ui, cx: &mut Cx<'_>, roomy: bool) {
    let p = theme::palette(ui);
    let tally = cx.data.tally;
    // Where not everything has room, what is last is cut off, and these wait for somebody.
    if !roomy {
        new_senders(ui, cx, roomy);
    }
    let rule = |age| match age {
        Age::Fresh => "heard within their own rhythm".to_owned(),
        Age::Late => format!("silent for more than {LATE_RHYTHMS} times their rhythm"),
        Age::Stale => format!("silent for more than {STALE_RHYTHMS} times their rhythm"),
        Age::Lost => {
            let least = format::span(LOST_MIN.as_secs());
            format!("silent for more than {LOST_RHYTHMS} times their rhythm, and {least} at least")
        }
        Age::Never => "nothing was ever heard of them, so they are in none of the others".to_owned(),
    };
    let shown = [
        (Age::Fresh, tally.live, "live"),
        (Age::Late, tally.late, "late"),
        (Age::Stale, tally.stale, "stale"),
        (Age::Lost, tally.lost, "lost"),
        (Age::Never, tally.imported, "imported"),
    ];
    // Most have imported nothing.
    for (age, n, word) in shown.into_iter().filter(|(age, n, _)| *age != Age::Never || *n > 0) {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(LAMP), Sense::hover());
            match age {
                // As they are marked in the list.
                Age::Never => lamps::paint_mark(ui.painter(), rect.center(), &Mark::of(State::Imported), p),
                _ => lamps::paint_receiver(ui.painter(), rect, age, p),
            }
            let text = format!("{} {word}", format::count(n));
            let short = if roomy { text.clone() } else { format::count(n) };
            let label = ui.label(RichText::new(short).color(if n > 0 { p.text } else { p.weak }));
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
            label.on_hover_ui(|ui| {
                ui.label(format!("{text}: {}", rule(age)));
            });
        });
        ui.add_space(if roomy { 4.0 } else { 0.0 });
    }
    if roomy {
        new_senders(ui, cx, roomy);
    }
    let rate = cx.data.pulse.per_second(cx.now);
    if rate > 0.0 {
        // It goes down by itself when nothing more comes.
        ui.request_repaint_after(std::time::Duration::from_secs(1));
    }
    let unit = if roomy { " packets/s" } else { "/s" };
    let text = if rate > 0.0 && rate < 9.95 { format!("{rate:.1}{unit}") } else { format!("{rate:.0}{unit}") };
    let (text, colour) = match &cx.data.station.store_trouble {
        Some(_) => ("not storing".to_owned(), p.alarm),
        None => (text, p.weak),
    };
    let button = ui.add(Button::new(RichText::new(text).color(colour)).frame_when_inactive(false));
    if button.on_hover_text("Packets received a second, over the last ten seconds. Click for health (F9)").clicked() {
        cx.ask(Action::Sheet(Some(Sheet::Health)));
    }
}

fn tools(ui: &mut Ui, cx: &mut Cx<'_>) {
    let open = cx.view.open;
    let toggle = |ui: &mut Ui, cx: &mut Cx<'_>, icon, name: &str, on, action: Action| {
        if widgets::icon_toggle(ui, icon, name, on).clicked() {
            cx.ask(action);
        }
    };
    menu(ui, cx);
    let settings = open.sheet == Some(Sheet::Settings);
    let hint = |ui: &Ui, command| command::hint(ui.ctx(), command);
    toggle(ui, cx, Icon::Gear, &hint(ui, UserCommand::Settings), settings, Action::Sheet(Some(Sheet::Settings)));
    let (icon, name, next) = match cx.view.settings.theme {
        ThemeChoice::System => (Icon::Monitor, "Theme: as the system", ThemeChoice::Light),
        ThemeChoice::Light => (Icon::Sun, "Theme: light", ThemeChoice::Dark),
        ThemeChoice::Dark => (Icon::Moon, "Theme: dark", ThemeChoice::System),
    };
    if widgets::icon_button(ui, icon, name).clicked() {
        let mut settings = cx.view.settings.clone();
        settings.theme = next;
        cx.ask(Action::SetSettings(settings));
    }
    toggle(
        ui,
        cx,
        Icon::Search,
        &hint(ui, UserCommand::Palette),
        open.sheet == Some(Sheet::Palette),
        Action::Sheet(Some(Sheet::Palette)),
    );
    ui.separator();
    events::bell(ui, cx);
    toggle(ui, cx, Icon::PaneRight, &hint(ui, UserCommand::Details), open.details, Action::ToggleDetails);
    toggle(ui, cx, Icon::PaneBottom, &hint(ui, UserCommand::Packets), open.dock, Action::ToggleDock);
    toggle(ui, cx, Icon::PaneLeft, &hint(ui, UserCommand::Devices), open.devices, Action::ToggleDevices);
}

/// Everything that can be invoked, with its key.
fn menu(ui: &mut Ui, cx: &mut Cx<'_>) {
    let button = widgets::icon_button(ui, Icon::Menu, "Menu");
    Popup::menu(&button).show(|ui| {
        let listed =
            |group| TABLE.iter().filter(move |about| about.group == group && about.shown == Shown::InMenuAndPalette);
        let groups = Group::ALL.into_iter().filter(|group| listed(*group).next().is_some());
        for (n, group) in groups.enumerate() {
            if n > 0 {
                ui.separator();
            }
            for about in listed(group) {
                let actions = about.command.actions(cx.data, cx.view);
                let item = match about.icon {
                    Some(icon) => widgets::labelled(icon, about.text),
                    None => Button::new((Atom::custom(IdSalt::new("icon"), Vec2::splat(icons::SIZE)), about.text)),
                };
                let item = item.shortcut_text(about.key(ui.ctx()));
                if ui.add_enabled(actions.is_some(), item).clicked() {
                    actions.into_iter().flatten().for_each(|action| cx.ask(action));
                }
            }
        }
    });
}
