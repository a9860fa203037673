//! The tables of the settings file that set up taps: read, and written back one at a time.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{Config, ConfigError, line_of, nearest, write};
use crate::backend::{
    ListenAt, Tap, TapMode,
    taps::{self, is_name},
};

/// The keys of a tap.
const KEYS: [&str; 3] = ["listen", "mode", "to"];

/// Reads all of them.
pub(super) fn read(table: &DeTable<'_>, text: &str, path: &Path) -> Result<Vec<Tap>, ConfigError> {
    let mut read = Vec::new();
    for (name, value) in table {
        let line = line_of(text, name.span().start);
        let name: &str = name.get_ref().as_ref();
        let wrong = |line, why: String| ConfigError::Tap { path: path.to_owned(), line, name: name.to_owned(), why };
        let DeValue::Table(keys) = value.get_ref() else {
            return Err(wrong(line, "is no table; below it stand listen = \"…\" and to = \"…\"".to_owned()));
        };
        if !is_name(name) {
            return Err(wrong(line, format!("cannot be called so; {}", taps::NAMES)));
        }
        let (mut listen, mut mode, mut to) = (None, None, None);
        for (key, value) in keys {
            let at = line_of(text, key.span().start);
            let key: &str = key.get_ref().as_ref();
            let Some(place) = [&mut listen, &mut mode, &mut to].into_iter().zip(KEYS).find(|(_, k)| *k == key) else {
                return Err(wrong(at, format!("has no setting `{key}`; {}", nearest(key, &KEYS))));
            };
            let DeValue::String(word) = value.get_ref() else {
                return Err(wrong(at, format!("wants `{key}` as a text in quotes")));
            };
            *place.0 = Some((word.as_ref(), at));
        }
        let Some((word, at)) = listen else {
            return Err(wrong(line, "does not say where to listen; add listen = \"0.0.0.0:5024\"".to_owned()));
        };
        let listen = super::listen_at(word).map_err(|why| wrong(at, format!("`listen`: {why}")))?;
        let mode = match (mode.map(|(word, _)| word), to) {
            (None | Some("pass"), Some((to, at))) => {
                taps::destination(to).map_err(|why| wrong(at, format!("`to`: {why}")))?;
                TapMode::Pass { to: to.to_owned() }
            }
            (Some("pass"), None) => {
                return Err(wrong(
                    line,
                    "does not say whereto it passes on; add to = \"gps.example.com:5023\"".to_owned(),
                ));
            }
            (None | Some("copy"), None) => TapMode::Copy,
            (Some("copy"), Some((_, at))) => {
                return Err(wrong(at, "takes a copy, and so passes nothing on; leave `to` out".to_owned()));
            }
            (Some(other), _) => {
                return Err(wrong(line, format!("cannot have the mode {other:?}; it is \"pass\" or \"copy\"")));
            }
        };
        read.push(Tap { name: name.to_owned(), listen, mode });
    }
    Ok(read)
}

/// Writes down a tap, or that there is none of this name any more. The rest of the file stays as it is.
pub(in crate::backend) fn remember_tap(path: &Path, name: &str, tap: Option<&Tap>) -> Result<(), ConfigError> {
    let text = write::text_of(path)?;
    let changed = with(&text, name, tap);
    // The truth is what is read back.
    let read = Config::parse(&changed, path)?.taps.unwrap_or_default();
    if read.iter().find(|read| read.name == name) != tap {
        return Err(ConfigError::TapElsewhere { path: path.to_owned(), name: name.to_owned() });
    }
    write::put(path, &text, &changed)
}

/// The text with another table of this name.
fn with(text: &str, name: &str, tap: Option<&Tap>) -> String {
    let heads = [format!("[tap.{name}]"), format!("[tap.\"{name}\"]"), format!("[tap.'{name}']")];
    let is_head = |line: &str| heads.iter().any(|head| line.trim_start().starts_with(head.as_str()));
    let mut before = String::new();
    let mut after = String::new();
    let (mut found, mut within) = (false, false);
    for line in text.split_inclusive('\n') {
        if is_head(line) {
            (found, within) = (true, true);
        } else if within && line.trim_start().starts_with('[') {
            within = false;
        }
        if !within {
            if found { after.push_str(line) } else { before.push_str(line) }
        }
    }
    let Some(tap) = tap else { return format!("{before}{after}") };
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with("\n\n") => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let below = if after.is_empty() { "" } else { "\n" };
    format!("{before}{gap}{}{below}{after}", table(tap))
}

fn table(tap: &Tap) -> String {
    let listen = match tap.listen {
        ListenAt::Off => "off".to_owned(),
        ListenAt::Address(at) => at.to_string(),
    };
    let text = |word: &str| toml::Value::from(word).to_string();
    let name = if tap.name.contains('.') { text(&tap.name) } else { tap.name.clone() };
    let mode = match &tap.mode {
        TapMode::Pass { to } => format!("to = {}\n", text(to)),
        TapMode::Copy => "mode = \"copy\"\n".to_owned(),
    };
    format!("[tap.{name}]\nlisten = {}\n{mode}", text(&listen))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\ngt06 = \"off\"\n\n[tap.vendor]  # the old one\nlisten = \"0.0.0.0:5024\"\nto = \"a.example:5023\"\n\n[limits]\nqueue = \"1 MiB\"\n";

    fn tap(name: &str, mode: TapMode) -> Tap {
        Tap { name: name.to_owned(), listen: "127.0.0.1:5030".parse().map(ListenAt::Address).unwrap(), mode }
    }

    #[test]
    fn a_tap_is_changed_added_and_removed_in_its_place() {
        let to = |to: &str| TapMode::Pass { to: to.to_owned() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, FILE).unwrap();
        let text = || std::fs::read_to_string(&path).unwrap();
        remember_tap(&path, "vendor", Some(&tap("vendor", to("b.example:1")))).unwrap();
        let changed = "[tap.vendor]\nlisten = \"127.0.0.1:5030\"\nto = \"b.example:1\"\n\n[limits]\n";
        assert!(text().contains(changed) && text().starts_with("# mine\n"), "{}", text());
        remember_tap(&path, "eu.copy", Some(&tap("eu.copy", TapMode::Copy))).unwrap();
        assert!(
            text().ends_with("queue = \"1 MiB\"\n\n[tap.\"eu.copy\"]\nlisten = \"127.0.0.1:5030\"\nmode = \"copy\"\n")
        );
        remember_tap(&path, "vendor", None).unwrap();
        remember_tap(&path, "vendor", None).unwrap();
        let taps = Config::load(&path).unwrap().taps.unwrap();
        assert_eq!(taps, [tap("eu.copy", TapMode::Copy)]);
        assert!(text().contains("[limits]\nqueue"), "{}", text());
        remember_tap(&folder.path().join("new/config.toml"), "one", Some(&tap("one", TapMode::Copy))).unwrap();
    }

    #[test]
    fn what_it_cannot_change_it_leaves_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "tap = { vendor = { listen = \"off\" } }\n";
        std::fs::write(&path, text).unwrap();
        let said = remember_tap(&path, "vendor", None).unwrap_err().to_string();
        assert!(said.contains("[tap.vendor]"), "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
