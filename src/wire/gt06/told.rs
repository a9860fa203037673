//! What one frame tells while it is read, and the report that it makes of it.

use crate::geo::LatLon;
use crate::model::{AccessPoint, Cell, Event, Fix, Readings, Report, SupplyVoltage, Timestamp, Trust};

use super::{alarm::Alarm, family::Family};

/// What is known before a frame is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    /// The type byte.
    pub(super) kind: u8,
    pub(super) family: Family,
    /// Whose alarm codes and supply voltage these are, where the user said so and not only named a model.
    pub(super) alarms: Option<Family>,
    pub(super) supply: Option<SupplyVoltage>,
    /// Seconds that the device's clock is ahead of UTC in frames of this type.
    pub(super) zone: Zone,
    pub(super) received: Timestamp,
}

impl Given {
    /// The makers as whose the alarm codes are read.
    pub(super) fn alarm_family(&self) -> Family {
        self.alarms.unwrap_or(self.family)
    }
}

/// How device time becomes UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// It is UTC.
    Utc,
    /// The login said so: believed unless it puts the time into the future.
    Login(i32),
    /// The user said so.
    Forced(i32),
}

/// Where the frame says the device is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) at: LatLon,
    pub(super) valid: bool,
    pub(super) speed_kmh: Option<f64>,
    pub(super) course_deg: Option<f64>,
    pub(super) satellites: Option<u32>,
    pub(super) altitude_m: Option<f64>,
    pub(super) accuracy_m: Option<f64>,
}

/// The answer of a device to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) flag: u32,
    pub(super) text: String,
}

/// Everything one frame told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) given: Given,
    pub(super) device: Option<String>,
    /// Seconds east of UTC, as the login says.
    pub(super) login_zone_s: Option<i32>,
    pub(super) at: Option<Timestamp>,
    pub(super) place: Option<Place>,
    pub(super) readings: Readings,
    pub(super) cells: Vec<Cell>,
    pub(super) wifi: Vec<AccessPoint>,
    pub(super) alarms: Vec<(u16, Alarm)>,
    pub(super) answer: Option<Answer>,
    /// What the device wants to know the address of, for whom, in which language.
    pub(super) address_query: Option<AddressQuery>,
    pub(super) picture: Option<Picture>,
    /// Frames that did not arrive before this one.
    pub(super) lost_frames: u16,
    key: u64,
}

/// A request for the address of a place (0x1A, 0x2A, 0xA7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddressQuery {
    /// 21 bytes as the device sent them.
    pub(super) phone: Vec<u8>,
    /// 1 Chinese, 2 English.
    pub(super) language: u8,
}

/// A picture that an X1 sends piece by piece, as it is asked for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picture {
    Offered { id: u32, length: u32 },
    Piece { id: u32, offset: u32, size: u32 },
}

impl Told {
    pub(super) fn new(given: Given) -> Self {
        let mut told = Self {
            given,
            device: None,
            login_zone_s: None,
            at: None,
            place: None,
            readings: Readings::new(),
            cells: Vec::new(),
            wifi: Vec::new(),
            alarms: Vec::new(),
            answer: None,
            address_query: None,
            picture: None,
            lost_frames: 0,
            key: 0xCBF2_9CE4_8422_2325,
        };
        told.distinguish(&[given.kind]);
        told
    }

    /// These bytes tell one fix of the same moment from another; a fix that is sent again has the same.
    pub(super) fn distinguish(&mut self, bytes: &[u8]) {
        // FNV-1a: short, and the same on every machine and in every version.
        self.key = bytes.iter().fold(self.key, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3));
    }

    /// An alarm counts once, however often the frame says it.
    pub(super) fn alarm(&mut self, code: u16, alarm: Alarm) {
        let again = |&(_, known): &(u16, Alarm)| match (known.name, alarm.name) {
            (Some(known), Some(new)) => known == new,
            (None, None) => known.title == alarm.title,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !self.alarms.iter().any(again) {
            self.alarms.push((code, alarm));
        }
    }

    /// A cell that was heard. All zero is padding; the same again is the same.
    pub(super) fn cell(&mut self, cell: Cell) {
        let padding = (cell.mcc, cell.mnc, cell.lac, cell.cid) == (0, 0, 0, 0) || (cell.lac, cell.cid) == (0, 0);
        if !padding && !self.cells.contains(&cell) {
            self.cells.push(cell);
        }
    }

    /// An access point that was heard. All zero is a filler.
    pub(super) fn access_point(&mut self, point: AccessPoint) {
        if point.mac != [0; 6] {
            self.wifi.push(point);
        }
    }

    /// The report, when the frame said anything that one keeps.
    pub(super) fn report(mut self, trust: Trust) -> Option<Report> {
        for (code, alarm) in &self.alarms {
            match alarm.name {
                Some(name) => self.readings.alarm(name),
                None => self.readings.set("event", *code),
            }
        }
        let fix = self.place.zip(self.at).map(|(told, at)| Fix {
            at,
            place: told.at,
            valid: told.valid && trust == Trust::Good,
            altitude_m: told.altitude_m,
            speed_kmh: told.speed_kmh,
            course_deg: told.course_deg,
            satellites: told.satellites,
            accuracy_m: told.accuracy_m,
        });
        // A damaged frame raises no alarm: its readings show what it said.
        let events = if trust == Trust::Good { self.events() } else { Vec::new() };
        let silent = fix.is_none()
            && self.readings.is_empty()
            && self.cells.is_empty()
            && self.wifi.is_empty()
            && events.is_empty()
            && self.lost_frames == 0;
        (!silent).then_some(Report {
            sender: None,
            fix,
            readings: self.readings,
            cells: self.cells,
            wifi: self.wifi,
            events,
            card: None,
            trust,
            lost_frames: self.lost_frames,
            message_id: None,
            fix_key: self.key,
        })
    }

    fn events(&self) -> Vec<Event> {
        let at = self.at.unwrap_or(self.given.received);
        let event = |&(code, alarm): &(u16, Alarm)| {
            let mut attributes = Readings::new();
            match alarm.name {
                Some(name) => attributes.set("alarm", name),
                None => attributes.set("event", code),
            }
            attributes.set("title", alarm.title);
            Event { at, kind: "alarm".into(), attributes }
        };
        self.alarms.iter().map(event).collect()
    }
}
