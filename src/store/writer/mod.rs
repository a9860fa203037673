//! The only way into the store: a queue with a bound, and one thread that commits what has gathered in it.

use crate::model::{
    Command, CommandId, CommandState, Device, DeviceId, Identity, NewPacket, PacketId, Profile, Protocol, Timestamp,
};

use super::{Error, Pending};

/// Writes into the store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer(());

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub packet: PacketId,
    /// Who sent it; `None` where the bytes do not say, and for a refused sender.
    pub device: Option<DeviceId>,
    /// The policy is strict and nobody adopted its sender: its bytes are kept, what they tell is not, and nothing is answered.
    pub refused: bool,
    /// Positions that were not there before.
    pub new_fixes: usize,
}

/// The promise that a packet will be committed.
#[derive(Debug)]
#[must_use = "only a durable packet may be acknowledged"]
pub struct Receipt(Pending<Stored>);

impl Receipt {
    /// Waits for the commit of the packet and everything it stands for. On an error nothing was stored, and nothing may be acknowledged.
    pub async fn durable(self) -> Result<Stored, Error> {
        self.0.answered().await
    }
}

#[expect(unused_variables, clippy::unused_self, clippy::unused_async, reason = "signatures first")]
impl Writer {
    /// Queues a packet, and waits for room where the queue is full. The caller reads no more until then: that is the back-pressure.
    pub async fn append(&self, packet: NewPacket) -> Result<Receipt, Error> {
        Err(Error::Closed)
    }

    /// Finds the device of a name, or makes it as the policy says. `None`: the policy is strict and nobody adopted it.
    pub async fn admit(&self, protocol: Protocol, identity: Identity, at: Timestamp) -> Result<Option<Device>, Error> {
        Err(Error::Closed)
    }

    /// Makes an adopted device of this name before it ever sent anything, or adopts the one that is there.
    pub fn add_device(&self, protocol: Protocol, identity: Identity, name: Option<String>) -> Pending<Device> {
        Pending::pair().1
    }

    /// Makes a sender a device; what was kept of it becomes its history. Answers how many positions that is. A name that is given is taken over.
    pub fn try_adopt(&self, device: DeviceId, name: Option<String>) -> Pending<u64> {
        Pending::pair().1
    }

    /// From now on the device is answered but not shown. What it sent while it was adopted stays.
    pub fn ignore(&self, device: DeviceId) -> Pending<()> {
        Pending::pair().1
    }

    /// `None` takes the name away.
    pub fn rename(&self, device: DeviceId, name: Option<String>) -> Pending<()> {
        Pending::pair().1
    }

    pub fn set_profile(&self, device: DeviceId, profile: Profile) -> Pending<()> {
        Pending::pair().1
    }

    /// Removes a device with its packets, positions, events and commands.
    pub fn forget(&self, device: DeviceId) -> Pending<()> {
        Pending::pair().1
    }

    /// Writes a command down as queued.
    pub fn queue_command(
        &self,
        device: DeviceId,
        text: String,
        created: Timestamp,
        expires: Timestamp,
    ) -> Pending<Command> {
        Pending::pair().1
    }

    /// Notes how far a command has come: `at` is when it was sent or answered, `guessed` says that its answer was matched by order.
    pub fn command_state(
        &self,
        command: CommandId,
        state: CommandState,
        at: Timestamp,
        answer: Option<String>,
        guessed: bool,
    ) -> Pending<Command> {
        Pending::pair().1
    }
}
