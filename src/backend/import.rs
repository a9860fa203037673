//! History on its way in, out of a file of another program: a look at what is in it, then the batch, and the way back.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use super::{Backend, Pending};
pub use crate::import::{Kind, Reject, Track};
use crate::{
    geo::LatLon,
    import::{Ended, Ground, HEAD_BYTES, Item, LONG_LINE, Record, Refusal, read, sniff},
    model::{
        CountedIn, Device, DeviceId, DeviceState, Identity, ImportBatch, ImportId, ImportInto, NewImport, NewRecord,
        Origin, PacketId, Protocol, Timestamp,
    },
    store::{self, Error, Imported, Reader, Watch, Writer, query},
};

/// Rejected records that are kept to be shown; more are counted.
pub const MOST_REJECTS: usize = 1_000;

/// Positions written at a time.
const STEP: usize = 500;

/// What an import is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    /// The zone of times that name none.
    pub zone: TimeZone,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub source: Source,
    pub kind: Kind,
    pub tracks: Vec<FoundTrack>,
    pub points: u64,
    pub rejected: u64,
    /// The first of what was rejected, at most [`MOST_REJECTS`].
    pub rejects: Vec<Reject>,
    /// What whoever looks at it should know.
    pub notes: Vec<String>,
    /// Where the file makes no sense any more; what stood before is good.
    pub broken: Option<Reject>,
    pub counted_in: CountedIn,
}

/// One track of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTrack {
    pub track: Track,
    pub points: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The device that the file names and that is here.
    pub device: Option<Device>,
    /// Positions that the device has already.
    pub duplicates: u64,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    pub batch: ImportId,
    pub file: PathBuf,
    pub positions: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Points of tracks that were left out.
    pub skipped: u64,
    pub devices: Vec<Device>,
    pub broken: Option<Reject>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {why}", .path.display())]
    Refused { path: PathBuf, why: Refusal },
    /// The store did not take it; what it had taken was taken back.
    #[error(transparent)]
    Store(#[from] Error),
    /// As [`ImportError::Store`], but a part stays.
    #[error("{why}; a part of it is here: `wayglass import --undo {}` takes it back", .batch.0)]
    Left { batch: ImportId, why: Error },
    #[error("the import was broken off; what it had brought was taken back")]
    Cancelled,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} points in {} tracks", self.kind.title(), self.points, self.tracks.len())
    }
}

impl Found {
    /// When the first and the last of its points were measured.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.tracks.iter().filter_map(|track| track.first).min()?;
        Some((first, self.tracks.iter().filter_map(|track| track.last).max()?))
    }

    /// Points that are here already, as far as their devices are known.
    pub fn duplicates(&self) -> u64 {
        self.tracks.iter().map(|track| track.duplicates).sum()
    }
}

/// A device of the name that has never called, for a track that no device here has. The identity that the file tells is its own, so that
/// it is the same device when it calls. `None` where no identity can be made of the words.
pub fn new_device(name: &str, identity: Option<&str>) -> Option<ImportInto> {
    let is_imei = |text: &str| text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit());
    let told = identity.and_then(|text| match text {
        _ if is_imei(text) => Some((Protocol::Gt06, Identity::new(text)?)),
        _ if text.contains('/') => Some((Protocol::OwnTracks, Identity::new(text)?)),
        _ => None,
    });
    let (protocol, identity) = match told {
        Some(told) => told,
        None => (Protocol::OwnTracks, Identity::new(format!("imported/{}", name.trim()))?),
    };
    let name = Some(name.trim()).filter(|name| !name.is_empty() && *name != identity.as_str()).map(str::to_owned);
    Some(ImportInto::New { protocol, identity, name })
}

/// Looks at a file: what it is and what is in it, without taking anything. `into`: the device that all of it will go to, where that is
/// decided; its duplicates are counted. Without a `reader` there are no devices yet. `watch` counts bytes.
pub fn look(
    reader: Option<&Reader>,
    source: Source,
    into: Option<DeviceId>,
    now: Timestamp,
    watch: &Watch,
) -> Result<Found, ImportError> {
    let Some(reader) = reader else { return scan(&source, &[], into, now, watch, &mut |_, _, _| false) };
    let watched = watch.clone();
    let looked = reader.read_long(move |db| {
        let devices = query::devices(db)?;
        let tail = query::Tail::of_all(db)?;
        let mut failed = None;
        let found = scan(&source, &devices, into, now, &watched, &mut |device, at, place| {
            query::has_fix(db, &tail, device, at, place).unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        });
        failed.map_or(Ok(found), Err)
    });
    looked.wait()?
}

/// Says whether a device has a position of this moment and place.
type HasFix<'h> = &'h mut dyn FnMut(DeviceId, Timestamp, LatLon) -> bool;

fn scan(
    source: &Source,
    devices: &[Device],
    into: Option<DeviceId>,
    now: Timestamp,
    watch: &Watch,
    has: HasFix<'_>,
) -> Result<Found, ImportError> {
    let (kind, file, bytes) = open(&source.path)?;
    let mut found = Found {
        source: source.clone(),
        kind,
        tracks: Vec::new(),
        points: 0,
        rejected: 0,
        rejects: Vec::new(),
        notes: Vec::new(),
        broken: None,
        counted_in: CountedIn::Lines,
    };
    let by_id: HashMap<DeviceId, &Device> = devices.iter().map(|device| (device.id, device)).collect();
    let mut passed = |done| watch.at(done, bytes);
    let ended = read(kind, file, &ground(source, now), &mut passed, &mut |item| {
        match item {
            Item::Track(track) => {
                let device = match into {
                    Some(id) => by_id.get(&id).copied(),
                    None => whose(&track, devices),
                };
                let device = device.cloned();
                found.tracks.push(FoundTrack { track, points: 0, first: None, last: None, device, duplicates: 0 });
            }
            Item::Record(record) => found.take(&record, has),
            Item::Reject(reject) => found.reject(reject),
            Item::Note(note) => found.notes.push(note),
        }
        if watch.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match ended.map_err(|error| ImportError::Read { path: source.path.clone(), source: error })? {
        Ended::Whole => {}
        Ended::Broken(reject) => found.broken = Some(reject),
        Ended::Stopped => return Err(ImportError::Cancelled),
    }
    Ok(found)
}

impl Found {
    fn take(&mut self, record: &Record, has: HasFix<'_>) {
        let Some(fix) = &record.report.fix else { return };
        let Some(track) = self.tracks.get_mut(record.track) else { return };
        self.points += 1;
        track.points += 1;
        track.first = Some(track.first.map_or(fix.at, |first| first.min(fix.at)));
        track.last = Some(track.last.map_or(fix.at, |last| last.max(fix.at)));
        if let Some(device) = &track.device
            && has(device.id, fix.at, fix.place)
        {
            track.duplicates += 1;
        }
        if record.at.column >= LONG_LINE {
            self.counted_in = CountedIn::Bytes;
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.rejected += 1;
        if self.rejects.len() < MOST_REJECTS {
            self.rejects.push(reject);
        }
    }
}

/// The device that a file means: by its identity, else by what it is called. An adopted one comes first.
fn whose<'d>(track: &Track, devices: &'d [Device]) -> Option<&'d Device> {
    let adopted_first = |found: &mut dyn Iterator<Item = &'d Device>| {
        found.min_by_key(|device| (device.state != DeviceState::Adopted, device.id))
    };
    let by_identity = |word: &str| adopted_first(&mut devices.iter().filter(|d| d.identity.as_str() == word));
    let by_name = |word: &str| {
        let named = |d: &&Device| d.name.as_deref().is_some_and(|name| name.to_lowercase() == word.to_lowercase());
        adopted_first(&mut devices.iter().filter(named))
    };
    if let Some(identity) = &track.identity {
        return by_identity(identity);
    }
    let name = track.name.as_deref()?;
    by_identity(name).or_else(|| by_name(name))
}

fn open(path: &Path) -> Result<(Kind, File, u64), ImportError> {
    let failed = |source| ImportError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        return Err(failed(io::Error::other("this is a folder; name the files in it")));
    }
    let mut head = Vec::new();
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
    let kind = sniff(&head).map_err(|why| ImportError::Refused { path: path.to_owned(), why })?;
    Ok((kind, File::open(path).map_err(failed)?, about.len()))
}

fn ground(source: &Source, now: Timestamp) -> Ground {
    Ground { now, zone: source.zone.clone(), path: source.path.clone() }
}

/// Brings a file in as one batch. `into` says for each track of it where it goes; `None` leaves it out. `watch` counts bytes. What is broken
/// off or fails is taken back.
pub fn bring(
    writer: &Writer,
    found: &Found,
    into: &[Option<ImportInto>],
    now: Timestamp,
    watch: &Watch,
) -> Result<ImportReport, ImportError> {
    let path = &found.source.path;
    let (kind, file, bytes) = open(path)?;
    let new =
        NewImport { file: path.display().to_string(), format: kind.as_str().to_owned(), counted_in: found.counted_in };
    let batch = writer.begin_import(new).wait()?.batch;
    let mut bringing = Bringing {
        writer,
        into,
        now,
        counted_in: found.counted_in,
        queues: HashMap::new(),
        under_way: None,
        failed: None,
        report: ImportReport {
            batch,
            file: path.clone(),
            positions: 0,
            duplicates: 0,
            rejected: 0,
            skipped: 0,
            devices: Vec::new(),
            broken: None,
        },
    };
    let mut passed = |done| watch.at(done, bytes);
    let ended = read(kind, file, &ground(&found.source, now), &mut passed, &mut |item| {
        bringing.item(item);
        if watch.cancelled() || bringing.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let outcome = match ended {
        Err(source) => Err(ImportError::Read { path: path.clone(), source }),
        Ok(Ended::Stopped) => Err(bringing.failed.take().map_or(ImportError::Cancelled, ImportError::Store)),
        Ok(Ended::Whole) => bringing.end(None),
        Ok(Ended::Broken(reject)) => bringing.end(Some(reject)),
    };
    outcome.map_err(|error| match take_back(writer, batch) {
        Err(why) if !matches!(error, ImportError::Read { .. }) => ImportError::Left { batch, why },
        Err(_) | Ok(_) => error,
    })
}

/// An import under way.
struct Bringing<'w> {
    writer: &'w Writer,
    into: &'w [Option<ImportInto>],
    now: Timestamp,
    counted_in: CountedIn,
    /// Records that wait until there are enough of them, by track.
    queues: HashMap<usize, Vec<NewRecord>>,
    /// What is being written while the file is read on.
    under_way: Option<Pending<Imported>>,
    failed: Option<Error>,
    report: ImportReport,
}

impl Bringing<'_> {
    fn item(&mut self, item: Item) {
        match item {
            Item::Record(record) => {
                let Record { track, at, received, report } = *record;
                if self.into.get(track).is_none_or(Option::is_none) {
                    self.report.skipped += 1;
                    return;
                }
                let place = match self.counted_in {
                    CountedIn::Lines => at.line,
                    CountedIn::Bytes => at.byte,
                };
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                let queue = self.queues.entry(track).or_default();
                queue.push(NewRecord { place, received: received.unwrap_or(self.now), report });
                if queue.len() >= STEP {
                    self.write(track);
                }
            }
            Item::Reject(_) => self.report.rejected += 1,
            Item::Track(_) | Item::Note(_) => {}
        }
    }

    fn write(&mut self, track: usize) {
        let Some(records) = self.queues.remove(&track) else { return };
        let Some(Some(into)) = self.into.get(track) else { return };
        let next = self.writer.import(self.report.batch, into.clone(), records);
        self.written();
        self.under_way = Some(next);
    }

    /// Waits for what was being written.
    fn written(&mut self) {
        match self.under_way.take().map(Pending::wait) {
            None => {}
            Some(Ok(done)) => {
                self.report.positions += done.positions;
                self.report.duplicates += done.duplicates;
                if let Some(device) = done.device
                    && !self.report.devices.iter().any(|known| known.id == device.id)
                {
                    self.report.devices.push(device);
                }
            }
            Some(Err(error)) => self.failed = Some(error),
        }
    }

    fn end(mut self, broken: Option<Reject>) -> Result<ImportReport, ImportError> {
        let mut left: Vec<_> = self.queues.keys().copied().collect();
        left.sort_unstable();
        for track in left {
            self.write(track);
        }
        self.written();
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.writer.end_import(self.report.batch, self.report.rejected).wait()?;
        Ok(ImportReport { broken, ..self.report })
    }
}

/// Takes everything back that a batch brought. Answers how many positions that were.
pub fn take_back(writer: &Writer, batch: ImportId) -> Result<u64, Error> {
    let mut removed = 0;
    loop {
        let done = writer.take_import_back(batch).wait()?;
        removed += done.positions;
        if !done.more {
            return Ok(removed);
        }
    }
}

impl Backend {
    /// Looks at a file, on a thread of its own. The second is how far it is, in bytes.
    pub fn look_at_import(&self, source: Source) -> (Pending<Result<Found, ImportError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let (reader, now, watch) = (self.store.reader(), (self.clock)(), Watch::default());
        let watched = watch.clone();
        self.runtime.spawn_blocking(move || answer.give(Ok(look(Some(&reader), source, None, now, &watched))));
        (pending, watch)
    }

    /// Brings a file in, on a thread of its own. `into` says for each track where it goes. The second is how far it is, in bytes.
    pub fn import(
        &self,
        found: Found,
        into: Vec<Option<ImportInto>>,
    ) -> (Pending<Result<ImportReport, ImportError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let (writer, now, watch) = (self.store.writer(), (self.clock)(), Watch::default());
        let watched = watch.clone();
        self.runtime.spawn_blocking(move || answer.give(Ok(bring(&writer, &found, &into, now, &watched))));
        (pending, watch)
    }

    /// Takes everything back that a batch brought. Answers how many positions that were.
    pub fn take_import_back(&self, batch: ImportId) -> Pending<u64> {
        let (answer, pending) = Pending::pair();
        let writer = self.store.writer();
        self.runtime.spawn_blocking(move || answer.give(take_back(&writer, batch)));
        pending
    }

    /// Batches that were imported, the newest first.
    pub fn imports(&self) -> Pending<Vec<ImportBatch>> {
        self.store.reader().read(query::imports)
    }

    /// Where an imported position stood. `None`: a packet told it.
    pub fn origin(&self, packet: PacketId) -> Pending<Option<Origin>> {
        self.store.reader().read(move |db| store::origin_of(db, packet))
    }
}
