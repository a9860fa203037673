//! Bytes on the HTTP port that are no request: hyper answers them before any code of ours runs, so they are taken down on their
//! way past it and kept as noise, bounded in size and in number.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Site;
use crate::{
    model::{Direction, Mishap, NewPacket, NewReply, Protocol, Timestamp, Verdict},
    wire::{Line, owntracks},
};

/// How much is kept of either way, in bytes.
const KEPT: usize = 4096;

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
    LeftOut,
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
            return Share::LeftOut;
        }
        let from = minute.from.entry(peer).or_default();
        if *from >= self.from_one {
            return Share::LeftOut;
        }
        *from += 1;
        let last = *from == self.from_one;
        minute.kept += 1;
        if last || minute.kept == self.from_all { Share::Last } else { Share::Kept }
    }
}

/// What passed since the last answer.
#[derive(Debug, Default)]
struct Passed {
    read: Vec<u8>,
    written: Vec<u8>,
    /// It began with a request that was understood.
    understood: bool,
    /// Something was answered, so what comes next begins something new.
    answered: bool,
}

impl Passed {
    fn came(&mut self, bytes: &[u8]) {
        if self.answered {
            *self = Self::default();
        }
        if !self.understood {
            append(&mut self.read, bytes);
        }
    }

    fn went(&mut self, bytes: &[u8]) {
        // A phone that asks first whether it may send its body is still sending the same request.
        self.answered |= !bytes.starts_with(b"HTTP/1.1 100 ");
        if !self.understood {
            append(&mut self.written, bytes);
        }
    }
}

/// What passes over one connection, as far as it is not understood.
#[derive(Debug, Clone, Default)]
pub(super) struct Tape(Arc<Mutex<Passed>>);

impl Tape {
    /// A tape, and the stream that it takes down.
    pub(super) fn on<S>(stream: S) -> (Self, Taped<S>) {
        let tape = Self::default();
        (tape.clone(), Taped { stream, tape })
    }

    /// A service whose requests are understood and need not be kept here.
    pub(super) fn heed<S>(&self, service: S) -> Heeded<S> {
        Heeded { service, tape: self.clone() }
    }

    /// Keeps what ended a connection, unless it was a request or nothing.
    pub(super) async fn keep(&self, peer: SocketAddr, line: &Line, error: &hyper::Error, ration: &Ration, site: &Site) {
        let Passed { read, written, .. } = std::mem::take(&mut *lock(&self.0));
        if read.is_empty() {
            return;
        }
        let now = (site.clock)();
        let share = ration.take(peer.ip(), now);
        if share == Share::LeftOut {
            site.tally.count(Mishap::NoiseNotKept);
            return;
        }
        let mut context = serde_json::json!({ "kept": read.len(), "why": reason(error) });
        if let Some(status) = status_of(&written) {
            context["status"] = status.into();
        }
        if share == Share::Last {
            context["left_out"] = true.into();
        }
        let replies =
            if written.is_empty() { Vec::new() } else { vec![NewReply { kind: "reply".into(), bytes: written }] };
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
        };
        let kept = async { site.store.append(packet).await?.durable().await };
        if let Err(error) = kept.await {
            tracing::warn!(%peer, %error, "noise was not kept");
        }
    }
}

/// Why hyper gave up, for a request that is nearly one.
fn reason(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        "its head is too large: over 64 KiB or 100 lines".to_owned()
    } else if error.is_timeout() {
        "its head did not come in time".to_owned()
    } else if error.is_incomplete_message() {
        "it broke off before its head was complete".to_owned()
    } else {
        error.to_string()
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

impl<R, S: Service<R>> Service<R> for Heeded<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> Self::Future {
        *lock(&self.tape.0) = Passed { understood: true, ..Passed::default() };
        self.service.call(request)
    }
}

/// A stream with a tape.
#[derive(Debug)]
pub(super) struct Taped<S> {
    stream: S,
    tape: Tape,
}

impl<S: AsyncRead + Unpin> AsyncRead for Taped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            lock(&self.tape.0).came(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        lock(&self.tape.0).went(bytes.get(..sent).unwrap_or_default());
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn append(to: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT.saturating_sub(to.len()).min(bytes.len());
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
    fn a_minute_keeps_only_so_much() {
        const FROM_ONE: u32 = 10;
        const FROM_ALL: u32 = 600;
        let ration = Ration::new(FROM_ONE, FROM_ALL);
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let (one, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        for n in 1..=FROM_ONE {
            assert_eq!(ration.take(one, at(59)), if n < FROM_ONE { Share::Kept } else { Share::Last });
        }
        assert_eq!(ration.take(one, at(59)), Share::LeftOut);
        assert_eq!(ration.take(other, at(59)), Share::Kept, "another is not to blame");
        assert_eq!(ration.take(one, at(60)), Share::Kept, "the next minute");
        for n in 1..FROM_ALL {
            ration.take(std::net::Ipv4Addr::from_bits(0xAC10_0000 + n).into(), at(60));
        }
        assert_eq!(ration.take(other, at(60)), Share::LeftOut, "many addresses together are bounded, too");
    }
}
