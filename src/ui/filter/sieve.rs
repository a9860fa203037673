//! A filter with all that it needs to judge a packet.

use std::{collections::HashMap, sync::Arc};

use crate::{
    model::{
        DeviceId, PacketId, PacketRow, Profile, Timestamp,
        filter::{ANSWERED_WITHIN, Field, Filter, Ground, quoted},
    },
    ui::{Data, View, panels::dock::listing, summary::summarize, view::Units},
    wire::{self, Seen},
};

/// Between two looks at a filter that asks how long ago something was, in seconds.
const AGES_EVERY_S: i64 = 30;

/// What is asked, and under which circumstances: where this is the same, the answer for a packet is, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    pub text: String,
    /// Warnings and errors only.
    pub problems: bool,
    pub device: Option<DeviceId>,
    /// Names, units, notes, time: as far as the filter asks for them.
    pub under: [u64; 4],
}

/// A filter as it is asked now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sieve {
    pub asked: Asked,
    pub filter: Filter,
    pub now: Timestamp,
    pub units: Units,
}

impl Sieve {
    /// A filter and what was chosen beside it.
    pub fn new(
        text: &str,
        filter: Filter,
        problems: bool,
        device: Option<DeviceId>,
        (data, view, now): (&Data, &View, Timestamp),
    ) -> Self {
        let ground = Ground { now, zone: view.zone() };
        let mut filter = filter;
        let beside = problems.then(|| "verdict >= warn".to_owned()).into_iter().chain(device.map(|id| {
            format!("identity == {}", quoted(data.devices.get(&id).map_or("", |d| d.device.identity.as_str())))
        }));
        for part in beside {
            filter = filter.and(Filter::parse(&part, &ground).unwrap_or(Filter::ALL));
        }
        let words = filter.has_words();
        let named = words || filter.mentions(Field::Device) || filter.mentions(Field::Identity);
        let noted = words || filter.mentions(Field::Marked) || filter.mentions(Field::Comment);
        let when = |so: bool, value: u64| if so { value } else { 0 };
        let under = [
            when(named, data.roster),
            when(words, view.settings.units as u64),
            when(noted, data.notes.version()),
            when(filter.ages(), now.as_second().div_euclid(AGES_EVERY_S).unsigned_abs()),
        ];
        let asked = Asked { text: text.trim().to_owned(), problems, device, under };
        Self { asked, filter, now, units: view.settings.units }
    }

    /// True where every packet is admitted.
    pub fn admits_all(&self) -> bool {
        self.filter.expr().is_none()
    }

    fn is_of_another(&self, row: &PacketRow) -> bool {
        self.asked.device.is_some() && row.device != self.asked.device
    }

    /// True where it admits a packet that is held. `hay` is what its line says, in lower case.
    pub fn admits(&self, data: &Data, profile: &Profile, row: &PacketRow, hay: impl FnOnce() -> String) -> bool {
        if self.is_of_another(row) {
            return false;
        }
        let overview = row.device.and_then(|id| data.devices.get(&id));
        let names: Vec<&str> = overview
            .iter()
            .flat_map(|d| d.device.name.as_deref().into_iter().chain([d.device.identity.as_str()]))
            .collect();
        let mut seen = Seen::new(row, profile, &names);
        if self.filter.asks_for_answers() {
            let after = data.packets.partition_point(|other| other.id <= row.id);
            let near = data.packets.range(after..).take_while(|other| other.id.0 - row.id.0 <= ANSWERED_WITHIN);
            seen.answered = near.into_iter().any(|other| other.answers == Some(row.id));
            seen.awaited = wire::awaits_answer(row, self.now).is_some();
        }
        let note = data.notes.of(row.id);
        seen.marked = note.is_some_and(|note| note.marked);
        seen.comment = note.map(|note| note.comment.as_str()).filter(|comment| !comment.is_empty());
        let hay = std::cell::LazyCell::new(hay);
        let shows = |text: &str| shows(row, &names, seen_comment(note), text) || hay.contains(text);
        seen.shows = &shows;
        self.filter.admits(&seen, self.now)
    }

    /// True where it admits a packet that is held.
    pub fn admits_held(&self, data: &Data, row: &PacketRow) -> bool {
        let plain = Profile::default();
        let profile = row.device.and_then(|id| data.devices.get(&id)).map_or(&plain, |d| &d.device.profile);
        let answered = || row.answers.and_then(|id| data.packet_row(id));
        let hay = || listing::haystack(&summarize(row, profile, self.units, answered())).into_string();
        self.admits_all() || self.admits(data, profile, row, hay)
    }
}

fn seen_comment(note: Option<&crate::model::PacketNote>) -> &str {
    note.map_or("", |note| note.comment.as_str())
}

/// Whether a row has a text, in lower case, beside what its bytes say.
fn shows(row: &PacketRow, names: &[&str], comment: &str, text: &str) -> bool {
    let known = [&row.peer, row.kind.as_ref(), row.protocol.title(), row.verdict.as_str(), comment];
    known.iter().chain(names).any(|known| known.to_lowercase().contains(text))
}

/// What a search in the store needs to know of the window: names, profiles, notes.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    devices: HashMap<DeviceId, (Vec<String>, Profile)>,
    notes: HashMap<PacketId, crate::model::PacketNote>,
}

impl Known {
    /// As it is now.
    pub fn of(data: &Data) -> Self {
        let devices = data.devices.iter().map(|(id, overview)| {
            let device = &overview.device;
            let names = device.name.iter().cloned().chain([device.identity.to_string()]).collect();
            (*id, (names, device.profile.clone()))
        });
        let notes = data.notes.all().map(|(id, note)| (id, note.clone()));
        Self(Arc::new(Inner { devices: devices.collect(), notes: notes.collect() }))
    }

    /// True where the filter admits a packet of the store.
    pub fn admits(&self, sieve: &Sieve, row: &PacketRow, answered: bool) -> bool {
        if sieve.is_of_another(row) {
            return false;
        }
        let plain = Profile::default();
        let device = row.device.and_then(|id| self.0.devices.get(&id));
        let names: Vec<&str> = device.iter().flat_map(|(names, _)| names).map(String::as_str).collect();
        let profile = device.map_or(&plain, |(_, profile)| profile);
        let note = self.0.notes.get(&row.id);
        let mut seen = Seen::new(row, profile, &names);
        seen.answered = answered;
        seen.awaited = wire::awaits_answer(row, sieve.now).is_some();
        seen.marked = note.is_some_and(|note| note.marked);
        seen.comment = note.map(|note| note.comment.as_str()).filter(|comment| !comment.is_empty());
        let hay = std::cell::LazyCell::new(|| listing::haystack(&summarize(row, profile, sieve.units, None)));
        let shows = |text: &str| shows(row, &names, seen_comment(note), text) || hay.contains(text);
        seen.shows = &shows;
        sieve.filter.admits(&seen, sieve.now)
    }
}
