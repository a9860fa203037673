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
//! ```

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use directories::ProjectDirs;
use toml::de::{DeTable, DeValue};

use super::{
    Access, CertificateFiles, Https, ListenAt, Setup,
    bounds::{Chosen, Wrong},
    keeping::KeepSet,
    logfile::{LogFile, LogLevel},
};
use crate::model::{Keep, Policy, Protocol};

/// Name of the settings file within the platform's settings folder.
pub const FILE_NAME: &str = "config.toml";

/// A key of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    DataDir,
    Gt06,
    OwnTracks,
    Https,
    HttpsCertificate,
    HttpsKey,
    Api,
    Policy,
    Silence,
    KeepPackets,
    KeepPacketsBytes,
    QuarantineSenders,
    QuarantineBytes,
    QuarantineAge,
    LogLevel,
    Limits,
}

impl Key {
    /// Every key, in the order they are explained.
    pub const ALL: [Self; 16] = [
        Self::DataDir,
        Self::Gt06,
        Self::OwnTracks,
        Self::Https,
        Self::HttpsCertificate,
        Self::HttpsKey,
        Self::Api,
        Self::Policy,
        Self::Silence,
        Self::KeepPackets,
        Self::KeepPacketsBytes,
        Self::QuarantineSenders,
        Self::QuarantineBytes,
        Self::QuarantineAge,
        Self::LogLevel,
        Self::Limits,
    ];

    /// How it is spelled in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataDir => "data_dir",
            Self::Gt06 => "gt06",
            Self::OwnTracks => "owntracks",
            Self::Https => "https",
            Self::HttpsCertificate => "https_certificate",
            Self::HttpsKey => "https_key",
            Self::Api => "api",
            Self::Policy => "policy",
            Self::Silence => "silence",
            Self::KeepPackets => "keep_packets",
            Self::KeepPacketsBytes => "keep_packets_bytes",
            Self::QuarantineSenders => "quarantine_senders",
            Self::QuarantineBytes => "quarantine_bytes",
            Self::QuarantineAge => "quarantine_age",
            Self::LogLevel => "log_level",
            Self::Limits => "limits",
        }
    }

    /// What may stand behind it, for a person.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::DataDir => "a folder in quotes",
            Self::Gt06 => "an address with a port in quotes, as \"127.0.0.1:5023\", or \"off\"",
            Self::OwnTracks => "an address with a port in quotes, as \"127.0.0.1:5144\", or \"off\"",
            Self::Https => "an address with a port in quotes, as \"0.0.0.0:5145\", or \"off\"",
            Self::HttpsCertificate => "a PEM file in quotes, the certificate of this machine first",
            Self::HttpsKey => "a PEM file in quotes",
            Self::Api => "an address with a port in quotes, as \"127.0.0.1:8082\", or \"off\"",
            Self::Policy => "\"ask\", \"adopt\" or \"strict\"",
            Self::Silence => "a time in quotes between 10 seconds and a week, as \"15 min\" or \"90 s\"",
            Self::KeepPackets => "a time in quotes, as \"30 days\" or \"12 hours\", or \"forever\"",
            Self::KeepPacketsBytes => "a size in quotes, as \"2 GB\" or \"500 MB\", or \"forever\"",
            Self::QuarantineSenders => "a number of senders between 1 and 100000",
            Self::QuarantineBytes => "a size in quotes, as \"64 MB\"",
            Self::QuarantineAge => "a time in quotes, as \"7 days\" or \"12 hours\"",
            Self::LogLevel => "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
            Self::Limits => "a table: [limits], and below it lines as connections = 12000",
        }
    }

    /// The key that says where a protocol's receiver listens.
    pub fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Gt06 => Self::Gt06,
            Protocol::OwnTracks => Self::OwnTracks,
        }
    }
}

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
                Key::Limits => None,
            };
            understood.ok_or_else(|| wrong(format!("{word:?}")))?;
        }
        Ok(config)
    }

    /// This, and where it is silent the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { data_dir, gt06, owntracks, https, https_certificate, https_key, api, policy, .. } = self;
        let Self { silence, keep, log_level, limits, .. } = self;
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

/// Writes down where a receiver listens from now on.
pub fn remember_listen(path: &Path, protocol: Protocol, at: ListenAt) -> Result<(), ConfigError> {
    let word = match at {
        ListenAt::Off => "off".to_owned(),
        ListenAt::Address(at) => at.to_string(),
    };
    remember(path, Key::of(protocol), &word)
}

/// Writes down where HTTPS listens from now on.
pub fn remember_https(path: &Path, at: ListenAt) -> Result<(), ConfigError> {
    let word = match at {
        ListenAt::Off => "off".to_owned(),
        ListenAt::Address(at) => at.to_string(),
    };
    remember(path, Key::Https, &word)
}

/// Writes down what happens to unknown senders from now on.
pub fn remember_policy(path: &Path, policy: Policy) -> Result<(), ConfigError> {
    remember(path, Key::Policy, policy.as_str())
}

/// Sets one key and leaves every other byte of the file as it is; makes the file where it is missing.
pub(super) fn remember(path: &Path, key: Key, word: &str) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?,
    };
    let changed = with(&text, path, key, word)?;
    if changed == text {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Beside it first: a crash leaves the old file or the new one.
    let part = path.with_extension("toml.part");
    write_private(&part, &changed, path).and_then(|()| fs::rename(&part, path)).map_err(failed)
}

/// Writes a file that only its owner may read, or whoever may read the one that it takes the place of.
fn write_private(path: &Path, text: &str, old: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())?;
    match fs::metadata(old) {
        Ok(about) => fs::set_permissions(path, about.permissions()),
        Err(_) => Ok(()),
    }
}

/// The text of a file with one key set to another word.
fn with(text: &str, path: &Path, key: Key, word: &str) -> Result<String, ConfigError> {
    let value = toml::Value::from(word).to_string();
    let table = DeTable::parse(text).map_err(|error| syntax(text, path, &error))?;
    let old = table.get_ref().iter().find(|(k, _)| k.get_ref().as_ref() == key.as_str()).map(|(_, v)| v.span());
    let Some(span) = old else {
        // Behind the first table it would be one of that table's.
        let tables = table.get_ref().iter().filter(|(_, v)| matches!(v.get_ref(), DeValue::Table(_)));
        let first = tables.map(|(k, _)| line_start(text, k.span().start)).min().unwrap_or(text.len());
        let (above, below) = text.split_at_checked(first).unwrap_or((text, ""));
        let line_end = if above.is_empty() || above.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{above}{line_end}{} = {value}\n{below}", key.as_str()));
    };
    let (before, after) = (text.get(..span.start), text.get(span.end..));
    Ok(format!("{}{value}{}", before.unwrap_or_default(), after.unwrap_or_default()))
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
