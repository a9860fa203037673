//! How devices talk: the health of their links, conversations, packets compared, statistics. Asked of the backend, answered into [`Talk`].

mod counting;
mod shown;

use jiff::SignedDuration;

pub use self::shown::{Shown, Step, lasting};
use super::{Data, View, asks, filter::Sieve};
use crate::{
    backend::{
        Backend, Error, Pending,
        talk::{By, Statistics, Talked},
    },
    model::{Command, DeviceId, PacketId, PacketRow, TimeWindow, Timestamp},
    track::link::Link,
    wire::{
        Dissection,
        diff::{Comparison, compare},
    },
};

/// So much before it was last heard is looked at.
const LINK_SPAN: SignedDuration = SignedDuration::from_hours(24);
/// Between two looks at the same link, or two counts of everything, in seconds.
const AGAIN_S: i64 = 20;

/// What may stand where the packets are else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Conversation,
    Compare,
    Statistics,
}

impl Tab {
    /// Every one, in the order they stand in.
    pub const ALL: [Self; 3] = [Self::Conversation, Self::Compare, Self::Statistics];

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Conversation => "Conversation",
            Self::Compare => "Compare",
            Self::Statistics => "Statistics",
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalkView {
    /// `None`: packets, or events.
    pub tab: Option<Tab>,
    /// Waits for another packet to be compared with.
    pub pinned: Option<PacketId>,
    pub by: By,
    pub span: Span,
    /// Only what is listed is counted, where the list is filtered.
    pub listed: bool,
    /// By which column statistics are sorted, and whether the greatest comes first.
    pub sorted: (Column, bool),
}

impl Default for TalkView {
    fn default() -> Self {
        Self {
            tab: None,
            pinned: None,
            by: By::default(),
            span: Span::Day,
            listed: true,
            sorted: (Column::Packets, true),
        }
    }
}

/// How far back is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Hour,
    Day,
    All,
}

impl Span {
    /// How far that is back; `None`: everything.
    fn back(self) -> Option<SignedDuration> {
        match self {
            Self::Hour => Some(SignedDuration::from_hours(1)),
            Self::Day => Some(SignedDuration::from_hours(24)),
            Self::All => None,
        }
    }
}

/// A column of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    What,
    Packets,
    Share,
    Rate,
    Sizes,
    Time,
}

impl Column {
    /// Every column, from left to right.
    pub const ALL: [Self; 6] = [Self::What, Self::Packets, Self::Share, Self::Rate, Self::Sizes, Self::Time];

    /// What stands above it.
    pub fn title(self) -> &'static str {
        match self {
            Self::What => "What",
            Self::Packets => "Packets",
            Self::Share => "Share",
            Self::Rate => "Rate",
            Self::Sizes => "Bytes",
            Self::Time => "Over time",
        }
    }
}

/// What a click may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TalkAction {
    Show(Option<Tab>),
    /// Show the conversation around this packet.
    Follow(PacketId),
    /// More of the conversation that is shown.
    More(Part),
    /// The packet that was followed has been scrolled to.
    Arrived,
    /// Keep the selected packet to be compared, or compare it with the one that is kept.
    Pin,
    Compare(PacketId, PacketId),
    /// Count packets; over another span where one is named.
    Count(Option<Span>),
    CountBy(By),
    /// Count only what is listed; else everything.
    CountListed(bool),
    Sort(Column, bool),
}

/// An end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Earlier,
    Later,
}

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Talk {
    /// How the link of the selected device fares.
    pub link: Option<(DeviceId, Link)>,
    pub conversation: Option<Shown>,
    /// The packet that the conversation is to show.
    pub goal: Option<PacketId>,
    /// It has not been scrolled to.
    pub fresh: bool,
    /// Something of it is on its way.
    pub reading: bool,
    pub compared: Option<Compared>,
    pub statistics: Option<Statistics>,
    /// How many packets the count has looked at so far, of how many.
    pub counting: Option<(u64, u64)>,
    /// What the list is filtered by, where it is by something.
    pub listed: Option<String>,
}

/// Two packets and how they differ.
pub struct Compared {
    pub left: (PacketRow, Dissection),
    pub right: (PacketRow, Dissection),
    pub comparison: Comparison,
}

impl Compared {
    fn of(left: (PacketRow, Dissection), right: (PacketRow, Dissection)) -> Self {
        let comparison = compare((&left.1, &left.0.bytes), (&right.1, &right.0.bytes));
        Self { left, right, comparison }
    }
}

impl Talk {
    /// Takes over what a commit told of commands.
    pub(super) fn learn(&mut self, commands: &[Command]) {
        if let Some(shown) = self.conversation.as_mut().filter(|_| !commands.is_empty()) {
            shown.learn(commands);
        }
    }
}

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    link: Option<(DeviceId, Pending<Link>)>,
    /// Of which device a link was asked for last, when, and how many packets it had.
    linked: Option<(DeviceId, Timestamp, u64)>,
    conversation: Option<Pending<Option<Talked>>>,
    more: Option<Pending<Talked>>,
    /// [`Backend::connections_changed`] when the conversation was asked for.
    connections_seen: u64,
    /// Something was missed, the end of a connection perhaps: where another instance receives, nothing else tells of it.
    missed: bool,
    pair: Option<Pending<(Option<PacketRow>, Option<PacketRow>)>>,
    counts: counting::Asking,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        self.link.is_some() || self.reading() || self.counts.waiting()
    }

    fn reading(&self) -> bool {
        self.conversation.is_some() || self.more.is_some() || self.pair.is_some()
    }

    /// Asks for what is shown, and takes what was answered. What it says is to be told the user. `listed`: what the list is filtered by, where it
    /// is by something.
    pub(super) fn look(
        &mut self,
        backend: &Backend,
        data: &mut Data,
        (view, now): (&View, Timestamp),
        listed: Option<Sieve>,
    ) -> Option<&'static str> {
        self.link(backend, data, view, now);
        self.counts.look(backend, data, (view, now), listed);
        self.go_on(backend, data, view);
        let told = self.take(backend, data);
        data.talk.reading = self.reading();
        told
    }

    fn take(&mut self, backend: &Backend, data: &mut Data) -> Option<&'static str> {
        if let Some(answer) = poll(&mut self.conversation) {
            let Ok(Some(talked)) = answer else { return Some("That packet is gone") };
            data.talk.conversation = Some(Shown::of(talked, data.station.capture.is_some()));
        }
        if let Some(Ok(more)) = poll(&mut self.more)
            && let Some(shown) = data.talk.conversation.as_mut().filter(|shown| shown.line == more.line)
        {
            shown.join(more);
        }
        if let Some(answer) = poll(&mut self.pair) {
            let Ok((Some(left), Some(right))) = answer else { return Some("One of the two packets is gone") };
            let open = |row: PacketRow| {
                let profile = row.device.and_then(|id| data.devices.get(&id)).map(|d| d.device.profile.clone());
                let dissection = backend.dissect(&row, &profile.unwrap_or_default());
                (row, dissection)
            };
            let compared = Compared::of(open(left), open(right));
            data.talk.compared = Some(compared);
        }
        None
    }

    /// The conversation around a packet.
    pub(super) fn follow(&mut self, backend: &Backend, data: &mut Data, id: PacketId) {
        self.more = None;
        data.talk.conversation = None;
        (data.talk.goal, data.talk.fresh) = (Some(id), true);
        self.connections_seen = backend.connections_changed();
        self.conversation = Some(backend.conversation(id));
        data.talk.reading = true;
    }

    /// What is shown may have changed without a word.
    pub(super) fn read_again(&mut self) {
        self.missed = true;
    }

    /// A conversation that is shown grows with what arrives.
    fn go_on(&mut self, backend: &Backend, data: &Data, view: &View) {
        let shown = view.talk.tab == Some(Tab::Conversation) && view.open.dock;
        let Some(talk) = data.talk.conversation.as_ref().filter(|talk| shown && talk.follows) else { return };
        let news = data.newest_packet() > Some(talk.searched.1);
        if !self.reading() && (news || self.missed || backend.connections_changed() != self.connections_seen) {
            self.further(backend, data, Part::Later);
        }
    }

    /// More of it.
    pub(super) fn further(&mut self, backend: &Backend, data: &Data, part: Part) {
        if let Some(shown @ Shown { line, searched, .. }) = &data.talk.conversation {
            let before = part == Part::Earlier;
            self.missed = false;
            self.connections_seen = backend.connections_changed();
            self.more = Some(backend.more_of_conversation(line.clone(), *searched, before, shown.open()));
        }
    }

    pub(super) fn compare(&mut self, backend: &Backend, data: &mut Data, left: PacketId, right: PacketId) {
        data.talk.compared = None;
        data.talk.reading = true;
        self.pair = Some(backend.packet_pair(left, right));
    }

    fn link(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        if let Some((device, Ok(link))) = asks::take(&mut self.link) {
            data.talk.link = Some((device, link));
        }
        let shown = view.selection.device.filter(|_| view.open.details).and_then(|id| data.devices.get(&id));
        let Some(overview) = shown else { return };
        let (device, packets) = (overview.device.id, overview.packets);
        let stale = self.linked.is_none_or(|(of, at, n)| {
            of != device || n != packets && now.duration_since(at).as_secs().abs() >= AGAIN_S
        });
        if stale && (self.link.is_none() || self.linked.is_none_or(|(of, ..)| of != device)) {
            let from = overview.device.last_heard.and_then(|last| last.checked_sub(LINK_SPAN).ok());
            self.link = Some((device, backend.link(device, TimeWindow { from, to: None })));
            self.linked = Some((device, now, packets));
        }
    }
}

/// The answer of a question, once.
fn poll<T>(asked: &mut Option<Pending<T>>) -> Option<Result<T, Error>> {
    let answer = asked.as_mut()?.poll()?;
    *asked = None;
    Some(answer)
}
