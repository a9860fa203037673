//! Captures: a file or a pasted text as a backend of its own, and captured bytes into a store that is there.
//!
//! What was sent is read as it is read live, by [`Witness`] and by [`owntracks`]; nothing is answered. Times are those of the capture.

mod fill;
mod look;

use std::{
    fs::File,
    io::{self, Cursor, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use jiff::tz::TimeZone;
use tokio::sync::watch as signal;

use self::fill::Filler;
pub use self::look::{Looked, look_at_capture};
use super::{Backend, StartError, Wake, runtime, scratch};
use crate::{
    capture::{
        Item, Place,
        read::{Ended, Ground, HEAD_BYTES, Kind, Refusal, read, sniff},
    },
    import,
    ingest::Ends,
    model::{Clock, Forever, Keep, Policy, Timestamp},
    store::{self, Error, Options, Pending, Store, Watch, Writer},
    wire::{dress::Complaint, gt06::Witness, owntracks},
};

/// Complaints that are kept; the others are counted.
const MOST_COMPLAINTS: usize = 500;
/// Between two reports of how far it is, in items.
const TELL_EVERY: u64 = 128;

/// Where a capture comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureSource {
    File(PathBuf),
    /// A file of which nobody said that it is a capture: history stays history.
    Dropped(PathBuf),
    /// Out of the clipboard.
    Pasted(Arc<str>),
}

impl CaptureSource {
    /// What its tab is called.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Dropped(path) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Self::Pasted(_) => "Pasted".to_owned(),
        }
    }
}

/// Why a capture is not opened.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error("cannot read {name}: {source}")]
    Read { name: String, source: io::Error },
    /// No packets, but history: it may be imported.
    #[error("{0} holds history, not packets")]
    History(String),
    #[error("{name} is no capture: {why}")]
    Refused { name: String, why: Refusal },
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// What was found in a capture so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureStatus {
    pub name: String,
    /// `pcap`, `text` …
    pub kind: &'static str,
    /// Bytes read, and all of them.
    pub read: (u64, u64),
    /// It is still being read.
    pub filling: bool,
    pub packets: u64,
    pub connections: u64,
    /// Remarks of a log, traffic of others.
    pub passed: u64,
    /// What should carry a packet and does not, and what was cut; the first of these are in `complaints`.
    pub rejected: u64,
    pub cut: u64,
    /// Records without a time of their own.
    pub untimed: u64,
    pub complaints: Vec<(Place, Complaint)>,
    /// Why the reading ended before the end.
    pub broken: Option<String>,
}

impl CaptureStatus {
    /// In one line, what is not as one would like it.
    pub fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        let mut say = |n: u64, one: &str, many: &str| {
            if n > 0 {
                remarks.push(format!("{n} {}", if n == 1 { one } else { many }));
            }
        };
        say(self.cut, "cut short", "cut short");
        say(self.rejected, "cannot be read", "cannot be read");
        say(self.passed, "without packets", "without packets");
        say(self.untimed, "has no time and stands at that of the file", "have no time and stand at that of the file");
        remarks.extend(self.broken.clone());
        remarks.join(" · ")
    }
}

/// A capture that is being read into a backend of its own.
pub(super) struct Filling {
    status: signal::Receiver<Arc<CaptureStatus>>,
    pub(super) ends: Arc<Ends>,
    watch: Watch,
    thread: Option<JoinHandle<()>>,
}

impl Filling {
    /// Breaks it off, and waits until it is.
    pub(super) fn stop(mut self) {
        self.watch.cancel();
        // A panic has been told already.
        self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.watch.cancel();
    }
}

/// A capture that was opened, before anything but its beginning was read.
struct Open {
    name: String,
    kind: Kind,
    input: Box<dyn Read + Send>,
    bytes: u64,
    ground: Ground,
    /// Stands for times that the capture does not tell.
    base: Timestamp,
}

impl Open {
    fn of(source: &CaptureSource, zone: TimeZone, now: Timestamp) -> Result<Self, CaptureError> {
        let name = source.name();
        let (head, input, bytes, base): (_, Box<dyn Read + Send>, _, _) = match source {
            CaptureSource::File(path) | CaptureSource::Dropped(path) => {
                let failed = |source| CaptureError::Read { name: name.clone(), source };
                let mut file = File::open(path).map_err(failed)?;
                let about = file.metadata().map_err(failed)?;
                if about.is_dir() {
                    return Err(failed(io::Error::other("this is a folder; open the files in it")));
                }
                let mut head = Vec::new();
                file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
                let base = about.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(now);
                let whole = Cursor::new(head.clone()).chain(file);
                (head, Box::new(whole), about.len(), base)
            }
            CaptureSource::Pasted(text) => {
                let head = text.as_bytes().get(..text.len().min(HEAD_BYTES)).unwrap_or_default().to_vec();
                (head, Box::new(Cursor::new(text.as_bytes().to_vec())), text.len() as u64, now)
            }
        };
        if matches!(source, CaptureSource::Dropped(_)) && is_history(&head) {
            return Err(CaptureError::History(name));
        }
        let kind = sniff(&head).map_err(|why| CaptureError::Refused { name: name.clone(), why })?;
        let path = match source {
            CaptureSource::File(path) | CaptureSource::Dropped(path) => Some(path.clone()),
            CaptureSource::Pasted(_) => None,
        };
        let ground = Ground { zone, path };
        Ok(Self { name, kind, input, bytes, ground, base })
    }
}

/// True where a file holds packets rather than history. What cannot be read is neither.
pub fn is_capture(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES as u64).read_to_end(&mut head));
    read.is_ok() && !is_history(&head) && sniff(&head).is_ok()
}

/// True where importing reads what begins so. Our own JSON lines look like GeoJSON to it.
fn is_history(head: &[u8]) -> bool {
    match import::sniff(head) {
        Ok(import::Kind::GeoJson) => sniff(head).is_err(),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Reads a capture into a store that receives. Answers what came of it; blocks. `watch` counts bytes and breaks it off: what is stored by then
/// stays.
pub fn bring_capture(
    writer: &Writer,
    path: &Path,
    zone: TimeZone,
    now: Timestamp,
    watch: &Watch,
) -> Result<CaptureStatus, CaptureError> {
    let open = Open::of(&CaptureSource::File(path.to_owned()), zone, now)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|source| CaptureError::Read { name: open.name.clone(), source })?;
    fill(open, (writer.clone(), Arc::default()), |work| runtime.block_on(work), watch, &mut |_| {})
}

/// Reads everything into the store. `tell` hears how far it is.
fn fill(
    open: Open,
    (writer, ends): (Writer, Arc<Ends>),
    run: impl Fn(std::pin::Pin<&mut dyn Future<Output = Result<(), Error>>>) -> Result<(), Error>,
    watch: &Watch,
    tell: &mut dyn FnMut(&CaptureStatus),
) -> Result<CaptureStatus, CaptureError> {
    let Open { name, kind, input, bytes, ground, base } = open;
    let mut status = CaptureStatus {
        name: name.clone(),
        kind: kind.title(),
        read: (0, bytes),
        filling: true,
        ..CaptureStatus::default()
    };
    let mut filler = Filler::new(writer, base, ends);
    let mut failed = None;
    let mut items = 0_u64;
    let done = std::cell::Cell::new(0);
    let mut passed = |n: u64| {
        done.set(n);
        watch.at(n, bytes);
    };
    let ended = read(kind, input, &ground, &mut passed, &mut |item| {
        note(&mut status, &item);
        let result = run(std::pin::pin!(filler.take(item)));
        items += 1;
        if items.is_multiple_of(TELL_EVERY) {
            status.read.0 = done.get();
            (status.packets, status.connections, status.untimed) = filler.counts();
            tell(&status);
        }
        match result {
            Ok(()) if !watch.cancelled() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if failed.is_none() {
        failed = run(std::pin::pin!(filler.finish())).err();
    }
    (status.packets, status.connections, status.untimed) = filler.counts();
    status.read.0 = done.get();
    status.filling = false;
    match (ended, failed) {
        (_, Some(error)) => return Err(error.into()),
        (Err(source), None) => return Err(CaptureError::Read { name, source }),
        (Ok(Ended::Whole), None) => {}
        (Ok(Ended::Stopped), None) => status.broken = Some("broken off".to_owned()),
        (Ok(Ended::Broken { place, why }), None) => status.broken = Some(format!("after {}: {why}", place_text(place))),
    }
    Ok(status)
}

/// Counts what is not stored.
fn note(status: &mut CaptureStatus, item: &Item) {
    let complaint = match item {
        Item::Record(record) => record.cut.as_ref().map(|cut| (record.place, cut)),
        Item::Rejected { place, why } => Some((*place, why)),
        Item::Passed { .. } => {
            status.passed += 1;
            None
        }
        Item::Closed { .. } => None,
    };
    let Some((place, why)) = complaint else { return };
    match item {
        Item::Record(_) => status.cut += 1,
        Item::Closed { .. } | Item::Passed { .. } | Item::Rejected { .. } => status.rejected += 1,
    }
    if status.complaints.len() < MOST_COMPLAINTS {
        status.complaints.push((place, why.clone()));
    }
}

/// `line 7`, `frame 7`.
pub fn place_text(place: Place) -> String {
    match place {
        Place::Line(n) => format!("line {n}"),
        Place::Frame(n) => format!("frame {n}"),
    }
}

/// A store that goes again: everybody is a device, and nothing is too old.
fn temporary(clock: Clock) -> Options {
    // It is as old as it is.
    let keep = Keep { packet_age: Forever::Forever, packet_bytes: Forever::Forever, ..Keep::default() };
    let limits = store::Limits { keep, ..store::Limits::default() };
    Options { policy: Policy::Adopt, limits, temporary: true, ..Options::new(clock) }
}

impl Backend {
    /// Opens a capture as a backend without receivers over a folder of its own, which goes with it. It is filled in the background;
    /// [`Backend::capture`] says how far that is. Done on another thread. `wake` belongs to the new one.
    pub fn open_capture(
        &self,
        source: CaptureSource,
        zone: TimeZone,
        wake: Wake,
    ) -> Pending<Result<Box<Self>, CaptureError>> {
        let (answer, pending) = Pending::pair();
        let clock = Arc::clone(&self.clock);
        // A thread of its own: a runtime within a runtime could not be dropped there.
        let open = move || answer.give(Ok(Self::of_capture(&source, zone, clock, wake).map(Box::new)));
        let spawned = std::thread::Builder::new().name("capture".to_owned()).spawn(open);
        if let Err(error) = spawned {
            // Whoever waits is told that nobody answers.
            tracing::warn!(%error, "no thread for a capture");
        }
        pending
    }

    /// As [`Backend::open_capture`], on this thread.
    pub fn of_capture(source: &CaptureSource, zone: TimeZone, clock: Clock, wake: Wake) -> Result<Self, CaptureError> {
        let open = Open::of(source, zone, clock())?;
        let scratch = scratch::Scratch::folder_for("capture")?;
        let options = Options { wake: Some(Arc::clone(&wake)), ..temporary(Arc::clone(&clock)) };
        let store = Store::open(scratch.folder(), options)?;
        let runtime = runtime().map_err(StartError::from)?;
        runtime.spawn(store.answering());
        let begun = CaptureStatus {
            name: open.name.clone(),
            kind: open.kind.title(),
            read: (0, open.bytes),
            filling: true,
            ..CaptureStatus::default()
        };
        let (teller, status) = signal::channel(Arc::new(begun));
        let (watch, writer, handle) = (Watch::default(), store.writer(), runtime.handle().clone());
        let watched = watch.clone();
        let ends = Arc::<Ends>::default();
        let told = Arc::clone(&ends);
        let filling = move || {
            let (name, tell_wake) = (open.name.clone(), wake);
            let mut tell = |status: &CaptureStatus| {
                teller.send_replace(Arc::new(status.clone()));
                tell_wake();
            };
            let filled = fill(open, (writer, told), |work| handle.block_on(work), &watched, &mut tell);
            let status = filled.unwrap_or_else(|error| {
                let before = CaptureStatus::clone(&teller.borrow());
                CaptureStatus { name, filling: false, broken: Some(error.to_string()), ..before }
            });
            teller.send_replace(Arc::new(status));
            tell_wake();
        };
        let thread = std::thread::Builder::new().name("capture".to_owned()).spawn(filling);
        let thread = Some(thread.map_err(StartError::from)?);
        let data_dir = scratch.folder().to_owned();
        Ok(Self {
            capture: Some(Filling { status, ends, watch, thread }),
            scratch: Some(scratch),
            ..Self::without_receivers(store, runtime, clock, data_dir)
        })
    }

    /// What was found in the capture that this is. `None`: it is none.
    pub fn capture(&self) -> Option<Arc<CaptureStatus>> {
        self.capture.as_ref().map(|filling| Arc::clone(&filling.status.borrow()))
    }
}
