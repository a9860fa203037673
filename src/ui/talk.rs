//! How devices talk: the health of their links, conversations, packets compared, statistics. Asked of the backend, answered into [`Talk`].

use jiff::SignedDuration;

use super::{Data, View, asks, panels::dock::related};
use crate::{
    backend::{
        Backend, Error, Pending,
        talk::{By, Line, Statistics, Talked},
    },
    model::{DeviceId, Direction, PacketId, PacketRow, Protocol, TimeWindow, Timestamp},
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
    /// By which column statistics are sorted, and whether the greatest comes first.
    pub sorted: (Column, bool),
}

impl Default for TalkView {
    fn default() -> Self {
        Self { tab: None, pinned: None, by: By::default(), span: Span::Day, sorted: (Column::Packets, true) }
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
    fn from(self, now: Timestamp) -> Option<Timestamp> {
        let back = |hours| now.checked_sub(SignedDuration::from_hours(hours)).ok();
        match self {
            Self::Hour => back(1),
            Self::Day => back(24),
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
}

/// A conversation as it is shown.
pub struct Shown {
    pub line: Line,
    /// Oldest first.
    pub rows: Vec<PacketRow>,
    /// Ids within which all of the line is there.
    pub searched: (PacketId, PacketId),
    pub steps: Vec<Step>,
}

/// A line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A connection begins or ends, or a header of a request.
    Word(String),
    Packet {
        /// Which of the packets.
        at: usize,
        /// Since the packet before on the same connection.
        pause_ms: Option<i64>,
        /// Since the packet that it answers.
        answer_ms: Option<i64>,
    },
}

impl Shown {
    fn of(talked: Talked) -> Self {
        let Talked { line, rows, searched } = talked;
        let steps = steps(&rows);
        Self { line, rows, searched, steps }
    }

    /// Joins a part at one of its ends, and takes in what has come since.
    fn join(&mut self, more: Talked) {
        self.rows.extend(more.rows);
        self.rows.sort_by_key(|row| row.id);
        self.rows.dedup_by_key(|row| row.id);
        self.searched = (self.searched.0.min(more.searched.0), self.searched.1.max(more.searched.1));
        self.steps = steps(&self.rows);
    }

    /// On which line a packet stands.
    pub fn place_of(&self, id: PacketId) -> Option<usize> {
        let row = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.steps.iter().position(|step| matches!(step, Step::Packet { at, .. } if *at == row))
    }
}

/// The lines of a conversation: its packets, and where a connection begins and ends.
pub fn steps(rows: &[PacketRow]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(rows.len() + 8);
    let mut before: Option<&PacketRow> = None;
    for (at, row) in rows.iter().enumerate() {
        let goes_on = before.filter(|b| b.connection == row.connection && b.peer == row.peer);
        if goes_on.is_none() {
            steps.push(Step::Word(format!("Connection {} from {}", row.connection, row.peer)));
        }
        if row.protocol == Protocol::OwnTracks && row.direction == Direction::In {
            steps.extend(related::headers(row).into_iter().map(|(name, value)| Step::Word(format!("{name}: {value}"))));
        }
        let since = |earlier: &PacketRow| row.received.as_millisecond() - earlier.received.as_millisecond();
        let asked = row.answers.and_then(|id| rows.binary_search_by_key(&id, |row| row.id).ok());
        let answer_ms = asked.and_then(|asked| rows.get(asked)).map(since);
        steps.push(Step::Packet { at, pause_ms: goes_on.map(since), answer_ms });
        before = Some(row);
    }
    steps
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

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    link: Option<(DeviceId, Pending<Link>)>,
    /// Of which device a link was asked for last, when, and how many packets it had.
    linked: Option<(DeviceId, Timestamp, u64)>,
    conversation: Option<Pending<Option<Talked>>>,
    more: Option<Pending<Talked>>,
    pair: Option<Pending<(Option<PacketRow>, Option<PacketRow>)>>,
    statistics: Option<Pending<Statistics>>,
    /// Over which span packets were counted last, when, and how many there were.
    counted: Option<(Span, Timestamp, u64)>,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        self.link.is_some() || self.reading() || self.statistics.is_some()
    }

    fn reading(&self) -> bool {
        self.conversation.is_some() || self.more.is_some() || self.pair.is_some()
    }

    /// Asks for what is shown, and takes what was answered. What it says is to be told the user.
    pub(super) fn look(
        &mut self,
        backend: &Backend,
        data: &mut Data,
        view: &View,
        now: Timestamp,
    ) -> Option<&'static str> {
        self.link(backend, data, view, now);
        self.count(backend, data, view, now);
        let told = self.take(backend, data);
        data.talk.reading = self.reading();
        told
    }

    fn take(&mut self, backend: &Backend, data: &mut Data) -> Option<&'static str> {
        if let Some(answer) = poll(&mut self.conversation) {
            let Ok(Some(talked)) = answer else { return Some("That packet is gone") };
            data.talk.conversation = Some(Shown::of(talked));
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
        self.conversation = Some(backend.conversation(id));
        data.talk.reading = true;
    }

    /// More of it.
    pub(super) fn further(&mut self, backend: &Backend, data: &Data, part: Part) {
        if let Some(Shown { line, searched, .. }) = &data.talk.conversation {
            self.more = Some(backend.more_of_conversation(line.clone(), *searched, part == Part::Earlier));
        }
    }

    pub(super) fn compare(&mut self, backend: &Backend, data: &mut Data, left: PacketId, right: PacketId) {
        data.talk.compared = None;
        data.talk.reading = true;
        self.pair = Some(backend.packet_pair(left, right));
    }

    fn count(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        if let Some(Ok(counted)) = poll(&mut self.statistics) {
            data.talk.statistics = Some(counted);
        }
        if view.talk.tab != Some(Tab::Statistics) || !view.open.dock {
            return;
        }
        let (span, stored) = (view.talk.span, data.stored_packets());
        let stale = self
            .counted
            .is_none_or(|(of, at, n)| of != span || n != stored && now.duration_since(at).as_secs().abs() >= AGAIN_S);
        if stale && (self.statistics.is_none() || self.counted.is_none_or(|(of, ..)| of != span)) {
            self.statistics = Some(backend.statistics(span.from(now), now));
            self.counted = Some((span, now, stored));
        }
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
