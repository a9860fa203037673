//! Small readers of text from outside: moments on the command line, credentials in what is no request, and what a terminal is shown.

use std::io::Write;

use jiff::tz::TimeZone;

use crate::{
    moment, now,
    plain::{self, Plain},
    secrets,
};

/// Credentials that a request carries here.
const SECRET: &[u8] = b"c2VjcmV0";

/// The first byte chooses who reads the rest.
pub fn run(data: &[u8]) {
    let Some((&which, rest)) = data.split_first() else { return };
    match which % 3 {
        0 => moments(&String::from_utf8_lossy(rest)),
        1 => credentials(rest),
        _ => terminal(&String::from_utf8_lossy(rest)),
    }
}

/// A window begins before it ends, or there is none and it is said why.
fn moments(text: &str) {
    let (from, to) = text.split_once('|').unwrap_or((text, text));
    match moment::window(Some(from), Some(to), now(), &TimeZone::UTC) {
        Ok(window) => assert!(window.from <= window.to, "{text:?}: {window:?}"),
        Err(why) => assert!(why.to_string().starts_with("--"), "{text:?}: {why}"),
    }
}

/// Nothing moves, credentials are gone wherever a line carries them, and once is enough.
fn credentials(bytes: &[u8]) {
    let request = [bytes, b"\r\nAuthorization: Basic ", SECRET, b"\r\n", bytes].concat();
    let mut masked = request.clone();
    assert!(secrets::mask(&mut masked), "credentials are found");
    assert_eq!(masked.len(), request.len());
    let changed = request.iter().zip(&masked).filter(|(before, after)| before != after);
    assert!(changed.into_iter().all(|(_, after)| *after == b'*'));
    assert!(!masked.get(bytes.len()..bytes.len() + 40).is_some_and(|part| part.windows(8).any(|w| w == SECRET)));
    let once = masked.clone();
    secrets::mask(&mut masked);
    assert_eq!(masked, once);
}

/// Nothing steers; what does not stays; JSON means what it meant.
fn terminal(text: &str) {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let written = |text: &str, json| {
        let mut out = Vec::new();
        Plain::new(&mut out, json).write_all(text.as_bytes()).expect("memory takes it");
        String::from_utf8(out).expect("text")
    };
    let shown = written(text, false);
    assert!(!shown.contains(|c| c != '\n' && steers(c)), "{shown:?}");
    assert_eq!(shown.chars().count(), text.chars().count());
    assert!(!plain::line(text).contains(steers));
    let value = serde_json::Value::from(text);
    let json = written(&value.to_string(), true);
    assert!(!json.contains(steers));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON"), value);
}
