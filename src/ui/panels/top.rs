//! The line at the top: where each receiver listens, how the fleet fares, and what can be opened.

use egui::{
    Align, Atom, Button, DragValue, Layout, Popup, PopupCloseBehavior, RichText, Role, Sense, TextStyle, Ui, Vec2,
    WidgetInfo, text::LayoutJob, vec2,
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use crate::{
    backend::{ListenAt, ReceiverLine, ReceiverStatus},
    model::{DeviceState, Protocol},
    ui::{
        Action, Cx, Data, format,
        icons::Icon,
        lamps::{self, Age},
        theme,
        view::{Sheet, ThemeChoice},
        widgets,
    },
};

/// The line and what is being typed in its pop-ups.
#[derive(Default)]
pub(super) struct Top {
    /// The port being typed for each receiver.
    ports: BTreeMap<Protocol, u16>,
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
                    for line in &data.station.receivers {
                        self.receiver(ui, cx, line, roomy);
                    }
                    if !data.station.receivers.is_empty() {
                        ui.separator();
                    }
                    counts(ui, cx, roomy);
                });
            },
        );
    }

    fn receiver(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine, roomy: bool) {
        let p = theme::palette(ui);
        let title = line.protocol.title();
        let detail = detail(line, roomy);
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
        let lamp = Atom::paint(Vec2::splat(10.0), move |ui, args| {
            lamps::paint_receiver(ui.painter(), args.rect, age, theme::palette(ui));
        });
        let button = ui.add(Button::new((lamp, text)).frame_when_inactive(false));
        let button = button.on_hover_text("Where this receiver listens");
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(340.0)
            .show(|ui| self.receiver_sheet(ui, cx, line));
    }

    fn receiver_sheet(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine) {
        let p = theme::palette(ui);
        let (protocol, wanted) = (line.protocol, wanted(line));
        ui.add_space(2.0);
        ui.label(RichText::new(format!("{} receiver", protocol.title())).text_style(theme::title()).color(p.strong));
        ui.label(widgets::weak(ui, sentence(line)));
        ui.add_space(theme::GAP);
        let everywhere = wanted.is_some_and(|a| !a.ip().is_loopback());
        let port = wanted.map_or(protocol.default_port(), |a| a.port());
        let at = |ip: Ipv4Addr, port| ListenAt::Address(SocketAddr::new(IpAddr::V4(ip), port));
        if ui.radio(wanted.is_some() && !everywhere, "This computer only").clicked() {
            cx.ask(Action::Listen(protocol, at(Ipv4Addr::LOCALHOST, port)));
        }
        if ui.radio(everywhere, "Whole network").clicked() {
            cx.ask(Action::Listen(protocol, at(Ipv4Addr::UNSPECIFIED, port)));
        }
        if ui.radio(wanted.is_none(), "Off").clicked() {
            cx.ask(Action::Listen(protocol, ListenAt::Off));
        }
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            let typed = self.ports.entry(protocol).or_insert(port);
            let label = ui.label("Port");
            let field = ui.add(DragValue::new(typed).range(1..=u16::MAX).speed(0.2)).labelled_by(label.id);
            if !field.has_focus() && !field.dragged() && *typed != port && ui.button(format!("Use {typed}")).clicked() {
                let ip = wanted.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |a| a.ip());
                cx.ask(Action::Listen(protocol, ListenAt::Address(SocketAddr::new(ip, *typed))));
            }
        });
        ui.add_space(theme::GAP);
        if everywhere {
            for ip in cx.data.station.lan.iter().filter(|ip| ip.is_ipv4()) {
                let address = reachable_at(protocol, *ip, port);
                if widgets::copyable(ui, &address, "address") {
                    cx.ask(Action::Copy(address, "the address"));
                }
            }
            let open = match protocol {
                Protocol::Gt06 => "GT06 knows no passwords: whoever reaches this port can send positions.",
                Protocol::OwnTracks => "Whoever reaches this port can send positions.",
            };
            ui.label(widgets::weak(ui, open));
        }
        if line.connections > 0 {
            let n = line.connections as u64;
            ui.label(widgets::weak(ui, format::counted(n, "connection is open", "connections are open")));
        }
    }
}

/// True where [`banners`] has something to say.
pub(super) fn any_banner(data: &Data) -> bool {
    let station = &data.station;
    let waits = |line: &ReceiverLine| matches!(line.status, ReceiverStatus::Waiting { .. });
    station.viewer || station.demo || data.trouble.is_some() || station.receivers.iter().any(waits)
}

/// The receivers that wait for their port, each with its cure; and what else has to be known all the time.
pub(super) fn banners(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    let data = cx.data;
    if data.station.viewer {
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
            if let Some(port) = other_port(*wanted, &data.station.receivers)
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
    }
}

/// The next port that no receiver of ours wants.
fn other_port(taken: SocketAddr, receivers: &[ReceiverLine]) -> Option<u16> {
    let wants = |port: u16| receivers.iter().filter_map(wanted).any(|a| a.port() == port);
    (taken.port()..u16::MAX).map(|port| port + 1).find(|port| !wants(*port))
}

fn wanted(line: &ReceiverLine) -> Option<SocketAddr> {
    match (line.wanted, &line.status) {
        // Port 0 was asked for; the one that was given is the one to speak of.
        (ListenAt::Address(wanted), ReceiverStatus::Listening(bound)) if wanted.port() == 0 => Some(*bound),
        (ListenAt::Address(wanted), _) => Some(wanted),
        (ListenAt::Off, _) => None,
    }
}

/// What to type into a device in this network.
pub(super) fn reachable_at(protocol: Protocol, ip: IpAddr, port: u16) -> String {
    let address = SocketAddr::new(ip, port);
    match protocol {
        Protocol::Gt06 => address.to_string(),
        Protocol::OwnTracks => format!("http://{address}"),
    }
}

fn reach(address: SocketAddr) -> &'static str {
    if address.ip().is_loopback() {
        "this computer only"
    } else if address.ip().is_unspecified() {
        "whole network"
    } else {
        "this address only"
    }
}

/// What stands behind the protocol's name.
fn detail(line: &ReceiverLine, roomy: bool) -> String {
    let short = |address: &SocketAddr| {
        if roomy { address.to_string() } else { format!(":{}", address.port()) }
    };
    match &line.status {
        ReceiverStatus::Off => "off".to_owned(),
        ReceiverStatus::Starting => "starting".to_owned(),
        ReceiverStatus::Listening(address) => format!("{} · {}", short(address), reach(*address)),
        ReceiverStatus::Waiting { wanted, holder: Some(_), .. } => format!(":{} in use", wanted.port()),
        ReceiverStatus::Waiting { wanted, holder: None, .. } => format!(":{} not listening", wanted.port()),
    }
}

fn sentence(line: &ReceiverLine) -> String {
    match &line.status {
        ReceiverStatus::Off => "It is off: nothing is received.".to_owned(),
        ReceiverStatus::Starting => "It is starting.".to_owned(),
        ReceiverStatus::Listening(address) if address.ip().is_loopback() => {
            format!("It listens on {address}. Devices outside this computer cannot reach it.")
        }
        ReceiverStatus::Listening(address) => format!("It listens on {address}."),
        ReceiverStatus::Waiting { wanted, error, holder, .. } => match holder {
            Some(holder) => format!("It waits for {wanted}: port in use by {holder}."),
            None => format!("It waits for {wanted}: {error}."),
        },
    }
}

fn counts(ui: &mut Ui, cx: &mut Cx<'_>, roomy: bool) {
    let p = theme::palette(ui);
    let tally = cx.data.tally;
    let shown = [
        (Age::Fresh, tally.live, "live", "heard within their own rhythm"),
        (Age::Late, tally.late, "late", "silent for more than three times their rhythm"),
        (Age::Lost, tally.lost, "lost", "silent for more than ten times their rhythm"),
    ];
    for (age, n, word, rule) in shown {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
            lamps::paint_receiver(ui.painter(), rect, age, p);
            let text = format!("{} {word}", format::count(n));
            let short = if roomy { text.clone() } else { format::count(n) };
            let label = ui.label(RichText::new(short).color(if n > 0 { p.text } else { p.weak }));
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
            label.on_hover_text(format!("{text}: {rule}"));
        });
        ui.add_space(if roomy { 4.0 } else { 0.0 });
    }
    let n_new = cx.data.in_state(DeviceState::New).count() as u64;
    if n_new > 0 {
        let text = RichText::new(format!("{} new", format::count(n_new))).color(p.suspect);
        let button = ui.add(Button::new(text).fill(p.suspect.gamma_multiply(0.15)));
        if button.on_hover_text("Senders nobody has decided about yet").clicked() && !cx.view.open.devices {
            cx.ask(Action::ToggleDevices);
        }
    }
    let rate = cx.data.pulse.per_second(cx.now);
    if rate > 0.0 {
        // It goes down by itself when nothing more comes.
        ui.request_repaint_after(std::time::Duration::from_secs(1));
    }
    let unit = if roomy { " packets/s" } else { "/s" };
    let text = if rate > 0.0 && rate < 9.95 { format!("{rate:.1}{unit}") } else { format!("{rate:.0}{unit}") };
    ui.label(widgets::weak(ui, text)).on_hover_text("Packets received a second, over the last ten seconds");
}

fn tools(ui: &mut Ui, cx: &mut Cx<'_>) {
    let open = cx.view.open;
    let toggle = |ui: &mut Ui, cx: &mut Cx<'_>, icon, name, on, action: Action| {
        if widgets::icon_toggle(ui, icon, name, on).clicked() {
            cx.ask(action);
        }
    };
    toggle(
        ui,
        cx,
        Icon::Gear,
        "Settings (F10)",
        open.sheet == Some(Sheet::Settings),
        Action::Sheet(Some(Sheet::Settings)),
    );
    toggle(ui, cx, Icon::Keyboard, "Keys (?)", open.sheet == Some(Sheet::Keys), Action::Sheet(Some(Sheet::Keys)));
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
    ui.separator();
    toggle(ui, cx, Icon::PaneRight, "Details (Ctrl+D)", open.details, Action::ToggleDetails);
    toggle(ui, cx, Icon::PaneBottom, "Packets (Ctrl+J)", open.dock, Action::ToggleDock);
    toggle(ui, cx, Icon::PaneLeft, "Devices (Ctrl+B)", open.devices, Action::ToggleDevices);
}
