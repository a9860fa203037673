//! What the members of OwnTracks messages are called and measured in (owntracks.md §2).

/// What a member means to a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    name: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: &'static str,
    pub(super) sort: Sort,
}

/// What kind of value stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Plain,
    /// Epoch seconds.
    Time,
    /// A code; [`meaning`] has its words.
    Code,
}

const fn plain(name: &'static str, label: &'static str, unit: &'static str) -> Key {
    Key { name, label, unit, sort: Sort::Plain }
}

const fn time(name: &'static str, label: &'static str) -> Key {
    Key { name, label, unit: "", sort: Sort::Time }
}

const fn code(name: &'static str, label: &'static str) -> Key {
    Key { name, label, unit: "", sort: Sort::Code }
}

const KEYS: &[Key] = &[
    plain("_type", "message type", ""),
    plain("_id", "message id", ""),
    plain("lat", "latitude", "°"),
    plain("lon", "longitude", "°"),
    time("tst", "time"),
    plain("tid", "tracker id", ""),
    plain("topic", "sender", ""),
    plain("acc", "accuracy", "m"),
    plain("alt", "altitude", "m"),
    plain("vac", "vertical accuracy", "m"),
    plain("vel", "speed", "km/h"),
    plain("cog", "course", "°"),
    plain("batt", "battery", "%"),
    code("bs", "battery"),
    plain("p", "pressure", "kPa"),
    code("conn", "connection"),
    plain("SSID", "Wi-Fi", ""),
    plain("BSSID", "Wi-Fi access point", ""),
    plain("ssid", "Wi-Fi", ""),
    plain("bssid", "Wi-Fi access point", ""),
    code("m", "monitoring"),
    code("t", "trigger"),
    plain("inregions", "in regions", ""),
    plain("inrids", "region ids", ""),
    plain("motionactivities", "activities", ""),
    time("created_at", "message built"),
    plain("source", "provider", ""),
    plain("poi", "point of interest", ""),
    plain("tag", "tag", ""),
    plain("image", "photograph", ""),
    plain("imagename", "name of the photograph", ""),
    plain("rad", "radius", "m"),
    plain("event", "event", ""),
    time("wtst", "region made"),
    plain("desc", "name", ""),
    plain("rid", "region id", ""),
    plain("uuid", "beacon", ""),
    plain("major", "beacon major", ""),
    plain("minor", "beacon minor", ""),
    plain("rssi", "signal", "dBm"),
    code("prox", "proximity"),
    plain("waypoints", "places", ""),
    plain("name", "name", ""),
    plain("face", "picture", ""),
    plain("action", "action", ""),
    plain("steps", "steps", ""),
    time("from", "from"),
    time("to", "to"),
    plain("floorsup", "floors up", ""),
    plain("floorsdown", "floors down", ""),
    plain("distance", "distance", "m"),
    plain("configuration", "settings", ""),
    plain("request", "request", ""),
    plain("tour", "tour", ""),
    plain("iOS", "iPhone", ""),
    plain("android", "Android", ""),
    plain("data", "encrypted", ""),
    plain("odometer", "odometer", "km"),
    plain("hmc", "engine hours", "s"),
    plain("ubatt", "battery voltage", "V"),
    plain("uext", "supply voltage", "V"),
    plain("aiv", "analogue input", "V"),
    plain("vin", "vehicle", ""),
    plain("imei", "IMEI", ""),
    plain("don", "ignition on for", "s"),
    plain("doff", "ignition off for", "s"),
    plain("rpm", "engine speed", "1/min"),
    plain("fcon", "fuel consumption", "l/100 km"),
    plain("flvl", "fuel", "%"),
    plain("ign", "ignition", ""),
    plain("motion", "moving", ""),
    plain("tow", "being towed", ""),
    plain("din1", "input 1", ""),
    plain("din2", "input 2", ""),
    plain("dout1", "output 1", ""),
    plain("dout2", "output 2", ""),
    time("sent", "sent"),
    plain("mcc", "cell: country", ""),
    plain("mnc", "cell: network", ""),
    plain("lac", "cell: area", ""),
    plain("cid", "cell: id", ""),
    plain("dist", "distance", "m"),
    plain("trip", "trip", "m"),
];

/// What is known of a member's name.
pub(super) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

/// What a code means. `tracker`: a hardware tracker speaks, whose triggers differ (owntracks.md §2.2).
pub(super) fn meaning(name: &str, code: &str, tracker: bool) -> Option<&'static str> {
    Some(match (name, code) {
        ("t", letter) if tracker => return tracker_trigger(letter).or_else(|| phone_trigger(letter)),
        ("t", letter) => return phone_trigger(letter).or_else(|| tracker_trigger(letter)),
        ("bs" | "prox", "0") => "unknown",
        ("bs", "1") => "unplugged",
        ("bs", "2") => "charging",
        ("bs", "3") => "full",
        ("conn", "w") => "Wi-Fi",
        ("conn", "m") => "mobile",
        ("conn", "o") => "offline",
        ("m", "-1") => "quiet",
        ("m", "0") => "manual",
        ("m", "1") => "significant changes",
        ("m", "2") => "move",
        ("prox", "1") => "immediate",
        ("prox", "2") => "near",
        ("prox", "3") => "far",
        _ => return None,
    })
}

fn phone_trigger(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "p" => "ping",
        "u" => "sent by hand",
        "c" => "circular region",
        "C" => "follow region",
        "b" => "beacon",
        "r" => "asked for",
        "t" => "timer",
        "v" => "visit",
        "m" => "motion sensor",
        "e" => "beacon region",
        "l" => "by location",
        _ => return None,
    })
}

fn tracker_trigger(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "i" => "ignition on",
        "I" => "ignition off",
        "e" => "external power off",
        "E" => "external power on",
        "1" => "powered up",
        "2" => "charging stopped",
        "3" => "charging started",
        "9" => "battery low",
        "!" => "towed",
        "a" | "k" => "parked",
        "h" => "harsh driving",
        "s" => "speed",
        "o" => "corner",
        "M" => "mileage",
        "f" => "first fix",
        "v" => "started moving",
        "l" | "L" => "last known",
        "T" => "timer while still",
        _ => return None,
    })
}
