//! Words that GT06 trackers understand, which of them are dangerous, and when fuel may be cut (gt06.md §7).
//!
//! Not every model knows every word, so a text is opaque: the library only offers, and people add their own ([`UserCommand`]).

use serde::{Deserialize, Serialize};

use super::{DeviceOverview, Timestamp, Trust};

/// Longest text of one command in characters: the length of the frame around it is one byte.
pub const MOST_CHARS: usize = 245;

/// What the two language bytes take of [`MOST_CHARS`].
const LANGUAGE_CHARS: usize = 2;

/// Above this speed in km/h fuel is not cut: the documents of the devices say the same.
pub const CUT_BELOW_KMH: f64 = 20.0;

/// What is older than this many seconds says nothing about the vehicle as it is now.
pub const FRESH_S: i64 = 300;

/// Which trackers know a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Concox and Jimi, and most of what follows them.
    Concox,
    /// GT06 v1.8, G109 and their clones: `DYD`, with a password in front of the end.
    Dyd,
    /// The common set; the text is the same as by SMS.
    Common,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Common, Self::Concox, Self::Dyd];

    /// How people name it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Concox => "Concox, Jimi",
            Self::Dyd => "GT06 v1.8, G109, clones",
            Self::Common => "common",
        }
    }
}

/// A gap in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// As it stands in the template, between braces.
    pub name: &'static str,
    /// What it is, with its unit.
    pub meaning: &'static str,
    /// A value that usually fits.
    pub example: &'static str,
}

/// One row of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// What it does, in a few words.
    pub purpose: &'static str,
    /// The text, with `{name}` for each parameter.
    pub text: &'static str,
    pub parameters: &'static [Parameter],
    pub dialect: Dialect,
    /// What one should know before sending it; empty for nothing.
    pub note: &'static str,
    /// Where it is written.
    pub source: &'static str,
}

impl Template {
    /// The text with the parameters filled in, in their order. Says which one is missing or breaks the text.
    pub fn fill(&self, values: &[&str]) -> Result<String, String> {
        let mut text = self.text.to_owned();
        for (place, parameter) in self.parameters.iter().enumerate() {
            let value = values.get(place).map_or("", |v| v.trim());
            if value.is_empty() {
                return Err(format!("{} is missing: {}", parameter.name, parameter.meaning));
            }
            if value.contains([',', '#', '{', '}']) {
                return Err(format!("{} cannot hold a comma, a # or a brace", parameter.name));
            }
            text = text.replace(&format!("{{{}}}", parameter.name), value);
        }
        Ok(text)
    }

    /// What is dangerous about it.
    pub fn danger(&self) -> Option<Danger> {
        danger(self.text)
    }
}

const PASSWORD: &[Parameter] =
    &[Parameter { name: "password", meaning: "six digits; clones often have 123456", example: "000000" }];
const DOCUMENTS: &str = "protocol documents and users' reports (gt06.md §7)";
const TESTED: &str = "tested by users (gt06.md §7)";
const SMS: &str = "the common SMS set (gt06.md §7)";

/// What trackers commonly understand, by purpose.
pub const LIBRARY: &[Template] = &[
    row("Where is it", "WHERE#", &[], Dialect::Common, "answers with text", SMS),
    row("Where is it", "URL#", &[], Dialect::Common, "answers with a map link", SMS),
    row("Where is it", "DWXX#", &[], Dialect::Dyd, "answers with text", DOCUMENTS),
    row("Where is it", "DWXX,{password}#", PASSWORD, Dialect::Dyd, "answers with text", DOCUMENTS),
    row("Where is it", "LJDW#", &[], Dialect::Dyd, "", SMS),
    row("Status", "STATUS#", &[], Dialect::Common, "battery, GSM and GPS in words", SMS),
    row("Parameters", "PARAM#", &[], Dialect::Common, "interval, zone, numbers", TESTED),
    row("Firmware version", "VERSION#", &[], Dialect::Common, "", SMS),
    row("Network settings", "GPRSSET#", &[], Dialect::Common, "APN, server and port as they are", TESTED),
    row("SIM card number", "ICCID#", &[], Dialect::Common, "", SMS),
    row(
        "Report interval",
        "TIMER,{on_s},{off_s}#",
        &[
            Parameter { name: "on_s", meaning: "seconds while the ignition is on", example: "10" },
            Parameter { name: "off_s", meaning: "seconds while it is off", example: "60" },
        ],
        Dialect::Common,
        "",
        TESTED,
    ),
    row(
        "Report interval",
        "TIMER,{s}#",
        &[Parameter { name: "s", meaning: "seconds", example: "10" }],
        Dialect::Common,
        "older models take one value",
        SMS,
    ),
    row(
        "Report by distance",
        "DISTANCE,{m}#",
        &[Parameter { name: "m", meaning: "metres", example: "300" }],
        Dialect::Common,
        "",
        SMS,
    ),
    row(
        "Heartbeat",
        "HBT,{on_min},{off_min}#",
        &[
            Parameter { name: "on_min", meaning: "minutes while the ignition is on", example: "3" },
            Parameter { name: "off_min", meaning: "minutes while it is off", example: "5" },
        ],
        Dialect::Common,
        "",
        SMS,
    ),
    row(
        "Time zone",
        "GMT,{side},{h},{min}#",
        &[
            Parameter { name: "side", meaning: "E or W of Greenwich", example: "E" },
            Parameter { name: "h", meaning: "hours", example: "0" },
            Parameter { name: "min", meaning: "minutes: 0, 15, 30 or 45", example: "0" },
        ],
        Dialect::Common,
        "E,0,0 makes device time UTC: the cure for \"8 hours off\"",
        DOCUMENTS,
    ),
    row(
        "SOS number",
        "SOS,A,{number}#",
        &[Parameter { name: "number", meaning: "telephone number", example: "+4915112345678" }],
        Dialect::Common,
        "",
        TESTED,
    ),
    row(
        "APN",
        "APN,{name}#",
        &[Parameter { name: "name", meaning: "access point of the SIM card", example: "internet" }],
        Dialect::Common,
        "",
        SMS,
    ),
    row(
        "Server",
        "SERVER,{mode},{host},{port},0#",
        &[
            Parameter { name: "mode", meaning: "1 for a host name, 0 for an IP address", example: "1" },
            Parameter { name: "host", meaning: "name or address", example: "tracker.example.org" },
            Parameter { name: "port", meaning: "TCP port", example: "5023" },
        ],
        Dialect::Common,
        "the last 0 is TCP",
        SMS,
    ),
    row("Restart", "RESET#", &[], Dialect::Common, "it is silent for a minute or two", SMS),
    row("Factory settings", "FACTORY#", &[], Dialect::Common, "", SMS),
    row("Cut fuel", "RELAY,1#", &[], Dialect::Concox, "", DOCUMENTS),
    row("Restore fuel", "RELAY,0#", &[], Dialect::Concox, "", DOCUMENTS),
    row("Cut fuel", "DYD#", &[], Dialect::Dyd, "", DOCUMENTS),
    row("Restore fuel", "HFYD#", &[], Dialect::Dyd, "", DOCUMENTS),
    row("Cut fuel", "DYD,{password}#", PASSWORD, Dialect::Dyd, "", DOCUMENTS),
    row("Restore fuel", "HFYD,{password}#", PASSWORD, Dialect::Dyd, "", DOCUMENTS),
];

const fn row(
    purpose: &'static str,
    text: &'static str,
    parameters: &'static [Parameter],
    dialect: Dialect,
    note: &'static str,
    source: &'static str,
) -> Template {
    Template { purpose, text, parameters, dialect, note, source }
}

/// A command that the user added to the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCommand {
    pub id: i64,
    /// What it is for, in the user's words.
    pub title: String,
    pub text: String,
}

/// What a command can spoil.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Danger {
    /// It may leave the device where nobody reaches it.
    Connection,
    /// It makes the device forget its settings, the way to this server among them.
    FactoryReset,
    /// It stops the engine.
    FuelCut,
}

impl Danger {
    /// What happens, for a sentence: "this …".
    pub fn consequence(self) -> &'static str {
        match self {
            Self::FuelCut => "cuts the fuel: the engine stops",
            Self::FactoryReset => "erases the settings of the device, the address of this server among them",
            Self::Connection => "changes where or how the device connects: it may never come back here",
        }
    }
}

/// The worst that this text does; upper or lower case and blanks are no matter. One text may hold several commands.
pub fn danger(text: &str) -> Option<Danger> {
    pieces(text).filter_map(|(word, first)| danger_of(&word, first.as_deref())).max()
}

/// True where the text gives the fuel back: it must not overtake a cut that waits.
pub fn restores_fuel(text: &str) -> bool {
    pieces(text).any(|(word, first)| word == "HFYD" || (word == "RELAY" && first.as_deref() == Some("0")))
}

fn danger_of(word: &str, first: Option<&str>) -> Option<Danger> {
    let set = first.is_some_and(|first| !first.is_empty());
    match word {
        // A relay that is told anything but "off" is taken for a cut.
        "RELAY" => (set && first != Some("0")).then_some(Danger::FuelCut),
        "DYD" | "STOPOIL" => Some(Danger::FuelCut),
        "SERVER" | "APN" | "DNS" => set.then_some(Danger::Connection),
        _ if word.starts_with("FACTORY") => Some(Danger::FactoryReset),
        _ => None,
    }
}

/// Each command of a text: its word, and its first argument.
fn pieces(text: &str) -> impl Iterator<Item = (String, Option<String>)> {
    text.split(['#', ';', '\n', '\r']).filter_map(|piece| {
        let bare: String = piece.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
        // Some put a password in front of the word, or an asterisk.
        let bare = bare.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let mut parts = bare.split(',');
        let word = parts.next().filter(|word| !word.is_empty())?;
        let word = word.trim_end_matches('.').to_owned();
        Some((word, parts.next().map(str::to_owned)))
    })
}

/// Whether fuel may be cut now, by the last that is known of the vehicle. An error says why not, for a sentence: "not sent: …".
///
/// A parked tracker tells no position for hours, so an old one counts where the device was heard since and says that the ignition is off.
pub fn may_cut(vehicle: &DeviceOverview, now: Timestamp) -> Result<(), String> {
    let Some(last) = &vehicle.last_fix else {
        return Err("no position of it is known, so it may be moving".to_owned());
    };
    if !last.fix.valid || last.trust == Trust::Suspect {
        return Err("its last position is no valid fix, so it may be moving".to_owned());
    }
    let age_s = now.duration_since(last.fix.at).as_secs();
    if age_s < -FRESH_S {
        return Err("its last position is from the future, so nobody knows how old it is".to_owned());
    }
    match last.fix.speed_kmh {
        None => return Err("its last position tells no speed, so it may be moving".to_owned()),
        Some(speed) if speed > CUT_BELOW_KMH => {
            let ago = ago(age_s);
            return Err(format!(
                "it was going {speed:.0} km/h {ago} ago, and fuel is cut below {CUT_BELOW_KMH} km/h only"
            ));
        }
        Some(_) => {}
    }
    let parked = heard_lately(vehicle, now)
        && vehicle.readings.get("ignition").and_then(serde_json::Value::as_bool) == Some(false);
    if age_s > FRESH_S && !parked {
        return Err(format!("its last position is {} old, so it may be moving", ago(age_s)));
    }
    Ok(())
}

/// True where the device said something within the last [`FRESH_S`] seconds.
pub fn heard_lately(vehicle: &DeviceOverview, now: Timestamp) -> bool {
    vehicle.device.last_heard.is_some_and(|at| now.duration_since(at).as_secs() <= FRESH_S)
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Whether a text can be sent at all. An error says what is wrong with it.
pub fn check_text(text: &str, language: bool) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the command is empty".to_owned());
    }
    if let Some((place, odd)) = text.chars().enumerate().find(|(_, c)| !matches!(c, ' '..='~')) {
        return Err(format!("character {} is {odd:?}; trackers take plain ASCII only", place + 1));
    }
    let most = if language { MOST_CHARS - LANGUAGE_CHARS } else { MOST_CHARS };
    if text.len() > most {
        return Err(format!("{} characters are too many: at most {most} fit; send several commands", text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::LatLon;
    use crate::model::{
        Device, DeviceId, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix,
    };

    #[test]
    fn dangerous_words_are_known_in_any_dress() {
        for (text, expected) in [
            ("RELAY,1#", Some(Danger::FuelCut)),
            ("relay, 1 #", Some(Danger::FuelCut)),
            ("Relay,1", Some(Danger::FuelCut)),
            ("RELAY,2#", Some(Danger::FuelCut)),
            ("RELAY,0#", None),
            ("RELAY#", None),
            ("DYD#", Some(Danger::FuelCut)),
            ("DYD,123456#", Some(Danger::FuelCut)),
            ("HFYD#", None),
            ("stopoil..", Some(Danger::FuelCut)),
            ("*123456DYD#", Some(Danger::FuelCut)),
            ("STATUS#FACTORY#DYD#", Some(Danger::FuelCut)),
            ("FACTORY#", Some(Danger::FactoryReset)),
            ("SERVER#", None),
            ("SERVER,1,a.example,5023,0#", Some(Danger::Connection)),
            ("APN,internet#", Some(Danger::Connection)),
            ("RESET#", None),
            ("WHERE#", None),
            ("", None),
        ] {
            assert_eq!(danger(text), expected, "{text}");
        }
        assert!(restores_fuel("hfyd,000000#") && restores_fuel("RELAY,0#"));
        assert!(!restores_fuel("RELAY,1#") && !restores_fuel("STATUS#"));
    }

    const NOW: &str = "2026-11-21T12:00:00Z";

    /// A vehicle whose last fix is this one.
    fn vehicle(at: &str, valid: bool, speed_kmh: Option<f64>) -> DeviceOverview {
        let at: Timestamp = at.parse().unwrap();
        let fix = StoredFix {
            id: 1,
            device: DeviceId(1),
            fix: Fix {
                at,
                place: LatLon::new(1.0, 2.0).unwrap(),
                valid,
                altitude_m: None,
                speed_kmh,
                course_deg: None,
                satellites: None,
                accuracy_m: None,
            },
            received: at,
            trust: Trust::Good,
            readings: Readings::new(),
            packet: PacketId(1),
        };
        let device = Device {
            id: DeviceId(1),
            identity: Identity::new("123456789012345").unwrap(),
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: at,
            last_heard: Some(at),
        };
        let readings = Readings::new();
        DeviceOverview { device, last_fix: Some(fix), readings, packets: 1, positions: 1, lost_frames: 0 }
    }

    #[test]
    fn fuel_is_cut_slow_and_known_only() {
        let recent = "2026-11-21T11:59:00Z";
        let why = |vehicle: &DeviceOverview| may_cut(vehicle, NOW.parse().unwrap()).err().unwrap_or_default();
        assert_eq!(why(&vehicle(recent, true, Some(20.0))), "");
        assert_eq!(why(&vehicle(recent, true, Some(0.0))), "");
        assert!(why(&vehicle(recent, true, Some(20.5))).contains("km/h 60 s ago"));
        assert!(why(&vehicle(recent, true, None)).contains("no speed"));
        assert!(why(&vehicle(recent, false, Some(0.0))).contains("valid"));
        assert!(why(&vehicle("2026-11-21T11:40:00Z", true, Some(0.0))).contains("20 min old"));
        assert!(why(&vehicle("2026-11-21T20:00:00Z", true, Some(0.0))).contains("future"));
        assert!(why(&DeviceOverview { last_fix: None, ..vehicle(recent, true, None) }).contains("no position"));
        let mut suspect = vehicle(recent, true, Some(0.0));
        suspect.last_fix.as_mut().unwrap().trust = Trust::Suspect;
        assert!(why(&suspect).contains("valid"));
    }

    #[test]
    fn a_parked_vehicle_needs_no_fresh_fix() {
        let why = |vehicle: &DeviceOverview| may_cut(vehicle, NOW.parse().unwrap()).err().unwrap_or_default();
        let mut parked = vehicle("2026-11-21T07:00:00Z", true, Some(3.0));
        parked.readings.set("ignition", false);
        assert!(why(&parked).contains("5 h old"), "and silent since");
        parked.device.last_heard = Some("2026-11-21T11:58:00Z".parse().unwrap());
        assert_eq!(why(&parked), "");
        parked.readings.set("ignition", true);
        assert!(why(&parked).contains("5 h old"));
        // A wire that nobody connected says "off" for ever, and then the last fix is a fast one.
        let mut unwired = vehicle("2026-11-21T07:00:00Z", true, Some(70.0));
        unwired.device.last_heard = parked.device.last_heard;
        unwired.readings.set("ignition", false);
        assert!(why(&unwired).contains("70 km/h"));
    }

    #[test]
    fn texts_have_bounds() {
        assert!(check_text(&"x".repeat(245), false).is_ok());
        assert!(check_text(&"x".repeat(246), false).unwrap_err().contains("at most 245"));
        assert!(check_text(&"x".repeat(244), true).unwrap_err().contains("at most 243"));
        assert!(check_text("grün#", false).unwrap_err().contains("character 3"));
        assert!(check_text("A\n#", false).is_err() && check_text("  ", false).is_err());
    }

    #[test]
    fn templates_fill_and_every_row_can_be_sent() {
        for row in LIBRARY {
            let examples: Vec<_> = row.parameters.iter().map(|p| p.example).collect();
            let text = row.fill(&examples).unwrap();
            assert!(!text.contains(['{', '}']) && text.ends_with('#'), "{text}");
            assert_eq!(check_text(&text, true), Ok(()), "{text}");
            assert_eq!(row.danger(), danger(&text), "{text}");
        }
        let timer = LIBRARY.iter().find(|t| t.text.starts_with("TIMER,{on_s}")).unwrap();
        assert_eq!(timer.fill(&["10", "60"]).unwrap(), "TIMER,10,60#");
        assert!(timer.fill(&["10"]).unwrap_err().contains("off_s"));
        assert!(timer.fill(&["10,5", "60"]).is_err());
    }
}
