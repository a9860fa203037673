//! What was refused before its body could count, and bytes that are no HTTP at all: why, in words.

use std::borrow::Cow;

use serde::Deserialize;

use super::{fields, scan::Doc};
use crate::{
    model::{Group, Problem, Protocol, Severity},
    wire::{Dissection, Field, Value},
};

/// The kind of a packet of bytes that are no request.
pub const NOISE: &str = "noise";

/// What the receiver kept beside a request that it refused. Every request that was let in has no status there.
#[derive(Debug, Default, Deserialize)]
struct Refused<'a> {
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    status: Option<u16>,
    /// `Content-Length` as it was sent.
    #[serde(borrow, default)]
    declared: Option<Cow<'a, str>>,
    /// What was wrong with the request, where the receiver knows more than the bytes tell.
    #[serde(borrow, default)]
    why: Option<Cow<'a, str>>,
    /// More of this sort came from there within the minute than is kept.
    #[serde(default)]
    left_out: bool,
    /// It came to the port of HTTPS, and no secret connection was made.
    #[serde(default)]
    https: bool,
}

/// Explains a kept packet that was refused; `None` for one that was let in.
pub fn dissect_refused(kind: &str, bytes: &[u8], context: Option<&str>) -> Option<Dissection> {
    let refused: Refused<'_> = serde_json::from_str(context?).ok()?;
    if kind == NOISE {
        return Some(noise(bytes, &refused));
    }
    let status = refused.status?;
    let (title, group, why) = match status {
        401 => ("Refused: credentials", Group::Auth, "wrong or missing user name and password".to_owned()),
        405 => {
            let method = if refused.method.is_empty() { "this method" } else { &refused.method };
            let text = format!("{method} is refused with 405: reports come by POST");
            return Some(dissection(kind, "Refused: method", bytes, problem(Group::Framing, 0, text)));
        }
        413 => {
            let declared = refused.declared.as_deref().and_then(|n| n.parse::<u64>().ok());
            let size = declared.map(|n| format!(" ({n} bytes)")).unwrap_or_default();
            ("Refused: too large", Group::Length, format!("larger than 2 MiB{size}"))
        }
        415 => ("Refused: compressed", Group::Framing, "compressed bodies are not accepted".to_owned()),
        _ => ("Refused", Group::Framing, "not what an app sends".to_owned()),
    };
    let why = refused.why.as_deref().unwrap_or(&why);
    let kept = if status == 413 { format!("; its first {} bytes are kept", bytes.len()) } else { String::new() };
    let problem = problem(group, 0, format!("{why}: refused with {status}{kept}"));
    Some(dissection(kind, title, bytes, problem))
}

fn noise(bytes: &[u8], refused: &Refused<'_>) -> Dissection {
    let looks = Looks::like(bytes);
    let text = match (&looks, refused.why.as_deref()) {
        (_, Some(why)) if refused.https => format!("no HTTPS connection: {why}"),
        (Looks::Http, Some(why)) => format!("a bad HTTP request: {why}"),
        (looks, _) => looks.to_string(),
    };
    let title = if refused.https { "No HTTPS connection" } else { looks.title() };
    let mut dissection = dissection(NOISE, title, bytes, problem(Group::Framing, bytes.len(), text));
    if refused.left_out {
        let text = "more of this sort came from there within the same minute and is not kept".to_owned();
        dissection.problems.push(Problem { severity: Severity::Note, ..problem(Group::Framing, 0, text) });
    }
    // Nothing in it is JSON.
    let text = std::str::from_utf8(bytes).ok().filter(|t| !t.contains(|c: char| c.is_control() && !c.is_whitespace()));
    let value = text.map_or_else(|| Value::Raw(bytes.to_vec()), |text| Value::Text(text.trim().to_owned()));
    let name = Cow::Borrowed("Undecoded");
    dissection.fields = vec![Field { name, span: 0..bytes.len(), bits: None, depth: 0, value, unit: "", source: "" }];
    dissection
}

/// A problem with the first `len` bytes, or with the request as a whole where that is 0.
fn problem(group: Group, len: usize, text: String) -> Problem {
    Problem { severity: Severity::Error, group, text, span: 0..len }
}

fn dissection(kind: &str, title: &'static str, bytes: &[u8], problem: Problem) -> Dissection {
    Dissection {
        kind: Cow::Owned(kind.to_owned()),
        title: Cow::Borrowed(title),
        problems: vec![problem],
        // What is kept may be the start of a message: it is shown as far as it goes, and not judged.
        fields: if bytes.is_empty() { Vec::new() } else { fields::of(&Doc::scan(bytes), 0) },
        ..Dissection::default()
    }
}

/// What bytes look like that are no HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    Tls,
    Gt06,
    Gt06Hex,
    Mqtt,
    Http2,
    Http,
    Ssh,
    OtherTracker,
    Unknown,
}

impl Looks {
    fn like(bytes: &[u8]) -> Self {
        let starts = |with: &[u8]| bytes.starts_with(with);
        let starts_hex = |with: &[u8]| bytes.get(..with.len()).is_some_and(|b| b.eq_ignore_ascii_case(with));
        if starts(&[0x16, 0x03]) {
            Self::Tls
        } else if starts(&[0x78, 0x78]) || starts(&[0x79, 0x79]) {
            Self::Gt06
        } else if ["7878", "7979", "78 78", "79 79"].iter().any(|s| starts_hex(s.as_bytes())) {
            Self::Gt06Hex
        } else if bytes.first() == Some(&0x10) && bytes.get(..16).unwrap_or(bytes).windows(4).any(|w| w == b"MQTT") {
            Self::Mqtt
        } else if starts(b"PRI * HTTP/2") {
            Self::Http2
        } else if starts(b"SSH-") {
            Self::Ssh
        } else if [b"##,imei:".as_slice(), b"*HQ,", b"imei:", b"$$", b"(0"].iter().any(|s| starts(s)) {
            Self::OtherTracker
        } else if is_request_line(bytes) {
            Self::Http
        } else {
            Self::Unknown
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Http => "Bad HTTP request",
            Self::Tls
            | Self::Gt06
            | Self::Gt06Hex
            | Self::Mqtt
            | Self::Http2
            | Self::Ssh
            | Self::OtherTracker
            | Self::Unknown => "Not HTTP",
        }
    }
}

impl std::fmt::Display for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = Protocol::Gt06.default_port();
        match self {
            Self::Tls => f.write_str("a TLS hello: the phone speaks https to the http port"),
            Self::Gt06 => write!(f, "a GT06 frame: this tracker belongs on port {port}"),
            Self::Gt06Hex => write!(f, "a GT06 frame spelled in hex digits: send it as bytes, and to port {port}"),
            Self::Mqtt => f.write_str("an MQTT greeting: set the app's mode to HTTP"),
            Self::Http2 => f.write_str("HTTP/2, which is not spoken here: HTTP/1.1 is"),
            Self::Http => f.write_str("a bad HTTP request"),
            Self::Ssh => f.write_str("an SSH greeting, not HTTP"),
            Self::OtherTracker => f.write_str("a tracker of another protocol, not HTTP"),
            Self::Unknown => f.write_str("not HTTP"),
        }
    }
}

/// True for bytes that begin as `POST /` does: a word in capitals and a space.
fn is_request_line(bytes: &[u8]) -> bool {
    let word = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    (3..=16).contains(&word) && bytes.get(word) == Some(&b' ')
}
