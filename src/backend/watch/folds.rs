//! Where each device is among places and speeds, kept up with the positions that are stored.
//!
//! A fix that is newer than all before goes on from there. One that is late, or the first of a device since the program began, takes the
//! device back to before it: everything from there on is read and judged again, and what was made of it otherwise is corrected.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;

use super::{ByDevice, POSITIONS, should_read};
use crate::{
    model::{
        DeviceId, Timestamp,
        watch::{Book, Course, Kind, Mutes, Raised, Seen},
    },
    store::{Error, Judged, NewEvent, Reader, query, watch},
};

/// Fixes before a moment that are enough to know where a device was.
const LOOK_BACK: usize = 48;

/// Where they do not tell since when it has been in a place whose long stays are told, so many are looked at.
const LOOK_FAR_BACK: usize = 64 * LOOK_BACK;

/// Devices that are judged again in one go: what is not packed yet is looked through once for all of them.
const AT_ONCE: usize = 256;

/// Where so many rows are not packed yet, devices wait until there are [`AT_ONCE`] of them, or until one has waited for so long.
const LONG_TAIL: i64 = 8_192;
const GATHER: Duration = Duration::from_secs(2);

/// A fix that comes later than this is history: it makes no events.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * 31);

/// All devices that were heard since the program began.
#[derive(Default)]
pub(super) struct Folds {
    courses: ByDevice<Course>,
    /// To be judged again, from when on.
    again: ByDevice<Timestamp>,
    /// When the first of them came to wait.
    waits_since: Option<Instant>,
    /// Up to which position it was read; `None`: not at all.
    cursor: Option<i64>,
    /// Devices that were judged again with positions behind that one, and up to which.
    ahead: ByDevice<i64>,
    /// Up to which it stands in the file.
    noted: i64,
    /// Everybody is known who may be in a place for long.
    everybody: bool,
    /// The places or rules are others, so silence asks again.
    pub(super) adapted: bool,
}

impl Folds {
    /// Looks at the next positions. True where there are more.
    pub(super) async fn look(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        mutes: &Mutes,
        now: Timestamp,
        judged: &mut Judged,
    ) -> Result<bool, Error> {
        let cursor = self.cursor;
        let (watched, newest, after, new, tail) = reader
            .read(move |db| {
                let watched = watch::watched(db)?;
                // What was removed leaves its ids to others.
                let newest = query::newest_position(db)?;
                let after = cursor.map_or(watched, |cursor| cursor.min(newest));
                Ok((watched, newest, after, watch::positions_after(db, after, POSITIONS)?, query::Tail::rows(db)?))
            })
            .answered()
            .await?;
        self.noted = watched;
        let more = new.len() >= POSITIONS;
        let upto = new.last().map_or(after, |last| last.id);
        for ahead in self.ahead.values_mut() {
            *ahead = newest.min(*ahead);
        }
        let by_device = self.not_judged(new, now);
        self.ahead.retain(|_, ahead| *ahead > upto);
        for (device, mut fixes) in by_device {
            fixes.sort_by_key(Seen::order);
            self.take(book, device, &fixes, |raised| {
                let unread = should_read(raised.at, device, mutes, now);
                judged.new.push(NewEvent::of(device, raised, unread));
            });
        }
        // What was moved is marked in the file until it is judged again, so that does not wait.
        if !more && (self.moved(reader, now, judged).await? | self.is_due(tail)) {
            while self.waits() {
                let some: Vec<_> = self.again.iter().take(AT_ONCE).map(|(device, from)| (*device, *from)).collect();
                self.judge_again(reader, book, mutes, some.clone(), now, judged).await?;
                for (device, _) in &some {
                    self.again.remove(device);
                }
            }
        }
        self.cursor = Some(upto);
        Ok(more)
    }

    /// The positions among these that are watched and not part of their device's course yet.
    fn not_judged(&self, new: Vec<watch::Unwatched>, now: Timestamp) -> ByDevice<Vec<Seen>> {
        let mut by_device: ByDevice<Vec<Seen>> = ByDevice::new();
        for watch::Unwatched { id, seen } in new {
            let Some((device, seen)) = seen else { continue };
            let is_in = self.ahead.get(&device).is_some_and(|ahead| id <= *ahead);
            if !is_in && now.duration_since(seen.at) <= HISTORY {
                by_device.entry(device).or_default().push(seen);
            }
        }
        by_device
    }

    /// True where devices wait to be judged again.
    pub(super) fn waits(&self) -> bool {
        !self.again.is_empty()
    }

    /// Whether those that wait are to be judged now: to look through a long tail costs as much for one as for many.
    fn is_due(&mut self, tail: i64) -> bool {
        if self.again.is_empty() {
            return false;
        }
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let due = tail < LONG_TAIL || self.again.len() >= AT_ONCE || since.elapsed() >= GATHER;
        if due {
            self.waits_since = None;
        }
        due
    }

    /// Goes on with fixes that are new, or notes from when on it must begin again.
    fn take(&mut self, book: &Book, device: DeviceId, fixes: &[Seen], mut tell: impl FnMut(Raised)) {
        let Some(first) = fixes.first() else { return };
        if let Some(from) = self.again.get_mut(&device) {
            *from = first.at.min(*from);
            return;
        }
        let course = self.courses.get_mut(&device);
        let goes_on = |course: &&mut Course| {
            course.last().is_some_and(|last| last.order() < first.order()) && !course.is_overtaken_by(first.at)
        };
        let Some(course) = course.filter(goes_on) else {
            self.again.insert(device, first.at);
            return;
        };
        let mut raised = Vec::new();
        for seen in fixes {
            course.step(book, device, seen, &mut raised);
        }
        for raised in raised {
            tell(raised);
        }
    }

    async fn judge_again(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        mutes: &Mutes,
        devices: Vec<(DeviceId, Timestamp)>,
        now: Timestamp,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        let asked = Arc::clone(book);
        let (upto, found) = reader
            .read(move |db| {
                // One look at the file, so that it is known up to which position the devices are judged.
                let db = db.unchecked_transaction()?;
                let upto = query::newest_position(&db)?;
                let tail = match devices.as_slice() {
                    [(device, _)] => query::Tail::of_one(&db, *device)?,
                    _ => query::Tail::of_all(&db)?,
                };
                let one = |(device, from)| Again::read(&db, &tail, &asked, device, from, now);
                let found: watch::Answer<Vec<_>> = devices.into_iter().map(one).collect();
                Ok((upto, found?))
            })
            .answered()
            .await?;
        for Again { device, course, raised, made } in found {
            self.courses.insert(device, course);
            // What came meanwhile is in it; taken for late, it would have the device judged again for as long as fixes keep coming.
            self.ahead.insert(device, upto);
            let new: Vec<_> = raised
                .into_iter()
                .map(|raised| {
                    let unread = should_read(raised.at, device, mutes, now);
                    NewEvent::of(device, raised, unread)
                })
                .collect();
            let name = |event: &NewEvent| (event.at.as_millisecond(), event.kind, event.key());
            let names: Vec<_> = new.iter().map(name).collect();
            let known = |made: &watch::Made| (made.at.as_millisecond(), made.kind, made.key);
            judged.gone.extend(made.iter().filter(|made| !names.contains(&known(made))).map(|made| made.id));
            judged.new.extend(new.into_iter().filter(|event| made.iter().all(|made| known(made) != name(event))));
        }
        Ok(())
    }

    /// Devices that got or lost positions which others had are judged again from the first of these on. True where there are some.
    async fn moved(&mut self, reader: &Reader, now: Timestamp, judged: &mut Judged) -> Result<bool, Error> {
        let earliest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        for moved in reader.read(watch::moved).answered().await? {
            if moved.adopted {
                let from = moved.from.max(earliest);
                let known = self.again.entry(moved.device).or_insert(from);
                *known = from.min(*known);
            }
            judged.moved.push(moved.mark);
        }
        Ok(!judged.moved.is_empty())
    }

    /// Stays that became long by now, although no fix says so.
    pub(super) async fn wait(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        mutes: &Mutes,
        now: Timestamp,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        if book.places().iter().all(|place| place.spec.dwell_min.is_none()) {
            return Ok(());
        }
        if !std::mem::replace(&mut self.everybody, true) {
            self.know_all(reader, book, now).await?;
        }
        let mut raised = Vec::new();
        for (device, course) in &mut self.courses {
            course.wait(book, now, &mut raised);
            let new = raised.drain(..).map(|raised| {
                let unread = should_read(raised.at, *device, mutes, now);
                NewEvent::of(*device, raised, unread)
            });
            judged.new.extend(new);
        }
        Ok(())
    }

    /// Where everybody was that has not been heard since the program began: it may be in a place all the while.
    async fn know_all(&mut self, reader: &Reader, book: &Arc<Book>, now: Timestamp) -> Result<(), Error> {
        let heard = reader.read(watch::heard).answered().await?;
        let is_recent = |heard: &&watch::Heard| now.duration_since(heard.at) <= HISTORY;
        let unknown = heard.values().filter(is_recent).map(|heard| heard.device);
        let unknown: Vec<_> = unknown.filter(|device| self.known(*device).is_none()).collect();
        for some in unknown.chunks(AT_ONCE) {
            let (some, asked) = (some.to_vec(), Arc::clone(book));
            let found: Vec<_> = reader
                .read_long(move |db| {
                    let tail = query::Tail::of_all(db)?;
                    let one = |device| Ok((device, course_before(db, &tail, &asked, device, now)?));
                    some.into_iter().map(one).collect()
                })
                .answered()
                .await?;
            self.courses.extend(found);
        }
        Ok(())
    }

    /// Goes on with another book.
    pub(super) fn adapt(&mut self, old: &Book, new: &Book) {
        for (device, course) in &mut self.courses {
            course.adapt(old, new, *device);
        }
        self.adapted = true;
    }

    /// What is known of a device, from the store where it was not heard yet.
    pub(super) async fn course(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<&Course, Error> {
        if self.known(device).is_none() {
            let asked = Arc::clone(book);
            let course = reader
                .read(move |db| course_before(db, &query::Tail::of_one(db, device)?, &asked, device, now))
                .answered()
                .await?;
            self.courses.insert(device, course);
        }
        Ok(self.courses.entry(device).or_default())
    }

    /// What is known of a device that was heard since the program began.
    pub(super) fn known(&self, device: DeviceId) -> Option<&Course> {
        self.courses.get(&device)
    }

    /// Forgets those that are gone.
    pub(super) fn keep(&mut self, is_there: impl Fn(DeviceId) -> bool) {
        self.courses.retain(|device, _| is_there(*device));
    }

    /// Up to which position everything is judged, where that is further than what stands in the file.
    pub(super) fn upto(&self) -> Option<i64> {
        self.cursor.filter(|cursor| self.again.is_empty() && *cursor != self.noted)
    }
}

/// What a device did from a moment on, judged again.
struct Again {
    device: DeviceId,
    course: Course,
    raised: Vec<Raised>,
    /// What is stored of that.
    made: Vec<watch::Made>,
}

impl Again {
    fn read(
        db: &watch::Db,
        tail: &query::Tail,
        book: &Book,
        device: DeviceId,
        from: Timestamp,
        now: Timestamp,
    ) -> watch::Answer<Self> {
        let mut course = course_before(db, tail, book, device, from)?;
        let behind = course.last().map_or(from, |last| last.at);
        let (mut raised, mut made) = (Vec::new(), watch::made_from(db, device, behind)?);
        // Of what lies between the last fix before and the first one now, only a long stay can be shown by what comes now.
        made.retain(|made| made.at >= from || (made.kind == Kind::Dwell && made.at > behind));
        made.retain(|made| book.covers(device, made.kind, made.place, made.at));
        for seen in watch::positions_from(db, tail, device, from)? {
            course.step(book, device, &seen, &mut raised);
        }
        // What was told because nothing came stays told.
        course.wait(book, now, &mut raised);
        Ok(Self { device, course, raised, made })
    }
}

/// Where a device was before a moment, by the fixes before that.
fn course_before(
    db: &watch::Db,
    tail: &query::Tail,
    book: &Book,
    device: DeviceId,
    at: Timestamp,
) -> watch::Answer<Course> {
    let mut limit = LOOK_BACK;
    loop {
        let before = watch::positions_before(db, tail, device, at, limit)?;
        let mut course = Course::after(book, device, &before);
        let first = before.iter().find(|seen| seen.sound).map(|seen| seen.at);
        // Those that it was in all the while: it came earlier.
        let all_the_while: Vec<_> = course.inside().filter(|(_, since)| Some(*since) == first).collect();
        let is_all = before.len() < limit || limit >= LOOK_FAR_BACK;
        let mut sure = true;
        for (place, since) in all_the_while {
            if let Some(entered) = watch::entered_before(db, device, place, since)? {
                course.entered_earlier(book, place, entered);
                continue;
            }
            // Nobody wanted to be told that it came: a long stay that was told within this one knows when that was.
            let told = watch::last_stay(db, device, place, at)?;
            match told.filter(|(moment, _)| *moment >= since || is_all) {
                Some((_, entered)) => course.entered_earlier(book, place, entered),
                None => sure &= book.place(place).is_none_or(|place| place.spec.dwell_min.is_none()),
            }
        }
        if sure || is_all {
            return Ok(course);
        }
        limit *= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{geo::LatLon, model::PacketId};

    fn position(id: i64, device: i64) -> watch::Unwatched {
        let at = Timestamp::from_second(1_700_000_000 + id).unwrap();
        let seen = Seen {
            at,
            received: at,
            place: LatLon::new(47.0, 15.0).unwrap(),
            accuracy_m: None,
            speed_kmh: None,
            battery: None,
            sound: true,
            packet: PacketId(id),
        };
        watch::Unwatched { id, seen: Some((DeviceId(device), seen)) }
    }

    #[test]
    fn what_a_device_was_judged_with_already_does_not_look_late() {
        // The first was judged again when 7 was the newest position, by a look that had found those up to 4.
        let folds = Folds { ahead: [(DeviceId(1), 7)].into(), cursor: Some(4), ..Folds::default() };
        let new = vec![position(5, 1), position(6, 2), position(7, 1), position(8, 1), position(9, 2)];
        let left = folds.not_judged(new, Timestamp::from_second(1_700_001_000).unwrap());
        let ids: Vec<Vec<_>> = left.values().map(|all| all.iter().map(|seen| seen.packet.0).collect()).collect();
        assert_eq!(ids, [vec![8], vec![6, 9]]);
    }
}
