//! A pretend phone: one keep-alive connection over HTTP, one message at a time, and the head of its queue goes first.

use std::{
    fmt,
    io::{self, Error, ErrorKind},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{ANSWER_WITHIN, Drive, tally::Connected};
use crate::sim::{Message, Vehicle};

/// Longest answer that is read. A phone gets an array of friends and cards, at most.
const LONGEST_ANSWER: usize = 4 << 20;

/// Where phones post: `http://[user:password@]host[:port][/path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    /// `host:port`, to connect to.
    pub address: String,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// The `Authorization` header.
    authorization: Option<String>,
}

impl HttpUrl {
    /// Reads a URL. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(("https", _)) => return Err("https is not spoken by the simulator; give an http:// URL".to_owned()),
            Some((scheme, _)) => return Err(format!("{scheme} is no scheme of a web address; give an http:// URL")),
            None => text,
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        if host.is_empty() || host.contains(char::is_whitespace) || path.contains(char::is_whitespace) {
            return Err("give http://HOST:PORT, as in http://127.0.0.1:5144".to_owned());
        }
        // The colon of a port stands behind an IPv6 address's bracket.
        let behind_bracket = host.rsplit(']').next().unwrap_or(host);
        let address = match behind_bracket.split_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => host.to_owned(),
            Some((_, port)) => return Err(format!("{port} is no port; ports are 1 to 65535")),
            None => format!("{host}:80"),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let authorization = user.map(basic);
        Ok(Self { address, path, authorization })
    }
}

impl HttpUrl {
    /// The `Authorization` header.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// With these credentials, `user:password`, unless the URL brings its own.
    #[must_use]
    pub fn or_credentials(mut self, credentials: Option<&str>) -> Self {
        self.authorization = self.authorization.or_else(|| credentials.map(basic));
        self
    }
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

/// An open connection.
struct Line<'a> {
    stream: TcpStream,
    _counted: Connected<'a>,
}

/// Drives a phone, `after` a while for the first time, until the drive stops.
pub(super) async fn run(mut phone: Vehicle, url: &HttpUrl, after: Duration, drive: &Drive) {
    let mut line = None;
    let mut ticks = drive.ticks(after);
    while drive.next_tick(&mut ticks).await {
        for message in phone.report((drive.clock)()) {
            if deliver(&mut line, url, &message, drive).await.is_none() {
                return;
            }
        }
        if phone.arrived() {
            return;
        }
    }
}

/// Sends a message until it is taken, as the apps do. `None`: the drive stopped first.
async fn deliver<'a>(line: &mut Option<Line<'a>>, url: &HttpUrl, message: &Message, drive: &'a Drive) -> Option<()> {
    let mut attempt = 0;
    loop {
        let kept = line.is_some();
        let sent = Instant::now();
        match exchange(line, url, message, drive).await {
            Ok(200..=299) => {
                drive.tally.answered(sent.elapsed());
                return Some(());
            }
            Ok(status @ 500..) => drive.tally.failed(format!("{url} answered {status}")),
            Ok(status) => {
                // Refused for good: the iPhone deletes it and goes on.
                drive.tally.failed(format!("{url} answered {status}"));
                return Some(());
            }
            Err(error) => {
                *line = None;
                if kept {
                    // A connection that was idle may have been closed meanwhile: that is no failure, and a fresh one is at hand.
                    continue;
                }
                drive.tally.broken(format!("{url}: {error}"));
            }
        }
        drive.back_off(&mut attempt).await?;
    }
}

/// One request and its answer's status, over the line that is there or a new one.
async fn exchange<'a>(
    line: &mut Option<Line<'a>>,
    url: &HttpUrl,
    message: &Message,
    drive: &'a Drive,
) -> io::Result<u16> {
    let stream = if let Some(line) = line {
        &mut line.stream
    } else {
        let stream = drive.connect(&url.address).await?;
        &mut line.insert(Line { stream, _counted: drive.tally.connected() }).stream
    };
    let talk = async {
        let authorization = url.authorization.as_ref().map(|a| format!("Authorization: {a}\r\n")).unwrap_or_default();
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: wayglass-simulate/{}\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            url.path,
            url.address,
            env!("CARGO_PKG_VERSION"),
            message.bytes.len(),
        )
        .into_bytes();
        request.extend(&message.bytes);
        stream.write_all(&request).await?;
        drive.tally.sent();
        read_answer(stream).await
    };
    let (status, stays) = timeout(ANSWER_WITHIN, talk).await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
    if !stays {
        *line = None;
    }
    Ok(status)
}

/// The status of an answer, and whether the connection stays open.
async fn read_answer(stream: &mut TcpStream) -> io::Result<(u16, bool)> {
    let garbled = || Error::new(ErrorKind::InvalidData, "the answer is not HTTP");
    let mut buffer = Vec::with_capacity(512);
    let body_at = loop {
        if let Some(end) = find(&buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, &mut buffer).await?;
    };
    let head = std::str::from_utf8(buffer.get(..body_at).unwrap_or_default()).map_err(|_| garbled())?;
    let status: u16 = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(garbled)?;
    let header =
        |name: &str| head.lines().skip(1).filter_map(|l| l.split_once(':')).find(|(k, _)| k.eq_ignore_ascii_case(name));
    let closes = header("connection").is_some_and(|(_, v)| v.trim().eq_ignore_ascii_case("close"));
    match header("content-length").map(|(_, v)| v.trim().parse::<usize>()) {
        Some(Ok(length)) => {
            while buffer.len() < body_at + length {
                more(stream, &mut buffer).await?;
            }
            Ok((status, !closes))
        }
        Some(Err(_)) => Err(garbled()),
        // Without a length the rest is not worth its parsing: the next message takes a new connection.
        None => Ok((status, false)),
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    if buffer.len() > LONGEST_ANSWER {
        return Err(Error::new(ErrorKind::InvalidData, "the answer is too long"));
    }
    if stream.read_buf(buffer).await? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_as_people_write_them() {
        let url = |text| HttpUrl::parse(text).map(|u| u.to_string());
        for (text, expected) in [
            ("http://127.0.0.1:5144", "http://127.0.0.1:5144/"),
            ("127.0.0.1:5144", "http://127.0.0.1:5144/"),
            ("http://host.example/pub?u=a", "http://host.example:80/pub?u=a"),
            ("http://[::1]:5144/pub", "http://[::1]:5144/pub"),
            ("http://[::1]", "http://[::1]:80/"),
            ("http://jane:pa:ss@h:1", "http://h:1/"),
        ] {
            assert_eq!(url(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in ["", "http://", "https://h", "mqtt://h", "http://h:0x", "http://h:99999", "http://a b"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
        let with_user = HttpUrl::parse("http://user:pass@h").expect("a URL").or_credentials(Some("other:one"));
        assert_eq!(with_user.authorization.as_deref(), Some("Basic dXNlcjpwYXNz"));
        let without = HttpUrl::parse("http://h").expect("a URL");
        assert_eq!(without.clone().or_credentials(Some("user:pass")).authorization, with_user.authorization);
        assert_eq!(without.or_credentials(None).authorization, None);
    }
}
