//! Writes what was changed back into the settings file, and leaves every other byte as it is.

use std::{fs, io, path::Path};

use toml::de::{DeTable, DeValue};

use super::{ConfigError, Key, ListenAt, line_start, syntax};
use crate::model::{Policy, Protocol};

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
pub(in crate::backend) fn remember(path: &Path, key: Key, word: &str) -> Result<(), ConfigError> {
    let text = text_of(path)?;
    let changed = with(&text, path, key, word)?;
    put(path, &text, &changed)
}

/// The text of the settings; empty where there are none yet.
pub(super) fn text_of(path: &Path) -> Result<String, ConfigError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|source| ConfigError::Read { path: path.to_owned(), source }),
    }
}

/// Puts another text in the place of the settings.
pub(super) fn put(path: &Path, text: &str, changed: &str) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    if changed == text {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Beside it first: a crash leaves the old file or the new one.
    let part = path.with_extension("toml.part");
    write_private(&part, changed, path).and_then(|()| fs::rename(&part, path)).map_err(failed)
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
