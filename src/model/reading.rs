//! Readings: named values beside the fix, and the one table that says what each name means.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use serde_json::{Map, Value};

/// What one packet told beside its fix, in the order it was told. Names and units are Traccar's (contract.md §2).
///
/// A name occurs once: setting it again replaces the value, except that alarms add up (comma-joined, each once). Clones share their memory until
/// one of them is changed: the last fix of a device mostly says all that is known of it, and the store and the window both keep it.
#[derive(Debug, Clone, Default)]
pub struct Readings(Option<Arc<Vec<Entry>>>);

type Entry = (Cow<'static, str>, Value);

impl PartialEq for Readings {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl Readings {
    /// No readings.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name for [`Readings::set`] that takes no memory where the table has it.
    pub fn name(key: &str) -> Cow<'static, str> {
        static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| TABLE.iter().map(|a| (a.key, a.key)).collect());
        NAMES.get(key).map_or_else(|| Cow::Owned(key.to_owned()), |name| Cow::Borrowed(*name))
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    /// Its own from now on.
    fn own(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// Sets a reading. `None` sets nothing: unknown is absent, never 0.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        if value.is_null() {
            return;
        }
        let entries = self.own();
        match entries.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }

    /// Adds an alarm: several are comma-joined, each once.
    pub fn alarm(&mut self, name: &str) {
        let entries = self.own();
        match entries.iter_mut().find(|(k, _)| k == "alarm") {
            Some((_, Value::String(alarms))) => {
                if !alarms.split(',').any(|a| a == name) {
                    alarms.push(',');
                    alarms.push_str(name);
                }
            }
            Some((_, other)) => *other = Value::from(name),
            None => entries.push((Cow::Borrowed("alarm"), Value::from(name))),
        }
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries().iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// All of them, in the order they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries().iter().map(|(k, v)| (k.as_ref(), v))
    }

    /// True where nothing was set.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Takes over every reading of `newer`; what it does not name stays.
    pub fn merge(&mut self, newer: &Self) {
        if self.iter().all(|(key, _)| newer.get(key).is_some()) {
            // Nothing stays.
            self.clone_from(newer);
            return;
        }
        for (key, value) in newer.entries() {
            self.set(key.clone(), value.clone());
        }
    }

    /// Takes a reading away. True where it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(at) = self.entries().iter().position(|(k, _)| k == key) else { return false };
        self.own().remove(at);
        true
    }

    /// As a JSON object.
    pub fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(k, v)| (k.to_owned(), v.clone())).collect())
    }

    /// From a JSON object, as the store keeps it.
    pub fn from_json(object: Map<String, Value>) -> Self {
        object.into_iter().map(|(key, value)| (Self::name(&key), value)).collect()
    }
}

impl FromIterator<Entry> for Readings {
    /// Of readings with one name the last counts.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut readings = Self::new();
        entries.into_iter().for_each(|(key, value)| readings.set(key, value));
        readings
    }
}

/// What a reading's name means to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Name in `attributes`; numbered ones (`temp1`, `adc2`, `io17`) stand here without their number.
    pub key: &'static str,
    pub label: &'static str,
    /// Unit of the stored number, empty where it has none.
    pub unit: &'static str,
}

const fn about(key: &'static str, label: &'static str, unit: &'static str) -> About {
    About { key, label, unit }
}

/// The one table of readings. Details, tooltips, CSV columns and filters read it.
pub const TABLE: &[About] = &[
    about("alarm", "Alarm", ""),
    about("ignition", "Ignition", ""),
    about("motion", "Moving", ""),
    about("batteryLevel", "Battery", "%"),
    about("battery", "Battery voltage", "V"),
    about("power", "Supply voltage", "V"),
    about("charge", "Charging", ""),
    about("blocked", "Fuel cut", ""),
    about("armed", "Armed", ""),
    about("door", "Door open", ""),
    about("lock", "Locked", ""),
    about("rssi", "Signal", ""),
    about("sat", "Satellites", ""),
    about("satVisible", "Satellites in view", ""),
    about("hdop", "HDOP", ""),
    about("status", "Status word", ""),
    about("event", "Event code", ""),
    about("archive", "Sent late", ""),
    about("odometer", "Odometer", "m"),
    about("distance", "Distance", "m"),
    about("totalDistance", "Total distance", "m"),
    about("hours", "Engine hours", "ms"),
    about("steps", "Steps", ""),
    about("drivingTime", "Driving time", "s"),
    about("driverUniqueId", "Driver", ""),
    about("card", "Card", ""),
    about("iccid", "ICCID", ""),
    about("imsi", "IMSI", ""),
    about("versionFw", "Firmware", ""),
    about("model", "Model", ""),
    about("result", "Answer", ""),
    about("command", "Command", ""),
    about("networkTechnology", "Network", ""),
    about("eventFiles", "Files", ""),
    about("eventData", "Event data", ""),
    about("fuel", "Fuel", "%"),
    about("fuelUsed", "Fuel used", "l"),
    about("rpm", "Engine speed", "1/min"),
    about("throttle", "Throttle", "%"),
    about("obdSpeed", "Speed by OBD", "km/h"),
    about("obdOdometer", "Odometer by OBD", "m"),
    about("coolantTemp", "Coolant", "°C"),
    about("engineTemp", "Engine", "°C"),
    about("vin", "VIN", ""),
    about("temp", "Temperature", "°C"),
    about("humidity", "Humidity", "%"),
    about("adc", "Analogue input", ""),
    about("in", "Input", ""),
    about("out", "Output", ""),
    about("io", "Value", ""),
    about("tag1Id", "Tag", ""),
    about("tag1Temp", "Tag temperature", "°C"),
    about("tag1Humidity", "Tag humidity", "%"),
    about("tag1Battery", "Tag battery voltage", "V"),
    about("tag1BatteryLevel", "Tag battery", "%"),
    about("t", "Trigger", ""),
    about("tid", "Tracker id", ""),
    about("vac", "Vertical accuracy", "m"),
    about("p", "Pressure", "kPa"),
    about("bs", "Battery state", ""),
    about("conn", "Connection", ""),
    about("m", "Monitoring mode", ""),
    about("inregions", "In regions", ""),
    about("motionactivities", "Activity", ""),
    about("poi", "Point of interest", ""),
    about("tag", "Tag", ""),
    about("source", "Provider", ""),
    about("ssid", "Wi-Fi", ""),
    about("bssid", "Wi-Fi access point", ""),
    about("created_at", "Reported at", ""),
    about("rad", "Region radius", "m"),
    about("sent", "Sent at", ""),
    about("inrids", "In regions (ids)", ""),
];

/// What `key` means; the number of a numbered name is set aside. `None` for a name that is not in the table.
pub fn about_key(key: &str) -> Option<&'static About> {
    TABLE.iter().find(|a| a.key == key).or_else(|| {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem.len() < key.len()).then(|| TABLE.iter().find(|a| a.key == stem)).flatten()
    })
}
