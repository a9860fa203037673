//! What happened to devices while their packets came, and what these packets tell of: the events and the rules of a report.

use std::collections::{BTreeSet, HashMap};

use super::ExportError;
use crate::{
    capture::out::{Entry, Happened, RuleSaid},
    model::{
        Device, DeviceId, PacketId, StoredEvent, TimeWindow, Timestamp,
        watch::{Kind, RuleBook, Rules},
    },
    store::{
        Reader,
        watch::{EventQuery, events, events_of_packets, set_up},
    },
};

/// Events of one device that are told; the newest count.
const MOST_EVENTS: usize = 1_000;
/// Devices of which events are told.
const MOST_DEVICES: usize = 1_000;

/// From when to when packets of whom came.
#[derive(Default)]
pub(super) struct Span {
    devices: BTreeSet<DeviceId>,
    times: Option<(Timestamp, Timestamp)>,
    packets: Option<(PacketId, PacketId)>,
}

/// What happened within a span.
pub(super) struct Told {
    /// Oldest first.
    events: Vec<StoredEvent>,
    book: RuleBook,
    devices: BTreeSet<DeviceId>,
}

impl Span {
    pub(super) fn take(&mut self, entry: &Entry<'_>) {
        let (at, id) = (entry.row.received, entry.row.id);
        let (from, to) = self.times.unwrap_or((at, at));
        self.times = Some((from.min(at), to.max(at)));
        self.packets = Some((self.packets.map_or(id, |(first, _)| first), id));
        if let Some(device) = entry.row.device.filter(|_| self.devices.len() < MOST_DEVICES) {
            self.devices.insert(device);
        }
    }

    /// What the store has of it.
    pub(super) fn told(self, reader: &Reader) -> Result<Told, ExportError> {
        let Self { devices, times, packets } = self;
        let Some(((from, to), packets)) = times.zip(packets) else {
            return Ok(Told { events: Vec::new(), book: RuleBook::default(), devices });
        };
        let window = TimeWindow { from: Some(from), to: Some(to) };
        let asked = devices.clone();
        let (mut found, book) = reader
            .read_long(move |db| {
                let mut found = Vec::new();
                for device in asked {
                    let wanted =
                        EventQuery { device: Some(device), window, limit: MOST_EVENTS, ..EventQuery::default() };
                    found.extend(events(db, &wanted)?);
                    // A device may tell late of what happened long ago.
                    found.extend(events_of_packets(db, device, packets, MOST_EVENTS)?);
                }
                Ok((found, set_up(db)?.rules))
            })
            .wait()?;
        found.sort_by_key(|event| (event.at, event.id));
        found.dedup_by_key(|event| event.id);
        Ok(Told { events: found, book, devices })
    }
}

impl Told {
    /// In words.
    pub(super) fn lines<'a>(
        &'a self,
        devices: &'a HashMap<DeviceId, Device>,
    ) -> (Vec<Happened<'a>>, Vec<RuleSaid<'a>>) {
        let happened = self.events.iter().filter_map(|event| {
            Some(Happened {
                at: event.at,
                device: devices.get(&event.device)?,
                what: match Kind::parse(&event.kind) {
                    Some(kind) => kind.title(),
                    None => &event.kind,
                },
                details: details(event),
                packet: event.packet,
            })
        });
        let rule = |device, rules: &Rules| RuleSaid { device, text: words(rules) };
        let own = self.devices.iter().filter_map(|id| Some((devices.get(id)?, self.book.own.get(id)?)));
        let own: Vec<_> = own.map(|(device, (rules, _))| rule(Some(device), rules)).collect();
        let all = (own.len() < self.devices.len()).then(|| rule(None, &self.book.all.0));
        (happened.collect(), all.into_iter().chain(own).collect())
    }
}

/// `alarm: sos, speed_kmh: 91`.
fn details(event: &StoredEvent) -> String {
    let parts = event.attributes.iter().map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}: {text}"),
        None => format!("{key}: {value}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What rules say, in a sentence.
fn words(rules: &Rules) -> String {
    let Rules { alarm, quiet, battery, overspeed } = rules;
    let parts = [
        (*alarm, "every alarm that the device tells".to_owned()),
        (quiet.on, format!("silence of {} times its rhythm, at least {} min", quiet.rhythms, quiet.least_min)),
        (battery.on, format!("a battery below {} %", battery.below)),
        (overspeed.on, format!("more than {} km/h for {} s", overspeed.above_kmh, overspeed.for_s)),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(on, _)| *on).map(|(_, text)| text).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}
