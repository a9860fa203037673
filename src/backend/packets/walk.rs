//! The packets of a selection, one after the other, in constant memory.

use std::collections::HashMap;

use super::{ExportError, Selection};
use crate::{
    capture::out::Entry,
    model::{Device, DeviceId, PacketId, PacketNote, PacketRow, Profile, Timestamp, filter::Filter},
    store::{Reader, Watch, query},
    wire::{self, Seen},
};

/// Read at once. A body may have 2 MiB.
const PAGE: usize = 64;

/// A selection as it is when this begins: what arrives meanwhile stays out.
pub(super) struct Walk<'a> {
    reader: &'a Reader,
    selection: &'a Selection,
    devices: &'a HashMap<DeviceId, Device>,
    now: Timestamp,
    /// The first packet that is stored, and the last.
    first: i64,
    newest: i64,
}

/// A packet as it was read.
struct Read {
    row: PacketRow,
    answered: bool,
    note: Option<PacketNote>,
}

impl<'a> Walk<'a> {
    pub(super) fn begin(
        reader: &'a Reader,
        selection: &'a Selection,
        devices: &'a HashMap<DeviceId, Device>,
        now: Timestamp,
    ) -> Result<Self, ExportError> {
        let (first, newest) =
            reader.read(|db| Ok((query::oldest_packet(db, PacketId(i64::MIN))?, query::newest_id(db)?.0))).wait()?;
        let first = first.map_or(newest, |(id, _)| id.0);
        Ok(Self { reader, selection, devices, now, first, newest })
    }

    /// Gives each packet to `each`, oldest first. `watch` hears how many were looked at, in the first, second … of so many rounds.
    pub(super) fn each(
        &self,
        (watch, round, rounds): (&Watch, u64, u64),
        each: &mut dyn FnMut(&Entry<'_>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let all = (self.newest - self.first + 1).unsigned_abs();
        let mut at = i64::MIN;
        loop {
            if watch.cancelled() {
                return Err(ExportError::Cancelled);
            }
            let page = self.page(at)?;
            let Some(last) = page.last() else { break };
            at = last.row.id.0;
            for Read { row, answered, note } in page {
                if row.id.0 > self.newest {
                    break;
                }
                let device = row.device.and_then(|id| self.devices.get(&id));
                if self.wants(&row, device, note.as_ref(), answered) {
                    each(&Entry { row: &row, device, note: note.as_ref() })?;
                }
            }
            let looked_at = (at.min(self.newest) - self.first + 1).max(0).unsigned_abs();
            watch.at(round * all + looked_at, rounds * all);
            if at >= self.newest {
                break;
            }
        }
        watch.at((round + 1) * all, rounds * all);
        Ok(())
    }

    /// The next packets that may be wanted, and whether each was answered, where the filter asks for that.
    fn page(&self, after: i64) -> Result<Vec<Read>, ExportError> {
        let Selection { devices, window, filter, only, .. } = self.selection;
        if let Some(only) = only {
            let next: Vec<_> = only.iter().copied().filter(|id| id.0 > after).take(PAGE).collect();
            return Ok(self.reader.read(move |db| noted(db, query::packets_by_id(db, &next)?, false)).wait()?);
        }
        let (devices, window, filter, now) = (devices.clone(), *window, filter.clone(), self.now);
        let asks = filter.asks_for_answers();
        let rows = self.reader.read_long(move |db| {
            let rows = query::packets_onward(db, &filter, (&devices, window), now, PacketId(after), PAGE)?;
            noted(db, rows, asks)
        });
        Ok(rows.wait()?)
    }

    fn wants(&self, row: &PacketRow, device: Option<&Device>, note: Option<&PacketNote>, answered: bool) -> bool {
        let Selection { filter, judge, only, .. } = self.selection;
        match judge {
            _ if only.is_some() => true,
            Some(judge) => (judge.0)(row, answered),
            None => admits(filter, row, device, note, answered, self.now),
        }
    }
}

/// Packets with what was written about them.
fn noted(db: &query::Db, rows: Vec<PacketRow>, asks_for_answers: bool) -> query::Answer<Vec<Read>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let mut notes: HashMap<_, _> = query::notes_between(db, first.id, last.id)?.into_iter().collect();
    let read = |row: PacketRow| {
        let answered = asks_for_answers && query::is_answered(db, row.id)?;
        Ok(Read { answered, note: notes.remove(&row.id), row })
    };
    rows.into_iter().map(read).collect()
}

fn admits(
    filter: &Filter,
    row: &PacketRow,
    device: Option<&Device>,
    note: Option<&PacketNote>,
    answered: bool,
    now: Timestamp,
) -> bool {
    if filter.expr().is_none() {
        return true;
    }
    let plain = Profile::default();
    let profile = device.map_or(&plain, |device| &device.profile);
    let name = device.and_then(|device| device.name.as_deref());
    let who: Vec<_> = name.into_iter().chain(device.map(|device| device.identity.as_str())).collect();
    let shows = |text: &str| shows(row, profile, &who, note, text);
    let mut seen = Seen::new(row, profile, &who);
    seen.answered = answered;
    seen.awaited = wire::awaits_answer(row, now).is_some();
    seen.marked = note.is_some_and(|note| note.marked);
    seen.comment = note.map(|note| note.comment.as_str()).filter(|comment| !comment.is_empty());
    seen.shows = &shows;
    filter.admits(&seen, now)
}

/// Whether a line of a list would show this text, which is in lower case.
fn shows(row: &PacketRow, profile: &Profile, who: &[&str], note: Option<&PacketNote>, text: &str) -> bool {
    let has = |shown: &str| shown.to_lowercase().contains(text);
    who.iter().any(|name| has(name))
        || note.is_some_and(|note| has(&note.comment))
        || [&row.kind, row.verdict.as_str(), row.protocol.as_str(), row.direction.as_str(), &row.peer]
            .into_iter()
            .any(has)
        || {
            let dissection = wire::dissect_kept(row, profile);
            has(&dissection.title) || dissection.problems.iter().any(|problem| has(&problem.text))
        }
}
