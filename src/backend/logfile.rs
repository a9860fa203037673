//! The log in the data folder: JSON lines in files with a bound on their size and their number, for their owner alone.
//!
//! Lines go through a queue to a thread of their own, which rather loses some than holds anybody up. Where a file cannot be written, lines are
//! lost and nothing else happens. The newest file is `wayglass.log`; the one before it `wayglass.log.1`, and so on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

/// The folder within the data folder.
const FOLDER: &str = "logs";
/// The newest file.
const NAME: &str = "wayglass.log";
/// Lines that may wait for the thread.
const LINES: usize = 8_192;

/// The folder of the log within a data folder.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER)
}

/// What is written into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    const ALL: [Self; 6] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// The bounds of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// A file that would grow beyond is closed, and a new one begins.
    pub file_bytes: u64,
    /// Files at most, with the newest; the oldest goes.
    pub files: u64,
}

impl Default for LogBounds {
    fn default() -> Self {
        Self { file_bytes: 4 << 20, files: 5 }
    }
}

/// Where lines of the log go: nowhere, until a data folder is opened for it. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct LogFile {
    level: LogLevel,
    open: Arc<Mutex<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    lines: NonBlocking,
    /// Ends the thread when it goes, after what waits is written.
    _thread: WorkerGuard,
}

impl LogFile {
    /// A log of this level.
    pub fn new(level: LogLevel) -> Self {
        Self { level, open: Arc::default() }
    }

    /// What is written into it.
    pub fn level(&self) -> LogLevel {
        self.level
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        // Nothing between lock and unlock can panic half-way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to write. Only for the instance that holds the folder: two would take each other's files away.
    pub(super) fn open(&self, data_dir: &Path, bounds: LogBounds) {
        let files = Rotating::new(folder(data_dir).join(NAME), bounds);
        let (lines, thread) =
            NonBlockingBuilder::default().buffered_lines_limit(LINES).lossy(true).thread_name("log").finish(files);
        *self.lock() = Some(Open { lines, _thread: thread });
        let (version, pid, data_dir) = (env!("CARGO_PKG_VERSION"), std::process::id(), data_dir.display());
        tracing::info!(version, pid, %data_dir, "started");
    }

    /// Writes what waits and ends.
    pub(super) fn close(&self) {
        let open = self.lock().take();
        // Waits for the thread, so not under the lock.
        drop(open);
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        Lines(self.lock().as_ref().map(|open| open.lines.clone()))
    }
}

/// Takes one line.
#[derive(Debug)]
pub struct Lines(Option<NonBlocking>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(lines) => lines.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Files that take turns.
struct Rotating {
    path: PathBuf,
    bounds: LogBounds,
    /// The newest file and its size. `None` where it is not open, or could not be.
    open: Option<(File, u64)>,
    /// A part of a line was written, and the rest of it could not be.
    torn: bool,
    /// A part of a line was written, and the rest of it comes.
    partly: bool,
}

impl Rotating {
    fn new(path: PathBuf, bounds: LogBounds) -> Self {
        Self { path, bounds, open: None, torn: false, partly: false }
    }

    fn numbered(&self, n: u64) -> PathBuf {
        if n == 0 { self.path.clone() } else { self.path.with_extension(format!("log.{n}")) }
    }

    /// The file for so many bytes more.
    fn file(&mut self, more: u64) -> io::Result<&mut (File, u64)> {
        if self.open.is_none() {
            self.open = Some(open(&self.path)?);
        }
        let full = self.open.as_ref().is_some_and(|(_, size)| *size > 0 && size + more > self.bounds.file_bytes);
        if full {
            self.open = None;
            self.turn()?;
            self.open = Some(open(&self.path)?);
        }
        self.open.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Makes room for a new file.
    fn turn(&self) -> io::Result<()> {
        let last = self.bounds.files.saturating_sub(1);
        // Of a bound that was higher before, too; a gap ends it.
        let mut beyond = last.max(1);
        while fs::remove_file(self.numbered(beyond)).is_ok() {
            beyond += 1;
        }
        for n in (0..last).rev() {
            match fs::rename(self.numbered(n), self.numbered(n + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        if last == 0 { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let torn = self.torn;
        let (file, size) = self.file(bytes.len() as u64)?;
        let begun = if torn { file.write_all(b"\n") } else { Ok(()) };
        match begun.and_then(|()| file.write(bytes)) {
            Ok(written) => {
                *size += written as u64;
                (self.torn, self.partly) = (false, written < bytes.len());
                Ok(written)
            }
            Err(error) => {
                self.torn |= std::mem::take(&mut self.partly);
                // The disk may have been taken away and come back.
                self.open = None;
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file to append to, and how large it is.
fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), fs::read_to_string(e.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn files_take_turns_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs").join(NAME);
        let mut log = Rotating::new(path.clone(), LogBounds { file_bytes: 10, files: 3 });
        for n in 0..9 {
            writeln!(log, "line {n}").unwrap();
        }
        let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let last = [named(NAME, "line 8\n"), named("wayglass.log.1", "line 7\n"), named("wayglass.log.2", "line 6\n")];
        assert_eq!(files(path.parent().unwrap()), last);
        // It goes on where the last run ended, and a lower bound takes the files beyond it away.
        let mut log = Rotating::new(path.clone(), LogBounds { file_bytes: 14, files: 2 });
        for n in [9, 10] {
            writeln!(log, "line {n}").unwrap();
        }
        let last = [named(NAME, "line 10\n"), named("wayglass.log.1", "line 8\nline 9\n")];
        assert_eq!(files(path.parent().unwrap()), last);
        let mut log = Rotating::new(path.clone(), LogBounds { file_bytes: 10, files: 1 });
        write!(log, "a line beyond every bound is written all the same").unwrap();
        assert_eq!(files(path.parent().unwrap()).len(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        fs::write(&logs, "a file is in the way").unwrap();
        let mut log = Rotating::new(logs.join(NAME), LogBounds::default());
        log.write_all(b"lost\n").unwrap_err();
        fs::remove_file(&logs).unwrap();
        log.write_all(b"kept\n").unwrap();
        assert_eq!(fs::read_to_string(logs.join(NAME)).unwrap(), "kept\n");
    }
}
