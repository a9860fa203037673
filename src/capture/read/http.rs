//! HTTP out of a byte stream: requests and answers cut into bodies, with what identifies the sender. Credentials never leave here.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use crate::model::Direction;

/// Most header lines, and the longest head and body.
const MOST_HEADERS: usize = 100;
const MOST_HEAD_BYTES: usize = 64 << 10;
const MOST_BODY_BYTES: usize = 8 << 20;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// As [`crate::model::NewPacket::context`] has it.
    pub(super) context: Option<String>,
    /// The method of a request.
    pub(super) method: Option<String>,
    pub(super) body: Vec<u8>,
    /// There is less of it than its head declared.
    pub(super) cut: bool,
}

/// What a stream yields next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Message(Message),
    /// It is not all there yet.
    Wait,
    /// These bytes are no HTTP, or too much of it; the text says why.
    Broken(Vec<u8>, &'static str),
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    buffer: Vec<u8>,
}

struct Head {
    len: usize,
    body: Extent,
    context: Option<String>,
    method: Option<String>,
}

enum Extent {
    Bytes(usize),
    Chunked,
    /// Until the connection ends.
    Rest,
}

impl Cutter {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message. `over`: nothing more comes.
    pub(super) fn next(&mut self, over: bool) -> Next {
        if self.buffer.is_empty() {
            return Next::Wait;
        }
        let head = match head(&self.buffer) {
            Ok(Some(head)) => head,
            Ok(None) if over || self.buffer.len() > MOST_HEAD_BYTES => {
                return Next::Broken(std::mem::take(&mut self.buffer), "the head of an HTTP message without an end");
            }
            Ok(None) => return Next::Wait,
            Err(()) => return Next::Broken(std::mem::take(&mut self.buffer), "no HTTP"),
        };
        let rest = self.buffer.get(head.len..).unwrap_or_default();
        let (body, used, cut) = match head.body {
            Extent::Bytes(len) if rest.len() >= len => (rest.get(..len).unwrap_or_default().to_vec(), len, false),
            Extent::Chunked => match chunks(rest) {
                Some((body, used)) => (body, used, false),
                None if over || rest.len() > MOST_BODY_BYTES => (rest.to_vec(), rest.len(), true),
                None => return Next::Wait,
            },
            Extent::Rest if over => (rest.to_vec(), rest.len(), false),
            Extent::Bytes(_) if over || rest.len() > MOST_BODY_BYTES => (rest.to_vec(), rest.len(), true),
            Extent::Rest if rest.len() > MOST_BODY_BYTES => (rest.to_vec(), rest.len(), true),
            Extent::Bytes(_) | Extent::Rest => return Next::Wait,
        };
        self.buffer.drain(..(head.len + used).min(self.buffer.len()));
        Next::Message(Message { context: head.context, method: head.method, body, cut })
    }
}

/// A message that stands alone, in a line of a log.
pub(super) struct Alone {
    pub(super) direction: Direction,
    pub(super) context: Option<String>,
    pub(super) body: Vec<u8>,
}

pub(super) fn alone(bytes: &[u8]) -> Option<Alone> {
    crate::wire::dress::http_head(bytes)?;
    let mut cutter = Cutter { buffer: bytes.to_vec() };
    match cutter.next(true) {
        Next::Message(Message { context, method, body, .. }) => {
            let direction = if method.is_some() { Direction::In } else { Direction::Out };
            Some(Alone { direction, context, body })
        }
        Next::Wait | Next::Broken(..) => None,
    }
}

/// The head at the beginning; `Ok(None)`: there is not all of it.
fn head(bytes: &[u8]) -> Result<Option<Head>, ()> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    if bytes.starts_with(b"HTTP/") || b"HTTP/".starts_with(bytes) {
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(len) = response.parse(bytes).map_err(drop)? else { return Ok(None) };
        let status = response.code.unwrap_or_default();
        let body = extent(response.headers)?.unwrap_or(Extent::Rest);
        let body = if matches!(status, 100..=199 | 204 | 304) { Extent::Bytes(0) } else { body };
        let context = serde_json::json!({ "status": status }).to_string();
        return Ok(Some(Head { len, body, context: Some(context), method: None }));
    }
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(len) = request.parse(bytes).map_err(drop)? else { return Ok(None) };
    let body = extent(request.headers)?.unwrap_or(Extent::Bytes(0));
    let method = request.method.unwrap_or_default();
    let context = context(method, request.path.unwrap_or_default(), request.headers);
    Ok(Some(Head { len, body, context: Some(context), method: Some(method.to_owned()) }))
}

fn value<'h>(headers: &'h [httparse::Header<'_>], name: &str) -> Option<&'h str> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(header.value).ok().map(str::trim)
}

/// How long the body is.
fn extent(headers: &[httparse::Header<'_>]) -> Result<Option<Extent>, ()> {
    if value(headers, "transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked")) {
        return Ok(Some(Extent::Chunked));
    }
    match value(headers, "content-length") {
        Some(len) => Ok(Some(Extent::Bytes(len.parse().map_err(drop)?))),
        None => Ok(None),
    }
}

/// A chunked body, and how many bytes it took. `None`: it is not all there, or none.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let httparse::Status::Complete((start, len)) = httparse::parse_chunk_size(rest).ok()? else { return None };
        let len = usize::try_from(len).ok().filter(|len| *len <= MOST_BODY_BYTES)?;
        let data = rest.get(start..)?;
        if len == 0 {
            // Trailers, where there are any, up to an empty line.
            let end = if data.starts_with(b"\r\n") { 2 } else { data.windows(4).position(|w| w == b"\r\n\r\n")? + 4 };
            return Some((body, at + start + end));
        }
        body.extend_from_slice(data.get(..len)?);
        at += start + len + 2;
        bytes.get(..at)?;
    }
}

/// What a request tells beside its body. The query keeps `u` and `d` alone; of credentials, the user's name alone.
fn context(method: &str, target: &str, headers: &[httparse::Header<'_>]) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut context = Map::new();
    let mut put = |name: &str, text: &str| context.insert(name.to_owned(), Value::from(text));
    put("method", method);
    put("path", path);
    if let Some(query) = query {
        let shown = query.split('&').map(|part| match part.split_once('=') {
            Some(("u" | "d", _)) => part.to_owned(),
            Some((name, _)) => format!("{name}=…"),
            None => "…".to_owned(),
        });
        put("query", &shown.collect::<Vec<_>>().join("&"));
    }
    for name in ["X-Limit-U", "X-Limit-D"] {
        if let Some(text) = value(headers, name) {
            put(name, text);
        }
    }
    if let Some(user) = value(headers, "authorization").and_then(user) {
        put("user", &user);
    }
    Value::Object(context).to_string()
}

/// The user of HTTP Basic.
fn user(credentials: &str) -> Option<String> {
    let (scheme, coded) = credentials.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(coded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(user, _)| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, over: bool) -> Vec<(Option<String>, String)> {
        let mut cutter = Cutter::default();
        // Byte by byte: nothing may depend on how it came.
        let mut found = Vec::new();
        let mut take = |cutter: &mut Cutter, over| {
            while let Next::Message(message) = cutter.next(over) {
                found.push((message.method, String::from_utf8(message.body).unwrap()));
            }
        };
        for byte in text.as_bytes() {
            cutter.push(&[*byte]);
            take(&mut cutter, false);
        }
        take(&mut cutter, over);
        found
    }

    #[test]
    fn requests_are_cut_into_bodies() {
        let text = "POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        let post = Some("POST".to_owned());
        assert_eq!(
            all(text, false),
            [(post.clone(), "{}".into()), (post, "abcd".into()), (Some("GET".into()), String::new())]
        );
        assert_eq!(all("HTTP/1.1 200 OK\r\n\r\n[]", true), [(None, "[]".to_owned())]);
    }

    #[test]
    fn a_password_stays_behind() {
        let text = b"POST /pub?u=jane&d=phone&token=secret HTTP/1.1\r\nAuthorization: Basic amFuZTpoaWRkZW4=\r\nX-Limit-U: jane\r\ncontent-length: 0\r\n\r\n";
        let mut cutter = Cutter::default();
        cutter.push(text);
        let Next::Message(message) = cutter.next(false) else { panic!("no message") };
        let context = message.context.unwrap();
        assert_eq!(
            context,
            r#"{"X-Limit-U":"jane","method":"POST","path":"/pub","query":"u=jane&d=phone&token=…","user":"jane"}"#
        );
    }
}
