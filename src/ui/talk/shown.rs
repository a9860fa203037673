//! A conversation as it is shown: its packets, and between them where a connection was made and how it ended.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    backend::talk::{Connected, Ended, Ender, Line, Talked},
    model::{Command, Direction, PacketId, PacketRow, Protocol, REPLACED, SILENT, STOPPING, Timestamp},
    ui::{format, panels::dock::related},
};

/// Packets that are held; those that go on arriving push the oldest out.
const MOST_ROWS: usize = 20_000;

/// Connections of which nothing was said that are asked about again, the newest ones: another instance may hold them.
const MOST_UNTOLD: usize = 64;

/// Tells a connection from others.
type Key<'a> = (u64, &'a str);

/// A conversation as it is shown.
pub struct Shown {
    pub line: Line,
    /// Oldest first.
    pub rows: Vec<PacketRow>,
    /// Ids within which all of the line is there.
    pub searched: (PacketId, PacketId),
    /// It has been looked at up to what arrived last, and goes on with what arrives.
    pub follows: bool,
    /// Nothing newer was stored when the newest part was read.
    to_the_end: bool,
    connections: Vec<Connected>,
    /// Commands of these packets.
    commands: Vec<Command>,
    /// It was overheard by somebody else.
    captured: bool,
    pub steps: Vec<Step>,
}

/// A line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A connection begins or ends, with its moment where that is known; or the headers of a request.
    Word { at: Option<Timestamp>, text: String },
    Packet {
        /// Which of the packets.
        at: usize,
        /// Since the packet before on the same connection; of the first one, since the connection was made.
        pause_ms: Option<i64>,
        /// Since the packet that it answers.
        answer_ms: Option<i64>,
        /// What it has to do with a command.
        command: Option<String>,
    },
}

impl Shown {
    pub(super) fn of(talked: Talked, captured: bool) -> Self {
        let Talked { line, rows, searched, to_the_end, connections, commands } = talked;
        let steps = Vec::new();
        let follows = to_the_end;
        let mut shown = Self { line, rows, searched, follows, to_the_end, connections, commands, captured, steps };
        shown.steps = shown.lay_out();
        shown
    }

    /// Joins a part at one of its ends, and takes in what has come since.
    pub(super) fn join(&mut self, more: Talked) {
        let later = more.searched.1 >= self.searched.1;
        self.rows.extend(more.rows);
        self.rows.sort_by_key(|row| row.id);
        self.rows.dedup_by_key(|row| row.id);
        self.searched = (self.searched.0.min(more.searched.0), self.searched.1.max(more.searched.1));
        if later {
            self.to_the_end = more.to_the_end;
            self.follows |= more.to_the_end;
        }
        for newer in more.connections {
            match self.connections.iter_mut().find(|c| c.connection == newer.connection && c.peer == newer.peer) {
                Some(known) => *known = newer,
                None => self.connections.push(newer),
            }
        }
        self.learn_of(&more.commands);
        self.let_go();
        self.steps = self.lay_out();
    }

    /// Takes over what became of commands.
    pub(super) fn learn(&mut self, commands: &[Command]) {
        let of_line = |command: &&Command| self.rows.iter().any(|row| row.device == Some(command.device));
        let ours: Vec<Command> = commands.iter().filter(of_line).cloned().collect();
        if !ours.is_empty() {
            self.learn_of(&ours);
            self.steps = self.lay_out();
        }
    }

    fn learn_of(&mut self, commands: &[Command]) {
        for command in commands {
            match self.commands.iter_mut().find(|known| known.id == command.id) {
                Some(known) => known.clone_from(command),
                None => self.commands.push(command.clone()),
            }
        }
    }

    /// The oldest go where there are too many.
    fn let_go(&mut self) {
        let much = self.rows.len().saturating_sub(MOST_ROWS);
        if much > 0 && self.follows {
            self.rows.drain(..much);
            self.searched.0 = self.rows.first().map_or(self.searched.0, |row| row.id);
        }
    }

    /// Connections that may still end, or have ended without a word so far, and their last packets.
    pub(super) fn open(&self) -> Vec<(u64, Arc<str>, PacketId)> {
        let mut seen: HashSet<Key<'_>> = self.connections.iter().filter(|c| c.ended.is_some()).map(key_of).collect();
        let open: HashSet<Key<'_>> = self.connections.iter().filter(|c| c.ended.is_none()).map(key_of).collect();
        let newest_first = self.rows.iter().rev().filter(|row| seen.insert(key(row)));
        let mut untold = 0;
        let may_end = newest_first.filter(|row| {
            untold += usize::from(!open.contains(&key(row)));
            open.contains(&key(row)) || untold <= MOST_UNTOLD
        });
        may_end.map(|row| (row.connection, Arc::clone(&row.peer), row.id)).collect()
    }

    /// On which line a packet stands.
    pub fn place_of(&self, id: PacketId) -> Option<usize> {
        let row = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.steps.iter().position(|step| matches!(step, Step::Packet { at, .. } if *at == row))
    }

    /// The lines: packets, and where a connection begins and ends.
    fn lay_out(&self) -> Vec<Step> {
        let Self { rows, .. } = self;
        let last: HashMap<Key<'_>, usize> = rows.iter().enumerate().map(|(at, row)| (key(row), at)).collect();
        let known: HashMap<Key<'_>, &Connected> = self.connections.iter().map(|c| (key_of(c), c)).collect();
        let mut steps = Vec::with_capacity(rows.len() + 8);
        let mut begun: HashMap<Key<'_>, &PacketRow> = HashMap::new();
        // Ends that are later than what stands beside them.
        let mut ends: Vec<(&PacketRow, &Ended, Option<Timestamp>)> = Vec::new();
        let mut before: Option<Key<'_>> = None;
        for (at, row) in rows.iter().enumerate() {
            let key = key(row);
            ends.retain(|end| {
                let passed = end.1.at <= row.received;
                if passed {
                    steps.extend(self.end(end.0, end.1, end.2));
                }
                !passed
            });
            let connected = known.get(&key).copied();
            let earlier = begun.insert(key, row);
            if earlier.is_none() {
                steps.push(self.beginning(at == 0, row, connected));
            } else if before != Some(key) {
                steps.push(word(format!("Connection {} again", row.connection)));
            }
            if row.protocol == Protocol::OwnTracks && row.direction == Direction::In {
                let headers = related::headers(row).into_iter().map(|(name, value)| format!("{name}: {value}"));
                let headers = headers.collect::<Vec<_>>().join(" · ");
                steps.extend((!headers.is_empty()).then(|| word(headers)));
            }
            steps.push(self.packet(at, row, earlier, connected));
            before = Some(key);
            // What comes behind the last one that is held is not known, unless there is nothing.
            if last.get(&key) == Some(&at) && (self.to_the_end || at + 1 < rows.len()) {
                match connected {
                    Some(Connected { ended: Some(ended), made, .. }) => ends.push((row, ended, *made)),
                    Some(Connected { ended: None, .. }) if !self.captured => {
                        steps.push(word(format!("Connection {} is open", row.connection)));
                    }
                    _ if self.captured => {
                        let text = format!("The capture does not say how connection {} ended", row.connection);
                        steps.push(word(text));
                    }
                    _ => steps.push(word(format!("How connection {} ended is not recorded", row.connection))),
                }
            }
        }
        steps.extend(ends.into_iter().flat_map(|(row, ended, made)| self.end(row, ended, made)));
        steps
    }

    /// A connection begins with this packet, as far as is known.
    fn beginning(&self, first: bool, row: &PacketRow, connected: Option<&Connected>) -> Step {
        let from = if row.peer.is_empty() { String::new() } else { format!(" from {}", row.peer) };
        let number = row.connection;
        if first && self.searched.0.0 > 1 {
            return word(format!("Connection {number}{from}; Earlier looks for what came before"));
        }
        match connected.and_then(|connected| connected.made) {
            Some(made) => Step::Word { at: Some(made), text: format!("Connected{from} (connection {number})") },
            None if self.captured => word(format!("Connection {number}{from}")),
            None => word(format!("Connection {number}{from}; when it was made is not recorded")),
        }
    }

    /// How a connection ended whose last packet this is; and when, which has a line of its own, so that both have room.
    fn end(&self, last: &PacketRow, ended: &Ended, made: Option<Timestamp>) -> impl Iterator<Item = Step> + use<> {
        let Ended { at, by, why } = ended;
        let why = match (by, why.as_ref()) {
            (_, "") => String::new(),
            (Ender::Us, STOPPING) => ": Wayglass was stopping".to_owned(),
            (Ender::Us, SILENT) => ": it was silent for too long".to_owned(),
            (Ender::Us, REPLACED) => ": the device has a newer one".to_owned(),
            (_, why) => format!(": {why}"),
        };
        let closed = match by {
            Ender::Peer => format!("The device closed it{why}"),
            Ender::Us if self.captured => format!("The server closed it{why}"),
            Ender::Us => format!("We closed it{why}"),
            Ender::Nobody if why.is_empty() => "The connection ended; by whom is not said".to_owned(),
            Ender::Nobody => format!("The connection ended{why}"),
        };
        let since = |then: Timestamp| at.as_millisecond() - then.as_millisecond();
        let after = Some(since(last.received)).filter(|ms| *ms > 0);
        let after = after.map(|ms| format!("{} after the last packet", lasting(ms)));
        let open = made.map(|made| format!("it was open for {}", lasting(since(made))));
        let when = [after, open].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let when = (!when.is_empty()).then(|| word(when));
        [Step::Word { at: Some(*at), text: closed }].into_iter().chain(when)
    }

    fn packet(&self, at: usize, row: &PacketRow, earlier: Option<&PacketRow>, connected: Option<&Connected>) -> Step {
        let since = |then: Timestamp| row.received.as_millisecond() - then.as_millisecond();
        let asked = row.answers.and_then(|id| self.rows.binary_search_by_key(&id, |row| row.id).ok());
        let answer_ms = asked.and_then(|asked| self.rows.get(asked)).map(|asked| since(asked.received));
        let made = || connected.and_then(|connected| connected.made);
        let pause_ms = earlier.map(|earlier| earlier.received).or_else(made).map(since);
        Step::Packet { at, pause_ms, answer_ms, command: self.command(row.id) }
    }

    /// What a packet has to do with a command.
    fn command(&self, id: PacketId) -> Option<String> {
        let took_out = self.commands.iter().find(|command| command.sent_packet == Some(id));
        if let Some(command) = took_out {
            return Some(match (&command.answer, command.delay_ms()) {
                (Some(answer), Some(ms)) => format!("answered after {}: {answer}", lasting(ms)),
                _ => "not answered yet".to_owned(),
            });
        }
        let command = self.commands.iter().find(|command| command.answer_packet == Some(id))?;
        let after = command.delay_ms().map(|ms| format!(" after {}", lasting(ms))).unwrap_or_default();
        let guessed = if command.guessed { ", guessed by order" } else { "" };
        Some(format!("answers {}{after}{guessed}", command.text))
    }
}

fn key(row: &PacketRow) -> Key<'_> {
    (row.connection, row.peer.as_ref())
}

fn key_of(connected: &Connected) -> Key<'_> {
    (connected.connection, connected.peer.as_ref())
}

fn word(text: String) -> Step {
    Step::Word { at: None, text }
}

/// `180 ms`, `4.2 s`, `3 min`.
pub fn lasting(ms: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "below a minute")]
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        _ => format::span(ms / 1_000),
    }
}

#[cfg(test)]
mod tests;
