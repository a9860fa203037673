//! The clock doctor's word about a tracker: what its clock does, what that changes, and one click to mend it.

use egui::{Frame, Grid, Label, Margin, RichText, Ui};

use crate::{
    model::{ClockAdvice, DeviceOverview},
    ui::{
        Action, Cx, format,
        icons::{self, Icon},
        theme, widgets,
    },
};

/// Zones lie so many seconds apart.
pub(super) const QUARTER_S: i32 = 15 * 60;

/// The card, where there is something to propose.
pub(in crate::ui::panels) fn advice(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let data = cx.data;
    let (remote, device) = (&data.remote, overview.device.id);
    let Some((of, advice)) = &remote.advice else { return };
    let hidden = remote.dismissed.contains(&(device, advice.offset_s)) || remote.rereads.contains_key(&device);
    if *of != device || hidden {
        return;
    }
    let p = theme::palette(ui);
    ui.add_space(2.0);
    Frame::new().fill(p.notice).corner_radius(6).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Clock, p.late);
            ui.add(Label::new(widgets::strong(ui, error_text(advice))).wrap())
                .on_hover_text("The median of what it told against when that arrived");
        });
        examples(ui, cx, advice);
        ui.add(Label::new(widgets::weak(ui, reason(advice))).wrap());
        ui.horizontal(|ui| {
            let may = !data.station.viewer;
            let apply = format!("Set to {}", zone_name(advice.offset_s));
            let button = ui.add_enabled(may, widgets::primary(ui, Some(Icon::Check), &apply));
            let about = "Corrects what comes from now on, and reads its history again";
            if button.on_hover_text(about).on_disabled_hover_text("This window only looks on").clicked() {
                cx.ask(Action::ApplyClock(device, advice.offset_s));
            }
            if ui.button("Leave it").on_hover_text("Do not propose this again until the next start").clicked() {
                cx.ask(Action::DismissClock(device, advice.offset_s));
            }
        });
    });
    ui.add_space(2.0);
}

/// Frames as they are in history now, and as they would be.
fn examples(ui: &mut Ui, cx: &Cx<'_>, advice: &ClockAdvice) {
    let p = theme::palette(ui);
    Grid::new("clock examples").num_columns(3).spacing([14.0, 2.0]).min_row_height(16.0).show(ui, |ui| {
        for heading in ["Arrived", "Now", "Corrected"] {
            ui.label(widgets::weak(ui, heading).small());
        }
        ui.end_row();
        for example in &advice.examples {
            let time = |at| cx.view.moment(at, example.received);
            ui.label(cx.view.moment(example.received, cx.now));
            ui.label(RichText::new(time(example.before)).color(p.late));
            ui.label(RichText::new(time(example.after)).color(p.parked));
            ui.end_row();
        }
    });
}

/// `Its times are 8 h ahead`.
fn error_text(advice: &ClockAdvice) -> String {
    let side = if advice.error_s > 0 { "ahead" } else { "behind" };
    let quarters = advice.error_s.abs().saturating_add(i64::from(QUARTER_S) / 2) / i64::from(QUARTER_S);
    format!("Its times are {} {side}", format::span(quarters * i64::from(QUARTER_S)))
}

fn reason(advice: &ClockAdvice) -> String {
    let ClockAdvice { samples, agreeing, .. } = advice;
    let frames = format::counted(*samples as u64, "live frame", "live frames");
    format!("By {} of its last {frames}.", format::count(*agreeing as u64))
}

/// `UTC`, `UTC+08:00`.
fn zone_name(offset_s: i32) -> String {
    if offset_s == 0 { "UTC".to_owned() } else { format!("UTC{}", zone_text(offset_s)) }
}

/// `+08:00`, `-03:30`.
pub(super) fn zone_text(offset_s: i32) -> String {
    let minutes = offset_s.unsigned_abs() / 60;
    let sign = if offset_s < 0 { '-' } else { '+' };
    let seconds = offset_s.unsigned_abs() % 60;
    let rest = if seconds == 0 { String::new() } else { format!(":{seconds:02}") };
    format!("{sign}{:02}:{:02}{rest}", minutes / 60, minutes % 60)
}

/// Seconds east of UTC of `+8`, `+08:00`, `-0330`, `UTC+5:45`. `None` for what is no zone.
pub(super) fn parse_zone(text: &str) -> Option<i32> {
    let text = text.trim();
    let bare = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text).trim();
    if bare.is_empty() {
        return (!text.is_empty()).then_some(0);
    }
    let (sign, digits) = match bare.strip_prefix(['-', '−']) {
        Some(digits) => (-1, digits),
        None => (1, bare.strip_prefix('+').unwrap_or(bare)),
    };
    let number = |part: &str| -> Option<i32> {
        (!part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let mut parts = digits.split(':');
    let (hours, minutes, seconds) = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        (both, None, None, None) if both.len() == 4 && both.is_ascii() => {
            let (hours, minutes) = both.split_at(2);
            (number(hours)?, number(minutes)?, 0)
        }
        (hours, None, None, None) => (number(hours)?, 0, 0),
        (hours, Some(minutes), None, None) => (number(hours)?, number(minutes)?, 0),
        (hours, Some(minutes), Some(seconds), None) => (number(hours)?, number(minutes)?, number(seconds)?),
        _ => return None,
    };
    if minutes > 59 || seconds > 59 {
        return None;
    }
    Some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_understood_as_people_write_it() {
        for (text, want) in [
            ("+08:00", Some(28_800)),
            ("8", Some(28_800)),
            (" -3:30 ", Some(-12_600)),
            ("UTC+5:45", Some(20_700)),
            ("0530", Some(19_800)),
            ("−04:00", Some(-14_400)),
            ("UTC", Some(0)),
            ("+00:00:07", Some(7)),
            ("", None),
            ("east", None),
            ("+150", None),
            ("+8:75", None),
            ("1:2:3:4", None),
            ("ä8:00", None),
        ] {
            assert_eq!(parse_zone(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_zone_reads_back_as_it_was() {
        for offset_s in [0, 28_800, -12_600, 20_700, -59, 50_400] {
            assert_eq!(parse_zone(&zone_text(offset_s)), Some(offset_s));
        }
    }
}
