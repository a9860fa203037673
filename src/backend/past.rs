//! Spans of history: read in steps, with a bound on what is kept of them, and what was found in them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Backend, Error, Pending};
use crate::{
    model::{DeviceId, HideReason, PacketId, StoredEvent, StoredFix, TimeWindow},
    store::{Answer, Reader, past},
    track::Past,
};

/// How many points may still be kept, of all spans that are read into it.
#[derive(Debug)]
pub struct Room(AtomicU64);

impl Room {
    pub fn new(points: u64) -> Self {
        Self(AtomicU64::new(points))
    }

    /// Takes room for as many of so many points as there is room for.
    fn take(&self, points: usize) -> usize {
        let mut taken = 0;
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                taken = left.min(points as u64);
                Some(left - taken)
            })
            .ok();
        usize::try_from(taken).unwrap_or(points)
    }

    /// So many points are kept no longer.
    pub fn give_back(&self, points: usize) {
        self.0.fetch_add(points as u64, Ordering::Relaxed);
    }
}

/// Reads a span of a device's history, chunk by chunk, and finds what is in it. What `room` does not hold is left out from its end, and
/// [`Past::cut`] says so. `None` where `go_on` said no.
pub fn read_past(
    reader: &Reader,
    device: DeviceId,
    window: TimeWindow,
    room: &Room,
    go_on: impl Fn() -> bool,
) -> Result<Option<Past>, Error> {
    let (mut points, mut after, mut cut) = (Vec::new(), None, false);
    loop {
        if !go_on() {
            return Ok(None);
        }
        let mut chunk = reader.read(move |db| past::points(db, device, window, after, past::CHUNK)).wait()?;
        let got = chunk.points.len();
        chunk.points.truncate(room.take(got));
        cut |= chunk.points.len() < got;
        points.append(&mut chunk.points);
        after = chunk.next;
        if after.is_none() || cut {
            break;
        }
    }
    Ok(Some(Past { cut, ..Past::of(points) }))
}

impl Backend {
    /// A span of a device's history and what is in it, put together on another thread. Dropping the answer breaks it off.
    pub fn past(&self, device: DeviceId, window: TimeWindow, room: &Arc<Room>) -> Pending<Past> {
        let (answer, pending): (Answer<Past>, _) = Pending::pair();
        let (reader, room) = (self.store.reader(), Arc::clone(room));
        self.runtime.spawn_blocking(move || match read_past(&reader, device, window, &room, || !answer.cancelled()) {
            Ok(Some(past)) => answer.give(Ok(past)),
            Ok(None) => {}
            Err(error) => answer.give(Err(error)),
        });
        pending
    }

    /// The position with this row id, with all it carried.
    pub fn fix(&self, id: i64) -> Pending<Option<StoredFix>> {
        self.store.reader().read(move |db| past::fix(db, id))
    }

    /// Which of these stretches of time have a position of one of these devices: first millisecond, and the one after the last.
    pub fn have_data(&self, devices: Vec<DeviceId>, stretches: Vec<(i64, i64)>) -> Pending<Vec<bool>> {
        self.store.reader().read(move |db| past::have_data(db, &devices, &stretches))
    }

    /// Alarms and the like of these devices within a window, the first `limit` of each, in order of time.
    pub fn alarms(&self, devices: Vec<DeviceId>, window: TimeWindow, limit: usize) -> Pending<Vec<StoredEvent>> {
        self.store.reader().read(move |db| {
            let mut all = Vec::new();
            for device in devices {
                all.append(&mut past::alarms(db, device, window, limit)?);
            }
            all.sort_by_key(|event| (event.at, event.id));
            Ok(all)
        })
    }

    /// Packets that arrived in each of `columns` equal parts of a stretch of time, from these devices, or from whoever: when each part begins, and
    /// how many.
    pub fn packet_counts(
        &self,
        devices: Option<Vec<DeviceId>>,
        from_ms: i64,
        to_ms: i64,
        columns: usize,
    ) -> Pending<Vec<(i64, u32)>> {
        self.store.reader().read_long(move |db| past::packet_counts(db, devices.as_deref(), from_ms, to_ms, columns))
    }

    /// The first packet that arrived at an instant or later.
    pub fn first_packet_at(&self, at_ms: i64) -> Pending<Option<PacketId>> {
        self.store.reader().read(move |db| past::first_packet_at(db, at_ms))
    }

    /// Puts positions out of sight, with the reason; without one, shows them again. Answers how many that changed. Nothing is deleted, and
    /// exports leave out what is hidden.
    pub fn hide(&self, fixes: Vec<i64>, reason: Option<HideReason>) -> Pending<u64> {
        self.store.writer().hide(fixes, reason)
    }
}
