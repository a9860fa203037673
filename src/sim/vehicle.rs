//! One pretend device: a traveller, and the bytes with which its tracker or phone tells about it.

use jiff::Timestamp;
use serde_json::json;

use super::{
    Band,
    random::Random,
    road::{BICYCLE, Gait, LORRY, Traveller, VAN},
    towns,
    track::{Follower, Manner, Track},
};
use crate::{
    model::{Fix, Profile, Protocol},
    wire::{
        Value,
        gt06::{
            self,
            encode::{self, Start},
        },
    },
};

/// A pause of the clock that is simulated at most; a vehicle that was not asked for longer goes on from there.
const LONGEST_STEP_S: i64 = 600;

/// Trackers say that they are alive this often, in seconds (gt06.md §2).
const HEARTBEAT_S: i64 = 180;

/// gt06.md §4.
const ALARM_VIBRATION: u8 = 0x03;
const ALARM_OVERSPEED: u8 = 0x06;

/// One alarm in so many reports.
const ALARM_CHANCE: f64 = 1.0 / 400.0;

/// Something that a device sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// A GT06 frame, or the body of a POST.
    pub bytes: Vec<u8>,
    /// The exact bytes that may come back. Empty for OwnTracks, whose answer is a 200.
    pub answer: Vec<u8>,
    /// True where the far end must answer; some servers acknowledge positions and others do not.
    pub must_answer: bool,
}

/// A pretend device on the road.
#[derive(Debug, Clone)]
pub struct Vehicle {
    identity: String,
    name: String,
    protocol: Protocol,
    random: Random,
    traveller: Traveller,
    /// Where it goes instead, if somebody said so.
    follower: Option<Follower>,
    at: Option<Timestamp>,
    /// GT06: the serial of the last frame.
    serial: u16,
    heartbeat_due: Option<Timestamp>,
    /// 0 to 100.
    battery_percent: f64,
    tracker_id: String,
}

impl Vehicle {
    pub(super) fn new(band: Band, index: usize, protocol: Protocol, mut random: Random, fleet: usize) -> Self {
        let (identity, (word, gait)) = match protocol {
            Protocol::Gt06 => (band.imei(index), kind(&[("van", VAN), ("van", VAN), ("lorry", LORRY)], index / 2)),
            Protocol::OwnTracks => {
                (band.topic(index), kind(&[("van", VAN), ("bicycle", BICYCLE), ("lorry", LORRY)], index / 2))
            }
        };
        let battery_percent = random.between((35.0, 100.0));
        let traveller = Traveller::new(gait, towns::home(index, fleet), random.fork());
        Self {
            identity,
            name: format!("{} {word} {}", band.title(), index + 1),
            protocol,
            random,
            traveller,
            follower: None,
            at: None,
            serial: 0,
            heartbeat_due: None,
            battery_percent,
            tracker_id: tracker_id(index),
        }
    }

    /// Goes along a track from now on.
    pub(super) fn follow(&mut self, track: Track, manner: Manner) {
        self.follower = Some(Follower::new(track, manner, self.traveller.place()));
    }

    /// True where it was sent along a track, has told that it stands at its end, and stays there.
    pub fn arrived(&self) -> bool {
        self.follower.as_ref().is_some_and(Follower::arrived)
    }

    /// The IMEI or the topic.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What a person may call it: `Demo van 1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The first frame of a new connection of a tracker; serials begin anew. A phone has none.
    pub fn login(&mut self) -> Option<Message> {
        match self.protocol {
            Protocol::Gt06 => {
                self.serial = 1;
                Some(frame(0x01, 1, true, encode::login(&self.identity, 1)))
            }
            Protocol::OwnTracks => None,
        }
    }

    /// Drives on until `now` and tells about it.
    pub fn report(&mut self, now: Timestamp) -> Vec<Message> {
        self.drive_until(now);
        match self.protocol {
            Protocol::Gt06 => self.frames(now),
            Protocol::OwnTracks => vec![self.body(now)],
        }
    }

    fn drive_until(&mut self, now: Timestamp) {
        let passed_s = self.at.map_or(0, |at| now.duration_since(at).as_secs().clamp(0, LONGEST_STEP_S));
        if self.at.is_none_or(|at| passed_s > 0 || now < at) {
            self.at = Some(now);
        }
        match &mut self.follower {
            Some(follower) => follower.drive_until(now),
            None => (0..passed_s).for_each(|_| self.traveller.second()),
        }
        let seconds = f64::from(i32::try_from(passed_s).unwrap_or(i32::MAX));
        let drain = if self.ignition() { -20.0 } else { 8.0 };
        self.battery_percent = (self.battery_percent - seconds * drain / 3_600.0).clamp(5.0, 100.0);
    }

    fn ignition(&self) -> bool {
        self.follower.as_ref().map_or_else(|| self.traveller.ignition(), Follower::ignition)
    }

    fn fix(&mut self, now: Timestamp) -> Fix {
        let t = &self.traveller;
        let of_follower = |f: &Follower| (f.place(), f.height_m(), f.speed_kmh(), f.heading_deg());
        let of_traveller = || (t.place(), t.height_m(), t.speed_kmh(), t.heading_deg());
        let (place, height_m, speed_kmh, heading_deg) = self.follower.as_ref().map_or_else(of_traveller, of_follower);
        let moving = speed_kmh > 0.0;
        Fix {
            at: now,
            place,
            valid: true,
            altitude_m: Some(height_m.round()),
            speed_kmh: Some(speed_kmh.round()),
            course_deg: (moving || self.protocol == Protocol::Gt06).then(|| heading_deg.floor()),
            satellites: Some(7 + u32::try_from(self.random.next() % 7).unwrap_or_default()),
            accuracy_m: Some(self.random.between((4.0, 16.0)).round()),
        }
    }

    fn frames(&mut self, now: Timestamp) -> Vec<Message> {
        let mut messages = Vec::new();
        let ignition = self.ignition();
        if self.heartbeat_due.is_none_or(|due| due <= now) {
            let serial = self.next_serial();
            let beat = encode::heartbeat(ignition, ignition, self.battery_level(), 4, serial);
            messages.push(frame(0x13, serial, true, beat));
            self.heartbeat_due = now.checked_add(jiff::SignedDuration::from_secs(HEARTBEAT_S)).ok();
        }
        let fix = self.fix(now);
        let serial = self.next_serial();
        messages.push(if self.random.chance(ALARM_CHANCE) {
            let code = if ignition { ALARM_OVERSPEED } else { ALARM_VIBRATION };
            frame(0x16, serial, true, encode::alarm_16(&fix, ignition, code, serial))
        } else {
            frame(0x22, serial, false, encode::position_22(&fix, ignition, serial))
        });
        messages
    }

    fn body(&mut self, now: Timestamp) -> Message {
        let fix = self.fix(now);
        let moving = fix.speed_kmh.is_some_and(|s| s > 0.0);
        let mut body = json!({
            "_type": "location",
            "topic": self.identity,
            "tid": self.tracker_id,
            "tst": now.as_second(),
            "lat": micro_degrees(fix.place.lat_deg()),
            "lon": micro_degrees(fix.place.lon_deg()),
            "acc": whole(fix.accuracy_m),
            "alt": whole(fix.altitude_m),
            "vel": whole(fix.speed_kmh),
            "batt": whole(Some(self.battery_percent.round())),
            "bs": if self.ignition() { 1 } else { 2 },
            "conn": "m",
            "m": if moving { 2 } else { 1 },
        });
        if let (Some(course), Some(object)) = (whole(fix.course_deg), body.as_object_mut()) {
            object.insert("cog".to_owned(), course.into());
        }
        Message { bytes: body.to_string().into_bytes(), answer: Vec::new(), must_answer: true }
    }

    /// What a tracker says to a command, which it does nothing about; `None` to every other frame. A phone says nothing.
    pub fn answer(&mut self, frame: &[u8]) -> Option<Message> {
        let read = gt06::dissect_answer(frame, &Profile::default(), Timestamp::UNIX_EPOCH);
        let value = |name| read.fields.iter().find(|field| field.name == name).map(|field| &field.value);
        let (Some(0x80), Some(Value::Unsigned(flag)), Some(Value::Text(text))) =
            (read.type_number, value("Server flag"), value("Text"))
        else {
            return None;
        };
        let flag = u32::try_from(*flag).ok()?;
        let said = match text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default() {
            "STATUS" => {
                let lamp = if self.ignition() { "ON" } else { "OFF" };
                format!(
                    "Battery:4.05V,NORMAL; GPRS:Link Up; GSM Signal Level:Strong; GPS:Successful positioning; ACC:{lamp};"
                )
            }
            word => format!("{word} OK!"),
        };
        let serial = self.next_serial();
        Some(self::frame(0x15, serial, false, encode::answer_15(&said, flag, serial)))
    }

    fn next_serial(&mut self) -> u16 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// 0 (off) to 6 (full).
    fn battery_level(&self) -> u8 {
        match self.battery_percent {
            p if p < 10.0 => 2,
            p if p < 30.0 => 3,
            p if p < 60.0 => 4,
            p if p < 90.0 => 5,
            _ => 6,
        }
    }
}

fn kind<'a>(of: &[(&'a str, Gait); 3], index: usize) -> (&'a str, Gait) {
    let [first, second, third] = *of;
    match index % 3 {
        0 => first,
        1 => second,
        _ => third,
    }
}

fn frame(kind: u8, serial: u16, must_answer: bool, bytes: Vec<u8>) -> Message {
    Message { bytes, answer: encode::acknowledge(Start::Short, kind, serial), must_answer }
}

/// Two letters or digits, as the apps have it; not unique in a large fleet, as theirs are not.
fn tracker_id(index: usize) -> String {
    const SIGNS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    [index / 36 % 36, index % 36].into_iter().filter_map(|i| SIGNS.get(i)).map(|b| char::from(*b)).collect()
}

/// Six decimals, as the iPhone sends them.
fn micro_degrees(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "metres, km/h, degrees and percents of pretend traffic are small")]
fn whole(value: Option<f64>) -> Option<i64> {
    value.map(|v| v as i64)
}
