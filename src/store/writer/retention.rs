//! The bounds on packets that became history: the oldest go by age and by size, what they told stays.
//!
//! Packets are removed in order of arrival, a few hundred a transaction, so that nobody who has something to store waits for more than that.
//! Held ones are left to the quarantine, which has bounds of its own.

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{
    batch::Batch,
    quarantine::{counter, set_counter},
};
use crate::{
    model::{Keep, PacketId, Timestamp},
    store::removed::Reason,
};

/// What a packet counts beside its bytes: about what its row takes. Schema step 5 says the same.
const ROW_BYTES: u64 = 128;

/// Packets written until the counter of bytes is brought up to date in the file: what opening it has to add up at most, and a batch.
const UNWRITTEN: usize = 4096;

const KEPT_BYTES: &str = "kept_bytes";
const KEPT_UPTO: &str = "kept_upto";
const REMOVED_PACKETS: &str = "removed_packets";
const REMOVED_BYTES: &str = "removed_bytes";

/// How much history is kept as packets, kept along with every write.
#[derive(Default)]
pub(super) struct Kept {
    /// Bytes of packets that nobody holds.
    pub(super) bytes: u64,
    /// What age and size removed, ever.
    pub(super) removed_packets: u64,
    pub(super) removed_bytes: u64,
    /// Up to this packet everything is held or gone. Only saves looking.
    swept: i64,
    /// Packets since the counters were written.
    unwritten: usize,
    /// The counters must be written with this transaction.
    touched: bool,
}

impl Kept {
    /// As the file has it. Adds up only what was written since the counters were.
    pub(super) fn load(db: &Connection) -> Result<Self> {
        let mut since = db.prepare_cached(
            "SELECT coalesce(sum(octet_length(bytes) + coalesce(octet_length(context), 0) + ?2), 0), count(*)
             FROM packets WHERE id > ?1 AND held IS NULL",
        )?;
        let upto = counter(db, KEPT_UPTO)?;
        let (since, packets): (i64, i64) =
            since.query_row((upto.cast_signed(), ROW_BYTES.cast_signed()), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self {
            bytes: counter(db, KEPT_BYTES)? + since.max(0).cast_unsigned(),
            removed_packets: counter(db, REMOVED_PACKETS)?,
            removed_bytes: counter(db, REMOVED_BYTES)?,
            // Written with the next batch or at the end, so that they are not added up at every start.
            unwritten: usize::try_from(packets).unwrap_or_default(),
            ..Self::default()
        })
    }

    /// The greatest id that a packet ever had, as far as the counters know: those that are gone are not given out again.
    pub(super) fn greatest(db: &Connection) -> Result<i64> {
        counter(db, KEPT_UPTO).map(u64::cast_signed)
    }

    /// Counts a packet of so many bytes that nobody holds.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64 + ROW_BYTES;
        self.unwritten += 1;
    }

    /// So many packets with so many bytes become history: they were held so far.
    pub(super) fn take_over(&mut self, packets: u64, bytes: u64) {
        self.bytes += bytes + packets * ROW_BYTES;
        // Some may be older than those that were looked at.
        self.swept = 0;
        self.touch();
    }

    /// So many packets with so many bytes are gone.
    pub(super) fn release(&mut self, packets: u64, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes + packets * ROW_BYTES);
        self.touch();
    }

    /// Something below the counters' packet changed, so they go into the file with it.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    /// Whether the size is beyond its bound.
    pub(super) fn is_over(&self, keep: &Keep) -> bool {
        keep.packet_bytes.bound().is_some_and(|bound| self.bytes > bound)
    }

    /// Writes the counters where that is due; part of the last thing before a commit.
    pub(super) fn flush(&mut self, db: &Connection, last_packet: i64) -> Result<()> {
        if !self.touched && self.unwritten < UNWRITTEN {
            return Ok(());
        }
        self.write(db, last_packet)
    }

    /// Whether the next opening would have something to add up.
    pub(super) fn unwritten(&self) -> bool {
        self.unwritten > 0
    }

    /// Writes the counters.
    pub(super) fn write(&mut self, db: &Connection, last_packet: i64) -> Result<()> {
        set_counter(db, KEPT_BYTES, self.bytes)?;
        set_counter(db, KEPT_UPTO, last_packet.max(0).cast_unsigned())?;
        set_counter(db, REMOVED_PACKETS, self.removed_packets)?;
        set_counter(db, REMOVED_BYTES, self.removed_bytes)?;
        (self.touched, self.unwritten) = (false, 0);
        Ok(())
    }
}

/// The oldest packet that is looked at for removal.
struct Candidate {
    id: i64,
    received: i64,
    bytes: u64,
}

/// A run of packets to remove.
#[derive(Default)]
struct Run {
    first: i64,
    last: i64,
    packets: u64,
    bytes: u64,
}

impl Run {
    fn of(candidates: &[Candidate]) -> Option<Self> {
        let (first, last) = (candidates.first()?, candidates.last()?);
        let bytes = candidates.iter().map(|c| c.bytes).sum();
        Some(Self { first: first.id, last: last.id, packets: candidates.len() as u64, bytes })
    }
}

impl Batch<'_> {
    /// Removes the oldest packets that are beyond the bounds, at most `step` of them. True where there is more to remove. `ages`: the clock can
    /// be believed, so ages count.
    pub(super) fn remove_old(&mut self, keep: &Keep, ages: bool, step: usize) -> Result<bool> {
        let candidates = self.oldest(step)?;
        let old = if ages { too_old(&candidates, keep, self.now) } else { 0 };
        let freed: u64 = candidates.iter().take(old).map(|c| c.bytes + ROW_BYTES).sum();
        let surplus = too_many(candidates.get(old..).unwrap_or_default(), keep, self.kept.bytes.saturating_sub(freed));
        let (elders, rest) = candidates.split_at(old);
        for (run, reason) in [(elders, Reason::Age), (rest.get(..surplus).unwrap_or_default(), Reason::Size)] {
            if let Some(run) = Run::of(run) {
                self.remove_run(&run, reason)?;
            }
        }
        Ok(candidates.len() == step && old + surplus == step)
    }

    /// The oldest packets that nobody holds.
    fn oldest(&mut self, step: usize) -> Result<Vec<Candidate>> {
        let mut select = self.db.prepare_cached(
            "SELECT id, received_ms, octet_length(bytes) + coalesce(octet_length(context), 0)
             FROM packets WHERE id > ?1 AND held IS NULL ORDER BY id LIMIT ?2",
        )?;
        let candidate = |row: &rusqlite::Row<'_>| {
            let bytes: i64 = row.get(2)?;
            Ok(Candidate { id: row.get(0)?, received: row.get(1)?, bytes: bytes.max(0).cast_unsigned() })
        };
        let found =
            select.query_map(params![self.kept.swept, step.cast_signed()], candidate)?.collect::<Result<Vec<_>>>()?;
        if let Some(first) = found.first() {
            self.kept.swept = first.id - 1;
        }
        Ok(found)
    }

    fn remove_run(&mut self, run: &Run, reason: Reason) -> Result<()> {
        if run.last > self.devices.upto() {
            // What they told of their devices must be written before they go.
            self.know_all()?;
        }
        let mut delete =
            self.db.prepare_cached("DELETE FROM packets WHERE id BETWEEN ?1 AND ?2 AND held IS NULL RETURNING id")?;
        let mut rows = delete.query([run.first, run.last])?;
        while let Some(row) = rows.next()? {
            let id = PacketId(row.get(0)?);
            if let Some(facts) = &mut self.facts {
                facts.removed.push(id);
            }
        }
        note(self.db, self.now, reason, run)?;
        self.kept.release(run.packets, run.bytes);
        self.kept.removed_packets += run.packets;
        self.kept.removed_bytes += run.bytes;
        self.kept.swept = run.last;
        Ok(())
    }
}

/// Writes down what went, into the row of the day where there is one.
fn note(db: &Connection, now: Timestamp, reason: Reason, run: &Run) -> Result<()> {
    const DAY_MS: i64 = 24 * 3_600_000;
    let now_ms = now.as_millisecond();
    let mut newest =
        db.prepare_cached("SELECT id FROM removals WHERE reason = ?1 AND at_ms / ?3 = ?2 / ?3 ORDER BY id DESC")?;
    let today: Option<i64> = newest.query_row(params![reason.as_str(), now_ms, DAY_MS], |row| row.get(0)).optional()?;
    let Run { first, last, packets, bytes } = run;
    let (packets, bytes) = (packets.cast_signed(), bytes.cast_signed());
    if let Some(id) = today {
        db.prepare_cached(
            "UPDATE removals SET at_ms = ?2, first_packet = min(first_packet, ?3), last_packet = max(last_packet, ?4),
               packets = packets + ?5, bytes = bytes + ?6 WHERE id = ?1",
        )?
        .execute(params![id, now_ms, first, last, packets, bytes])?;
    } else {
        db.prepare_cached(
            "INSERT INTO removals(at_ms, reason, first_packet, last_packet, packets, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![now_ms, reason.as_str(), first, last, packets, bytes])?;
        // Years of it; what is older is said without a day.
        db.prepare_cached("DELETE FROM removals WHERE id <= ?1 - 5000")?.execute([db.last_insert_rowid()])?;
    }
    Ok(())
}

/// How many of the oldest are too old. One that was stamped by a clock that was ahead is as old as the next one.
fn too_old(candidates: &[Candidate], keep: &Keep, now: Timestamp) -> usize {
    let Some(age) = keep.packet_age.bound() else { return 0 };
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    let oldest = now.saturating_sub(age).unwrap_or(Timestamp::MIN).as_millisecond();
    let mut old = 0;
    for (n, candidate) in (1..).zip(candidates) {
        if candidate.received < oldest {
            old = n;
        } else if candidate.received <= now.as_millisecond() {
            break;
        }
    }
    old
}

/// How many of the oldest must go until the rest fits, with some slack so that this is not due again with the next packet.
fn too_many(candidates: &[Candidate], keep: &Keep, mut bytes: u64) -> usize {
    let Some(bound) = keep.packet_bytes.bound() else { return 0 };
    if bytes <= bound {
        return 0;
    }
    let target = bound - (bound / 64).min(4_000_000);
    let goes = |candidate: &&Candidate| {
        let goes = bytes > target;
        bytes = bytes.saturating_sub(candidate.bytes + ROW_BYTES);
        goes
    };
    candidates.iter().take_while(goes).count()
}
