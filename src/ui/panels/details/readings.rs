//! What a device or a position has told beside its place, in a person's words.

use egui::{Label, RichText, Ui};
use serde_json::Value;

use super::Details;
use crate::{
    model::{Readings, reading},
    ui::{Cx, format, theme, view::Units, widgets},
};

impl Details {
    pub(super) fn readings(&mut self, ui: &mut Ui, cx: &Cx<'_>, readings: &Readings) {
        const FEW: usize = 12;
        widgets::group_heading(ui, "Readings");
        let mut rows: Vec<_> = listed(readings).map(|(key, value)| (rank(key), key, value)).collect();
        rows.sort_by_key(|(rank, key, _)| (*rank, *key));
        let n = rows.len();
        let shown = if self.all_readings { n } else { n.min(FEW) };
        for (_, key, value) in rows.into_iter().take(shown) {
            let (label, text) = reading_text(key, value, cx.view.settings.units);
            let alarm = key == "alarm";
            widgets::pair(ui, &label, |ui| {
                let p = theme::palette(ui);
                let text = RichText::new(&text).color(if alarm { p.alarm } else { p.strong });
                ui.add(Label::new(text).truncate().selectable(true)).on_hover_text(format!("{key}: {value}"));
            });
        }
        if n > FEW {
            let text = if self.all_readings { "Fewer".to_owned() } else { format!("{} more", n - FEW) };
            if ui.link(text).clicked() {
                self.all_readings = !self.all_readings;
            }
        }
    }
}

/// The readings to list. The fix has told its satellites already.
pub(super) fn listed(readings: &Readings) -> impl Iterator<Item = (&str, &Value)> {
    readings.iter().filter(|(key, _)| *key != "sat")
}

/// Place of a key in the table of readings; unknown ones come last.
fn rank(key: &str) -> usize {
    let about = reading::about_key(key);
    about.and_then(|a| reading::TABLE.iter().position(|row| row.key == a.key)).unwrap_or(reading::TABLE.len())
}

/// A reading's label and its value with unit, for a person.
fn reading_text(key: &str, value: &Value, units: Units) -> (String, String) {
    let Some(about) = reading::about_key(key) else {
        return (key.to_owned(), plain(value));
    };
    let number = key.strip_prefix(about.key).filter(|n| !n.is_empty());
    let label = number.map_or_else(|| about.label.to_owned(), |n| format!("{} {n}", about.label));
    let text = match (about.unit, value.as_f64()) {
        ("m", Some(m)) if about.key == "vac" => format::height(m, units),
        ("m", Some(m)) => format::distance(m, units),
        ("ms", Some(ms)) => format::span(format::whole(ms / 1_000.0).cast_signed()),
        ("s", Some(s)) => format::span(format::whole(s).cast_signed()),
        ("km/h", Some(kmh)) => format::speed(kmh, units),
        ("°C", Some(celsius)) => format::temperature(celsius, units),
        ("", _) if about.key == "alarm" => value.as_str().map_or_else(|| plain(value), alarm_words),
        ("", _) => plain(value),
        (unit, _) => format!("{} {unit}", plain(value)),
    };
    (label, text)
}

pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => "not told".to_owned(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// `powerCut,sos` → `Power cut, sos`.
pub(super) fn alarm_words(alarms: &str) -> String {
    let mut words = String::new();
    for c in alarms.chars() {
        match c {
            ',' => words.push_str(", "),
            c if c.is_ascii_uppercase() => {
                words.push(' ');
                words.push(c.to_ascii_lowercase());
            }
            c => words.push(c),
        }
    }
    sentence_case(&words)
}

pub(super) fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn satellites_alone_are_no_readings_to_list() {
        let mut readings = Readings::new();
        readings.set("sat", 9);
        assert_eq!(listed(&readings).count(), 0);
        readings.set("batteryLevel", 80);
        assert_eq!(listed(&readings).map(|(key, _)| key).collect::<Vec<_>>(), ["batteryLevel"]);
    }

    #[test]
    fn readings_get_their_label_and_unit() {
        let check = |key: &str, value: Value, want: (&str, &str)| {
            let (label, text) = reading_text(key, &value, Units::Metric);
            assert_eq!((label.as_str(), text.as_str()), want);
        };
        check("batteryLevel", json!(87), ("Battery", "87 %"));
        check("temp2", json!(21.5), ("Temperature 2", "21.5 °C"));
        check("odometer", json!(12_345), ("Odometer", "12.3 km"));
        check("hours", json!(7_500_000), ("Engine hours", "2 h 5 min"));
        check("ignition", json!(false), ("Ignition", "no"));
        check("alarm", json!("powerCut,sos"), ("Alarm", "Power cut, sos"));
        check("inregions", json!(["home", "work"]), ("In regions", "home, work"));
        check("somethingNew", json!(3), ("somethingNew", "3"));
    }
}
