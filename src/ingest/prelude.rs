//! Bytes on the HTTP port that are no request: hyper answers them before any code of ours runs, so they are taken down on their
//! way past it and kept as noise, bounded in size and in number.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::{Request, body::Body, service::Service};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::{Limits, Site, secrets};
use crate::{
    model::{Direction, Mishap, NewPacket, NewReply, PacketId, Protocol, Timestamp, Verdict},
    wire::{Line, owntracks},
};

/// How much is kept of either way, in bytes.
const KEPT: usize = 4096;
/// How much may wait to be understood: hyper reads a head and what came with it before it calls, and gives up beyond 64 KiB.
const HELD: usize = 128 << 10;
const STATUS_LINE: &[u8] = b"HTTP/1.1 ";

/// What the clock of our answers says.
const NOT_READ: &str = "it does not read our answers";

/// How much noise may still be kept in this minute.
#[derive(Debug)]
pub(super) struct Ration {
    /// Kept from one address, and from all together, within a minute.
    from_one: u32,
    from_all: u32,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    kept: u32,
    /// No longer than `from_all`.
    from: HashMap<IpAddr, u32>,
}

/// What becomes of one piece of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Kept,
    /// Kept, and no more of it in this minute.
    Last,
    /// Too much from one address, or from all together.
    LeftOut(Mishap),
}

impl Ration {
    pub(super) fn new(from_one: u32, from_all: u32) -> Self {
        Self { from_one, from_all, minute: Mutex::default() }
    }

    fn take(&self, peer: IpAddr, now: Timestamp) -> Share {
        let mut minute = lock(&self.minute);
        let number = now.as_second().div_euclid(60);
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        if minute.kept >= self.from_all {
            return Share::LeftOut(Mishap::NoiseNotKept);
        }
        let from = minute.from.entry(peer).or_default();
        if *from >= self.from_one {
            return Share::LeftOut(Mishap::NoiseOfOneNotKept);
        }
        *from += 1;
        let last = *from == self.from_one;
        minute.kept += 1;
        if last || minute.kept == self.from_all { Share::Last } else { Share::Kept }
    }
}

/// What passed over a connection since the last request that was understood.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, and nearly all combinations occur")]
#[derive(Debug, Default)]
struct Passed {
    /// What came and belongs to no request that was understood, so far.
    read: Vec<u8>,
    written: Vec<u8>,
    body: BodyLeft,
    /// There was a request that was understood.
    understood: bool,
    /// Something was answered since the last of them.
    answered: bool,
    /// Anything came at all.
    any: bool,
    /// The pause after the last answer was too long.
    fell_silent: bool,
}

/// What is still to come of the body of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyLeft {
    Bytes(u64),
    /// In chunks: whatever comes before the answer is taken for it.
    Chunks,
}

impl Default for BodyLeft {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl Passed {
    /// The head of a request is being read, or the first one waited for.
    fn in_head(&self) -> bool {
        !self.understood || self.answered && !self.read.is_empty()
    }

    /// A request is waited for, and there was one before.
    fn in_pause(&self) -> bool {
        self.understood && self.answered && self.read.is_empty()
    }

    fn came(&mut self, bytes: &[u8]) {
        self.any = true;
        if self.body == BodyLeft::Chunks && self.answered {
            self.body = BodyLeft::default();
        }
        append(&mut self.read, self.body.take_off(bytes), HELD);
    }

    fn went(&mut self, bytes: &[u8]) {
        // A phone that asks first whether it may send its body is still sending the same request.
        self.answered |= !bytes.starts_with(b"HTTP/1.1 100 ");
        // The last of it: what is behind a long answer is the one that counts.
        self.written.extend_from_slice(bytes);
        let older = self.written.len().saturating_sub(KEPT);
        self.written.drain(..older);
    }

    /// The next request was understood: its head and body are no noise. `body`: its length, `None` in chunks.
    fn understood(&mut self, body: Option<u64>) {
        let came = std::mem::take(&mut self.read);
        *self = Self {
            understood: true,
            any: true,
            body: body.map_or(BodyLeft::Chunks, BodyLeft::Bytes),
            ..Self::default()
        };
        let behind = head_end(&came).and_then(|end| came.get(end..)).unwrap_or_default();
        append(&mut self.read, self.body.take_off(behind), HELD);
    }

    /// What is no request, and how it was answered. Blank lines between requests are nothing.
    fn noise(self, answered: bool) -> Option<(Vec<u8>, Vec<u8>)> {
        let Self { mut read, mut written, understood, .. } = self;
        if read.is_empty() || understood && read.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        read.truncate(KEPT);
        if understood {
            // The answer to the request before it went the same way.
            let last = written.windows(STATUS_LINE.len()).rposition(|w| w == STATUS_LINE).filter(|_| answered);
            written.drain(..last.unwrap_or(written.len()));
        }
        Some((read, written))
    }
}

impl BodyLeft {
    /// The bytes behind those that belong to the body.
    fn take_off<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match self {
            Self::Chunks => &[],
            Self::Bytes(left) => {
                let own = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= own as u64;
                bytes.get(own..).unwrap_or_default()
            }
        }
    }
}

/// Where the head of a request ends: behind the first blank line that is not before it.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut at = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// What passes over one connection, as far as it is not understood.
#[derive(Debug, Clone, Default)]
pub(super) struct Tape(Arc<Mutex<Passed>>);

impl Tape {
    /// A tape, and the stream that it takes down.
    pub(super) fn on<S>(stream: S, limits: &Limits) -> (Self, Taped<S>) {
        let tape = Self::default();
        let [head, write] = [limits.http_head, limits.write].map(Fuse::new);
        (tape.clone(), Taped { stream, tape, head, write, pause: Pause::new(limits.http_pause) })
    }

    /// A service whose requests are understood and need not be kept here.
    pub(super) fn heed<S>(&self, service: S) -> Heeded<S> {
        Heeded { service, tape: self.clone() }
    }

    /// True where not a byte came.
    pub(super) fn is_blank(&self) -> bool {
        !lock(&self.0).any
    }

    /// Under what the end of a connection is counted.
    pub(super) fn how_it_ended(&self, ended: &hyper::Result<()>) -> Mishap {
        // To hyper a connection that ends between two requests has ended well.
        if lock(&self.0).fell_silent { Mishap::Silent } else { how_it_ended(ended) }
    }

    /// Keeps what ended a connection, unless it was a request or nothing. `error`: why it ended; `None`: in order. Answers under which number.
    pub(super) async fn keep(
        &self,
        peer: SocketAddr,
        line: &Line,
        error: Option<&hyper::Error>,
        ration: &Ration,
        site: &Site,
    ) -> Option<PacketId> {
        let passed = std::mem::take(&mut *lock(&self.0));
        let (read, written) = passed.noise(error.is_some_and(hyper::Error::is_parse))?;
        let why = error.map_or_else(|| "it came behind a request that ended the connection".to_owned(), reason);
        keep_noise(Noise { read, written, why, at_https: false }, peer, line, ration, site).await
    }
}

/// Bytes that are no request.
pub(super) struct Noise {
    pub(super) read: Vec<u8>,
    /// What was answered to them.
    pub(super) written: Vec<u8>,
    pub(super) why: String,
    /// They came to the port of HTTPS, and no secret connection was made.
    pub(super) at_https: bool,
}

/// Keeps them, within the ration; under which number the last of it is stored.
pub(super) async fn keep_noise(
    noise: Noise,
    peer: SocketAddr,
    line: &Line,
    ration: &Ration,
    site: &Site,
) -> Option<PacketId> {
    let Noise { mut read, written, why, at_https } = noise;
    let masked = secrets::mask(&mut read);
    let now = (site.clock)();
    let share = ration.take(peer.ip(), now);
    if let Share::LeftOut(why) = share {
        site.tally.count(why);
        return None;
    }
    let mut context = serde_json::json!({ "kept": read.len(), "why": why });
    if let Some(status) = status_of(&written) {
        context["status"] = status.into();
    }
    for (name, is_so) in [("left_out", share == Share::Last), ("https", at_https), ("masked", masked)] {
        if is_so {
            context[name] = true.into();
        }
    }
    let replies = if written.is_empty() { Vec::new() } else { vec![NewReply { kind: "reply".into(), bytes: written }] };
    let packet = NewPacket {
        protocol: Protocol::OwnTracks,
        direction: Direction::In,
        received: now,
        peer: Arc::clone(&line.peer),
        connection: line.connection,
        sender: None,
        kind: owntracks::NOISE.into(),
        verdict: Verdict::Error,
        bytes: read,
        context: Some(context.to_string()),
        reports: Vec::new(),
        replies,
        answers: None,
    };
    let kept = async { site.store.append(packet).await?.durable().await };
    match kept.await {
        Ok(stored) => Some(stored.last),
        Err(error) => {
            tracing::warn!(%peer, %error, "noise was not kept");
            None
        }
    }
}

/// Why hyper gave up, for a request that is nearly one.
fn reason(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        "its head is too large: over 64 KiB or 100 lines".to_owned()
    } else if late(error).is_some() {
        "its head did not come in time".to_owned()
    } else if error.is_incomplete_message() {
        "it broke off before its head was complete".to_owned()
    } else {
        error.to_string()
    }
}

/// What one of our own clocks says.
fn late(error: &hyper::Error) -> Option<String> {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.filter(|source| source.kind() == io::ErrorKind::TimedOut).map(ToString::to_string)
}

fn how_it_ended(ended: &hyper::Result<()>) -> Mishap {
    match ended {
        Ok(()) => Mishap::ClosedByPeer,
        Err(error) if error.is_parse_too_large() => Mishap::HeadTooLarge,
        Err(error) if error.is_parse() => Mishap::NoRequest,
        Err(error) => match late(error) {
            Some(what) if what == NOT_READ => Mishap::AnswerNotRead,
            Some(_) => Mishap::HeadSlow,
            None => Mishap::Broken,
        },
    }
}

/// The status in the first line of an answer.
fn status_of(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

/// A service that tells the tape which bytes it understood.
#[derive(Debug, Clone)]
pub(super) struct Heeded<S> {
    service: S,
    tape: Tape,
}

impl<B: Body, S: Service<Request<B>>> Service<Request<B>> for Heeded<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request<B>) -> Self::Future {
        lock(&self.tape.0).understood(request.body().size_hint().exact());
        self.service.call(request)
    }
}

/// A time that something may take, from when it is first waited for.
#[derive(Debug)]
struct Fuse {
    time: Duration,
    burning: Option<Pin<Box<Sleep>>>,
}

impl Fuse {
    fn new(time: Duration) -> Self {
        Self { time, burning: None }
    }

    fn put_out(&mut self) {
        self.burning = None;
    }

    /// An error once it took too long.
    fn poll(&mut self, cx: &mut Context<'_>, what: &'static str) -> io::Result<()> {
        let time = self.time;
        match self.burning.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::TimedOut, what)),
            Poll::Pending => Ok(()),
        }
    }
}

/// The time between two requests. Its timer is set once, and looked at when it has run out: to set one costs as much as a read, and each request
/// ends a pause.
#[derive(Debug)]
struct Pause {
    most: Duration,
    /// Its beginning, or that of the request that runs.
    began: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pause {
    fn new(most: Duration) -> Self {
        Self { most, began: Instant::now(), timer: None }
    }

    fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// True once it took too long; wakes the task by then. `runs`: it is one now.
    fn poll(&mut self, cx: &mut Context<'_>, runs: bool) -> bool {
        let Self { most, began, timer } = self;
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(*began + *most)));
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if !runs {
                *began = now;
            } else if now >= *began + *most {
                return true;
            }
            timer.as_mut().reset(*began + *most);
        }
        false
    }
}

/// A stream with a tape, and with clocks of ours for what hyper waits for without one.
#[derive(Debug)]
pub(super) struct Taped<S> {
    stream: S,
    tape: Tape,
    /// For the head of a request.
    head: Fuse,
    /// For an answer that the far end does not read.
    write: Fuse,
    pause: Pause,
}

impl<S> Taped<S> {
    fn written<T>(&mut self, done: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if done.is_pending() {
            self.write.poll(cx, NOT_READ)?;
        } else {
            self.write.put_out();
        }
        done
    }

    /// There is nothing to read: an error where that has lasted too long. hyper looks for the next request before its answer is written, and then
    /// not again until it is woken; so the timer runs during requests, too.
    fn rest(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut passed = lock(&self.tape.0);
        // Before the first request there is the clock of its head.
        if !passed.understood || !self.pause.poll(cx, passed.in_pause()) {
            return Ok(());
        }
        passed.fell_silent = true;
        Err(io::Error::new(io::ErrorKind::TimedOut, "no request came for too long"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if lock(&self.tape.0).in_head() {
            self.head.poll(cx, "its head did not come in time")?;
        } else {
            self.head.put_out();
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_pending() {
            self.rest(cx)?;
        }
        ready!(read)?;
        let new = buf.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            lock(&self.tape.0).came(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let sent = ready!(self.written(sent, cx))?;
        self.pause.begin();
        lock(&self.tape.0).went(bytes.get(..sent).unwrap_or_default());
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Adds as much as there is room for.
fn append(to: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let room = most.saturating_sub(to.len()).min(bytes.len());
    to.extend_from_slice(bytes.get(..room).unwrap_or_default());
}

/// Nothing that is done under these locks leaves half a thought behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_request_is_told_from_it_however_it_is_cut() {
        let whole = b"\r\nPOST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n[\n\n]garbage";
        let head = head_end(whole).expect("there is a head");
        assert_eq!(whole.get(head..head + 4), Some(b"[\n\n]".as_slice()));
        // hyper calls once it has the head, wherever the reads were cut.
        for first in head..=whole.len() {
            for second in first..=whole.len() {
                let mut passed = Passed::default();
                passed.came(&whole[..first]);
                passed.understood(Some(4));
                passed.came(&whole[first..second]);
                passed.went(b"HTTP/1.1 200 OK\r\n\r\n[]");
                passed.came(&whole[second..]);
                passed.went(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                let expected = (b"garbage".to_vec(), b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
                assert_eq!(passed.noise(true), Some(expected));
            }
        }
        let mut passed = Passed::default();
        passed.came(b"POST / HTTP/1.1\r\n\r\n\r\n");
        passed.understood(Some(0));
        assert_eq!(passed.noise(true), None, "a blank line behind a request is nothing");
    }

    #[test]
    fn a_minute_keeps_only_so_much() {
        const FROM_ONE: u32 = 10;
        const FROM_ALL: u32 = 600;
        let ration = Ration::new(FROM_ONE, FROM_ALL);
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let (one, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        for n in 1..=FROM_ONE {
            assert_eq!(ration.take(one, at(59)), if n < FROM_ONE { Share::Kept } else { Share::Last });
        }
        assert_eq!(ration.take(one, at(59)), Share::LeftOut(Mishap::NoiseOfOneNotKept));
        assert_eq!(ration.take(other, at(59)), Share::Kept, "another is not to blame");
        assert_eq!(ration.take(one, at(60)), Share::Kept, "the next minute");
        for n in 1..FROM_ALL {
            ration.take(std::net::Ipv4Addr::from_bits(0xAC10_0000 + n).into(), at(60));
        }
        assert_eq!(
            ration.take(other, at(60)),
            Share::LeftOut(Mishap::NoiseNotKept),
            "many addresses together are bounded, too"
        );
    }
}
