//! Commands to trackers, from the bytes one looks at before to the receipt.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Backend, Error, Pending};
use crate::{
    ingest::Receivers,
    model::{Command, CommandId, CommandState, DeviceId, NewCommand, Profile, library, library::UserCommand},
    store::{Store, query},
    wire::gt06,
};

impl Backend {
    /// The devices that a command reaches at once, in no order.
    pub fn connected(&self) -> Vec<DeviceId> {
        self.receivers.as_ref().map(Receivers::connected).unwrap_or_default()
    }

    /// The number of the next command that anybody sends; it stands in [`Backend::preview_command`].
    pub fn next_command(&self) -> CommandId {
        self.store.next_command()
    }

    /// The exact bytes of this command if it is the next one that anybody sends: its number stands in them. An error says why it cannot be sent.
    pub fn preview_command(&self, profile: &Profile, text: &str) -> Result<Vec<u8>, String> {
        library::check_text(text, profile.command_language)?;
        gt06::command_bytes(self.store.next_command(), text, profile.command_language)
            .ok_or_else(|| "it does not fit into one frame".to_owned())
    }

    /// Sends a command to a tracker as soon as it is connected, and not later than `patience` from now. What came of it is in [`Backend::commands`]
    /// and, change by change, in [`crate::model::Committed::commands`].
    ///
    /// Refused for a device that is not an adopted GT06 tracker and for a text that cannot be sent. A fuel cut is refused while the vehicle moves or
    /// may be moving, and waits where that turns out only when it is sent ([`Command::waits`]); `forced` sends it all the same. To have a person
    /// confirm what is dangerous ([`library::danger`]) is up to the caller.
    pub fn send_command(&self, device: DeviceId, text: String, patience: Duration, forced: bool) -> Pending<Command> {
        let created = (self.clock)();
        let expires = created.saturating_add(patience).unwrap_or(created);
        self.store.writer().queue_command(NewCommand { device, text, created, expires, forced })
    }

    /// Takes back a command that waits; refused once it is sent.
    pub fn cancel_command(&self, command: CommandId) -> Pending<()> {
        self.store.writer().cancel_command(command)
    }

    /// The newest `limit` commands, oldest first; of one device or of all.
    pub fn commands(&self, device: Option<DeviceId>, limit: usize) -> Pending<Vec<Command>> {
        self.store.reader().read(move |c| query::commands(c, device, limit))
    }

    /// One command.
    pub fn command(&self, id: CommandId) -> Pending<Option<Command>> {
        self.store.reader().read(move |c| query::command(c, id))
    }

    /// Commands that the user added to [`library::LIBRARY`], in the order of their titles.
    pub fn user_commands(&self) -> Pending<Vec<UserCommand>> {
        self.store.reader().read(query::user_commands)
    }

    /// Adds one; the same again is the same row.
    pub fn add_user_command(&self, title: String, text: String) -> Pending<UserCommand> {
        self.store.writer().add_user_command(title, text)
    }

    /// Removes one.
    pub fn remove_user_command(&self, id: i64) -> Pending<()> {
        self.store.writer().remove_user_command(id)
    }
}

/// How often [`wait_for_command`] looks: another process writes what it waits for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Waits until a command needs no more waiting, but not longer than `patience`. For command lines, not for the window and not inside the runtime.
pub fn wait_for_command(store: &Store, mut command: Command, patience: Duration) -> Result<Command, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|_| Error::Closed)?;
    let mut changed = store.commands_changed();
    runtime.block_on(async {
        let end = Instant::now() + patience;
        while matches!(command.state, CommandState::Queued | CommandState::Sent) && Instant::now() < end {
            let look = end.min(Instant::now() + LOOK_EVERY);
            // Late or not, it is looked at.
            timeout_at(look, changed.changed()).await.ok();
            let id = command.id;
            match store.reader().read(move |c| query::command(c, id)).answered().await? {
                Some(now) => command = now,
                // Its device was forgotten.
                None => break,
            }
        }
        Ok(command)
    })
}
