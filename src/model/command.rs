//! Commands to devices, from asking to answer.

use super::{DeviceId, PacketId, Timestamp};

/// Row id of a command; also the GT06 server flag that brings the answer back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub i64);

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandState {
    Queued,
    Sent,
    Answered,
    Expired,
    Failed,
}

impl CommandState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Sent, Self::Answered, Self::Expired, Self::Failed];

    /// The word in the store (contract.md §3).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state of a word that [`CommandState::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// How long a command waits for its device unless something else is said, in seconds.
pub const COMMAND_EXPIRES_S: u64 = 600;

/// A command that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    pub device: DeviceId,
    pub text: String,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// Fuel is cut whatever the speed is: the user confirmed it.
    pub forced: bool,
}

/// A command for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub id: CommandId,
    pub device: DeviceId,
    /// The text as the device gets it, `RELAY,1#`.
    pub text: String,
    pub state: CommandState,
    pub created: Timestamp,
    /// Not sent after this moment: nobody wants yesterday's "cut engine" today.
    pub expires: Timestamp,
    pub sent: Option<Timestamp>,
    pub answered: Option<Timestamp>,
    /// What the device answered; of a failed one, why it failed.
    pub answer: Option<String>,
    /// The answer was matched by order, not by the echoed flag.
    pub guessed: bool,
    /// Why it is not sent yet although its device is connected; of one that expired, why it never was.
    pub waits: Option<String>,
    /// The packet that took it out, and the one that brought the answer.
    pub sent_packet: Option<PacketId>,
    pub answer_packet: Option<PacketId>,
}

/// What a command that was taken back has in place of an answer: the store has no state of its own for it.
pub const CANCELLED: &str = "cancelled before it was sent";

impl Command {
    /// True where somebody took it back; it did not fail.
    pub fn cancelled(&self) -> bool {
        self.state == CommandState::Failed && self.answer.as_deref() == Some(CANCELLED)
    }

    /// From sending to answer, in milliseconds.
    pub fn delay_ms(&self) -> Option<i64> {
        Some(self.answered?.as_millisecond() - self.sent?.as_millisecond())
    }
}
