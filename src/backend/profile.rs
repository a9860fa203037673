//! What no packet says about a device, and what a change of that does to history.
//!
//! A profile is stored at once; the device's history is then found again from its packets by a task of the instance that receives, a step
//! at a time, so that nothing that arrives waits. What is due stands in the file: work that was cut off is taken up at the next start.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify};

use crate::{
    model::{
        ClockAdvice, ClockSample, DeviceId, Direction, PacketId, PacketRow, Profile, Protocol, Timestamp, Trust, advise,
    },
    store::{Due, Error, Pending, Reader, Rederivation, Rederived, Retold, Step, Stepped, Store, Writer, query},
    wire,
};

/// Packets of a step: everyone who writes waits for one.
const STEP: usize = 256;
/// Pause after something went wrong: a disk that is full stays full for a while.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The newest packets of a device that the clock doctor looks at.
const LOOKED_AT: usize = 400;
/// Live frames that are enough for it.
const ENOUGH: usize = 50;

/// A history that is being found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rederiving {
    pub device: DeviceId,
    /// Packets read, of how many. Both 0 while it waits for another.
    pub done: u64,
    pub total: u64,
}

/// The histories that are being found again, for whoever shows it or waits for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Posted>);

#[derive(Debug, Default)]
struct Posted {
    running: Mutex<BTreeMap<DeviceId, Rederiving>>,
    /// Of each device the newest asking that was served, with what came of it.
    served: Mutex<BTreeMap<DeviceId, (i64, Rederived)>>,
    /// Something was served.
    news: Notify,
}

impl Board {
    pub(super) fn list(&self) -> Vec<Rederiving> {
        locked(&self.0.running).values().copied().collect()
    }

    fn note(&self, device: DeviceId, done: u64, total: u64) {
        locked(&self.0.running).insert(device, Rederiving { device, done, total });
    }

    /// Nobody is at it any more; `None`: it failed, or was asked for anew.
    fn ended(&self, device: DeviceId, served: Option<(i64, Rederived)>) {
        locked(&self.0.running).remove(&device);
        if let Some(served) = served {
            locked(&self.0.served).insert(device, served);
            self.0.news.notify_waiters();
        }
    }

    /// Waits until this asking, or a later one, was served.
    async fn served(&self, device: DeviceId, asked: i64) -> Rederived {
        loop {
            let news = self.0.news.notified();
            if let Some((_, done)) = locked(&self.0.served).get(&device).filter(|(served, _)| *served >= asked) {
                return *done;
            }
            news.await;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No holder can panic half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds histories again whenever they are due, until the store is closed.
pub(super) fn keep_up(runtime: &Handle, store: &Store, board: Board) {
    let (due, desk) = (store.due(), Desk { reader: store.reader(), writer: store.writer(), board });
    runtime.spawn(async move { desk.keep_up(due).await });
}

/// Finds again what is due, now. For a command line that has the store to itself, or is beside an instance that is at it, too.
pub fn rederive_due(store: &Store) -> Result<Vec<(DeviceId, Rederived)>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|e| Error::Sqlite(format!("no runtime to find history again: {e}")))?;
    let desk = Desk { reader: store.reader(), writer: store.writer(), board: Board::default() };
    runtime.block_on(desk.all_due())
}

/// How the work on one history ended.
enum Ended {
    Done(Rederived),
    /// It was asked for again meanwhile.
    Anew,
    /// Another process did it, or the device was forgotten.
    Elsewhere,
}

struct Desk {
    reader: Reader,
    writer: Writer,
    board: Board,
}

impl Desk {
    async fn keep_up(self, due: Due) {
        loop {
            match self.all_due().await {
                Ok(done) => {
                    for (device, Rederived { packets, positions, changed, unread }) in done {
                        tracing::info!(device = device.0, packets, positions, changed, unread, "history found again");
                    }
                    due.wait().await;
                }
                Err(Error::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "a history could not be found again; it stays due");
                    tokio::time::timeout(AGAIN_AFTER, due.wait()).await.ok();
                }
            }
        }
    }

    async fn all_due(&self) -> Result<Vec<(DeviceId, Rederived)>, Error> {
        let mut done = Vec::new();
        loop {
            let due = self.reader.read(query::rederivations).answered().await?;
            for work in &due {
                self.board.note(work.device(), 0, 0);
            }
            // One after the other, and a look at what is due after each: it may have changed.
            let Some(work) = due.into_iter().next() else { return Ok(done) };
            let (device, asked) = (work.device(), work.asked());
            let outcome = self.one(work).await;
            let served = match &outcome {
                Ok(Ended::Done(rederived)) => Some((asked, *rederived)),
                Ok(Ended::Elsewhere) => Some((asked, Rederived::default())),
                Ok(Ended::Anew) | Err(_) => None,
            };
            self.board.ended(device, served);
            if let Ended::Done(rederived) = outcome? {
                done.push((device, rederived));
            }
        }
    }

    async fn one(&self, mut work: Rederivation) -> Result<Ended, Error> {
        let device = work.device();
        let mut whole = true;
        loop {
            let after = work.upto();
            let left = self.reader.read_long(move |db| query::to_reread(db, device, after)).answered().await?;
            whole &= left.whole || after.is_some();
            let total = work.packets() + left.packets.len() as u64;
            let mut seen = work.packets();
            // The last step is one without packets: then nothing may have arrived since.
            let nothing = left.packets.is_empty().then_some(&[][..]);
            for ids in left.packets.chunks(STEP).chain(nothing) {
                self.board.note(device, seen, total);
                seen += ids.len() as u64;
                let packets = self.read(ids.to_vec(), work.profile().clone()).await?;
                let step = Step { work, packets, upto: ids.last().copied(), head: left.head, whole };
                match self.writer.rederive(step).answered().await? {
                    Stepped::Further(further) => work = *further,
                    Stepped::Anew => return Ok(Ended::Anew),
                    Stepped::Dropped => return Ok(Ended::Elsewhere),
                    Stepped::Done(rederived) if whole => return Ok(Ended::Done(rederived)),
                    Stepped::Done(rederived) => {
                        let unread = self.reader.read_long(move |db| query::positions_without_packet(db, device));
                        return Ok(Ended::Done(Rederived { unread: unread.answered().await?, ..rederived }));
                    }
                }
            }
        }
    }

    /// Reads packets anew. On a thread of the store, where they need not be carried to another.
    async fn read(&self, ids: Vec<PacketId>, profile: Profile) -> Result<Vec<Retold>, Error> {
        self.reader
            .read_long(move |db| {
                let rows = query::packets_by_id(db, &ids)?;
                Ok(rows.iter().filter(|row| row.direction == Direction::In).map(|row| retell(row, &profile)).collect())
            })
            .answered()
            .await
    }
}

/// What a packet tells when it is read with this profile, in the state that its connection had.
fn retell(row: &PacketRow, profile: &Profile) -> Retold {
    let read = wire::dissect_kept(row, profile);
    let verdict = read.verdict();
    let same = verdict == row.verdict && read.kind == row.kind;
    let label = (!same).then(|| (read.kind.clone(), verdict));
    Retold { packet: row.id, received: row.received, label, reports: read.reports }
}

/// What the newest live frames say about a device's clock.
pub fn clock_advice(reader: &Reader, device: DeviceId) -> Pending<Option<ClockAdvice>> {
    reader.read(move |db| {
        // The time of a phone is UTC by definition.
        let Some(device) = query::device(db, device)?.filter(|device| device.protocol == Protocol::Gt06) else {
            return Ok(None);
        };
        let uncorrected = Profile { clock_offset_s: Some(0), ..device.profile.clone() };
        let mut samples: Vec<_> = query::packets(db, Some(device.id), None, LOOKED_AT)?
            .iter()
            .rev()
            .filter(|row| row.direction == Direction::In)
            .filter_map(|row| {
                let (told, read) = (live_time(row, &uncorrected)?, live_time(row, &device.profile)?);
                Some(ClockSample { received: row.received, told, read })
            })
            .take(ENOUGH)
            .collect();
        samples.reverse();
        Ok(advise(&samples, device.profile.clock_offset_s))
    })
}

/// Stores the profile that `change` makes of the device's, and waits until its history has followed.
pub(super) fn change(
    runtime: &Handle,
    store: &Store,
    board: Board,
    device: DeviceId,
    change: impl FnOnce(Profile) -> Profile + Send + 'static,
) -> Pending<Rederived> {
    let (answer, pending) = Pending::pair();
    let (reader, writer) = (store.reader(), store.writer());
    runtime.spawn(async move {
        let changed = async {
            let found = reader.read(move |db| query::device(db, device)).answered().await?;
            let before = found.ok_or_else(|| Error::NoSuchDevice(format!("#{}", device.0)))?.profile;
            match writer.set_profile(device, change(before)).answered().await? {
                Some(asked) => Ok(board.served(device, asked).await),
                None => Ok(Rederived::default()),
            }
        };
        answer.give(changed.await);
    });
    pending
}

/// When a packet says it was measured, unless it was kept for later or cannot be believed.
fn live_time(row: &PacketRow, profile: &Profile) -> Option<Timestamp> {
    let told = retell(row, profile).reports.into_iter().next()?;
    let late = told.readings.get("archive").and_then(serde_json::Value::as_bool) == Some(true);
    (told.trust == Trust::Good && !late).then_some(told.fix?.at)
}
