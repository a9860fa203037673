//! Writes down what is said over a connection of a tap, in its own time: whoever talks does not wait for it.
//!
//! While nothing can be stored it holds what it has and tries again, and the tape behind it fills; what has no room there is not recorded. What is
//! stored is stored once: a packet is tried again only where its transaction was taken back.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, sleep, sleep_until},
};

use super::{Running, Site, TapMode, tape::Piece};
use crate::{
    ingest::{LastPacket, roster::Overheard, secrets, strangers::Guest},
    model::{
        Device, DeviceId, Direction, Identity, Mishap, NewPacket, PacketId, Profile, Protocol, Timestamp, Verdict,
    },
    store::{Error, Receipt},
    wire::{
        self, Admission, LOST_BYTES, Line, TAP,
        gt06::{self, OURS, Witness, Witnessed},
    },
};

/// Packets that are stored together at most.
const MOST_UNSETTLED: usize = 256;
/// Stored packets of a tracker whose numbers are remembered, for their answers.
const MOST_KNOWN: usize = 128;
/// Between two tries while nothing can be stored.
const AGAIN: Duration = Duration::from_millis(500);

/// Why the rest of a connection is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    /// It speaks something else.
    Junk,
    /// The policy refuses the tracker, or somebody removed it.
    Refused,
    /// Nothing can be stored any more.
    Store,
}

/// Listens to the tape of one connection.
pub(super) struct Scribe {
    site: Site,
    running: Arc<Running>,
    guest: Arc<Guest>,
    witness: Witness,
    connection: u64,
    /// What is in the store of it.
    last: LastPacket,
    /// The profile that the witness reads with, whose it is, and what [`crate::store::Writer::profiles`] was before it was looked up.
    read_with: Option<(DeviceId, Arc<Profile>, u64)>,
    /// Packets on their way into the store, in order.
    unsettled: Vec<Unsettled>,
    /// The room that they take.
    room: Vec<OwnedSemaphorePermit>,
    /// The numbers of the tracker's packets in the store, by which of them they are.
    known: VecDeque<(u64, PacketId)>,
    /// Bytes that were lost before the next packet.
    lost: u64,
    /// Bytes since the last sound frame, and whether there was one.
    junk: usize,
    is_known: bool,
    refused: bool,
    /// Says that the tracker is connected to somebody else.
    presence: Option<Overheard>,
}

struct Unsettled {
    /// Which of the tracker's packets it is.
    nth: Option<u64>,
    packet: Box<NewPacket>,
    read_with: Option<Arc<Profile>>,
}

impl Scribe {
    pub(super) fn new(site: Site, running: Arc<Running>, guest: Arc<Guest>, line: Line) -> Self {
        Self {
            site,
            running,
            guest,
            connection: line.connection,
            witness: Witness::new(line),
            last: LastPacket::default(),
            read_with: None,
            unsettled: Vec::new(),
            room: Vec::new(),
            known: VecDeque::new(),
            lost: 0,
            junk: 0,
            is_known: false,
            refused: false,
            presence: None,
        }
    }

    /// Writes until the tape ends, and with it the connection.
    pub(super) async fn write(mut self, tape: mpsc::Receiver<Piece>) {
        self.write_down(tape).await;
        self.site.write_end(self.connection, &self.last);
    }

    async fn write_down(&mut self, mut tape: mpsc::Receiver<Piece>) {
        let Err(why) = self.follow(&mut tape).await else { return };
        tracing::debug!(tap = %self.running.name, ?why, "the rest of a connection is passed on and not recorded");
        self.site.tally.count(match why {
            GivenUp::Junk if self.is_known => Mishap::Junk,
            GivenUp::Junk => Mishap::StrangersJunk,
            GivenUp::Refused => Mishap::SenderRefused,
            GivenUp::Store => Mishap::NotRecorded,
        });
        self.rest().await;
        // From here on the ear counts what is not recorded.
        tape.close();
        while let Some(piece) = tape.recv().await {
            self.running.gauge.lost(piece.bytes.len());
        }
    }

    /// What was heard and not told yet: no byte goes without a word.
    async fn rest(&mut self) {
        self.witness.finish((self.site.clock)());
        while let Some(witnessed) = self.witness.poll() {
            match witnessed {
                // Nobody is asked for any more.
                Witnessed::Identify(_) => {
                    self.refused = true;
                    self.witness.identified(Admission::Refused);
                }
                Witnessed::Heard { packet, .. } | Witnessed::Answered { packet, .. } => self.keep(packet, None, None),
            }
        }
        // Why it fails is counted already.
        self.settle().await.ok();
    }

    async fn follow(&mut self, tape: &mut mpsc::Receiver<Piece>) -> Result<(), GivenUp> {
        let mut deadline: Option<(Timestamp, Instant)> = None;
        loop {
            let piece = tokio::select! {
                piece = tape.recv() => piece,
                at = passed(deadline) => {
                    self.witness.expire((self.site.clock)().max(at));
                    self.carry_out().await?;
                    self.settle().await?;
                    deadline = None;
                    continue;
                }
            };
            let Some(piece) = piece else {
                self.witness.finish((self.site.clock)());
                self.carry_out().await?;
                return self.settle().await;
            };
            self.hear(piece).await?;
            // What came meanwhile goes into the same transaction.
            while self.unsettled.len() < MOST_UNSETTLED
                && let Ok(piece) = tape.try_recv()
            {
                self.hear(piece).await?;
            }
            self.settle().await?;
            self.judge()?;
            let kept = deadline.filter(|(before, _)| Some(*before) == self.witness.deadline());
            deadline = kept.or_else(|| {
                let at = self.witness.deadline()?;
                let wait = Duration::try_from(at.duration_since((self.site.clock)())).unwrap_or_default();
                Some((at, Instant::now() + wait))
            });
        }
    }

    async fn hear(&mut self, piece: Piece) -> Result<(), GivenUp> {
        self.take_profile().await?;
        let Piece { at, way, bytes, lost_before, room } = piece;
        self.room.push(room);
        if lost_before > 0 {
            self.witness.interrupted(at);
            self.carry_out().await?;
            self.lost += lost_before;
        }
        match way {
            Direction::In => self.witness.heard(at, &bytes),
            Direction::Out => self.witness.answered(at, &bytes),
        }
        self.carry_out().await
    }

    /// Who speaks something else is passed on all the same, but what it says is no use to anybody here.
    fn judge(&self) -> Result<(), GivenUp> {
        if self.refused {
            return Err(GivenUp::Refused);
        }
        let most = if self.is_known { self.site.limits.junk_bytes } else { self.site.limits.stranger_bytes };
        if self.junk > most { Err(GivenUp::Junk) } else { Ok(()) }
    }

    /// Takes in what was witnessed.
    async fn carry_out(&mut self) -> Result<(), GivenUp> {
        while let Some(witnessed) = self.witness.poll() {
            match witnessed {
                Witnessed::Identify(identity) => self.identify(identity).await?,
                Witnessed::Heard { packet, nth, ours } => {
                    let passes = matches!(*self.running.mode.borrow(), TapMode::Pass { .. });
                    self.keep(packet, Some(nth), ours.as_deref().filter(|_| passes));
                }
                Witnessed::Answered { mut packet, answers } => {
                    if let Some(nth) = answers {
                        packet.answers = self.stored_as(nth).await?;
                    }
                    self.keep(packet, None, None);
                }
            }
            if self.unsettled.len() >= MOST_UNSETTLED {
                self.settle().await?;
            }
        }
        Ok(())
    }

    async fn identify(&mut self, identity: Identity) -> Result<(), GivenUp> {
        self.settle().await?;
        let seen = self.site.store.profiles();
        let admitted = self.admit(identity).await?;
        self.witness.identified(if let Some(device) = admitted {
            self.read_with = Some((device.id, Arc::new(device.profile.clone()), seen));
            if self.presence.as_ref().is_none_or(|presence| presence.device() != device.id) {
                self.presence = Some(self.site.roster.overhear(device.id, &self.running.name));
            }
            Admission::Device(Box::new(device))
        } else {
            self.refused = true;
            Admission::Refused
        });
        Ok(())
    }

    async fn admit(&self, identity: Identity) -> Result<Option<Device>, GivenUp> {
        loop {
            let now = (self.site.clock)();
            match self.site.store.admit(Protocol::Gt06, identity.clone(), now).await {
                Ok(admitted) => return Ok(admitted),
                Err(error) => self.wait_after(&error).await?,
            }
        }
    }

    /// Looks the profile up again where one has changed, before the next bytes are read with it.
    async fn take_profile(&mut self) -> Result<(), GivenUp> {
        let now = self.site.store.profiles();
        let Some((device, known, seen)) = self.read_with.as_mut().filter(|(_, _, seen)| *seen != now) else {
            return Ok(());
        };
        *seen = now;
        // One that cannot be looked up, or is gone, stays as it is.
        if let Ok(Some(profile)) = self.site.store.profile(*device).answered().await
            && profile != **known
        {
            self.witness.set_profile(profile.clone());
            *known = Arc::new(profile);
        }
        Ok(())
    }

    /// Puts a packet among those on their way.
    fn keep(&mut self, mut packet: Box<NewPacket>, nth: Option<u64>, ours: Option<&[u8]>) {
        if self.refused && packet.sender.is_none() && packet.kind != "login" {
            // Of a tracker that the policy refuses no more than its login is kept.
            self.running.gauge.lost(packet.bytes.len());
            return;
        }
        if packet.verdict == Verdict::Error && gt06::is_damaged(&packet.bytes) {
            self.site.tally.count(Mishap::BadChecksum);
        }
        if packet.direction == Direction::In {
            if packet.verdict == Verdict::Error {
                self.junk += packet.bytes.len();
            } else {
                (self.junk, self.is_known) = (0, true);
                self.guest.is_known();
            }
            self.site.wary.look(&self.site.clock, &mut packet);
        }
        if packet.kind == "noise" {
            // A phone that posts to the wrong port, perhaps.
            secrets::mask(&mut packet.bytes);
        }
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            packet.verdict = packet.verdict.max(Verdict::Warn);
        }
        note(&mut packet, &self.running.name, ours, lost);
        let read_with = self.read_with.as_ref().map(|(_, profile, _)| Arc::clone(profile));
        self.unsettled.push(Unsettled { nth, packet, read_with });
    }

    /// Under which number a packet of the tracker is in the store.
    async fn stored_as(&mut self, nth: u64) -> Result<Option<PacketId>, GivenUp> {
        if self.unsettled.iter().any(|unsettled| unsettled.nth == Some(nth)) {
            self.settle().await?;
        }
        Ok(self.known.iter().find(|(n, _)| *n == nth).map(|(_, id)| *id))
    }

    /// Waits until everything so far is in the store; while nothing can be stored, tries again.
    async fn settle(&mut self) -> Result<(), GivenUp> {
        while !self.unsettled.is_empty() {
            let mut on_their_way = Vec::with_capacity(self.unsettled.len());
            for unsettled in std::mem::take(&mut self.unsettled) {
                let receipt = self.append(&unsettled).await;
                on_their_way.push((unsettled, receipt));
            }
            let mut why = None;
            for (unsettled, receipt) in on_their_way {
                let stored = match receipt {
                    Ok(receipt) => receipt.durable().await,
                    Err(error) => Err(error),
                };
                match stored {
                    Ok(stored) => {
                        self.last.note(stored.last);
                        self.refused |= stored.refused;
                        self.running.gauge.recorded();
                        if let Some(nth) = unsettled.nth {
                            self.known.push_back((nth, stored.packet));
                        }
                    }
                    Err(error) if passes(&error) => {
                        why = Some(error);
                        self.unsettled.push(unsettled);
                    }
                    Err(error) => self.lose(&unsettled, &error),
                }
            }
            let surplus = self.known.len().saturating_sub(MOST_KNOWN);
            self.known.drain(..surplus);
            if let Some(why) = why
                && let Err(given_up) = self.wait_after(&why).await
            {
                for unsettled in std::mem::take(&mut self.unsettled) {
                    self.lose(&unsettled, &why);
                }
                return Err(given_up);
            }
        }
        self.room.clear();
        Ok(())
    }

    async fn append(&self, unsettled: &Unsettled) -> Result<Receipt, Error> {
        self.site.store.append_read_with((*unsettled.packet).clone(), unsettled.read_with.clone()).await
    }

    /// This packet will never be in the store.
    fn lose(&mut self, unsettled: &Unsettled, error: &Error) {
        let bytes = unsettled.packet.bytes.len();
        tracing::debug!(tap = %self.running.name, bytes, %error, "not recorded");
        self.running.gauge.lost(bytes);
        if self.lost == 0 {
            self.site.tally.count(Mishap::NotRecorded);
        }
        self.lost += bytes as u64;
    }

    /// A breath before the next try; none where it is no use, or where we are stopping.
    async fn wait_after(&self, error: &Error) -> Result<(), GivenUp> {
        if !passes(error) || self.site.stop.is_cancelled() {
            return Err(GivenUp::Store);
        }
        tokio::select! {
            // Once more, at once.
            () = self.site.stop.cancelled() => {}
            () = sleep(AGAIN) => {}
        }
        Ok(())
    }
}

/// True where the same may be stored later: nothing of it was.
fn passes(error: &Error) -> bool {
    matches!(error, Error::Full | Error::Locked | Error::Busy)
}

/// Adds what is known of a packet beside its bytes.
fn note(packet: &mut NewPacket, tap: &str, ours: Option<&[u8]>, lost: u64) {
    let known = packet.context.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut context = known.unwrap_or_default();
    context.insert(TAP.to_owned(), tap.into());
    if let Some(ours) = ours {
        context.insert(OURS.to_owned(), wire::hex(ours).into());
    }
    if lost > 0 {
        context.insert(LOST_BYTES.to_owned(), lost.into());
    }
    packet.context = Some(Value::Object(context).to_string());
}

/// Waits for the deadline, and says which it was.
async fn passed(deadline: Option<(Timestamp, Instant)>) -> Timestamp {
    match deadline {
        Some((at, instant)) => {
            sleep_until(instant).await;
            at
        }
        None => std::future::pending().await,
    }
}
