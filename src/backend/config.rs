//! The settings file `config.toml`: where to listen, whom to take, where things are kept.
//!
//! Every key is optional. A flag wins over the environment, the environment over the file (`cli` reads the first two). A file that
//! cannot be understood is an error with key and line, never half a configuration. What the window changes is written back into
//! the one line that says it, so comments and order stay.
//!
//! ```toml
//! data_dir = "/srv/wayglass"       # relative paths begin at this file
//! gt06 = "0.0.0.0:5023"            # address and port, or "off"; port 0 picks a free one
//! owntracks = "127.0.0.1:5144"
//! https = "0.0.0.0:5145"           # OwnTracks with TLS, beside the plain one; off unless it is set
//! https_certificate = "chain.pem"  # without these two, the program makes its own
//! https_key = "key.pem"
//! api = "off"
//! policy = "ask"                   # or "adopt", "strict"
//! silence = "15 min"               # a tracker that says nothing for so long is hung up on
//! keep_packets = "30 days"         # packets of devices; or "forever". Positions and events stay in any case
//! keep_packets_bytes = "2 GB"      # or "forever"; whichever comes first
//! quarantine_senders = 200         # new senders that nobody has decided about, and
//! quarantine_bytes = "64 MB"       # what is kept of them and of ignored ones
//! quarantine_age = "7 days"
//! log_level = "info"               # of the log in the data folder: off, error, warn, info, debug, trace
//!
//! [limits]                         # see `bounds`
//! connections = 12000
//!
//! [tap.vendor]                     # overhears trackers that talk with another server, any number of them
//! listen = "0.0.0.0:5024"
//! to = "gps.example.com:5023"      # passes on; without it, takes a copy and never answers
//! ```

mod key;
mod tap;
mod write;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use directories::ProjectDirs;
use toml::de::{DeTable, DeValue};

use super::{
    Access, CertificateFiles, Https, ListenAt, Setup, Tap,
    bounds::{Chosen, Wrong},
    keeping::KeepSet,
    logfile::{LogFile, LogLevel},
};
use crate::model::{Keep, Policy, Protocol};
pub use key::Key;
pub(super) use tap::remember_tap;
pub(super) use write::remember;
pub use write::{remember_https, remember_listen, remember_policy};

/// Name of the settings file within the platform's settings folder.
pub const FILE_NAME: &str = "config.toml";

/// What is set; `None` leaves it to the next source, in the end to the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub data_dir: Option<PathBuf>,
    pub gt06: Option<ListenAt>,
    pub owntracks: Option<ListenAt>,
    pub https: Option<ListenAt>,
    pub https_certificate: Option<PathBuf>,
    pub https_key: Option<PathBuf>,
    pub api: Option<ListenAt>,
    pub policy: Option<Policy>,
    /// A connection of a tracker that says nothing for so long is closed.
    pub silence: Option<Duration>,
    /// What goes when.
    pub keep: KeepSet,
    pub log_level: Option<LogLevel>,
    pub limits: Chosen,
    /// Listeners that overhear; `None` where nothing is said of them.
    pub taps: Option<Vec<Tap>>,
}

/// What is wrong with the settings. Each says the file, the line and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read the settings {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is not TOML.
    #[error("{}, line {line}: {text}", .path.display())]
    Syntax { path: PathBuf, line: usize, text: String },
    /// Nobody knows this key.
    #[error("{}, line {line}: there is no setting `{key}`; {hint}", .path.display())]
    UnknownKey { path: PathBuf, line: usize, key: String, hint: String },
    /// A key has a value that it cannot have.
    #[error("{}, line {line}: `{key}` cannot be {found}; it is {allowed}", .path.display())]
    Value { path: PathBuf, line: usize, key: &'static str, found: String, allowed: &'static str },
    /// A limit has a value that it cannot have.
    #[error("{}, line {line}: `{key}` of [limits] cannot be {found}; it is {allowed}", .path.display())]
    Limit { path: PathBuf, line: usize, key: String, found: String, allowed: String },
    /// A tap is not set up as one can be.
    #[error("{}, line {line}: [tap.{name}] {why}", .path.display())]
    Tap { path: PathBuf, line: usize, name: String, why: String },
    /// A tap stands where this program cannot change it.
    #[error("{}: the tap {name} is not written as a table of its own, [tap.{name}]; change it in the file", .path.display())]
    TapElsewhere { path: PathBuf, name: String },
    /// The file cannot be changed.
    #[error("cannot write the settings {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    /// Two settings that only work together.
    #[error("`{there}` is set and `{missing}` is not; HTTPS needs both, or neither")]
    Half { there: &'static str, missing: &'static str },
    /// The platform names no folder of this user.
    #[error("this system names no home folder; say where with --data-dir and --config")]
    NoHome,
}

impl Config {
    /// Reads a file that must be there.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a file that may be missing, which is the same as an empty one.
    pub fn load_if_there(path: &Path) -> Result<Self, ConfigError> {
        match Self::load(path) {
            Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            loaded => loaded,
        }
    }

    /// Reads the text of a file; `path` is for errors and relative paths.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (key, value, at) in entries(text, path)? {
            let wrong = |found: String| ConfigError::Value {
                path: path.to_owned(),
                line: line_of(text, at),
                key: key.as_str(),
                found,
                allowed: key.allowed(),
            };
            if let (Key::Limits, DeValue::Table(table)) = (key, &value) {
                config.limits = limits(table, text, path)?;
                continue;
            }
            if let (Key::Tap, DeValue::Table(table)) = (key, &value) {
                config.taps = Some(tap::read(table, text, path)?);
                continue;
            }
            let word = match &value {
                DeValue::String(word) => word.as_ref(),
                DeValue::Integer(number) if key == Key::QuarantineSenders => number.as_str(),
                _ => return Err(wrong(format!("a value of type {}", value.type_str()))),
            };
            let beside = |word: &str| (!word.is_empty()).then(|| path.parent().unwrap_or(Path::new("")).join(word));
            let understood = match key {
                Key::DataDir => set(&mut config.data_dir, beside(word)),
                Key::Gt06 => set(&mut config.gt06, listen_at(word).ok()),
                Key::OwnTracks => set(&mut config.owntracks, listen_at(word).ok()),
                Key::Https => set(&mut config.https, listen_at(word).ok()),
                Key::HttpsCertificate => set(&mut config.https_certificate, beside(word)),
                Key::HttpsKey => set(&mut config.https_key, beside(word)),
                Key::Api => set(&mut config.api, listen_at(word).ok()),
                Key::Policy => set(&mut config.policy, Policy::parse(word)),
                Key::Silence => set(&mut config.silence, silence(word).ok()),
                Key::KeepPackets
                | Key::KeepPacketsBytes
                | Key::QuarantineSenders
                | Key::QuarantineBytes
                | Key::QuarantineAge => config.keep.read(key, word),
                Key::LogLevel => set(&mut config.log_level, LogLevel::parse(word)),
                Key::Limits | Key::Tap => None,
            };
            understood.ok_or_else(|| wrong(format!("{word:?}")))?;
        }
        Ok(config)
    }

    /// This, and where it is silent the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { data_dir, gt06, owntracks, https, https_certificate, https_key, api, policy, .. } = self;
        let Self { silence, keep, log_level, limits, taps, .. } = self;
        Self {
            data_dir: data_dir.or(other.data_dir),
            gt06: gt06.or(other.gt06),
            owntracks: owntracks.or(other.owntracks),
            https: https.or(other.https),
            https_certificate: https_certificate.or(other.https_certificate),
            https_key: https_key.or(other.https_key),
            api: api.or(other.api),
            policy: policy.or(other.policy),
            silence: silence.or(other.silence),
            keep: keep.or(other.keep),
            log_level: log_level.or(other.log_level),
            limits: limits.or(other.limits),
            taps: taps.or(other.taps),
        }
    }

    /// The folder that holds everything: the one that is set, else the platform's.
    pub fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        match &self.data_dir {
            Some(folder) => Ok(folder.clone()),
            None => default_data_dir().ok_or(ConfigError::NoHome),
        }
    }

    /// The user's own certificate, where one is set.
    fn certificate(&self) -> Result<Option<CertificateFiles>, ConfigError> {
        match (&self.https_certificate, &self.https_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::Half { there: "https_certificate", missing: "https_key" }),
            (None, Some(_)) => Err(ConfigError::Half { there: "https_key", missing: "https_certificate" }),
        }
    }

    /// How a backend begins, with defaults for all that is not set. `settings`: where changes are written down.
    pub fn setup(&self, settings: Option<PathBuf>) -> Result<Setup, ConfigError> {
        let listen = |protocol: Protocol| {
            let set = match protocol {
                Protocol::Gt06 => self.gt06,
                Protocol::OwnTracks => self.owntracks,
            };
            (protocol, set.unwrap_or_else(|| default_address(protocol)))
        };
        let mut limits = self.limits.bounds();
        if let Some(silence) = self.silence {
            limits.ingest.idle = silence;
        }
        let keep = self.keep.over(Keep::default());
        limits.store.keep = keep;
        Ok(Setup {
            data_dir: self.data_folder()?,
            listen: Protocol::ALL.map(listen).to_vec(),
            taps: self.taps.clone().unwrap_or_default(),
            policy: self.policy.unwrap_or_default(),
            limits,
            log: LogFile::new(self.log_level.unwrap_or_default()),
            passing: None,
            access: Access::from_environment(),
            https: Https { listen: self.https.unwrap_or(ListenAt::Off), certificate: self.certificate()? },
            addresses: None,
            keep,
            settings,
        })
    }
}

/// This computer only, on the port that devices are told.
pub fn default_address(protocol: Protocol) -> ListenAt {
    ListenAt::Address(SocketAddr::from(([127, 0, 0, 1], protocol.default_port())))
}

/// Where everything is kept unless somebody says otherwise. `None` without a home folder.
pub fn default_data_dir() -> Option<PathBuf> {
    platform_folders().map(|folders| folders.data_dir().to_owned())
}

/// Where the settings are read from unless somebody says otherwise. `None` without a home folder.
pub fn default_path() -> Option<PathBuf> {
    platform_folders().map(|folders| folders.config_dir().join(FILE_NAME))
}

fn platform_folders() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "wayglass")
}

/// An address with a port, or `off`. The error says so.
pub fn listen_at(text: &str) -> Result<ListenAt, String> {
    if text == "off" {
        return Ok(ListenAt::Off);
    }
    text.parse()
        .map(ListenAt::Address)
        .map_err(|_| "it is an address with a port, as 127.0.0.1:5023 or 0.0.0.0:5023, or `off`".to_owned())
}

/// How long a tracker may say nothing: `15 min`, `90 s`, `2 h`; a number alone is seconds, as in other options. The error says so.
pub fn silence(text: &str) -> Result<Duration, String> {
    const BOUNDS: std::ops::RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_hours(7 * 24);
    let bare = text.trim().parse().ok().map(Duration::from_secs);
    bare.or_else(|| text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok()))
        .filter(|time| BOUNDS.contains(time))
        .ok_or_else(|| {
            "it is a time between 10 seconds and a week, as `15 min` or `90 s`; a number alone is seconds".to_owned()
        })
}

/// The keys of a file with their values and where those stand.
fn entries<'t>(text: &'t str, path: &Path) -> Result<Vec<(Key, DeValue<'t>, usize)>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| syntax(text, path, &error))?;
    let mut entries = Vec::new();
    for (name, value) in table.into_inner() {
        let Some(key) = Key::ALL.into_iter().find(|k| k.as_str() == name.get_ref().as_ref()) else {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                line: line_of(text, name.span().start),
                hint: hint(name.get_ref()),
                key: name.into_inner().into_owned(),
            });
        };
        let at = value.span().start;
        entries.push((key, value.into_inner(), at));
    }
    Ok(entries)
}

fn syntax(text: &str, path: &Path, error: &toml::de::Error) -> ConfigError {
    let line = line_of(text, error.span().map_or(text.len(), |span| span.start));
    let said = error.message().replace('\n', ", ");
    // A value that is broken off ends with its line; what stands before the `=` is its key.
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let name = written.split(['=', ' ', '\t', '#']).find(|word| !word.is_empty()).unwrap_or_default();
    let text = match Key::ALL.into_iter().find(|key| key.as_str() == name) {
        Some(key) => format!("`{name}` cannot be read ({said}); it is {}", key.allowed()),
        None if name.is_empty() => said,
        None => format!("`{name}` cannot be read ({said})"),
    };
    ConfigError::Syntax { path: path.to_owned(), line, text }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

/// Where the line begins that holds this byte.
fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// The table of limits.
fn limits(table: &DeTable<'_>, text: &str, path: &Path) -> Result<Chosen, ConfigError> {
    let mut chosen = Chosen::default();
    for (name, value) in table {
        let key = name.get_ref().as_ref();
        chosen.take(key, value.get_ref()).map_err(|wrong| {
            let (path, line) = (path.to_owned(), line_of(text, name.span().start));
            match wrong {
                Wrong::Key(hint) => ConfigError::UnknownKey { path, line, key: format!("limits.{key}"), hint },
                Wrong::Value { found, allowed } => {
                    ConfigError::Limit { path, line, key: key.to_owned(), found, allowed }
                }
            }
        })?;
    }
    Ok(chosen)
}

/// Takes a value over. `None` where there is none.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    *place = Some(value?);
    Some(())
}

/// The key that was probably meant, else all there are.
fn hint(key: &str) -> String {
    nearest(key, &Key::ALL.map(Key::as_str))
}

/// As [`hint`], among these.
pub(super) fn nearest(key: &str, known: &[&str]) -> String {
    match known.iter().map(|k| (distance(&key.to_lowercase(), k), k)).min_by_key(|(d, _)| *d) {
        Some((0..=3, k)) if key.len() > 3 => format!("did you mean `{k}`?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Letters to change, add or leave out to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().expect("a row has a first cell"), i + 1);
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let cheapest = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cheapest);
            left = cheapest;
        }
    }
    row.last().copied().unwrap_or_default()
}
