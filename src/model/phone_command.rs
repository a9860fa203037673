//! What an OwnTracks phone can be told to do (owntracks.md §1.4), as one line of text: that is how a command is kept and typed.

use std::fmt;

use serde_json::{Map, Value, json};

/// Longest text of a command in bytes; a list of some hundred places fits.
pub const MOST_PHONE_COMMAND_BYTES: usize = 64 << 10;

/// A place that a phone should watch: it tells when it enters or leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub name: String,
    pub lat_deg: f64,
    pub lon_deg: f64,
    pub radius_m: f64,
    /// Epoch seconds: Android's key for it. Places of one command have different ones.
    pub key_s: i64,
}

/// A command for a phone.
#[derive(Debug, Clone, PartialEq)]
pub enum PhoneCommand {
    /// Tell where you are now.
    ReportLocation,
    /// Tell about yourself: version, permissions, battery settings.
    Status,
    /// Tell which places you watch.
    Waypoints,
    /// Watch these places.
    SetWaypoints(Vec<Place>),
    /// Forget every place.
    ClearWaypoints,
    /// Change settings; the object as in an `.otrc` file. Only where the phone allows it.
    SetConfiguration(Map<String, Value>),
    /// Tell all settings (iPhone only; they may contain a password).
    Dump,
    /// Tell the steps between two moments in epoch seconds (iPhone only).
    ReportSteps { from_s: i64, to_s: i64 },
}

impl PhoneCommand {
    /// The word by which the apps know it.
    pub fn action(&self) -> &'static str {
        match self {
            Self::ReportLocation => "reportLocation",
            Self::Status => "status",
            Self::Waypoints => "waypoints",
            Self::SetWaypoints(_) => "setWaypoints",
            Self::ClearWaypoints => "clearWaypoints",
            Self::SetConfiguration(_) => "setConfiguration",
            Self::Dump => "dump",
            Self::ReportSteps { .. } => "reportSteps",
        }
    }

    /// What it does, for a person.
    pub fn title(&self) -> &'static str {
        match self {
            Self::ReportLocation => "Ask where it is",
            Self::Status => "Ask about app and permissions",
            Self::Waypoints => "Ask which places it watches",
            Self::SetWaypoints(_) => "Give it places to watch",
            Self::ClearWaypoints => "Clear its places",
            Self::SetConfiguration(_) => "Change its settings",
            Self::Dump => "Ask for all settings (iPhone)",
            Self::ReportSteps { .. } => "Ask for steps (iPhone)",
        }
    }

    /// False where an Android phone would throw away the whole answer that carries it.
    pub fn android_knows(&self) -> bool {
        match self {
            Self::ReportLocation
            | Self::Status
            | Self::Waypoints
            | Self::SetWaypoints(_)
            | Self::ClearWaypoints
            | Self::SetConfiguration(_) => true,
            Self::Dump | Self::ReportSteps { .. } => false,
        }
    }

    /// The message that tells it to a phone.
    pub fn message(&self) -> Value {
        let mut message = json!({ "_type": "cmd", "action": self.action() });
        match self {
            Self::ReportLocation | Self::Status | Self::Waypoints | Self::ClearWaypoints | Self::Dump => {}
            Self::SetWaypoints(places) => {
                let places: Vec<_> = places.iter().map(Place::message).collect();
                message["waypoints"] = json!({ "_type": "waypoints", "waypoints": places });
            }
            Self::SetConfiguration(settings) => {
                let mut settings = settings.clone();
                settings.insert("_type".to_owned(), json!("configuration"));
                message["configuration"] = Value::Object(settings);
            }
            Self::ReportSteps { from_s, to_s } => {
                message["from"] = json!(from_s);
                message["to"] = json!(to_s);
            }
        }
        message
    }

    /// Reads what [`fmt::Display`] writes. The error says what there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MOST_PHONE_COMMAND_BYTES {
            return Err(format!("a command to a phone has at most {MOST_PHONE_COMMAND_BYTES} bytes"));
        }
        let (action, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let bare = |command: Self| match rest {
            "" => Ok(command),
            _ => Err(format!("`{action}` takes nothing behind it")),
        };
        match action {
            "reportLocation" => bare(Self::ReportLocation),
            "status" => bare(Self::Status),
            "waypoints" => bare(Self::Waypoints),
            "clearWaypoints" => bare(Self::ClearWaypoints),
            "dump" => bare(Self::Dump),
            "setWaypoints" => places(rest).map(Self::SetWaypoints),
            "setConfiguration" => match serde_json::from_str(rest) {
                Ok(Value::Object(settings)) if !settings.is_empty() => Ok(Self::SetConfiguration(settings)),
                Ok(_) | Err(_) => {
                    Err("behind `setConfiguration` stands a JSON object, as {\"monitoring\":2}".to_owned())
                }
            },
            "reportSteps" => {
                let times: Vec<_> = rest.split_whitespace().map(str::parse).collect();
                match times.as_slice() {
                    [Ok(from_s), Ok(to_s)] if from_s < to_s => Ok(Self::ReportSteps { from_s: *from_s, to_s: *to_s }),
                    _ => Err("behind `reportSteps` stand two epoch seconds, the earlier first".to_owned()),
                }
            }
            _ => {
                Err("a phone knows reportLocation, status, waypoints, setWaypoints, clearWaypoints, setConfiguration, \
                      dump and reportSteps"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for PhoneCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action())?;
        match self {
            Self::ReportLocation | Self::Status | Self::Waypoints | Self::ClearWaypoints | Self::Dump => Ok(()),
            Self::SetWaypoints(places) => {
                write!(f, " {}", Value::from(places.iter().map(Place::message).collect::<Vec<_>>()))
            }
            Self::SetConfiguration(settings) => write!(f, " {}", Value::Object(settings.clone())),
            Self::ReportSteps { from_s, to_s } => write!(f, " {from_s} {to_s}"),
        }
    }
}

impl Place {
    fn message(&self) -> Value {
        json!({
            "_type": "waypoint", "desc": self.name, "lat": self.lat_deg, "lon": self.lon_deg, "rad": self.radius_m,
            "tst": self.key_s, "rid": format!("{:x}", self.key_s),
        })
    }
}

/// Places as a JSON array, or as `{"waypoints":[…]}`, which is what an `.otrw` file holds.
fn places(text: &str) -> Result<Vec<Place>, String> {
    const HINT: &str = "behind `setWaypoints` stands a JSON array of places, as [{\"desc\":\"Home\",\"lat\":48.8,\"lon\":2.3,\"rad\":100}]";
    let told: Value = serde_json::from_str(text).map_err(|_| HINT.to_owned())?;
    let list = told.get("waypoints").unwrap_or(&told).as_array().filter(|list| !list.is_empty()).ok_or(HINT)?;
    let mut places: Vec<Place> = Vec::with_capacity(list.len());
    for (n, told) in list.iter().enumerate() {
        let number = |key: &str| told.get(key).and_then(Value::as_f64);
        let name = told.get("desc").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
        let (Some(name), Some(lat_deg), Some(lon_deg)) = (name, number("lat"), number("lon")) else {
            return Err(format!("place {} has no `desc`, `lat` or `lon`", n + 1));
        };
        if !(-90.0..=90.0).contains(&lat_deg) || !(-180.0..=180.0).contains(&lon_deg) {
            // The apps take that for an order to delete the place.
            return Err(format!("\"{name}\" is not on the globe"));
        }
        let key_s = told.get("tst").and_then(Value::as_i64).unwrap_or(1_000_000_000 + i64::try_from(n).unwrap_or(0));
        if places.iter().any(|place| place.key_s == key_s) {
            return Err(format!("\"{name}\" has the `tst` of another place, and Android tells places apart by it"));
        }
        let radius_m = number("rad").unwrap_or(100.0);
        places.push(Place { name: name.to_owned(), lat_deg, lon_deg, radius_m, key_s });
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "reportLocation",
            "status",
            "waypoints",
            "clearWaypoints",
            "dump",
            "reportSteps 1700000000 1700003600",
            r#"setConfiguration {"monitoring":2}"#,
            r#"setWaypoints [{"desc":"Home","lat":48.8,"lon":2.3,"rad":50,"tst":1700000000}]"#,
        ] {
            let command = PhoneCommand::parse(text).expect(text);
            assert_eq!(PhoneCommand::parse(&command.to_string()), Ok(command.clone()), "{text}");
            assert_eq!(command.message()["action"], command.action(), "{text}");
        }
    }

    #[test]
    fn what_no_phone_understands_is_refused() {
        for text in [
            "",
            "reboot",
            "reportLocation now",
            "reportSteps 2 1",
            "setConfiguration []",
            "setWaypoints []",
            r#"setWaypoints [{"desc":"x","lat":91,"lon":0}]"#,
            r#"setWaypoints [{"desc":"a","lat":1,"lon":0,"tst":5},{"desc":"b","lat":1,"lon":0,"tst":5}]"#,
        ] {
            assert!(PhoneCommand::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn settings_are_told_as_a_configuration() {
        let command = PhoneCommand::parse(r#"setConfiguration {"monitoring":2}"#).expect("it is one");
        let told = command.message();
        assert_eq!(told["configuration"], json!({ "_type": "configuration", "monitoring": 2 }));
    }
}
