//! The only way into the store: a queue with a bound, and one thread that commits what has gathered in it.
//!
//! Self-clocking group commit: the thread takes what was queued while it wrote the last batch, writes that in one transaction, commits, and only
//! then answers. Idle, a packet waits for one fsync; busy, batches grow by themselves. There is no timer to tune.

mod answers;
mod batch;
mod commands;
mod decide;
mod devices;
mod ends;
mod hide;
mod import;
mod log;
mod note;
mod part;
mod phones;
mod quarantine;
mod rederive;
mod retention;
mod slice;
mod steady;
mod tallied;
mod thread;
mod told;
mod trails;
mod watch;
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::{Semaphore, TryAcquireError};

pub(super) use answers::Answers;
pub use import::Imported;
pub use part::Parting;
pub use phones::OpenedPacket;
pub use rederive::{Rederivation, Rederived, Retold, Step, Stepped};
pub(super) use thread::{Shared, Start, WriterThread};
pub use watch::{Judged, NewEvent};
pub(super) use write::Write;

use super::{
    Error, Pending,
    queue::{Queue, Refused},
    tally::Tally,
};
use crate::model::{
    Command, CommandId, Device, DeviceId, HideReason, Identity, Mishap, NewCommand, NewPacket, PacketId, Profile,
    Protocol, Timestamp, library::UserCommand,
};
use hide::Hide;
pub use write::Progress;
use write::{Add, AddUserCommand, Admit, Adopt, Append, Ask, NoteCommand, Rename, SetProfile};

/// Decisions and commands that may wait beside the packets.
const DECISIONS: usize = 1024;

/// What a packet takes of the queue's bytes at least, so that the bytes bound the rows too.
const LEAST_COST: usize = 1024;

/// Whether everything that the writer keeps in memory can be read from a file.
pub(super) fn loads(db: &rusqlite::Connection) -> rusqlite::Result<()> {
    let devices = devices::Devices::load(db)?;
    quarantine::Quarantine::load(db, &devices)?;
    retention::Kept::load(db).map(|_| ())
}

/// Writes into the store. Cheap to clone.
#[derive(Clone)]
pub struct Writer(Role);

#[derive(Clone)]
enum Role {
    /// The instance that receives.
    Receives(Arc<Inlet>),
    /// Beside it: decisions and commands only.
    Decides(Arc<Inlet>),
    LooksOn,
}

/// The queue in front of the writer's thread.
pub(super) struct Inlet {
    pub(super) queue: Queue<Write>,
    /// Bytes that may still be queued.
    pub(super) room: Semaphore,
    /// Those bytes when nothing is queued.
    pub(super) bytes: u32,
    pub(super) tally: Arc<Tally>,
    /// Grows when a profile may have changed.
    profiles: AtomicU64,
    /// We are stopping: nobody waits for long any more.
    hurry: AtomicBool,
}

impl Inlet {
    pub(super) fn new(bytes: usize, tally: Arc<Tally>) -> Self {
        let bytes = u32::try_from(bytes.max(LEAST_COST)).unwrap_or(u32::MAX);
        let rows = bytes as usize / LEAST_COST;
        Self {
            queue: Queue::new(rows + DECISIONS),
            room: Semaphore::new(bytes as usize),
            bytes,
            tally,
            profiles: AtomicU64::new(0),
            hurry: AtomicBool::new(false),
        }
    }

    pub(super) fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
    }

    fn hurries(&self) -> bool {
        self.hurry.load(Ordering::Relaxed)
    }

    /// A profile may have changed: whoever reads packets with one asks for it again.
    fn profiles_changed(&self) {
        self.profiles.fetch_add(1, Ordering::Release);
    }

    pub(super) fn close(&self) {
        self.room.close();
        self.queue.close();
    }

    /// Waits for room, then queues.
    async fn wait_and_push<Q, A>(
        &self,
        question: Q,
        cost: usize,
        write: fn(Ask<Q, A>) -> Write,
    ) -> Result<Pending<A>, Error> {
        // What is larger than all room waits until it is alone.
        let cost = u32::try_from(cost).unwrap_or(u32::MAX).min(self.bytes);
        let permit = match self.room.try_acquire_many(cost) {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(Error::Closed),
            Err(TryAcquireError::NoPermits) => {
                self.tally.count(Mishap::QueueFull);
                self.room.acquire_many(cost).await.map_err(|_| Error::Closed)?
            }
        };
        let (ask, pending) = Ask::pair(question, cost);
        self.queue.push(write(ask)).map_err(|refused| match refused {
            Refused::Closed(_) => Error::Closed,
            Refused::Full(_) => Error::Busy,
        })?;
        // The thread gives the room back, all of a batch at once.
        permit.forget();
        Ok(pending)
    }

    fn push<Q, A>(&self, question: Q, write: fn(Ask<Q, A>) -> Write) -> Pending<A> {
        let (ask, pending) = Ask::pair(question, 0);
        match self.queue.push(write(ask)) {
            Ok(()) => {}
            Err(Refused::Closed(write)) => write.fail(Error::Closed),
            Err(Refused::Full(write)) => write.fail(Error::Busy),
        }
        pending
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub packet: PacketId,
    /// The last row that was written of it: itself, or the last of its replies.
    pub last: PacketId,
    /// Who sent it; `None` where the bytes do not say, and for a refused sender.
    pub device: Option<DeviceId>,
    /// The policy is strict and nobody adopted its sender, or the sender was forgotten while it was connected: its bytes are kept, what they
    /// tell is not, and nothing is answered.
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

impl Writer {
    pub(super) fn receiving(inlet: Arc<Inlet>) -> Self {
        Self(Role::Receives(inlet))
    }

    pub(super) fn deciding(inlet: Arc<Inlet>) -> Self {
        Self(Role::Decides(inlet))
    }

    pub(super) fn looking_on() -> Self {
        Self(Role::LooksOn)
    }

    /// True where every write is refused.
    pub(super) fn looks_on(&self) -> bool {
        matches!(self.0, Role::LooksOn)
    }

    /// Queues a packet, and waits for room where the queue is full. The caller reads no more until then: that is the back-pressure.
    ///
    /// What a sender tells ends up under the device that its identity names. Positions and events are written whatever the device's state is;
    /// the state decides what is shown. Replies go into the same transaction, as packets that answer this one.
    pub async fn append(&self, packet: NewPacket) -> Result<Receipt, Error> {
        self.append_read_with(packet, None).await
    }

    /// As [`Writer::append`], where a profile had a say in the packet's reports. If the device has another one by now, its history will be
    /// found again.
    pub async fn append_read_with(&self, packet: NewPacket, read_with: Option<Arc<Profile>>) -> Result<Receipt, Error> {
        let inlet = self.receiver()?;
        let cost = memory(&packet);
        let append = Append { packet: Box::new(packet), read_with };
        inlet.wait_and_push(append, cost, Write::Packet).await.map(Receipt)
    }

    /// Finds the device of a name, or makes it as the policy says. `None`: the policy is strict and nobody adopted it.
    ///
    /// Under [`crate::model::Policy::Adopt`] a device that was new becomes adopted by this.
    pub async fn admit(&self, protocol: Protocol, identity: Identity, at: Timestamp) -> Result<Option<Device>, Error> {
        let inlet = self.receiver()?;
        inlet.wait_and_push(Admit { protocol, identity, at }, LEAST_COST, Write::Admit).await?.answered().await
    }

    /// Makes an adopted device of this name before it ever sent anything, or adopts the one that is there.
    pub fn add_device(&self, protocol: Protocol, identity: Identity, name: Option<String>) -> Pending<Device> {
        self.push(Add { protocol, identity, name }, Write::Add)
    }

    /// Makes a sender a device; what was kept of it becomes its history. Answers how many positions that is. A name that is given is taken over.
    pub fn try_adopt(&self, device: DeviceId, name: Option<String>) -> Pending<u64> {
        self.push(Adopt { device, name }, Write::Adopt)
    }

    /// From now on the device is answered but not shown. What it sent while it was adopted stays.
    pub fn ignore(&self, device: DeviceId) -> Pending<()> {
        self.push(device, Write::Ignore)
    }

    /// Takes a decision back: the device is a new sender again. What it sent while it was adopted is never held, as after an ignore.
    pub fn reconsider(&self, device: DeviceId) -> Pending<()> {
        self.push(device, Write::Reconsider)
    }

    /// `None` takes the name away.
    pub fn rename(&self, device: DeviceId, name: Option<String>) -> Pending<()> {
        self.push(Rename { device, name }, Write::Rename)
    }

    /// What no packet says about a device. Where its packets mean something else by it, its history is due to be found again (see
    /// [`super::query::rederivations`]), and the answer is the number of this asking.
    pub fn set_profile(&self, device: DeviceId, profile: Profile) -> Pending<Option<i64>> {
        self.push(SetProfile { device, profile }, Write::SetProfile)
    }

    /// Waits until the writer knows what other processes committed before: it looks before whatever it does.
    pub async fn caught_up(&self) -> Result<(), Error> {
        self.profile(DeviceId(0)).answered().await.map(drop)
    }

    /// The profile of a device as it is now; `None` where it is gone.
    pub fn profile(&self, device: DeviceId) -> Pending<Option<Profile>> {
        self.push(device, Write::Profile)
    }

    /// A number that has grown when a profile may have changed since.
    pub fn profiles(&self) -> u64 {
        match &self.0 {
            Role::Receives(inlet) | Role::Decides(inlet) => inlet.profiles.load(Ordering::Acquire),
            Role::LooksOn => 0,
        }
    }

    /// Takes one step of finding a device's history again.
    pub fn rederive(&self, step: Step) -> Pending<Stepped> {
        self.push(Box::new(step), Write::Rederive)
    }

    /// Puts positions out of sight, with the reason; without one, shows them again. Answers how many that changed. Refused for more than 10 000.
    pub fn hide(&self, fixes: Vec<i64>, reason: Option<HideReason>) -> Pending<u64> {
        self.push(Hide { fixes, reason }, Write::Hide)
    }

    /// Removes a device with its packets, positions, events and commands.
    pub fn forget(&self, device: DeviceId) -> Pending<()> {
        self.push(device, Write::Forget)
    }

    /// Writes a command down as queued. Refused for a device that is not an adopted GT06 tracker, for a text that cannot be sent, and, unless it
    /// is forced, for a fuel cut while the vehicle moves or may be moving. A vehicle that is silent now is judged when it comes back.
    pub fn queue_command(&self, command: NewCommand) -> Pending<Command> {
        self.push(command, Write::QueueCommand)
    }

    /// Takes back a command that was not sent yet.
    pub fn cancel_command(&self, command: CommandId) -> Pending<()> {
        self.push(command, Write::CancelCommand)
    }

    /// Marks every command that waits and whose time is over.
    pub fn expire_commands(&self, now: Timestamp) -> Pending<()> {
        self.push(now, Write::ExpireCommands)
    }

    /// Adds a command of the user's to the library; the same again is the same row.
    pub fn add_user_command(&self, title: String, text: String) -> Pending<UserCommand> {
        self.push(AddUserCommand { title, text }, Write::AddUserCommand)
    }

    /// Removes a command of the user's from the library.
    pub fn remove_user_command(&self, id: i64) -> Pending<()> {
        self.push(id, Write::RemoveUserCommand)
    }

    /// Notes how far a command has come. `None`: there is no such command, or it is not in a state from which it comes so far.
    pub fn note_command(&self, command: CommandId, progress: Progress) -> Pending<Option<Command>> {
        self.push(NoteCommand { command, progress }, Write::NoteCommand)
    }

    fn receiver(&self) -> Result<&Inlet, Error> {
        match &self.0 {
            Role::Receives(inlet) => Ok(inlet),
            Role::Decides(_) | Role::LooksOn => Err(Error::ReadOnly),
        }
    }

    fn push<Q, A>(&self, question: Q, write: fn(Ask<Q, A>) -> Write) -> Pending<A> {
        match &self.0 {
            Role::Receives(inlet) | Role::Decides(inlet) => inlet.push(question, write),
            Role::LooksOn => {
                let (answer, pending) = Pending::pair();
                answer.give(Err(Error::ReadOnly));
                pending
            }
        }
    }
}

/// About how many bytes of memory a packet takes while it waits.
fn memory(packet: &NewPacket) -> usize {
    const REPORT: usize = 512;
    let replies: usize = packet.replies.iter().map(|reply| reply.bytes.len() + 64).sum();
    let context = packet.context.as_ref().map_or(0, String::len);
    (packet.bytes.len() + context + replies + packet.reports.len() * REPORT).max(LEAST_COST)
}
