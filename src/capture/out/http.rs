//! The HTTP around the body of a phone, and around our answer. Made anew from what is kept beside the body: path, and the headers that
//! name the sender. No secret is kept, so none comes out.

use base64::Engine as _;
use serde_json::Value;

use crate::model::{Direction, PacketRow, Protocol};

/// The bytes that went over the connection: of GT06 the packet as it is, of OwnTracks the HTTP message around it.
pub(super) fn on_the_wire(row: &PacketRow) -> Vec<u8> {
    match (row.protocol, row.direction) {
        (Protocol::Gt06, _) => row.bytes.to_vec(),
        // What was no HTTP is not made any.
        (Protocol::OwnTracks, _) if row.kind == crate::wire::owntracks::NOISE => row.bytes.to_vec(),
        (Protocol::OwnTracks, Direction::In) => request(row),
        (Protocol::OwnTracks, Direction::Out) => response(row),
    }
}

fn request(row: &PacketRow) -> Vec<u8> {
    let head = Head::of(row.context.as_deref());
    let mut text = format!("{} {} HTTP/1.1\r\nHost: wayglass\r\n", head.method(), head.target());
    for (name, value) in head.headers() {
        text.extend([name, ": ", &value, "\r\n"]);
    }
    message(&text, &row.bytes)
}

fn response(row: &PacketRow) -> Vec<u8> {
    let head = Head::of(row.context.as_deref());
    let status = head.0.get("status").and_then(Value::as_u64).unwrap_or(200);
    let words = if status == 200 { "OK" } else { "Refused" };
    message(&format!("HTTP/1.1 {status} {words}\r\n"), &row.bytes)
}

fn message(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What is kept about a request beside its body.
pub struct Head(Value);

impl Head {
    /// `context`: as it is kept beside a packet.
    pub fn of(context: Option<&str>) -> Self {
        Self(context.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    fn text(&self, key: &str) -> Option<&str> {
        // What would begin a new line does not go into a head.
        self.0.get(key).and_then(Value::as_str).filter(|text| !text.is_empty() && !text.contains(char::is_control))
    }

    fn method(&self) -> &str {
        self.text("method").unwrap_or("POST")
    }

    /// Path and query.
    pub fn target(&self) -> String {
        let path = self.text("path").filter(|path| path.starts_with('/') && !path.contains(' ')).unwrap_or("/pub");
        match self.text("query").filter(|query| !query.contains(' ')) {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// Those that tell who sent it.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers: Vec<_> = ["X-Limit-U", "X-Limit-D"]
            .into_iter()
            .filter_map(|name| self.text(name).map(|value| (name, value.to_owned())))
            .collect();
        if let Some(user) = self.text("user") {
            // The password was never kept.
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:"));
            headers.push(("Authorization", format!("Basic {basic}")));
        }
        headers
    }
}
