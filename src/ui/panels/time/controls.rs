//! The row above the strip: play, span, devices, series, clock, LIVE.

use egui::{Align, Button, ComboBox, Layout, RichText, Ui, WidgetInfo, accesskit::Role};

use super::push;
use crate::{
    model::{DeviceId, DeviceState},
    track::Series,
    ui::{
        Cx, format,
        icons::Icon,
        theme,
        time::{Act, Bar, SPEEDS, Span, moment},
        widgets,
    },
};

/// From this width on, everything has a button of its own.
const ROOMY: f32 = 1_180.0;
/// Devices that the menu lists; more are picked by selecting them.
const LISTED: usize = 400;

pub(super) fn row(ui: &mut Ui, cx: &mut Cx<'_>) {
    let roomy = ui.available_width() > ROOMY;
    ui.horizontal(|ui| {
        ui.set_height(theme::ROW);
        ui.spacing_mut().item_spacing.x = 4.0;
        replay(ui, cx);
        ui.add_space(theme::GAP);
        spans(ui, cx, roomy);
        ui.add_space(theme::GAP);
        devices(ui, cx);
        series(ui, cx);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            if widgets::icon_button(ui, Icon::Down, "Collapse the time bar").clicked() {
                push(cx, Act::Bar(Bar::Thin));
            }
            let open = cx.view.time.trips;
            if widgets::icon_toggle(ui, Icon::Route, "Trips and stops of the span", open).clicked() {
                push(cx, Act::Trips(!open));
            }
            live(ui, cx);
            clock(ui, cx);
            notes(ui, cx);
        });
    });
}

/// The collapsed bar: play, a line, the clock.
pub(super) fn thin(ui: &mut Ui, cx: &mut Cx<'_>, line: impl FnOnce(&mut Ui, &mut Cx<'_>)) {
    ui.horizontal(|ui| {
        ui.set_height(super::THIN);
        ui.spacing_mut().interact_size.y = super::THIN;
        ui.spacing_mut().item_spacing.x = 6.0;
        play(ui, cx);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, Icon::Up, "Open the time bar").clicked() {
                push(cx, Act::Bar(Bar::Open));
            }
            live(ui, cx);
            clock(ui, cx);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| line(ui, cx));
        });
    });
}

fn play(ui: &mut Ui, cx: &mut Cx<'_>) {
    let playing = cx.view.time.playing;
    let (icon, name) = if playing { (Icon::Pause, "Pause (Space)") } else { (Icon::Play, "Play (Space)") };
    if widgets::icon_toggle(ui, icon, name, playing).clicked() {
        push(cx, Act::Play);
    }
}

fn replay(ui: &mut Ui, cx: &mut Cx<'_>) {
    play(ui, cx);
    let time = &cx.view.time;
    let combo = ComboBox::from_id_salt("replay-speed").width(58.0).selected_text(format!("{}x", time.speed));
    let combo = combo.show_ui(ui, |ui| {
        for speed in SPEEDS {
            if ui.selectable_label(time.speed == speed, format!("{speed}x")).clicked() {
                cx.actions.push(crate::ui::Action::Time(Act::Speed(speed)));
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Replay speed"));
    let skip = cx.view.time.skip_parked;
    if widgets::icon_toggle(ui, Icon::Skip, "Skip time in which nothing moves", skip).clicked() {
        push(cx, Act::SkipParked(!skip));
    }
}

fn spans(ui: &mut Ui, cx: &mut Cx<'_>, roomy: bool) {
    let (chosen, ended) = (cx.view.time.span, cx.view.time.ends.is_some());
    if roomy {
        for span in Span::PRESETS {
            let button = Button::new(span.title(ended)).selected(chosen == span);
            if ui.add(button).clicked() {
                push(cx, Act::Span(span));
            }
        }
    } else {
        let combo = ComboBox::from_id_salt("span").width(84.0).selected_text(chosen.title(ended));
        let combo = combo.show_ui(ui, |ui| {
            for span in Span::PRESETS {
                if ui.selectable_label(chosen == span, span.title(ended)).clicked() {
                    cx.actions.push(crate::ui::Action::Time(Act::Span(span)));
                }
            }
        });
        combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Span"));
    }
    if widgets::icon_button(ui, Icon::Left, "Previous day ([)").clicked() {
        push(cx, Act::Days(-1));
    }
    let text = days_text(cx);
    let open = cx.view.time.month.is_some();
    let day = widgets::labelled(Icon::Calendar, &text).selected(open);
    if ui.add(day).on_hover_text("Pick days from a calendar").clicked() {
        let (first, _) = chosen.days(cx.view.span_now(cx.now), &cx.view.zone());
        push(cx, Act::Month((!open).then(|| first.first_of_month())));
    }
    if widgets::icon_button(ui, Icon::Right, "Next day (])").clicked() {
        push(cx, Act::Days(1));
    }
    if let Some((from_ms, to_ms)) = cx.view.time.range {
        let hint = "Look at the marked part only";
        if ui.add(widgets::labelled(Icon::Search, "Part")).on_hover_text(hint).clicked() {
            push(cx, Act::Span(Span::Fixed { from_ms, to_ms }));
        }
    }
}

/// `Sat 21 Nov`, `15 – 21 Nov`, `20 Nov 14:02 – 15:10`.
fn days_text(cx: &Cx<'_>) -> String {
    let zone = cx.view.zone();
    let (first, last) = cx.view.time.span.days(cx.view.span_now(cx.now), &zone);
    if let Span::Fixed { from_ms, to_ms } = cx.view.time.span {
        let text = |ms, pattern| moment(ms).to_zoned(zone.clone()).strftime(pattern).to_string();
        let end = if first == last { "%H:%M" } else { "%-d %b %H:%M" };
        return format!("{} – {}", text(from_ms, "%-d %b %H:%M"), text(to_ms, end));
    }
    if first == last {
        return first.strftime("%a %-d %b").to_string();
    }
    let start = if first.month() == last.month() { "%-d" } else { "%-d %b" };
    format!("{} – {}", first.strftime(start), last.strftime("%-d %b"))
}

fn devices(ui: &mut Ui, cx: &mut Cx<'_>) {
    let picked = &cx.view.time.picked;
    let text = match picked.iter().next() {
        None => "In view".to_owned(),
        Some(one) if picked.len() == 1 => cx.data.label(*one).to_owned(),
        Some(_) => format::counted(picked.len() as u64, "device", "devices"),
    };
    let menu = ComboBox::from_id_salt("past-devices").width(110.0).truncate().selected_text(text);
    let menu = menu.close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show_ui(ui, |ui| {
        if ui.selectable_label(picked.is_empty(), "Those in view").clicked() {
            cx.actions.push(crate::ui::Action::Time(Act::Pick(Vec::new())));
        }
        ui.separator();
        let mut known: Vec<_> = cx.data.in_state(DeviceState::Adopted).take(LISTED).collect();
        known.sort_by_key(|d| cx.data.name_of(d).to_lowercase());
        for overview in known {
            let id = overview.device.id;
            let mut on = picked.contains(&id);
            if ui.checkbox(&mut on, cx.data.name_of(overview)).changed() {
                let mut chosen: Vec<DeviceId> = picked.iter().copied().filter(|other| *other != id).collect();
                chosen.extend(on.then_some(id));
                cx.actions.push(crate::ui::Action::Time(Act::Pick(chosen)));
            }
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Devices of the time bar"));
}

pub(super) fn series_title(series: Series) -> &'static str {
    match series {
        Series::Speed => "Speed",
        Series::Altitude => "Altitude",
        Series::Voltage => "Voltage",
        Series::Battery => "Battery",
        Series::Satellites => "Satellites",
        Series::Packets => "Packets/min",
    }
}

fn series(ui: &mut Ui, cx: &mut Cx<'_>) {
    let chosen = cx.view.time.series;
    let combo = ComboBox::from_id_salt("series").width(92.0).selected_text(series_title(chosen));
    let combo = combo.show_ui(ui, |ui| {
        for series in Series::ALL {
            if ui.selectable_label(chosen == series, series_title(series)).clicked() {
                cx.actions.push(crate::ui::Action::Time(Act::Series(series)));
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "What the strip shows"));
}

fn live(ui: &mut Ui, cx: &mut Cx<'_>) {
    let live = cx.view.is_live();
    let p = theme::palette(ui);
    let colour = if live { p.parked } else { p.weak };
    let (name, here, back) = match cx.view.time.ends {
        Some(_) => ("END", "This is the end of the capture", "To the end of the capture (Esc)"),
        None => ("LIVE", "This is now", "Back to now (Esc)"),
    };
    let button = Button::new(RichText::new(name).color(colour).strong()).selected(live);
    let hint = if live { here } else { back };
    if ui.add(button).on_hover_text(hint).clicked() {
        push(cx, Act::Live);
    }
}

/// The instant that is looked at, with its zone.
fn clock(ui: &mut Ui, cx: &Cx<'_>) {
    let p = theme::palette(ui);
    let at = moment(cx.view.instant_ms(cx.now));
    let zone = cx.view.zone_name(at);
    let at = at.to_zoned(cx.view.zone());
    let today = at.date() == cx.now.to_zoned(cx.view.zone()).date();
    let pattern = if today { "%H:%M:%S" } else { "%a %-d %b  %H:%M:%S" };
    ui.label(RichText::new(zone).color(p.weak));
    let colour = if cx.view.is_live() { p.text } else { p.accent };
    ui.label(RichText::new(at.strftime(pattern).to_string()).color(colour).strong());
}

/// What is still being read, or was left out.
fn notes(ui: &mut Ui, cx: &Cx<'_>) {
    let history = &cx.data.history;
    let p = theme::palette(ui);
    if let Some(trouble) = &history.trouble {
        ui.label(RichText::new("Not all could be read").color(p.alarm)).on_hover_text(trouble);
    } else if history.cut() {
        let most = format::count(crate::ui::time::MOST_POINTS);
        let hint = format!("{most} points are held at most; choose fewer devices or a shorter span to see the rest");
        ui.label(RichText::new(format!("First {most} points")).color(p.late)).on_hover_text(hint);
    } else if history.awaited > 1 {
        ui.label(RichText::new(format!("Reading {}…", history.awaited)).color(p.weak));
    }
}
