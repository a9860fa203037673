//! What the user reads as something else: one packet, a connection, or all. Nothing that is stored changes by it.

use std::sync::Arc;

use crate::{
    model::{PacketId, PacketRow, Profile, Protocol},
    wire::{
        Dissection,
        gt06::variants::{Change, changes},
        read_as::ReadAs,
    },
};

/// How far a choice reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Packet(PacketId),
    /// As packets name it.
    Connection(Protocol, u64, Arc<str>),
    /// Everything that is shown: the live picture, or a capture.
    All,
}

impl Scope {
    /// What belongs to a packet, the nearest first.
    pub fn around(row: &PacketRow) -> [Self; 3] {
        [Self::Packet(row.id), Self::Connection(row.protocol, row.connection, Arc::clone(&row.peer)), Self::All]
    }

    /// In menus.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Packet(_) => "this packet",
            Self::Connection(..) => "this connection",
            Self::All => "all packets",
        }
    }
}

/// What is read as something else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOtherwise(Vec<(Scope, ReadAs)>);

impl ReadOtherwise {
    /// What a packet is read as, and by which choice: the nearest counts.
    pub fn of(&self, row: &PacketRow) -> Option<(&Scope, &ReadAs)> {
        let by = |scope: &Scope| self.0.iter().find(|(known, _)| known == scope);
        Scope::around(row).iter().find_map(by).map(|(scope, read_as)| (scope, read_as))
    }

    /// Takes a choice, or takes it back.
    pub fn set(&mut self, scope: Scope, read_as: Option<ReadAs>) {
        self.0.retain(|(known, _)| *known != scope);
        self.0.extend(read_as.map(|read_as| (scope, read_as)));
    }
}

/// How the opened packet is read instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Otherwise {
    pub read_as: ReadAs,
    pub scope: Scope,
    /// The fields that are others than they are else.
    pub changes: Vec<Change>,
}

impl Otherwise {
    /// What a packet says as something else. `usual`: what it says else.
    pub fn of(
        row: &PacketRow,
        profile: &Profile,
        usual: &Dissection,
        (scope, read_as): (&Scope, &ReadAs),
    ) -> (Dissection, Self) {
        let then = read_as.dissect_kept(row, profile);
        let changes = changes(usual, &then);
        (then, Self { read_as: read_as.clone(), scope: scope.clone(), changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Timestamp, Verdict};

    fn row(id: i64, connection: u64) -> PacketRow {
        PacketRow {
            id: PacketId(id),
            received: Timestamp::UNIX_EPOCH,
            protocol: Protocol::Gt06,
            direction: Direction::In,
            peer: "10.0.0.9:1".into(),
            connection,
            device: None,
            kind: "login".into(),
            verdict: Verdict::Ok,
            bytes: Arc::from([]),
            context: None,
            answers: None,
        }
    }

    #[test]
    fn the_nearest_choice_counts_until_it_is_taken_back() {
        let mut chosen = ReadOtherwise::default();
        let (one, two, other) = (row(1, 1), row(2, 1), row(3, 2));
        let [packet, connection, all] = Scope::around(&one);
        chosen.set(all.clone(), Some(ReadAs::OwnTracks));
        chosen.set(connection.clone(), Some(ReadAs::Topin));
        chosen.set(packet.clone(), Some(ReadAs::Gt06));
        let read = |chosen: &ReadOtherwise| [&one, &two, &other].map(|row| chosen.of(row).map(|(_, by)| by.clone()));
        assert_eq!(read(&chosen), [ReadAs::Gt06, ReadAs::Topin, ReadAs::OwnTracks].map(Some));
        chosen.set(packet, None);
        chosen.set(all, None);
        assert_eq!(read(&chosen), [Some(ReadAs::Topin), Some(ReadAs::Topin), None]);
    }
}
