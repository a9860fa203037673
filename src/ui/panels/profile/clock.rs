//! The clock doctor's word about a tracker: what its clock does, what that changes, and one click to mend it.

use egui::{Frame, Label, Margin, RichText, Ui};

use crate::{
    model::DeviceOverview,
    ui::{
        Action, Cx,
        icons::{self, Icon},
        theme, widgets,
    },
};

/// Zones lie so many seconds apart.
pub(super) const QUARTER_S: i32 = 15 * 60;

/// The card, where there is something to propose.
pub(in crate::ui::panels) fn advice(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let Some((device, advice)) = &cx.data.remote.advice else { return };
    if *device != overview.device.id {
        return;
    }
    let p = theme::palette(ui);
    Frame::new().fill(p.notice).corner_radius(6).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            icons::show(ui, Icon::Clock, p.late);
            ui.add(Label::new(widgets::strong(ui, format!("Clock {}", zone_text(advice.offset_s)))).wrap());
        });
        if ui.button("Apply").clicked() {
            let profile =
                crate::model::Profile { clock_offset_s: Some(advice.offset_s), ..overview.device.profile.clone() };
            cx.ask(Action::SetProfile(overview.device.id, profile));
        }
        let _ = RichText::new("");
    });
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
