//! From what a capture holds to packets in a store: each connection is overheard, each body read, and answers are linked.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use super::{Witness, owntracks};
use crate::{
    capture::{Closer, Item, Place, Record},
    ingest::Ends,
    model::{Direction, Ended, Ender, NewPacket, PacketId, Protocol, SILENT, Sender, Timestamp, Verdict},
    store::{Error, Receipt, Writer},
    wire::{Admission, Line, gt06::Witnessed},
};

/// Packets on their way into the store at a time.
const MOST_UNSETTLED: usize = 512;
/// Packets of a connection that an answer may still come to.
const MOST_KNOWN: usize = 128;
/// Connections that are followed at a time; those that were silent for longest are taken for ended.
const MOST_OPEN: usize = 8192;

/// One connection of the capture.
struct Talk {
    witness: Witness,
    line: Line,
    /// Counts what the device sent.
    heard: u64,
    /// Where it was stored.
    known: VecDeque<(u64, PacketId)>,
    /// Requests without an answer yet, and who sent them.
    asked: VecDeque<(u64, Option<Sender>)>,
    touched: u64,
}

/// What brings a capture into a store.
pub(super) struct Filler {
    writer: Writer,
    talks: BTreeMap<u64, Talk>,
    /// When which talk has waited long enough for the rest of something; some have gone on since.
    waiting: BTreeSet<(Timestamp, u64)>,
    unsettled: Vec<(u64, Option<u64>, Receipt)>,
    /// The time that counts where a record tells none.
    time: Timestamp,
    packets: u64,
    connections: u64,
    untimed: u64,
    touched: u64,
    /// How connections ended, where the capture tells.
    ends: Arc<Ends>,
}

impl Filler {
    pub(super) fn new(writer: Writer, base: Timestamp, ends: Arc<Ends>) -> Self {
        Self {
            writer,
            talks: BTreeMap::new(),
            waiting: BTreeSet::new(),
            unsettled: Vec::new(),
            time: base,
            packets: 0,
            connections: 0,
            untimed: 0,
            touched: 0,
            ends,
        }
    }

    /// Packets, connections, records without a time.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        (self.packets, self.connections, self.untimed)
    }

    pub(super) async fn take(&mut self, item: Item) -> Result<(), Error> {
        match item {
            Item::Record(record) => self.record(record).await,
            Item::Closed { connection, at, by } => {
                self.time = at.unwrap_or(self.time);
                self.ends.ended(connection, Ended { at: self.time, by: ender(by), why: why(by).into() });
                self.close(connection).await
            }
            Item::Passed { .. } | Item::Rejected { .. } => Ok(()),
        }
    }

    /// Everything that is unfinished stays so, and is told; waits until all is stored.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        while let Some(connection) = self.talks.keys().next().copied() {
            self.close(connection).await?;
        }
        self.settle().await
    }

    async fn record(&mut self, record: Record) -> Result<(), Error> {
        match record.at {
            Some(at) => self.time = at,
            None => self.untimed += 1,
        }
        self.tell_overdue().await?;
        self.make_room().await?;
        let number = record.connection;
        self.touched += 1;
        if !self.talks.contains_key(&number) {
            self.connections += 1;
            let line = Line { peer: record.peer.clone(), connection: number };
            self.ends.made(number, &line.peer, None);
            let witness = Witness::new(line.clone());
            let (known, asked) = (VecDeque::new(), VecDeque::new());
            self.talks.insert(number, Talk { witness, line, heard: 0, known, asked, touched: 0 });
        }
        let Some(mut talk) = self.talks.remove(&number) else { return Ok(()) };
        talk.touched = self.touched;
        let done = match record.protocol {
            Protocol::Gt06 => self.gt06(&mut talk, record).await,
            Protocol::OwnTracks => self.owntracks(&mut talk, record).await,
        };
        self.talks.insert(number, talk);
        done
    }

    async fn gt06(&mut self, talk: &mut Talk, record: Record) -> Result<(), Error> {
        let now = self.time;
        match record.direction {
            Direction::In => talk.witness.heard(now, &record.bytes),
            Direction::Out => talk.witness.answered(now, &record.bytes),
        }
        self.drain(talk).await?;
        // Lines that say nothing of a connection are buffers of their own, and the rest of a line that was cut does not come.
        let alone = matches!(record.place, Place::Line(_)) && record.peer.is_empty();
        let cut = matches!(record.place, Place::Line(_)) && record.cut.is_some();
        if (alone || cut)
            && let Some(deadline) = talk.witness.deadline()
        {
            talk.witness.expire(deadline);
            self.drain(talk).await?;
        }
        self.waits(talk);
        Ok(())
    }

    fn waits(&mut self, talk: &Talk) {
        self.waiting.extend(talk.witness.deadline().map(|deadline| (deadline, talk.line.connection)));
    }

    /// What has waited long enough for its rest stands where its time was, and not where its connection ends.
    async fn tell_overdue(&mut self) -> Result<(), Error> {
        while let Some(entry) = self.waiting.first().copied().filter(|(deadline, _)| *deadline <= self.time) {
            self.waiting.remove(&entry);
            let (deadline, number) = entry;
            let Some(mut talk) = self.talks.remove(&number) else { continue };
            // What went on since then waits for something else, or for nothing.
            talk.witness.expire(deadline);
            let told = self.drain(&mut talk).await;
            if talk.witness.deadline().is_some_and(|next| next > deadline) {
                self.waits(&talk);
            }
            self.talks.insert(number, talk);
            told?;
        }
        Ok(())
    }

    /// Stores what was witnessed.
    async fn drain(&mut self, talk: &mut Talk) -> Result<(), Error> {
        while let Some(witnessed) = talk.witness.poll() {
            match witnessed {
                Witnessed::Identify(identity) => {
                    let admitted = self.writer.admit(Protocol::Gt06, identity, self.time).await?;
                    talk.witness.identified(match admitted {
                        Some(device) => Admission::Device(Box::new(device)),
                        None => Admission::Refused,
                    });
                }
                Witnessed::Heard { packet, nth, .. } => {
                    self.store(talk, *packet, Some(nth)).await?;
                }
                Witnessed::Answered { mut packet, answers } => {
                    packet.answers = self.stored_as(talk, answers).await?;
                    self.store(talk, *packet, None).await?;
                }
            }
        }
        Ok(())
    }

    async fn owntracks(&mut self, talk: &mut Talk, record: Record) -> Result<(), Error> {
        let now = self.time;
        if record.direction == Direction::Out {
            let asked = talk.asked.pop_front();
            let (nth, sender) = asked.map_or((None, None), |(nth, sender)| (Some(nth), sender));
            let answers = self.stored_as(talk, nth).await?;
            let packet = NewPacket {
                protocol: Protocol::OwnTracks,
                direction: Direction::Out,
                received: now,
                peer: record.peer,
                connection: record.connection,
                sender,
                kind: "reply".into(),
                verdict: Verdict::Ok,
                bytes: record.bytes,
                context: record.context,
                reports: Vec::new(),
                replies: Vec::new(),
                answers,
            };
            return self.store(talk, packet, None).await;
        }
        let told = record.context.as_deref().and_then(|context| serde_json::from_str::<Value>(context).ok());
        let told = |name: &str| told.as_ref().and_then(|told| told.get(name)?.as_str());
        let request = owntracks::Request {
            method: told("method").unwrap_or("POST"),
            path: told("path").unwrap_or_default(),
            query: told("query"),
            limit_user: told("X-Limit-U"),
            limit_device: told("X-Limit-D"),
            basic_user: told("user"),
            body: &record.bytes,
        };
        let packet = owntracks::read(&talk.line, &request, None, now).packet;
        let nth = talk.heard;
        talk.heard += 1;
        if talk.asked.len() == MOST_KNOWN {
            talk.asked.pop_front();
        }
        talk.asked.push_back((nth, packet.sender.clone()));
        self.store(talk, packet, Some(nth)).await
    }

    async fn store(&mut self, talk: &mut Talk, mut packet: NewPacket, nth: Option<u64>) -> Result<(), Error> {
        // What waited for its rest was captured when its last piece was.
        packet.received = packet.received.min(self.time);
        self.packets += 1;
        let receipt = self.writer.append(packet).await?;
        self.unsettled.push((talk.line.connection, nth, receipt));
        if self.unsettled.len() >= MOST_UNSETTLED {
            self.settle_with(Some(talk)).await?;
        }
        Ok(())
    }

    /// Under which id the `nth` packet of the device was stored.
    async fn stored_as(&mut self, talk: &mut Talk, nth: Option<u64>) -> Result<Option<PacketId>, Error> {
        let Some(nth) = nth else { return Ok(None) };
        let known = |talk: &Talk| talk.known.iter().find(|(n, _)| *n == nth).map(|(_, id)| *id);
        if known(talk).is_none() {
            self.settle_with(Some(talk)).await?;
        }
        Ok(known(talk))
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.settle_with(None).await
    }

    /// Waits for everything that is on its way. `own`: the connection that is taken out of the others just now.
    async fn settle_with(&mut self, mut own: Option<&mut Talk>) -> Result<(), Error> {
        for (connection, nth, receipt) in std::mem::take(&mut self.unsettled) {
            let stored = receipt.durable().await?;
            let Some(nth) = nth else { continue };
            let talk = match own.as_deref_mut().filter(|own| own.line.connection == connection) {
                Some(own) => Some(own),
                None => self.talks.get_mut(&connection),
            };
            let Some(talk) = talk else { continue };
            if talk.known.len() == MOST_KNOWN {
                talk.known.pop_front();
            }
            talk.known.push_back((nth, stored.packet));
        }
        Ok(())
    }

    async fn close(&mut self, connection: u64) -> Result<(), Error> {
        let Some(mut talk) = self.talks.remove(&connection) else { return Ok(()) };
        talk.witness.finish(self.time);
        self.drain(&mut talk).await
    }

    async fn make_room(&mut self) -> Result<(), Error> {
        if self.talks.len() < MOST_OPEN {
            return Ok(());
        }
        let mut open: Vec<(u64, u64)> = self.talks.iter().map(|(number, talk)| (talk.touched, *number)).collect();
        open.sort_unstable();
        for (_, number) in open.into_iter().take(MOST_OPEN / 4) {
            self.close(number).await?;
        }
        Ok(())
    }
}

fn ender(by: Closer) -> Ender {
    match by {
        Closer::Device => Ender::Peer,
        Closer::Server | Closer::Silence => Ender::Us,
        Closer::Unsaid => Ender::Nobody,
    }
}

fn why(by: Closer) -> &'static str {
    if by == Closer::Silence { SILENT } else { "" }
}
