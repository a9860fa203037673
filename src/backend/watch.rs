//! Watches: asks the places and rules of a person what stored positions, silence and alarms say to them, and writes the events down.
//!
//! A task of the instance that receives, behind the writer: it reads what was committed, so nobody who stores a packet waits for it, and what
//! it had not come to when the program ended it finds at the next start. It looks a few times a second while something arrives, and
//! rests else.

mod awake;
mod folds;
mod silence;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tokio::{runtime::Handle, sync::watch::Receiver};

pub use crate::store::watch::{Commits, EventQuery, SetUp};
use crate::{
    geo::{LatLon, fence::Shape},
    model::{
        Clock, DeviceId, StoredEvent, Timestamp,
        watch::{Book, Mute, Mutes, PlaceId, PlaceSpec, RuleBook, Rules},
    },
    store::{Error, Judged, Pending, Reader, Store, Writer, watch},
};
use awake::Awake;
pub use awake::Passing;
use folds::Folds;
use silence::Silence;

/// Rest between two looks while something arrives.
const REST: Duration = Duration::from_millis(250);
/// Between two looks at the clock, for silence.
const TICK: Duration = Duration::from_secs(2);
/// Pause after something went wrong.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Positions looked at in one go.
const POSITIONS: usize = 4_096;
/// Alarms looked at in one go.
const ALARMS: usize = 1_000;
/// How far it got is written down this often; what is behind that is looked at again after a crash, and found to be known.
const NOTE_EVERY: Duration = Duration::from_secs(30);
/// What is older is listed, but nobody has to read it.
const READ_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Begins to watch, until the store is closed.
pub(super) fn begin(runtime: &Handle, store: &Store, clock: &Clock, passing: Option<Passing>) {
    let started = clock();
    let watch = Watch {
        reader: store.reader(),
        writer: store.writer(),
        commits: store.commits(),
        clock: Arc::clone(clock),
        book: Arc::default(),
        mutes: Mutes::default(),
        book_of: None,
        seen: None,
        folds: Folds::default(),
        silence: Silence::since(started),
        awake: Awake::new(passing),
        noted: None,
    };
    runtime.spawn(watch.run());
}

struct Watch {
    reader: Reader,
    writer: Writer,
    commits: Receiver<Commits>,
    clock: Clock,
    book: Arc<Book>,
    mutes: Mutes,
    /// The commits that `book` is of.
    book_of: Option<u64>,
    /// The commits after which positions were looked at.
    seen: Option<u64>,
    folds: Folds,
    silence: Silence,
    awake: Awake,
    /// When it was written down last how far it got.
    noted: Option<Instant>,
}

impl Watch {
    async fn run(mut self) {
        let mut trouble = false;
        loop {
            match self.look().await {
                Ok(true) => continue,
                Ok(false) => trouble = false,
                Err(Error::Closed | Error::Died) => return,
                Err(error) => {
                    if !std::mem::replace(&mut trouble, true) {
                        tracing::warn!(%error, "places and rules are not watched now");
                    }
                    // What was found may not be written: from what stands in the file it is found again.
                    (self.folds, self.seen) = (Folds::default(), None);
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
            tokio::time::sleep(REST).await;
            tokio::select! {
                changed = self.commits.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Looks at everything that is new. True where there is more.
    async fn look(&mut self) -> Result<bool, Error> {
        let now = (self.clock)();
        if self.awake.missed(now) {
            self.silence.listens_since(now);
        }
        let commits = *self.commits.borrow_and_update();
        if self.book_of != Some(commits.of_book) {
            self.open_book().await?;
            self.book_of = Some(commits.of_book);
        }
        let mut judged = Judged::default();
        let mut more = false;
        let arrived = self.seen != Some(commits.all) || self.folds.waits();
        if arrived {
            more = self.folds.look(&self.reader, &self.book, &self.mutes, now, &mut judged).await?;
            self.alarms(now, &mut judged).await?;
        }
        if !more && !self.folds.waits() && self.silence.is_settled(now) {
            self.folds.wait(&self.reader, &self.book, &self.mutes, now, &mut judged).await?;
        }
        self.silence.look(&self.reader, &self.book, &self.mutes, &mut self.folds, now, arrived, &mut judged).await?;
        judged.upto = self.note_due();
        if judged.upto.is_some() || !judged.is_quiet() {
            self.writer.judged(judged).answered().await?;
        }
        if !more {
            self.seen = Some(commits.all);
        }
        Ok(more)
    }

    async fn open_book(&mut self) -> Result<(), Error> {
        let set_up = self.reader.read(watch::set_up).answered().await?;
        self.mutes = set_up.mutes;
        let book = Book::new(set_up.places, set_up.rules);
        if book.places() != self.book.places() || book.rules != self.book.rules {
            let old = std::mem::replace(&mut self.book, Arc::new(book));
            self.folds.adapt(&old, &self.book);
        }
        Ok(())
    }

    /// Alarms that packets told: whether somebody should read them.
    async fn alarms(&mut self, now: Timestamp, judged: &mut Judged) -> Result<(), Error> {
        let alarms = self.reader.read(|db| watch::new_alarms(db, ALARMS)).answered().await?;
        judged.alarms.extend(alarms.into_iter().map(|alarm| {
            let device = alarm.event.device;
            // What is told again because a device is read differently now is no news.
            let came = alarm.received.is_some_and(|at| is_recent(at, now));
            let wanted = alarm.adopted && self.book.rules.of(device).0.alarm;
            (alarm.event.id, wanted && came && should_read(alarm.event.at, device, &self.mutes, now))
        }));
        Ok(())
    }

    /// How far it got, where that is to be written down.
    fn note_due(&mut self) -> Option<i64> {
        let upto = self.folds.upto()?;
        let due = self.noted.is_none_or(|at| at.elapsed() >= NOTE_EVERY);
        due.then(|| {
            self.noted = Some(Instant::now());
            upto
        })
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) <= READ_WITHIN
}

/// Whether somebody should read of something that happened then.
fn should_read(at: Timestamp, device: DeviceId, mutes: &Mutes, now: Timestamp) -> bool {
    is_recent(at, now) && mutes.of(device, now).is_none()
}

/// A circle that a phone told as a waypoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Waypoint {
    pub device: DeviceId,
    pub name: String,
    pub center: LatLon,
    pub radius_m: f64,
}

impl Waypoint {
    /// As a place for everybody.
    pub fn spec(&self) -> PlaceSpec {
        PlaceSpec::new(self.name.clone(), Shape::Circle { center: self.center, radius_m: self.radius_m })
    }
}

impl super::Backend {
    /// Places, rules, who is muted, and how many events nobody has read.
    pub fn watch_set_up(&self) -> Pending<SetUp> {
        self.store.reader().read(watch::set_up)
    }

    /// Events of what is watched for, newest first.
    pub fn watched_events(&self, wanted: EventQuery) -> Pending<Vec<StoredEvent>> {
        self.store.reader().read(move |db| watch::events(db, &wanted))
    }

    /// Circles that phones told as waypoints.
    pub fn waypoints(&self) -> Pending<Vec<Waypoint>> {
        self.store.reader().read_long(|db| {
            let told = watch::waypoints(db)?.into_iter();
            Ok(told.map(|(device, name, center, radius_m)| Waypoint { device, name, center, radius_m }).collect())
        })
    }

    /// Writes a place, a new one without an id; answers its id. As [`Writer::put_place`].
    pub fn put_place(&self, id: Option<PlaceId>, since: Option<Timestamp>, spec: PlaceSpec) -> Pending<u64> {
        self.store.writer().put_place(id, since, spec)
    }

    /// Takes a place away. Its events stay.
    pub fn remove_place(&self, id: PlaceId) -> Pending<u64> {
        self.store.writer().remove_place(id)
    }

    /// Sets the rules for a device, or for all that have none of their own. As [`Writer::set_rules`].
    pub fn set_rules(&self, device: Option<DeviceId>, rules: Option<Rules>) -> Pending<u64> {
        self.store.writer().set_rules(device, rules)
    }

    /// Mutes a device, or everything; `None` ends that.
    pub fn set_mute(&self, device: Option<DeviceId>, mute: Option<Mute>) -> Pending<u64> {
        self.store.writer().set_mute(device, mute)
    }

    /// Marks events as read, or unread again; `None`: all.
    pub fn read_events(&self, events: Option<Vec<i64>>, unread: bool) -> Pending<u64> {
        self.store.writer().read_events(events, unread)
    }
}

/// What is known of devices, by their ids.
type ByDevice<T> = BTreeMap<DeviceId, T>;

/// Whether rules of any device watch for something that is not in fixes.
fn watches_silence(rules: &RuleBook) -> bool {
    rules.any(|rules| rules.quiet.on || rules.battery.on)
}
