//! What an export is called: whose history, from when to when.

use jiff::tz::TimeZone;

use crate::{
    backend::safe_name,
    model::{TimeWindow, Timestamp},
};

/// Devices that are named; of more their number is told.
const NAMED: usize = 2;
/// Letters of a device's name at most.
const LETTERS: usize = 40;

/// `Van 7`, `Van 3, Van 7`, `5 devices`.
pub(super) fn of_devices(names: &[&str]) -> String {
    let short = |name: &&str| safe_name(&name.chars().take(LETTERS).collect::<String>());
    match names {
        [] => "nothing".to_owned(),
        names if names.len() <= NAMED => names.iter().map(short).collect::<Vec<_>>().join(", "),
        names => format!("{} devices", names.len()),
    }
}

/// `2026-11-20`, `2026-11-15 to 2026-11-21`; with times where it is only a part of a day: `2026-11-20 0812 to 0847`.
pub(super) fn of_span(TimeWindow { from, to }: TimeWindow, now: Timestamp, zone: &TimeZone) -> String {
    let open = to.is_none();
    let to = to.unwrap_or(now).to_zoned(zone.clone());
    let Some(from) = from.map(|from| from.to_zoned(zone.clone())) else {
        return format!("until {}", to.date());
    };
    let begins = from.start_of_day().is_ok_and(|start| start.timestamp() == from.timestamp());
    let ends = open
        || to.tomorrow().and_then(|next| next.start_of_day()).is_ok_and(|next| {
            // The last millisecond of a day is its end.
            next.timestamp().as_millisecond() - to.timestamp().as_millisecond() <= 1
        });
    match (begins && ends, from.date() == to.date()) {
        (true, true) => from.date().to_string(),
        (true, false) => format!("{} to {}", from.date(), to.date()),
        (false, true) => format!("{} to {}", from.strftime("%Y-%m-%d %H%M"), to.strftime("%H%M")),
        (false, false) => format!("{} to {}", from.strftime("%Y-%m-%d %H%M"), to.strftime("%Y-%m-%d %H%M")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_whose_and_which_history_it_has() {
        let zone = TimeZone::get("Europe/Brussels").unwrap();
        let now: Timestamp = "2026-11-21T14:02:31Z".parse().unwrap();
        for (from, to, name) in [
            (Some("2026-11-19T23:00:00Z"), Some("2026-11-20T22:59:59.999Z"), "2026-11-20"),
            (Some("2026-11-20T23:00:00Z"), None, "2026-11-21"),
            (Some("2026-11-14T23:00:00Z"), None, "2026-11-15 to 2026-11-21"),
            (Some("2026-11-21T13:02:31Z"), None, "2026-11-21 1402 to 1502"),
            (Some("2026-11-20T07:12:00Z"), Some("2026-11-20T07:47:00Z"), "2026-11-20 0812 to 0847"),
            (Some("2026-11-20T22:30:00Z"), Some("2026-11-20T23:30:00Z"), "2026-11-20 2330 to 2026-11-21 0030"),
            (None, None, "until 2026-11-21"),
        ] {
            let at = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            assert_eq!(of_span(TimeWindow { from: at(from), to: at(to) }, now, &zone), name);
        }
        assert_eq!(of_devices(&["Van 7"]), "Van 7");
        assert_eq!(of_devices(&["Van 7", "a/b"]), "Van 7, a_b");
        assert_eq!(of_devices(&["a", "b", "c"]), "3 devices");
        assert_eq!(of_devices(&["../../etc/passwd"]), "_.._etc_passwd");
        assert_eq!(of_devices(&["..."]), "device");
    }
}
