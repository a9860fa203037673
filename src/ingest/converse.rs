//! Drives one [`Conversation`] over any byte stream: read, store, and only then answer.

use std::fmt;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Limits;
use crate::{
    model::{Clock, Protocol},
    store::{self, Receipt, Writer},
    wire::{Admission, Conversation, Output},
};

/// Bytes taken in one read. A frame is at most 65 541 bytes long, nearly all are below 100.
const READ_BYTES: usize = 4096;
/// Packets of one read that may wait for their commit together; a longer read is settled in parts.
const MOST_UNSETTLED: usize = 256;

/// Why a conversation ended.
#[derive(Debug)]
pub enum End {
    /// The far end closed.
    Closed,
    /// Said nothing for too long.
    Silent,
    /// The conversation asked for it.
    Asked(&'static str),
    /// We are stopping.
    Stopped,
    /// The stream broke, or the peer did not take our answer.
    Broken(std::io::Error),
    /// The store did not take it: unanswered, so the device keeps its data and sends it again.
    NotStored(store::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the device"),
            Self::Silent => f.write_str("silent for too long"),
            Self::Asked(why) => f.write_str(why),
            Self::Stopped => f.write_str("stopping"),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::NotStored(error) => write!(f, "not stored: {error}"),
        }
    }
}

/// Talks until either side ends it. Cancelling `stop` ends it after everything read so far is stored and answered.
pub async fn converse(
    io: impl AsyncRead + AsyncWrite,
    mut talk: Box<dyn Conversation>,
    store: &Writer,
    clock: &Clock,
    limits: &Limits,
    stop: &CancellationToken,
) -> End {
    let io = std::pin::pin!(io);
    let (mut from, to) = tokio::io::split(io);
    let mut driver = Driver { to, store, clock, limits, unsettled: Vec::new(), answers: Vec::new() };
    let mut chunk = vec![0; READ_BYTES];
    let mut deadline = None;
    loop {
        let happened = tokio::select! {
            biased;
            () = stop.cancelled() => Happened::Stop,
            read = timeout(limits.idle, from.read(&mut chunk)) => Happened::of(read),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Happened::Deadline,
        };
        let now = clock();
        let end = match happened {
            Happened::Read(n) => {
                talk.receive(now, &chunk[..n]);
                None
            }
            Happened::Deadline => {
                talk.expire(now);
                None
            }
            Happened::End(end) => {
                talk.finish(now);
                Some(end)
            }
            Happened::Stop => {
                read_what_came(&mut from, &mut chunk, talk.as_mut(), clock).await;
                talk.finish(now);
                Some(End::Stopped)
            }
        };
        if let Err(end) = driver.carry_out(talk.as_mut()).await {
            return end;
        }
        if let Some(end) = end {
            return end;
        }
        // Waits are counted on the monotonic clock: the wall clock may jump.
        deadline = talk
            .deadline()
            .map(|at| Instant::now() + std::time::Duration::try_from(at.duration_since(now)).unwrap_or_default());
    }
}

enum Happened {
    Read(usize),
    Deadline,
    End(End),
    Stop,
}

impl Happened {
    fn of(read: Result<std::io::Result<usize>, tokio::time::error::Elapsed>) -> Self {
        match read {
            Ok(Ok(0)) => Self::End(End::Closed),
            Ok(Ok(n)) => Self::Read(n),
            Ok(Err(error)) => Self::End(End::Broken(error)),
            Err(_) => Self::End(End::Silent),
        }
    }
}

/// Takes what already lies in the socket, so that a stop loses nothing the system had received for us.
async fn read_what_came<R: AsyncRead>(
    from: &mut ReadHalf<R>,
    chunk: &mut [u8],
    talk: &mut dyn Conversation,
    clock: &Clock,
) {
    // Bounded, because a peer that never pauses must not keep us from stopping.
    for _ in 0..16 {
        let Ok(Ok(n @ 1..)) = timeout(std::time::Duration::from_millis(1), from.read(chunk)).await else { return };
        talk.receive(clock(), &chunk[..n]);
    }
}

struct Driver<'a, W> {
    to: WriteHalf<W>,
    store: &'a Writer,
    clock: &'a Clock,
    limits: &'a Limits,
    /// Packets on their way into the store.
    unsettled: Vec<Receipt>,
    /// Bytes to write once they are there.
    answers: Vec<u8>,
}

impl<W: AsyncWrite> Driver<'_, W> {
    /// Does everything the conversation wants, in its order.
    async fn carry_out(&mut self, talk: &mut dyn Conversation) -> Result<(), End> {
        while let Some(output) = talk.poll() {
            match output {
                Output::Store(packet) => {
                    let receipt = self.store.append(*packet).await.map_err(End::NotStored)?;
                    self.unsettled.push(receipt);
                    if self.unsettled.len() >= MOST_UNSETTLED {
                        self.settle().await?;
                    }
                }
                Output::Send(bytes) => self.answers.extend_from_slice(&bytes),
                Output::Identify(identity) => {
                    self.settle().await?;
                    let now = (self.clock)();
                    let admitted = self.store.admit(Protocol::Gt06, identity, now).await.map_err(End::NotStored)?;
                    talk.identified(match admitted {
                        Some(device) => Admission::Device(Box::new(device)),
                        None => Admission::Refused,
                    });
                }
                Output::Receipt(receipt) => {
                    self.settle().await?;
                    tracing::debug!(?receipt, "command receipt");
                }
                Output::Close(why) => {
                    self.settle().await?;
                    return Err(End::Asked(why));
                }
            }
        }
        self.settle().await
    }

    /// Waits until everything so far is durable, then writes the answers it has earned.
    async fn settle(&mut self) -> Result<(), End> {
        for receipt in self.unsettled.drain(..) {
            if receipt.durable().await.map_err(End::NotStored)?.refused {
                return Err(End::Asked("the sender was set aside and the policy is strict"));
            }
        }
        if self.answers.is_empty() {
            return Ok(());
        }
        let written = timeout(self.limits.write, async {
            self.to.write_all(&self.answers).await?;
            self.to.flush().await
        })
        .await
        .unwrap_or_else(|_| {
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the device does not read our answers"))
        });
        self.answers.clear();
        written.map_err(End::Broken)
    }
}
