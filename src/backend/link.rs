//! How the link of a device fares: its packets of a span, read as its link sees them.

use std::collections::HashMap;

use super::{Backend, Error, Pending};
use crate::{
    model::{DeviceId, Direction, Ended, PacketId, PacketRow, Profile, Protocol, Report, TimeWindow, Trust},
    store::{Answer, Reader, query},
    track::link::{Ends, Heard, Kind, Link, Measured},
    wire,
};

/// Packets that are read in one go.
const PAGE: usize = 512;
/// Packets that are looked at, the newest: a day of one that reports every four seconds.
const MOST: usize = 20_000;

/// Reads a span of a device's packets, the newest first, and says how its link fared. `None` where `go_on` said no.
pub fn read_link(
    reader: &Reader,
    device: DeviceId,
    window: TimeWindow,
    go_on: impl Fn() -> bool,
) -> Result<Option<Link>, Error> {
    let found = reader.read(move |db| query::device(db, device)).wait()?;
    let profile = found.ok_or_else(|| Error::NoSuchDevice(format!("#{}", device.0)))?.profile;
    let (mut told, mut seen, mut before, mut cut) = (Told::new(profile), 0, None, false);
    let mut ended = Vec::new();
    loop {
        if !go_on() {
            return Ok(None);
        }
        let (page, mut ends) = reader.read(move |db| page(db, device, before)).wait()?;
        let Some(oldest) = page.first() else { break };
        before = Some(oldest.id);
        let over = window.from.is_some_and(|from| oldest.received < from);
        for packet in page.iter().rev().filter(|packet| window.contains(packet.received)) {
            told.take(packet);
            seen += 1;
            ended.extend(ends.remove(&packet.id));
        }
        cut = seen >= MOST && !over;
        if over || cut {
            break;
        }
    }
    Ok(Some(Link { cut, ends: Ends::of(&ended), ..Link::of(&told.in_order()) }))
}

/// Packets of a device, and how the connections ended whose last packets are among them.
fn page(
    db: &query::Db,
    device: DeviceId,
    before: Option<PacketId>,
) -> query::Answer<(Vec<PacketRow>, HashMap<PacketId, Ended>)> {
    let page = query::packets(db, Some(device), before, PAGE)?;
    let mut ends = HashMap::new();
    for packet in &page {
        ends.extend(query::end_of_connection(db, packet.id)?.map(|end| (packet.id, end.ended)));
    }
    Ok((page, ends))
}

/// What was read, the newest first.
struct Told {
    profile: Profile,
    heard: Vec<Heard>,
    /// When answers went out, by what they answer.
    answers: HashMap<PacketId, i64>,
}

impl Told {
    fn new(profile: Profile) -> Self {
        Self { profile, heard: Vec::new(), answers: HashMap::new() }
    }

    fn take(&mut self, packet: &PacketRow) {
        let at_ms = packet.received.as_millisecond();
        match (packet.direction, packet.answers) {
            (Direction::Out, Some(asked)) => {
                self.answers.insert(asked, at_ms);
            }
            (Direction::Out, None) => {}
            (Direction::In, _) => {
                // An answer that was written with what it answers has no time of its own.
                let answer_ms = self.answers.remove(&packet.id).map(|sent| sent - at_ms).filter(|took| *took > 0);
                self.heard.push(Heard { answer_ms, ..heard(packet, &self.profile) });
            }
        }
    }

    fn in_order(mut self) -> Vec<Heard> {
        self.heard.reverse();
        self.heard
    }
}

/// A packet as its link sees it.
fn heard(packet: &PacketRow, profile: &Profile) -> Heard {
    let reports = wire::dissect_kept(packet, profile).reports;
    let kind = match packet.kind.as_ref() {
        "login" => Kind::Login,
        "heartbeat" => Kind::Heartbeat,
        _ => Kind::Other,
    };
    let own = reports.iter().filter(|report| report.trust == Trust::Good);
    let reading = |key: &str| own.clone().find_map(|report| report.readings.get(key)?.as_f64());
    #[expect(clippy::cast_possible_truncation, reason = "volts and bars")]
    let short = |key: &str| reading(key).map(|value| value as f32);
    Heard {
        at_ms: packet.received.as_millisecond(),
        kind,
        lost: reports.iter().map(|report| u64::from(report.lost_frames)).sum(),
        place: own.clone().find_map(measured).filter(|_| kind == Kind::Other),
        signal: short("rssi"),
        volts: short("power").or_else(|| short("battery")),
        ahead_ms: own.clone().find_map(|report| ahead_ms(packet, report)),
        answer_ms: None,
    }
}

fn measured(report: &Report) -> Option<Measured> {
    let radio = !report.cells.is_empty() || !report.wifi.is_empty();
    match &report.fix {
        Some(fix) if fix.valid => Some(Measured::Satellites),
        Some(_) => Some(Measured::CellOnly),
        None => radio.then_some(Measured::CellOnly),
    }
}

/// The clock of a tracker, less ours. The time of a phone is UTC by definition.
fn ahead_ms(packet: &PacketRow, report: &Report) -> Option<i64> {
    let late = report.readings.get("archive").and_then(serde_json::Value::as_bool) == Some(true);
    let fix = report.fix.as_ref().filter(|fix| fix.valid && !late && packet.protocol == Protocol::Gt06)?;
    Some(fix.at.as_millisecond() - packet.received.as_millisecond())
}

impl Backend {
    /// How the link of a device fared in a span, put together on another thread. Dropping the answer breaks it off.
    pub fn link(&self, device: DeviceId, window: TimeWindow) -> Pending<Link> {
        let (answer, pending): (Answer<Link>, _) = Pending::pair();
        let reader = self.store.reader();
        self.runtime.spawn_blocking(move || match read_link(&reader, device, window, || !answer.cancelled()) {
            Ok(Some(link)) => answer.give(Ok(link)),
            Ok(None) => {}
            Err(error) => answer.give(Err(error)),
        });
        pending
    }
}
