//! Who is connected, and the mailbox of each: commands go to a connection through here.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, mpsc};

use crate::model::{Command, CommandId, DeviceId, Profile};

/// Commands that may lie in one mailbox; more wait in the store.
const MAILBOX: usize = 16;

/// The connected devices. Its lock is never held over an await.
pub(crate) struct Roster {
    list: Mutex<List>,
    /// Somebody came or went.
    changed: Notify,
    /// Called when somebody came or went, so that a window shows it.
    wake: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Debug, Default)]
struct List {
    present: HashMap<DeviceId, Entry>,
    /// Commands that a connection has, until it ends: none goes out twice on a connection, and none on a new one while the old one may
    /// still be sending it.
    handed: HashMap<CommandId, u64>,
    /// Devices that talk with somebody else's server through a tap, the name of that, and over how many connections.
    overheard: HashMap<DeviceId, (Arc<str>, usize)>,
}

#[derive(Debug)]
struct Entry {
    connection: u64,
    /// Boxed: a channel makes room for 32 at once, and there are ten thousand channels, nearly all of them empty for ever.
    mailbox: mpsc::Sender<Box<Errand>>,
    replaced: Arc<AtomicBool>,
}

/// A command that can be sent now.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) command: Command,
    /// As it is now: it says whether the language bytes are wanted.
    pub(super) profile: Profile,
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster").field("list", &self.list).finish_non_exhaustive()
    }
}

impl Roster {
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { list: Mutex::default(), changed: Notify::new(), wake }
    }

    fn tell(&self) {
        self.changed.notify_one();
        (self.wake)();
    }

    /// Enters a device that logged in on `connection`. A connection that the device had before is asked to end: the device has forgotten it.
    pub(super) fn enter(self: &Arc<Self>, device: DeviceId, connection: u64) -> Seat {
        let (mailbox, commands) = mpsc::channel(MAILBOX);
        let replaced = Arc::default();
        let entry = Entry { connection, mailbox, replaced: Arc::clone(&replaced) };
        if let Some(before) = self.list().present.insert(device, entry) {
            // Its mailbox closes with this entry, which its connection hears.
            before.replaced.store(true, Ordering::Release);
        }
        self.tell();
        Seat { roster: Arc::clone(self), device, connection, commands, replaced }
    }

    /// Every device that is connected now.
    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.list().present.keys().copied().collect()
    }

    /// Notes that a device talks with somebody else's server through a tap, for as long as what comes back is kept.
    pub(super) fn overhear(self: &Arc<Self>, device: DeviceId, tap: &Arc<str>) -> Overheard {
        let mut list = self.list();
        let (name, connections) = list.overheard.entry(device).or_insert_with(|| (Arc::clone(tap), 0));
        *name = Arc::clone(tap);
        *connections += 1;
        drop(list);
        self.tell();
        Overheard { roster: Arc::clone(self), device }
    }

    /// Devices that are connected to somebody else's server and not to us, with the tap that they go through.
    pub(super) fn elsewhere(&self) -> Vec<(DeviceId, Arc<str>)> {
        let list = self.list();
        let elsewhere = list.overheard.iter().filter(|(device, _)| !list.present.contains_key(device));
        elsewhere.map(|(device, (tap, _))| (*device, Arc::clone(tap))).collect()
    }

    /// Waits until somebody came or went since the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Puts a command into the mailbox of its device. False where it is not connected, its mailbox is full, or a connection has the
    /// command already.
    pub(super) fn hand(&self, command: &Command, profile: &Profile) -> bool {
        let mut list = self.list();
        if list.handed.contains_key(&command.id) {
            return false;
        }
        let Some(entry) = list.present.get(&command.device) else { return false };
        let connection = entry.connection;
        if entry.mailbox.try_send(Box::new(Errand { command: command.clone(), profile: profile.clone() })).is_err() {
            return false;
        }
        list.handed.insert(command.id, connection);
        true
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // No holder can panic half-way through a change.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection in the roster; dropping it leaves.
#[derive(Debug)]
pub(super) struct Seat {
    roster: Arc<Roster>,
    device: DeviceId,
    connection: u64,
    commands: mpsc::Receiver<Box<Errand>>,
    /// What may still lie in the mailbox is not for this connection.
    replaced: Arc<AtomicBool>,
}

/// What the roster wants of a connection.
#[derive(Debug)]
pub(super) enum Call {
    Send(Box<Errand>),
    /// The device has a newer connection.
    Replaced,
}

impl Seat {
    pub(super) fn device(&self) -> DeviceId {
        self.device
    }

    /// What is wanted next. Safe to drop and ask again, which is done with every read: so there is but one thing to wait for.
    pub(super) async fn next(&mut self) -> Call {
        match self.commands.recv().await {
            Some(errand) if !self.replaced.load(Ordering::Acquire) => Call::Send(errand),
            // Nobody closes a mailbox but who puts another entry in the place of its own.
            Some(_) | None => Call::Replaced,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        {
            let mut list = self.roster.list();
            let own = |entry: &Entry| entry.connection == self.connection;
            if list.present.get(&self.device).is_some_and(own) {
                list.present.remove(&self.device);
            }
            list.handed.retain(|_, connection| *connection != self.connection);
        }
        // What it did not send may go out on another connection now.
        self.roster.tell();
    }
}

/// That a device talks with somebody else's server.
#[derive(Debug)]
pub(super) struct Overheard {
    roster: Arc<Roster>,
    device: DeviceId,
}

impl Overheard {
    pub(super) fn device(&self) -> DeviceId {
        self.device
    }
}

impl Drop for Overheard {
    fn drop(&mut self) {
        {
            let mut list = self.roster.list();
            if let Some((_, connections)) = list.overheard.get_mut(&self.device) {
                *connections -= 1;
                if *connections == 0 {
                    list.overheard.remove(&self.device);
                }
            }
        }
        self.roster.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CommandState, Timestamp};

    fn command(id: i64) -> Command {
        let at = Timestamp::UNIX_EPOCH;
        Command {
            id: CommandId(id),
            device: DeviceId(1),
            text: "WHERE#".into(),
            state: CommandState::Queued,
            created: at,
            expires: at,
            sent: None,
            answered: None,
            answer: None,
            guessed: false,
            waits: None,
            sent_packet: None,
            answer_packet: None,
        }
    }

    fn hand(roster: &Roster, id: i64) -> bool {
        roster.hand(&command(id), &Profile::default())
    }

    #[test]
    fn a_command_is_in_one_hand_only() {
        let roster = Arc::new(Roster::new(Arc::new(|| ())));
        assert!(!hand(&roster, 1), "nobody is there");
        let old = roster.enter(DeviceId(1), 10);
        assert!(hand(&roster, 1));
        assert!(!hand(&roster, 1), "it lies there already");
        let new = roster.enter(DeviceId(1), 11);
        assert!(old.replaced.load(Ordering::Acquire) && !new.replaced.load(Ordering::Acquire));
        assert!(!hand(&roster, 1), "the old connection may still be sending it");
        drop(old);
        assert_eq!(roster.devices(), [DeviceId(1)], "the old one leaves by itself alone");
        assert!(hand(&roster, 1));
        drop(new);
        assert_eq!(roster.devices(), []);
    }

    #[tokio::test]
    async fn who_is_replaced_sends_nothing_more() {
        let roster = Arc::new(Roster::new(Arc::new(|| ())));
        let mut old = roster.enter(DeviceId(1), 10);
        assert!(hand(&roster, 1));
        assert!(matches!(old.next().await, Call::Send(errand) if errand.command.id == CommandId(1)));
        assert!(hand(&roster, 2));
        let mut new = roster.enter(DeviceId(1), 11);
        assert!(matches!(old.next().await, Call::Replaced), "what lies in its mailbox is for the new one");
        assert!(matches!(old.next().await, Call::Replaced));
        drop(old);
        assert!(hand(&roster, 2));
        assert!(matches!(new.next().await, Call::Send(errand) if errand.command.id == CommandId(2)));
    }

    #[test]
    fn a_mailbox_has_a_bound() {
        let roster = Arc::new(Roster::new(Arc::new(|| ())));
        let _seat = roster.enter(DeviceId(1), 1);
        let taken = (0..1000).take_while(|id| hand(&roster, *id)).count();
        assert_eq!(taken, MAILBOX);
    }
}
