//! What a commit made true, and what one may ask of the past.

use std::{borrow::Cow, sync::Arc};

use jiff::SignedDuration;

use super::{Command, Device, DeviceId, Fix, PacketId, PacketNote, PacketRow, Readings, Timestamp, Trust};

/// A position as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFix {
    pub id: i64,
    pub device: DeviceId,
    pub fix: Fix,
    pub received: Timestamp,
    pub trust: Trust,
    pub readings: Readings,
    /// The packet whose bytes say so.
    pub packet: PacketId,
}

impl StoredFix {
    /// A fix may be this far ahead of its arrival; beyond it, its time is wrong and it is never the last fix.
    pub(crate) const AHEAD: SignedDuration = SignedDuration::from_hours(24);

    /// Whether this one is the last fix and not `last`: any under a right checksum goes before any under a wrong one, then the
    /// later one counts.
    pub fn replaces(&self, last: &Self) -> bool {
        let rank = |fix: &Self| (fix.trust == Trust::Good, fix.fix.at);
        rank(self) >= rank(last)
    }

    /// False where its time is so far ahead that the clock of the device must be wrong.
    pub fn has_sane_time(&self) -> bool {
        self.fix.at <= self.received.saturating_add(Self::AHEAD).unwrap_or(Timestamp::MAX)
    }
}

/// An event as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub id: i64,
    pub device: DeviceId,
    pub at: Timestamp,
    pub kind: Cow<'static, str>,
    pub attributes: Readings,
    /// The packet that tells of it, or shows it.
    pub packet: PacketId,
    /// Nobody has read it yet.
    pub unread: bool,
}

/// Everything one transaction made true, in the order it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    pub packets: Vec<PacketRow>,
    /// New positions only; a fix that was already there is not here.
    pub fixes: Vec<StoredFix>,
    pub events: Vec<StoredEvent>,
    /// Devices that were made, decided about or renamed.
    pub devices: Vec<Device>,
    /// The newest readings of each device that told some without a new fix, too.
    pub readings: Vec<(DeviceId, Readings)>,
    pub commands: Vec<Command>,
    /// Packets that the bounds removed; what they told stays.
    pub removed: Vec<PacketId>,
    /// Devices whose whole history was found again from their packets: every position and event of theirs may be another.
    pub rederived: Vec<DeviceId>,
    /// Places, rules, who is muted, or which events there are beside those told by packets, changed: ask again.
    pub watch: bool,
    /// What was written about packets, as it is now; an empty note was taken away.
    pub notes: Vec<(PacketId, PacketNote)>,
}

/// What subscribers of the store hear.
#[derive(Debug, Clone)]
pub enum Fact {
    Committed(Arc<Committed>),
    /// Facts were missed, or another process wrote: forget and read again. The database is the truth, the feed a hint.
    Missed,
}

/// A span of time, each end inclusive; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct TimeWindow {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl TimeWindow {
    /// All of history.
    pub const ALL: Self = Self { from: None, to: None };

    /// True where `at` lies within.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|f| f <= at) && self.to.is_none_or(|t| at <= t)
    }
}
