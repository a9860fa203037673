//! The sheet that says how everything fares: what is wrong first, then receivers, traffic, store, what was not taken, clocks and limits.

use egui::{Align, Grid, Label, Layout, RichText, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};

use crate::{
    backend::{
        Health, clock_text,
        doctor::{Finding, Level},
        health::{Count, Limit, Receiver, ReceiverState, Tapped},
        ms_text,
    },
    model::{DeviceId, MishapKind, Timestamp, bytes_text, size_text},
    ui::{
        Action, Cx, format,
        icons::{self, Icon},
        lamps::{self, Age},
        theme, widgets,
    },
};

/// Height of a line of traffic.
const SPARK: f32 = 34.0;
/// Height of a line of a table.
const LINE: f32 = 20.0;
/// From this width on, traffic and store stand side by side.
const TWO_COLUMNS: f32 = 620.0;

pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let width = (ui.ctx().content_rect().width() - 90.0).clamp(420.0, 760.0);
    ui.set_width(width);
    // Beside the bar that scrolls.
    ui.set_max_width(width - 8.0);
    let data = cx.data;
    let Some(health) = &data.health else {
        let text = data.health_trouble.as_deref().unwrap_or("Looking…");
        ui.label(widgets::weak(ui, text));
        return;
    };
    if let Some(trouble) = &data.health_trouble {
        ui.label(RichText::new(trouble).color(theme::palette(ui).late));
    }
    about(ui, cx, health);
    head(ui, &health.findings(cx.now));
    if let Some(why) = &data.watch.no_notices {
        ui.label(widgets::weak(ui, why.clone()));
    }
    section(ui, "Receivers", |ui| {
        receivers(ui, health.receivers.iter().chain(health.taps.iter().map(|tap| &tap.receiver)));
        health.taps.iter().for_each(|tap| tapped(ui, tap));
    });
    if width >= TWO_COLUMNS {
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                section(left, "Traffic in the last minute", |ui| traffic(ui, health));
                section(right, "Store", |ui| store(ui, health, cx.now));
            }
        });
    } else {
        section(ui, "Traffic in the last minute", |ui| traffic(ui, health));
        section(ui, "Store", |ui| store(ui, health, cx.now));
    }
    section(ui, "Not taken, not kept, held up", |ui| counts(ui, health, cx.now));
    section(ui, "Device clocks", |ui| clocks(ui, cx, health));
    section(ui, "Limits", |ui| limits(ui, &health.limits));
}

/// What runs, and what to take elsewhere.
fn about(ui: &mut Ui, cx: &mut Cx<'_>, health: &Health) {
    ui.horizontal(|ui| {
        let age_s = format::age_s(cx.now, health.started);
        let since = format::span(if age_s < 60 { age_s } else { age_s / 60 * 60 });
        let text = format!("Wayglass {} has been running for {since}, process {}", health.version, health.pid);
        ui.add(Label::new(widgets::weak(ui, text)).truncate());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(widgets::labelled(Icon::Copy, "Copy as JSON")).clicked()
                && let Ok(json) = serde_json::to_string_pretty(health)
            {
                cx.ask(Action::Copy(json, "the health"));
            }
            if ui.add(widgets::labelled(Icon::Folder, "Open log folder")).clicked() {
                cx.ask(Action::OpenLogFolder);
            }
        });
    });
    ui.add_space(theme::GAP);
}

/// What is wrong, each with its cure.
fn head(ui: &mut Ui, findings: &[Finding]) {
    let p = theme::palette(ui);
    let mut bad: Vec<_> = findings.iter().filter(|finding| finding.level > Level::Ok).collect();
    bad.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    if bad.is_empty() {
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Check, p.parked);
            ui.label(widgets::strong(ui, "All is well"));
        });
    }
    for Finding { topic, level, text, cure } in bad {
        let colour = if *level == Level::Trouble { p.alarm } else { p.late };
        ui.horizontal_top(|ui| {
            icons::show(ui, Icon::Warning, colour);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                ui.label(widgets::strong(ui, format!("{}: {text}", capital(topic))));
                if let Some(cure) = cure {
                    ui.label(widgets::weak(ui, capital(cure)));
                }
            });
        });
    }
    ui.add_space(theme::GAP);
}

fn section(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    ui.add_space(2.0);
    widgets::group_heading(ui, title);
    widgets::card(ui, add);
    ui.add_space(theme::GAP);
}

/// What goes through a tap. What is wrong with it stands at the head.
fn tapped(ui: &mut Ui, tap: &Tapped) {
    let what = tap.to.as_ref().map_or_else(|| "takes a copy".to_owned(), |to| format!("passes on to {to}"));
    let not = match tap.not_recorded_bytes {
        0 => "all of it recorded".to_owned(),
        bytes => format!("{} not recorded", bytes_text(bytes)),
    };
    let lately = format::counted(tap.packets_in_a_minute.into(), "packet", "packets");
    let text = format!("{} {what}: {lately} in the last minute, {not}", tap.receiver.name);
    ui.add(Label::new(widgets::weak(ui, text)).truncate());
}

fn receivers<'a>(ui: &mut Ui, receivers: impl Iterator<Item = &'a Receiver>) {
    let p = theme::palette(ui);
    Grid::new("receivers").num_columns(4).spacing([18.0, 3.0]).show(ui, |ui| {
        for Receiver { name, state, address, trouble, connections, most_connections } in receivers {
            let (age, word) = match state {
                ReceiverState::Listening => (Age::Fresh, "listens"),
                ReceiverState::Starting => (Age::Late, "is starting"),
                ReceiverState::Waiting => (Age::Late, "cannot listen"),
                ReceiverState::Off => (Age::Stale, "is off"),
            };
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                lamps::paint_receiver(ui.painter(), rect, age, p);
                ui.label(widgets::strong(ui, name));
            });
            match trouble {
                // The head of the sheet says it in full.
                Some(trouble) => ui.colored_label(p.alarm, word).on_hover_text(trouble),
                None => ui.label(word),
            };
            ui.label(RichText::new(address.as_deref().unwrap_or_default()).monospace());
            if *state == ReceiverState::Off && *connections == 0 {
                ui.label("");
            } else {
                let text =
                    format!("{} of {} connections", format::count(*connections), format::count(*most_connections));
                ui.label(widgets::weak(ui, text));
            }
            ui.end_row();
        }
    });
}

fn traffic(ui: &mut Ui, health: &Health) {
    let p = theme::palette(ui);
    for (name, by_second, colour) in
        [("Packets", &health.packets_by_second, p.received), ("New positions", &health.positions_by_second, p.parked)]
    {
        let rate = health.per_second(by_second);
        let most = by_second.iter().copied().max().unwrap_or_default();
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, name));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(widgets::weak(ui, format!("peak {}", format::count(most.into()))));
                ui.label(widgets::strong(ui, format!("{}/s", decimal(rate))));
            });
        });
        spark(ui, by_second, colour, &format!("{name}: {} a second over the last minute", decimal(rate)));
    }
}

/// One bar a second.
fn spark(ui: &mut Ui, by_second: &[u32], colour: egui::Color32, name: &str) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), SPARK), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if !ui.is_rect_visible(rect) || by_second.is_empty() {
        return;
    }
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, p.sunken);
    let most = by_second.iter().copied().max().unwrap_or_default().max(1);
    let inside = rect.shrink(3.0);
    #[expect(clippy::cast_precision_loss, reason = "sixty bars")]
    let step = inside.width() / by_second.len() as f32;
    let mut left = inside.left();
    for n in by_second {
        if *n > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "a part of a height")]
            let height = ((f64::from(*n) / f64::from(most)) as f32 * inside.height()).max(1.5);
            let bar = egui::Rect::from_min_max(
                egui::pos2(left, inside.bottom() - height),
                egui::pos2(left + (step - 1.0).max(1.0), inside.bottom()),
            );
            painter.rect_filled(bar, 0.5, colour);
        }
        left += step;
    }
}

fn store(ui: &mut Ui, health: &Health, now: Timestamp) {
    let p = theme::palette(ui);
    let value = |ui: &mut Ui, text: String| {
        ui.label(widgets::strong(ui, text));
    };
    widgets::pair(ui, "Waiting", |ui| {
        let queue = &health.queue;
        value(ui, format::counted(queue.writes, "write", "writes"));
        ui.label(widgets::weak(ui, format!("{} of {}", bytes_text(queue.bytes), size_text(queue.bound_bytes))));
    });
    widgets::pair(ui, "Last commit", |ui| {
        value(ui, health.commits.last_us.map_or_else(|| "none yet".to_owned(), ms_text));
    });
    widgets::pair(ui, "Commits", |ui| match (health.commits.p50_us, health.commits.p99_us) {
        (Some(p50), Some(p99)) => {
            value(ui, format!("{} · {}", ms_text(p50), ms_text(p99)));
            ui.label(widgets::weak(ui, "median · 99 %")).on_hover_text(format!(
                "Of {} in the last five minutes",
                format::counted(health.commits.count, "commit", "commits")
            ));
        }
        _ => {
            ui.label(widgets::weak(ui, "none in the last minutes"));
        }
    });
    widgets::pair(ui, "Database", |ui| {
        value(ui, bytes_text(health.database_bytes));
        ui.label(widgets::weak(ui, format!("and {} log", bytes_text(health.log_bytes))));
    });
    widgets::pair(ui, "Disk left", |ui| {
        value(ui, health.disk_free_bytes.map_or_else(|| "unknown".to_owned(), bytes_text));
    });
    widgets::pair(ui, "Last failure", |ui| match &health.failure {
        None => {
            ui.label(widgets::weak(ui, "none since the start"));
        }
        Some(failure) => {
            let when =
                if failure.lasts { "now".to_owned() } else { format!("{} ago", widgets::age(ui, now, failure.at)) };
            let text = RichText::new(when).color(if failure.lasts { p.alarm } else { p.late });
            ui.label(text).on_hover_text(&failure.text);
            ui.add(Label::new(widgets::weak(ui, &failure.text)).truncate());
        }
    });
}

fn counts(ui: &mut Ui, health: &Health, now: Timestamp) {
    const WIDTHS: [f32; 3] = [96.0, 84.0, 84.0];
    if health.counts.iter().all(|count| count.ever == 0) {
        ui.label(widgets::weak(ui, "Nothing so far."));
        return;
    }
    let titles = ["since the start", "ever", "last"].map(|title| small(ui, title));
    line(ui, WIDTHS, titles, |_| ());
    for kind in MishapKind::ALL {
        let mut counted = health.counted(kind).peekable();
        if counted.peek().is_some() {
            widgets::group_heading(ui, kind.title());
        }
        for Count { title, since_start, ever, last, .. } in counted {
            let since = format::count(*since_start);
            let since = if *since_start > 0 { widgets::strong(ui, since) } else { widgets::weak(ui, since) };
            let ago = last.map(|last| format!("{} ago", format::age(format::age_s(now, last))));
            let (ever, ago) = (widgets::weak(ui, format::count(*ever)), widgets::weak(ui, ago.unwrap_or_default()));
            line(ui, WIDTHS, [since, ever, ago], |ui| drop(ui.add(Label::new(capital(title)).truncate())));
        }
    }
}

fn clocks(ui: &mut Ui, cx: &mut Cx<'_>, health: &Health) {
    let clocks = &health.clocks;
    let n = format::counted(clocks.devices, "device", "devices");
    let text = match (clocks.devices, clocks.ahead + clocks.behind) {
        (0, _) => "No adopted device has sent a position yet.".to_owned(),
        (_, 0) => format!("The times of {n} fit those of arrival, by the newest positions."),
        _ => format!("By the newest positions of {n}, {} ahead and {} behind.", clocks.ahead, clocks.behind),
    };
    ui.label(widgets::weak(ui, text));
    for off in &clocks.worst {
        ui.horizontal(|ui| {
            ui.label(widgets::strong(ui, &off.name));
            ui.label(clock_text(off.ahead_s));
            let device = DeviceId(off.device);
            if cx.data.devices.contains_key(&device) && ui.small_button("Profile…").clicked() {
                cx.ask(Action::OpenProfile(device));
            }
        });
    }
}

fn limits(ui: &mut Ui, limits: &[Limit]) {
    const WIDTHS: [f32; 4] = [76.0, 76.0, 66.0, 120.0];
    let p = theme::palette(ui);
    let titles = ["limit", "in use", "reached", "from"].map(|title| small(ui, title));
    line(ui, WIDTHS, titles, |_| ());
    for limit in limits {
        let share = limit.share().unwrap_or_default();
        let used = RichText::new(grouped(limit.used_text.as_deref().unwrap_or_default()));
        let reached = match limit.reached {
            Some(n) if n > 0 => RichText::new(format!("{}×", format::count(n))).color(p.late),
            Some(_) => widgets::weak(ui, "never"),
            None => widgets::weak(ui, ""),
        };
        let cells = [
            widgets::strong(ui, grouped(&limit.text)),
            used.color(if share >= 0.8 { p.late } else { p.text }),
            reached,
            widgets::weak(ui, &limit.source),
        ];
        line(ui, WIDTHS, cells, |ui| {
            let title = ui.add(Label::new(&limit.title).truncate());
            title.on_hover_text(format!("`{}` in the settings", limit.key));
        });
    }
    ui.add_space(theme::GAP);
    ui.label(widgets::weak(
        ui,
        "They are set in the settings file, most of them under [limits], and hold from the next start on.",
    ));
}

/// A line of a table: what it is about takes the room that the figures leave, which stand at the right of their columns.
fn line<const N: usize>(ui: &mut Ui, widths: [f32; N], figures: [RichText; N], about: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = LINE;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.horizontal(|ui| {
            #[expect(clippy::cast_precision_loss, reason = "a handful of columns")]
            let gaps = ui.spacing().item_spacing.x * N as f32;
            let room = ui.available_width() - widths.iter().sum::<f32>() - gaps;
            widgets::cell(ui, room.max(80.0), about);
            for (width, figure) in widths.into_iter().zip(figures) {
                widgets::cell(ui, width, |ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.add(Label::new(figure).truncate()));
                });
            }
        });
    });
}

/// Figures that are nothing but digits, in groups of three.
fn grouped(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), format::count)
}

fn small(ui: &Ui, text: &str) -> RichText {
    widgets::weak(ui, text).text_style(TextStyle::Small)
}

/// `0`, `0.3`, `42`.
fn decimal(n: f64) -> String {
    if n > 0.0 && n < 9.95 { format!("{n:.1}") } else { format::count(format::whole(n.round())) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
