//! OwnTracks: values are replaced where the tree says they stand. Every text goes but for words of the protocol.

use super::names::{Names, shape};
use crate::wire::{Dissection, Field};

/// Keys whose values are words of the protocol, or numbers, even where they come as text.
const KEPT: &[&str] = &[
    "_type",
    "conn",
    "t",
    "event",
    "action",
    "request",
    "motionactivities",
    "version",
    "deviceModel",
    "acc",
    "alt",
    "batt",
    "bs",
    "vel",
    "cog",
    "vac",
    "p",
    "tst",
    "created_at",
    "wtst",
    "rad",
    "m",
    "from",
    "to",
    "steps",
    "distance",
    "mode",
];

/// The shortest that passes for a picture.
const PICTURE: &str = "iVBORw0KGgo=";

pub(super) fn redacted(bytes: &[u8], dissection: &Dissection, names: &mut Names) -> Vec<u8> {
    if dissection.kind == "encrypted"
        && let Some(closed) = encrypted(bytes)
    {
        return closed;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    let mut above: Vec<&Field> = Vec::new();
    let fields = &dissection.fields;
    for (at, field) in fields.iter().enumerate() {
        above.retain(|one| one.depth < field.depth);
        let leaf = fields.get(at + 1).is_none_or(|next| next.depth <= field.depth);
        if leaf && field.span.start >= done {
            let before = bytes.get(done..field.span.start).unwrap_or_default();
            let there = bytes.get(field.span.clone()).unwrap_or_default();
            out.extend_from_slice(before);
            out.extend(instead(there, key_of(field, &above), names));
            done = field.span.end;
        }
        above.push(field);
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    out
}

/// The key under which a value stands; a member of a list stands under that of the list.
fn key_of<'f>(field: &'f Field, above: &[&'f Field]) -> &'f str {
    let word = |field: &'f Field| field.name.split(' ').next().unwrap_or_default();
    let own = word(field);
    if !own.starts_with('[') {
        return own;
    }
    above.iter().rev().map(|field| word(field)).find(|name| !name.starts_with('[')).unwrap_or_default()
}

/// One leaf: `"key": value,`, a member of a list, brackets, or what nobody could read.
fn instead(there: &[u8], key: &str, names: &mut Names) -> Vec<u8> {
    match key {
        "Open" | "Close" => return there.to_vec(),
        "Undecoded" | "Body" | "Nonce" | "Authenticator" => return shape(there),
        _ => {}
    }
    let start = value_start(there);
    let (head, rest) = there.split_at(start.min(there.len()));
    let len = value_len(rest);
    let (value, tail) = rest.split_at(len.min(rest.len()));
    let Ok(text) = std::str::from_utf8(value) else { return [head, &shape(value), tail].concat() };
    [head, replaced(text, key, names).as_bytes(), tail].concat()
}

fn replaced(value: &str, key: &str, names: &mut Names) -> String {
    if matches!(key, "lat" | "lon") {
        return moved(value, key == "lon", names);
    }
    let Ok(text) = serde_json::from_str::<String>(value) else { return value.to_owned() };
    if text.is_empty() || KEPT.contains(&key) {
        return value.to_owned();
    }
    let new = match key {
        "topic" => names.topic(&text),
        "tid" => names.tid(&text),
        "face" if text.starts_with("iVBOR") || text.starts_with("/9j/") => PICTURE.to_owned(),
        "desc" | "name" | "ssid" | "SSID" | "label" | "inregions" | "inrids" | "rid" | "poi" | "_id" => {
            names.name(&text)
        }
        _ => hidden(&text, names),
    };
    serde_json::Value::from(new).to_string()
}

/// A text of the same shape; where it is made of hex digits, so is the other.
fn hidden(text: &str, names: &Names) -> String {
    let marks = text.contains([':', '-']) && text.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '-');
    if !marks {
        return String::from_utf8_lossy(&shape(text.as_bytes())).into_owned();
    }
    let other = names.bytes(text.as_bytes());
    let pairs = text.chars().zip(other);
    pairs
        .map(
            |(old, new)| {
                if old.is_ascii_hexdigit() { char::from(b"0123456789abcdef"[usize::from(new & 15)]) } else { old }
            },
        )
        .collect()
}

/// A coordinate with as many decimals as it had, in quotes where it had them.
fn moved(value: &str, longitude: bool, names: &Names) -> String {
    let inner = value.trim_matches('"');
    let Ok(degrees) = inner.parse::<f64>() else {
        return String::from_utf8_lossy(&shape(value.as_bytes())).into_owned();
    };
    let decimals = inner.split_once('.').map_or(0, |(_, part)| part.bytes().take_while(u8::is_ascii_digit).count());
    let new = format!("{:.decimals$}", names.moved(degrees, longitude, 1.0));
    value.replace(inner, &new)
}

/// Where the value begins: behind the key and its colon, or at once.
fn value_start(there: &[u8]) -> usize {
    let blanks =
        |from: usize| there.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count();
    let first = blanks(0);
    let len = value_len(there.get(first..).unwrap_or_default());
    let colon = first + len + blanks(first + len);
    if there.get(first) == Some(&b'"') && there.get(colon) == Some(&b':') {
        colon + 1 + blanks(colon + 1)
    } else {
        first
    }
}

/// How long the JSON value is that begins here; a list or an object counts as one sign.
fn value_len(there: &[u8]) -> usize {
    if there.first() == Some(&b'"') {
        let mut escaped = false;
        for (at, b) in there.iter().enumerate().skip(1) {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return at + 1,
                _ => {}
            }
        }
        return there.len();
    }
    there.iter().take_while(|b| !matches!(b, b',' | b'}' | b']' | b':') && !b.is_ascii_whitespace()).count()
}

/// An encrypted message without what it hides, as long as it was.
fn encrypted(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let data = body.get_mut("data")?;
    *data = data.as_str()?.chars().map(|c| if c == '=' { '=' } else { 'A' }).collect::<String>().into();
    serde_json::to_vec(&serde_json::json!({ "_type": "encrypted", "data": data })).ok()
}
