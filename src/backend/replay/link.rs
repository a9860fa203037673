//! One connection of a replay.

use std::{
    collections::VecDeque,
    io::{self, Error, ErrorKind},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{Rename, tale::Tale, words};
use crate::{
    backend::demo::HttpUrl,
    capture::{Place, Record, out::RequestHead, with_imei},
    model::{Profile, Timestamp},
    wire::{gt06, hex},
};

/// Frames that are not answered yet; the oldest makes room.
const MOST_OPEN: usize = 4_096;
/// Bytes of answers that are not a whole frame yet; more are none.
const MOST_PENDING: usize = 128 * 1_024;

/// Type and serial: an answer bears those of the frame that it answers.
type Key = (u8, u16);

/// A frame that was sent.
struct Sent {
    key: Key,
    place: Place,
    /// A receiver has to answer it.
    wants: bool,
    /// The answer that the capture has.
    then: Option<Vec<u8>>,
    now: Option<Vec<u8>>,
}

pub(super) struct Link {
    stream: Option<TcpStream>,
    connection: u64,
    /// Where the last record stood.
    place: Place,
    state: gt06::State,
    /// The beginning of a frame whose rest the next record brings.
    begun: Vec<u8>,
    answers: Vec<u8>,
    open: VecDeque<Sent>,
}

impl Link {
    pub(super) async fn open(address: &str, connection: u64) -> io::Result<Self> {
        let stream =
            timeout(super::ANSWER_WITHIN, TcpStream::connect(address)).await.map_err(|_| ErrorKind::TimedOut)??;
        stream.set_nodelay(true)?;
        let (state, begun, answers, open) = (gt06::State::default(), Vec::new(), Vec::new(), VecDeque::new());
        Ok(Self { stream: Some(stream), connection, place: Place::Line(0), state, begun, answers, open })
    }

    /// Sends what the device sent, frame by frame, and takes what has come back. A frame that goes over several records is sent once it is
    /// whole.
    pub(super) async fn send(&mut self, record: &Record, rename: Option<&Rename>, now: Timestamp, tale: &mut Tale) {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(&record.bytes);
        self.place = record.place;
        self.begun = bytes.split_off(gt06::whole(&bytes, &self.state));
        self.send_bytes(&bytes, (record.at.unwrap_or(now), record.place), rename, tale).await;
    }

    /// Sends what was begun and never became whole, as it is.
    pub(super) async fn send_rest(&mut self, now: Timestamp, tale: &mut Tale) {
        let rest = std::mem::take(&mut self.begun);
        if !rest.is_empty() {
            self.send_bytes(&rest, (now, self.place), None, tale).await;
        }
    }

    async fn send_bytes(
        &mut self,
        bytes: &[u8],
        (received, place): (Timestamp, Place),
        rename: Option<&Rename>,
        tale: &mut Tale,
    ) {
        let mut state = std::mem::take(&mut self.state);
        for piece in gt06::explain(bytes, &Profile::default(), &mut state, received) {
            let frame = bytes.get(piece.bytes.clone()).unwrap_or_default();
            let dissection = &piece.dissection;
            let renamed = rename
                .filter(|rename| rename.old.is_none() || rename.old == dissection.device)
                .and_then(|rename| with_imei(frame, dissection, &rename.new));
            let written = match &mut self.stream {
                None => Err(Error::from(ErrorKind::BrokenPipe)),
                Some(stream) => {
                    let bytes = renamed.as_deref().unwrap_or(frame);
                    timeout(super::ANSWER_WITHIN, stream.write_all(bytes))
                        .await
                        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
                }
            };
            if let Err(error) = written {
                self.stream = None;
                tale.broken(self.connection, place, &error);
                continue;
            }
            tale.sent += 1;
            if let (Some(kind), Some(serial)) = (dissection.type_number, dissection.serial) {
                let wants = dissection.reply.is_some();
                self.open.push_back(Sent { key: (kind, serial), place, wants, then: None, now: None });
            }
        }
        self.state = state;
        self.hear_now(tale);
        while self.open.len() > MOST_OPEN {
            self.tell_first(tale);
        }
    }

    /// The capture has these answers of somebody's server.
    pub(super) fn expect(&mut self, bytes: &[u8]) {
        for piece in gt06::explain_alone(bytes, &Profile::default(), Timestamp::UNIX_EPOCH) {
            let frame = bytes.get(piece.bytes).unwrap_or_default();
            if let Some(sent) =
                key(frame).and_then(|key| self.open.iter_mut().find(|sent| sent.key == key && sent.then.is_none()))
            {
                sent.then = Some(frame.to_vec());
            }
        }
    }

    /// Takes what is there, without waiting.
    pub(super) fn hear_now(&mut self, tale: &mut Tale) {
        let mut buffer = [0; 4_096];
        while let Some(stream) = &self.stream {
            match stream.try_read(&mut buffer) {
                Ok(0) => self.stream = None,
                Ok(read) => {
                    self.answers.extend_from_slice(buffer.get(..read).unwrap_or_default());
                    self.sort(tale);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.stream = None,
            }
        }
    }

    /// Waits until everything that must be answered is, but not beyond `end`.
    pub(super) async fn settle(&mut self, end: Instant, tale: &mut Tale) {
        self.hear_now(tale);
        while self.open.iter().any(|sent| sent.wants && sent.now.is_none()) {
            let Some(stream) = &self.stream else { return };
            match timeout_at(end, stream.readable()).await {
                Ok(Ok(())) => self.hear_now(tale),
                Ok(Err(_)) => self.stream = None,
                Err(_) => return,
            }
        }
    }

    /// Finds the frame that each answer belongs to.
    fn sort(&mut self, tale: &mut Tale) {
        while let Some(len) = whole(&self.answers) {
            let frame: Vec<u8> = self.answers.drain(..len).collect();
            // A frame that answers nothing is a command.
            let Some(key) = key(&frame) else { continue };
            if let Some(sent) = self.open.iter_mut().find(|sent| sent.key == key && sent.now.is_none()) {
                sent.now = Some(frame);
                tale.answered += 1;
            }
        }
        if self.answers.len() > MOST_PENDING {
            self.answers.clear();
        }
    }

    /// Tells what became of everything that was sent.
    pub(super) fn tell(&mut self, tale: &mut Tale) {
        while !self.open.is_empty() {
            self.tell_first(tale);
        }
    }

    fn tell_first(&mut self, tale: &mut Tale) {
        let Some(Sent { key: (kind, serial), place, wants, then, now }) = self.open.pop_front() else { return };
        let what = format!("connection {}, {}: type 0x{kind:02x}, serial {serial}", self.connection, words(place));
        match (then, now) {
            (Some(then), None) => {
                tale.missing += 1;
                tale.odd(format!("{what}: no answer; the capture has {}", hex(&then)));
            }
            (Some(then), Some(now)) if then != now => {
                tale.other += 1;
                tale.odd(format!("{what}: answered with {}; the capture has {}", hex(&now), hex(&then)));
            }
            (None, None) if wants => {
                tale.silent += 1;
                tale.odd(format!("{what}: no answer; the capture has none either"));
            }
            (Some(_) | None, Some(_)) | (None, None) => {}
        }
    }
}

/// The length of the frame at the beginning, where it is whole. What is no frame goes byte by byte.
fn whole(bytes: &[u8]) -> Option<usize> {
    let length = match *bytes {
        [0x78, 0x78, length, ..] => usize::from(length) + 5,
        [0x79, 0x79, high, low, ..] => usize::from(u16::from_be_bytes([high, low])) + 6,
        [] | [0x78 | 0x79] | [0x78, 0x78] | [0x79, 0x79] | [0x79, 0x79, _] => return None,
        _ => 1,
    };
    (bytes.len() >= length).then_some(length)
}

/// Type and serial of a whole frame.
fn key(frame: &[u8]) -> Option<Key> {
    let ([0x78, 0x78, _, kind, ..] | [0x79, 0x79, _, _, kind, ..]) = *frame else { return None };
    match *frame.get(frame.len().checked_sub(6)?..)? {
        [high, low, ..] => Some((kind, u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

/// Posts one body, on a connection of its own, and gives back the status of the answer.
pub(super) async fn post(url: &HttpUrl, record: &Record, within: Duration) -> io::Result<u16> {
    let talk = async {
        let mut stream = TcpStream::connect(&url.address).await?;
        let head = RequestHead::of(record.context.as_deref());
        // A path that was typed counts; else it is that of the capture.
        let path = if url.path == "/" { head.target() } else { url.path.clone() };
        let mut text = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", url.address);
        let own = url.authorization().map(|value| ("Authorization", value.to_owned()));
        let kept = head.headers().into_iter().filter(|(name, _)| own.is_none() || *name != "Authorization");
        for (name, value) in kept.chain(own.clone()) {
            text.extend([name, ": ", &value, "\r\n"]);
        }
        let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", record.bytes.len());
        stream.write_all(&[text.as_bytes(), length.as_bytes(), &record.bytes].concat()).await?;
        let mut answer = Vec::new();
        stream.take(1 << 20).read_to_end(&mut answer).await?;
        let status = answer
            .strip_prefix(b"HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .and_then(|code| std::str::from_utf8(code).ok());
        status
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))
    };
    timeout(within, talk).await.map_err(|_| Error::from(ErrorKind::TimedOut))?
}
