//! What can be asked of the writer. A closed list, so that what a batch committed can be told, logged and tested.

use std::sync::Arc;

use crate::model::{
    Command, CommandId, ConnectionEnd, Device, DeviceId, Direction, Identity, NewCommand, NewPacket, PacketId, Profile,
    Protocol, Timestamp, library::UserCommand,
};
use crate::store::{Answer, Error, Pending};

use super::{
    Step, Stepped, Stored,
    hide::Hide,
    import::{ImportWrite, Imported},
    note::SetNote,
    phones::PhoneWrite,
    watch::WatchWrite,
};

/// Something to write, with the one who waits for it.
pub(in crate::store) enum Write {
    Packet(Ask<Append, Stored>),
    Admit(Ask<Admit, Option<Device>>),
    Add(Ask<Add, Device>),
    Adopt(Ask<Adopt, u64>),
    Ignore(Ask<DeviceId, ()>),
    Reconsider(Ask<DeviceId, ()>),
    Rename(Ask<Rename, ()>),
    SetProfile(Ask<SetProfile, Option<i64>>),
    Profile(Ask<DeviceId, Option<Profile>>),
    Rederive(Ask<Box<Step>, Stepped>),
    Forget(Ask<DeviceId, ()>),
    Hide(Ask<Hide, u64>),
    Note(Ask<SetNote, ()>),
    End(Ask<ConnectionEnd, ()>),
    QueueCommand(Ask<NewCommand, Command>),
    CancelCommand(Ask<CommandId, ()>),
    ExpireCommands(Ask<Timestamp, ()>),
    AddUserCommand(Ask<AddUserCommand, UserCommand>),
    RemoveUserCommand(Ask<i64, ()>),
    NoteCommand(Ask<NoteCommand, Option<Command>>),
    Phone(Ask<PhoneWrite, u64>),
    Import(Ask<ImportWrite, Imported>),
    Watch(Ask<WatchWrite, u64>),
    TakeCommands(Ask<(DeviceId, Timestamp), Vec<Command>>),
}

pub(in crate::store) struct Append {
    pub(super) packet: Box<NewPacket>,
    /// What gave its reports, where a profile has a say in them.
    pub(super) read_with: Option<Arc<Profile>>,
}

pub(in crate::store) struct Admit {
    pub(super) protocol: Protocol,
    pub(super) identity: Identity,
    pub(super) at: Timestamp,
}

pub(in crate::store) struct Add {
    pub(super) protocol: Protocol,
    pub(super) identity: Identity,
    pub(super) name: Option<String>,
}

pub(in crate::store) struct Adopt {
    pub(super) device: DeviceId,
    pub(super) name: Option<String>,
}

pub(in crate::store) struct Rename {
    pub(super) device: DeviceId,
    pub(super) name: Option<String>,
}

pub(in crate::store) struct SetProfile {
    pub(super) device: DeviceId,
    pub(super) profile: Profile,
}

pub(in crate::store) struct AddUserCommand {
    pub(super) title: String,
    pub(super) text: String,
}

pub(in crate::store) struct NoteCommand {
    pub(super) command: CommandId,
    pub(super) progress: Progress,
}

/// How far a command has come. Each goes only from the states that it names, so that nothing is sent twice or after it was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Queued: it is not sent though its device is connected. Says why.
    Waits { why: String },
    /// Queued and not expired: about to be written, so nobody else sends it.
    Sent { at: Timestamp },
    /// Sent: this packet took it out.
    Written { packet: PacketId },
    /// Sent, but not written: its bytes did not get out, so it waits again.
    Returned,
    /// Queued or sent: it cannot be sent. Says why.
    Failed { why: String },
    /// Sent, to this device: its answer. `guessed`: matched by order, not by the echoed flag.
    Answered { by: DeviceId, at: Timestamp, text: String, guessed: bool, packet: Option<PacketId> },
}

/// A question whose answer is known before the commit and given after it.
pub(in crate::store) struct Ask<Q, A> {
    pub(super) question: Q,
    answer: Answer<A>,
    /// What will be answered if the transaction commits.
    outcome: Result<A, Error>,
    /// Its share of the queue's bytes.
    pub(super) cost: u32,
}

impl<Q, A> Ask<Q, A> {
    pub(super) fn pair(question: Q, cost: u32) -> (Self, Pending<A>) {
        let (answer, pending) = Pending::pair();
        (Self { question, answer, outcome: Err(Error::Closed), cost }, pending)
    }

    /// Carries it out within the transaction; an error of SQLite goes up, one of ours is the answer.
    fn apply(&mut self, f: impl FnOnce(&Q) -> rusqlite::Result<Result<A, Error>>) -> rusqlite::Result<()> {
        self.outcome = f(&self.question)?;
        Ok(())
    }
}

/// Calls the same on whatever is asked.
macro_rules! each {
    ($write:expr, $ask:ident => $do:expr) => {
        match $write {
            Write::Packet($ask) => $do,
            Write::Admit($ask) => $do,
            Write::Add($ask) => $do,
            Write::Adopt($ask) => $do,
            Write::Ignore($ask) => $do,
            Write::Reconsider($ask) => $do,
            Write::Rename($ask) => $do,
            Write::SetProfile($ask) => $do,
            Write::Profile($ask) => $do,
            Write::Rederive($ask) => $do,
            Write::Forget($ask) => $do,
            Write::Hide($ask) => $do,
            Write::Note($ask) => $do,
            Write::End($ask) => $do,
            Write::QueueCommand($ask) => $do,
            Write::CancelCommand($ask) => $do,
            Write::ExpireCommands($ask) => $do,
            Write::AddUserCommand($ask) => $do,
            Write::RemoveUserCommand($ask) => $do,
            Write::NoteCommand($ask) => $do,
            Write::Phone($ask) => $do,
            Write::Import($ask) => $do,
            Write::Watch($ask) => $do,
            Write::TakeCommands($ask) => $do,
        }
    };
}

impl Write {
    /// Its share of the queue's bytes.
    pub(in crate::store) fn cost(&self) -> u32 {
        each!(self, ask => ask.cost)
    }

    /// True for a packet that came from a device and was written.
    pub(super) fn received(&self) -> bool {
        match self {
            Self::Packet(ask) => ask.outcome.is_ok() && ask.question.packet.direction == Direction::In,
            _ => false,
        }
    }

    /// The transaction is committed: says what came of it.
    pub(super) fn answer(self) {
        each!(self, ask => ask.answer.give(ask.outcome));
    }

    /// This one could not be written, though others of its batch were.
    pub(super) fn spoil(&mut self, error: Error) {
        each!(self, ask => ask.outcome = Err(error));
    }

    /// Nothing was written.
    pub(super) fn fail(self, error: Error) {
        each!(self, ask => ask.answer.give(Err(error)));
    }

    /// Carries it out within the batch's transaction.
    pub(super) fn apply(&mut self, batch: &mut super::batch::Batch<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Packet(ask) => ask.apply(|q| batch.packet(&q.packet, q.read_with.as_deref()).map(Ok)),
            Self::Admit(ask) => ask.apply(|q| batch.admit(q.protocol, &q.identity, q.at).map(Ok)),
            Self::Add(ask) => ask.apply(|q| batch.add(q.protocol, &q.identity, q.name.as_deref()).map(Ok)),
            Self::Adopt(ask) => ask.apply(|q| batch.adopt(q.device, q.name.as_deref())),
            Self::Ignore(ask) => ask.apply(|device| batch.ignore(*device)),
            Self::Reconsider(ask) => ask.apply(|device| batch.reconsider(*device)),
            Self::Rename(ask) => ask.apply(|q| batch.rename(q.device, q.name.as_deref())),
            Self::SetProfile(ask) => ask.apply(|q| batch.set_profile(q.device, &q.profile)),
            Self::Profile(ask) => ask.apply(|device| Ok(Ok(batch.profile(*device)))),
            Self::Rederive(ask) => ask.apply(|step| batch.rederive(step).map(Ok)),
            Self::Forget(ask) => ask.apply(|device| batch.forget(*device)),
            Self::Hide(ask) => ask.apply(|q| batch.hide(q)),
            Self::Note(ask) => ask.apply(|q| batch.note(q)),
            Self::End(ask) => ask.apply(|q| batch.end(q)),
            Self::QueueCommand(ask) => ask.apply(|q| batch.queue_command(q)),
            Self::CancelCommand(ask) => ask.apply(|id| batch.cancel_command(*id)),
            Self::ExpireCommands(ask) => ask.apply(|now| batch.expire_commands(*now).map(Ok)),
            Self::AddUserCommand(ask) => ask.apply(|q| batch.add_user_command(&q.title, &q.text)),
            Self::RemoveUserCommand(ask) => ask.apply(|id| batch.remove_user_command(*id).map(Ok)),
            Self::NoteCommand(ask) => ask.apply(|q| batch.note_command(q).map(Ok)),
            Self::Phone(ask) => ask.apply(|q| batch.phone(q)),
            Self::Import(ask) => ask.apply(|q| batch.import(q)),
            Self::Watch(ask) => ask.apply(|q| batch.watch(q)),
            Self::TakeCommands(ask) => ask.apply(|(device, now)| batch.take_commands(*device, *now).map(Ok)),
        }
    }
}
