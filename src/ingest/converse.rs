//! Drives one [`Conversation`] over any byte stream: read, store, and only then answer.

use std::{cell::RefCell, fmt, future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf},
    time::{Instant, sleep_until, timeout},
};

use super::{
    LastPacket, Site,
    roster::{Call, Errand, Seat},
    secrets,
    strangers::{Guest, HeardOut},
};
use crate::{
    model::{
        Clock, CommandId, Device, DeviceId, Direction, Ended, Ender, Mishap, NOT_STORED, PacketId, Profile, Protocol,
        REPLACED, SILENT, STOPPING, Timestamp, UNREAD, Verdict,
    },
    store::{self, Progress, Receipt},
    wire::{self, Admission, Conversation, Output},
};

/// Bytes taken in one read. A frame is at most 65 541 bytes long, nearly all are below 100.
const READ_BYTES: usize = 4096;
/// Packets of one read that may wait for their commit together; a longer read is settled in parts.
const MOST_UNSETTLED: usize = 256;

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum End {
    /// The far end closed.
    Closed,
    /// Said nothing for too long.
    Silent,
    /// Said nothing of use in the time that a login may take.
    Stranger,
    /// Said much, and nothing of use.
    StrangersJunk,
    /// All places were taken, and it had said nothing of use.
    MadeRoom,
    /// The conversation asked for it.
    Asked(&'static str),
    /// Its sender is not taken.
    Refused(&'static str),
    /// The device has a newer connection; this one is half-open, or soon will be.
    Replaced,
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
            Self::Silent => f.write_str(SILENT),
            Self::Stranger => f.write_str("no sound frame in the time that a login may take"),
            Self::StrangersJunk => f.write_str("too much without a first sound frame"),
            Self::MadeRoom => f.write_str("made room for others"),
            Self::Asked(why) | Self::Refused(why) => f.write_str(why),
            Self::Replaced => f.write_str(REPLACED),
            Self::Stopped => f.write_str(STOPPING),
            Self::Broken(error) if error.kind() == std::io::ErrorKind::TimedOut => f.write_str(UNREAD),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::NotStored(error) => write!(f, "{NOT_STORED}: {error}"),
        }
    }
}

impl End {
    /// As it is remembered of the connection.
    pub(super) fn told(&self, at: Timestamp) -> Ended {
        let by = match self {
            Self::Closed => Ender::Peer,
            Self::Broken(error) if error.kind() != std::io::ErrorKind::TimedOut => Ender::Nobody,
            _ => Ender::Us,
        };
        let why = if matches!(self, Self::Closed) { "".into() } else { self.to_string().into() };
        Ended { at, by, why }
    }

    /// Under what it is counted; a stop is none, and who made room is counted where it was asked to.
    pub(super) fn mishap(&self) -> Option<Mishap> {
        Some(match self {
            Self::Closed => Mishap::ClosedByPeer,
            Self::Silent => Mishap::Silent,
            Self::Stranger => Mishap::Stranger,
            Self::StrangersJunk => Mishap::StrangersJunk,
            Self::Asked(_) => Mishap::Junk,
            Self::Refused(_) => Mishap::SenderRefused,
            Self::Replaced => Mishap::Replaced,
            Self::MadeRoom | Self::Stopped => return None,
            Self::Broken(error) if error.kind() == std::io::ErrorKind::TimedOut => Mishap::AnswerNotRead,
            Self::Broken(_) => Mishap::Broken,
            Self::NotStored(_) => Mishap::NotStored,
        })
    }
}

/// Talks until either side ends it. A stop ends it after everything read so far is stored and answered. `last` hears what is stored.
pub(super) async fn converse(
    io: impl AsyncRead + AsyncWrite,
    mut talk: Box<dyn Conversation>,
    connection: u64,
    guest: &Guest,
    site: &Site,
    last: &LastPacket,
) -> End {
    let Site { clock, limits, stop, .. } = site;
    let io = std::pin::pin!(io);
    let (mut from, to) = tokio::io::split(io);
    let mut driver = Driver {
        to,
        site,
        connection,
        seat: None,
        read_with: None,
        unsettled: Vec::new(),
        answers: Vec::new(),
        newest: None,
        last,
        heard: None,
        refused: false,
    };
    let mut deadline: Option<(Timestamp, Instant)> = None;
    let login_by = Instant::now() + limits.login;
    // Made once: to enter and leave the lists of those who wait costs as much as a read. So the timer is only looked at when it has run out.
    let mut stopped = std::pin::pin!(stop.cancelled());
    let mut shown_out = std::pin::pin!(guest.shown_out());
    let mut silence = std::pin::pin!(sleep_until(login_by.min(Instant::now() + limits.idle)));
    let mut received = 0_usize;
    loop {
        let silent_at = driver.heard.map_or(login_by, |heard| heard + limits.idle);
        let happened = tokio::select! {
            biased;
            () = stopped.as_mut() => Happened::Stop,
            () = shown_out.as_mut() => Happened::End(End::MadeRoom),
            call = called(driver.seat.as_mut()) => Happened::Called(call),
            read = read_some(&mut from) => Happened::of(read),
            () = silence.as_mut() => {
                let now = Instant::now();
                if now < silent_at {
                    // Once it says something it may be silent for less long than a stranger.
                    silence.as_mut().reset(silent_at.min(now + limits.idle));
                    continue;
                }
                Happened::End(if driver.heard.is_some() { End::Silent } else { End::Stranger })
            }
            at = passed(deadline) => Happened::Deadline(at),
        };
        let now = clock();
        let end = match happened {
            Happened::Read(bytes) => {
                if let Err(end) = driver.take_profile(talk.as_mut()).await {
                    return end;
                }
                talk.receive(now, &bytes);
                received = received.saturating_add(bytes.len());
                None
            }
            Happened::Deadline(at) => {
                // The wall clock may have been set back meanwhile.
                talk.expire(now.max(at));
                None
            }
            Happened::End(end) => {
                talk.finish(now);
                Some(end)
            }
            Happened::Called(Call::Send(errand)) => {
                if let Err(end) = driver.send(talk.as_mut(), *errand, now).await {
                    return end;
                }
                None
            }
            Happened::Called(Call::Replaced) => {
                read_what_came(&mut from, talk.as_mut(), clock).await;
                talk.finish(now);
                Some(End::Replaced)
            }
            Happened::Stop => {
                read_what_came(&mut from, talk.as_mut(), clock).await;
                talk.finish(now);
                Some(End::Stopped)
            }
        };
        let heard_out = driver.heard.is_none().then(|| guest.heard_out());
        if let Err(end) = driver.carry_out(talk.as_mut()).await {
            return end;
        }
        if let Some(end) = end {
            return end;
        }
        if driver.heard.is_some() {
            heard_out.into_iter().for_each(HeardOut::stays);
        } else if received > limits.stranger_bytes {
            talk.finish(now);
            return driver.carry_out(talk.as_mut()).await.err().unwrap_or(End::StrangersJunk);
        }
        // Waits are counted on the monotonic clock, from when they began: the wall clock may jump.
        let kept = deadline.filter(|(before, _)| Some(*before) == talk.deadline());
        deadline = kept.or_else(|| {
            let at = talk.deadline()?;
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            Some((at, Instant::now() + wait))
        });
    }
}

/// Waits for the deadline, and says which it was.
async fn passed(deadline: Option<(Timestamp, Instant)>) -> Timestamp {
    match deadline {
        Some((at, instant)) => {
            sleep_until(instant).await;
            at
        }
        None => future::pending().await,
    }
}

enum Happened {
    Called(Call),
    Read(Vec<u8>),
    Deadline(Timestamp),
    End(End),
    Stop,
}

impl Happened {
    fn of(read: std::io::Result<Vec<u8>>) -> Self {
        match read {
            Ok(bytes) if bytes.is_empty() => Self::End(End::Closed),
            Ok(bytes) => Self::Read(bytes),
            Err(error) => Self::End(End::Broken(error)),
        }
    }
}

/// What the roster wants, once the device is known.
async fn called(seat: Option<&mut Seat>) -> Call {
    match seat {
        Some(seat) => seat.next().await,
        None => future::pending().await,
    }
}

/// Takes what already lies in the socket, so that a stop loses nothing the system had received for us.
async fn read_what_came<R: AsyncRead>(from: &mut ReadHalf<R>, talk: &mut dyn Conversation, clock: &Clock) {
    // Bounded, because a peer that never pauses must not keep us from stopping.
    for _ in 0..16 {
        let Ok(Ok(bytes)) = timeout(Duration::from_millis(1), read_some(from)).await else { return };
        if bytes.is_empty() {
            return;
        }
        talk.receive(clock(), &bytes);
    }
}

/// Reads what has come; nothing is the end. The room for it is the thread's: with a buffer for each of ten thousand
/// connections, every read would go to memory that the processor has long forgotten.
async fn read_some<R: AsyncRead>(from: &mut ReadHalf<R>) -> std::io::Result<Vec<u8>> {
    thread_local! {
        static ROOM: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
    }
    future::poll_fn(|cx| {
        ROOM.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            Pin::new(&mut *from).poll_read(cx, &mut room).map_ok(|()| room.filled().to_vec())
        })
    })
    .await
}

/// Whose profile a conversation reads with, and when it was looked up.
struct ReadWith {
    device: DeviceId,
    profile: Arc<Profile>,
    /// [`store::Writer::profiles`] before it was looked up.
    seen: u64,
}

impl ReadWith {
    fn of(device: &Device, seen: u64) -> Self {
        Self { device: device.id, profile: Arc::new(device.profile.clone()), seen }
    }
}

struct Driver<'a, W> {
    to: WriteHalf<W>,
    site: &'a Site,
    connection: u64,
    /// In the roster, once the device is known.
    seat: Option<Seat>,
    /// The profile that the conversation reads with.
    read_with: Option<ReadWith>,
    /// Packets on their way into the store.
    unsettled: Vec<Receipt>,
    /// Bytes to write once they are there.
    answers: Vec<u8>,
    /// The packet that was stored last.
    newest: Option<PacketId>,
    /// … and the last row of it.
    last: &'a LastPacket,
    /// When the last frame came that could be read. Junk keeps no connection open, nor do our own commands.
    heard: Option<Instant>,
    /// The store does not take the sender.
    refused: bool,
}

impl<W: AsyncWrite> Driver<'_, W> {
    /// Looks the profile up again where one has changed, before the next bytes are read with it.
    async fn take_profile(&mut self, talk: &mut dyn Conversation) -> Result<(), End> {
        let seen = self.site.store.profiles();
        let Some(read_with) = self.read_with.as_mut().filter(|read_with| read_with.seen != seen) else { return Ok(()) };
        read_with.seen = seen;
        // A device that is gone keeps its profile until its next login.
        let profile = self.site.store.profile(read_with.device).answered().await.map_err(End::NotStored)?;
        if let Some(profile) = profile {
            self.read_with(talk, profile);
        }
        Ok(())
    }

    /// The conversation reads and commands with this profile from now on.
    fn read_with(&mut self, talk: &mut dyn Conversation, profile: Profile) {
        if let Some(read_with) = &mut self.read_with
            && profile != *read_with.profile
        {
            talk.set_profile(profile.clone());
            read_with.profile = Arc::new(profile);
        }
    }

    /// Does everything the conversation wants, in its order.
    async fn carry_out(&mut self, talk: &mut dyn Conversation) -> Result<(), End> {
        while let Some(output) = talk.poll() {
            match output {
                Output::Store(mut packet) => {
                    if packet.verdict == Verdict::Error && wire::gt06::is_damaged(&packet.bytes) {
                        self.site.tally.count(Mishap::BadChecksum);
                    }
                    if packet.direction == Direction::In && packet.verdict != Verdict::Error {
                        self.heard = Some(Instant::now());
                    } else if packet.kind == "noise" {
                        // A phone that posts to the wrong port, perhaps.
                        secrets::mask(&mut packet.bytes);
                    }
                    if packet.direction == Direction::In {
                        self.site.wary.look(&self.site.clock, &mut packet);
                    }
                    let read_with = self.read_with.as_ref().map(|read_with| Arc::clone(&read_with.profile));
                    let appended = self.site.store.append_read_with(*packet, read_with).await;
                    let receipt = appended.map_err(End::NotStored)?;
                    self.unsettled.push(receipt);
                    if self.unsettled.len() >= MOST_UNSETTLED {
                        self.settle().await?;
                    }
                }
                Output::Send(bytes) => self.answers.extend_from_slice(&bytes),
                Output::Identify(identity) => {
                    self.settle().await?;
                    let now = (self.site.clock)();
                    let seen = self.site.store.profiles();
                    let admitted =
                        self.site.store.admit(Protocol::Gt06, identity, now).await.map_err(End::NotStored)?;
                    self.read_with = admitted.as_ref().map(|device| ReadWith::of(device, seen));
                    talk.identified(if let Some(device) = admitted {
                        self.sit_down(device.id);
                        Admission::Device(Box::new(device))
                    } else {
                        self.refused = true;
                        Admission::Refused
                    });
                }
                Output::Receipt(receipt) => {
                    self.settle().await?;
                    self.note(receipt).await;
                }
                Output::Close(why) => {
                    self.settle().await?;
                    return Err(if self.refused { End::Refused(why) } else { End::Asked(why) });
                }
            }
        }
        self.settle().await
    }

    /// Enters the roster. A login again on the same connection keeps its place.
    fn sit_down(&mut self, device: DeviceId) {
        if self.seat.as_ref().is_none_or(|seat| seat.device() != device) {
            // Leaves first where the connection changes hands.
            self.seat = None;
            self.seat = Some(self.site.roster.enter(device, self.connection));
        }
    }

    /// Sends a command from the mailbox, unless it was taken back or its time is over. One that is written is never sent again, even where the
    /// device connects anew without an answer: a restart that was asked for looks just like that.
    async fn send(&mut self, talk: &mut dyn Conversation, errand: Errand, now: Timestamp) -> Result<(), End> {
        let Errand { command, profile } = errand;
        // The store decides who sends it: from here on nobody else does, and nobody takes it back.
        if !self.record(command.id, Progress::Sent { at: now }).await {
            return Ok(());
        }
        self.read_with(talk, profile);
        talk.command(now, &command);
        let carried_out = self.carry_out(talk).await;
        if carried_out.is_err() {
            // A frame that was cut short is none to the device.
            self.record(command.id, Progress::Returned).await;
        }
        carried_out
    }

    async fn note(&mut self, receipt: wire::Receipt) {
        let device = self.seat.as_ref().map(Seat::device);
        let answered =
            |at, text, guessed, packet| device.map(|by| Progress::Answered { by, at, text, guessed, packet });
        let (id, progress) = match receipt {
            wire::Receipt::Sent { id, at: _ } => (id, self.newest.map(|packet| Progress::Written { packet })),
            wire::Receipt::Refused { id, why } => (id, Some(Progress::Failed { why: why.to_owned() })),
            wire::Receipt::Answered { id, at, text, guessed } => (id, answered(at, text, guessed, self.newest)),
            wire::Receipt::AnsweredLate { id, at, text } => (id, answered(at, text, false, self.newest)),
        };
        if let Some(progress) = progress {
            self.record(id, progress).await;
        }
    }

    /// Writes down how far a command has come; false where it does not come so far. A failure is no reason to end the talk.
    async fn record(&self, id: CommandId, progress: Progress) -> bool {
        match self.site.store.note_command(id, progress).answered().await {
            Ok(command) => command.is_some(),
            Err(error) => {
                tracing::warn!(command = id.0, %error, "a receipt could not be written down");
                false
            }
        }
    }

    /// Waits until everything so far is durable, then writes the answers it has earned.
    async fn settle(&mut self) -> Result<(), End> {
        let mut failed = None;
        for receipt in self.unsettled.drain(..) {
            // Those behind one that failed are waited for, too: they may be stored, and then they are the last.
            match receipt.durable().await {
                Ok(stored) => {
                    self.last.note(stored.last);
                    if stored.refused {
                        failed.get_or_insert(End::Refused("the sender was set aside and the policy is strict"));
                    }
                    self.newest = Some(stored.packet);
                }
                Err(error) => {
                    failed.get_or_insert(End::NotStored(error));
                }
            }
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        if self.answers.is_empty() {
            return Ok(());
        }
        let written = timeout(self.site.limits.write, async {
            self.to.write_all(&self.answers).await?;
            self.to.flush().await
        })
        .await
        .unwrap_or_else(|_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, UNREAD)));
        self.answers.clear();
        written.map_err(End::Broken)
    }
}
