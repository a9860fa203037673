//! What is done to a tracker from here: commands, its profile, its clock. Asked of the backend, answered into [`Remote`].

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Action, Data, asks, format, toasts::Toasts};
use crate::{
    backend::{Backend, ClockAdvice, Error, Pending, Rederived},
    model::{
        Command, CommandId, CommandState, DeviceId, Direction, PacketId, PacketRow, Profile, Protocol, Timestamp,
        library::UserCommand,
    },
    wire::{self, Dissection},
};

/// Receipts that are kept of the selected device.
const MAX_COMMANDS: usize = 100;

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Remote {
    /// Devices that a command reaches at once.
    pub connected: BTreeSet<DeviceId>,
    /// Commands of the selected device, newest first.
    pub commands: Vec<Command>,
    /// Commands that the user added to the library.
    pub mine: Vec<UserCommand>,
    pub preview: Option<Preview>,
    /// What the clock doctor proposes for the selected device.
    pub advice: Option<(DeviceId, ClockAdvice)>,
    /// Devices whose packets are read again under a new profile, or were since the window opened.
    pub rereads: BTreeMap<DeviceId, Reread>,
    /// Whose commands are kept.
    of: Option<DeviceId>,
}

/// The bytes of a command that is being put together, or why it cannot be sent.
pub struct Preview {
    pub text: String,
    pub language: bool,
    pub bytes: Result<(Vec<u8>, Dissection), String>,
}

/// How the reading of a device's packets under its new profile fares.
#[derive(Debug, Clone, PartialEq)]
pub enum Reread {
    Running,
    Done(Rederived),
    Failed(String),
}

impl Remote {
    /// Takes over what a commit told of commands.
    pub(super) fn learn(&mut self, commands: &[Command]) {
        let ours = commands.iter().filter(|command| Some(command.device) == self.of);
        for command in ours {
            match self.commands.iter_mut().find(|known| known.id == command.id) {
                Some(known) => known.clone_from(command),
                None => self.commands.push(command.clone()),
            }
        }
        self.commands.sort_by_key(|command| Reverse(command.id));
        self.commands.truncate(MAX_COMMANDS);
    }

    /// Takes over what the store has; what a fact told meanwhile is newer.
    fn load(&mut self, commands: Vec<Command>) {
        let told = std::mem::replace(&mut self.commands, commands);
        self.learn(&told);
    }

    /// The bytes of a command, and how the decoder reads them.
    fn preview(backend: &Backend, text: String, language: bool, now: Timestamp) -> Preview {
        let profile = Profile { command_language: language, ..Profile::default() };
        let bytes = backend.preview_command(&profile, &text).map(|bytes| {
            let dissection = wire::dissect(Protocol::Gt06, &bytes, &profile, now);
            (bytes, dissection)
        });
        Preview { text, language, bytes }
    }
}

impl Data {
    /// The packet that took the command out, or else brought its answer, where the list still has one of them.
    pub fn packet_of(&self, id: CommandId) -> Option<PacketId> {
        let command = self.remote.commands.iter().find(|command| command.id == id)?;
        let of = |direction: Direction, kind: &str, at: Option<Timestamp>| {
            let at = at?;
            let fits = |row: &&PacketRow| {
                row.device == Some(command.device)
                    && row.direction == direction
                    && row.kind == kind
                    && row.received == at
            };
            self.packets.iter().rev().find(fits).map(|row| row.id)
        };
        let answer = || of(Direction::In, "answer", command.answered);
        match command.state {
            CommandState::Answered => answer().or_else(|| of(Direction::Out, "command", command.sent)),
            CommandState::Queued | CommandState::Sent | CommandState::Expired | CommandState::Failed => {
                of(Direction::Out, "command", command.sent)
            }
        }
    }
}

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    commands: Option<(DeviceId, Pending<Vec<Command>>)>,
    mine: Option<Pending<Vec<UserCommand>>>,
    /// Own commands were read, and are to be read again when one comes or goes.
    mine_read: bool,
    sent: Vec<(DeviceId, Pending<Command>)>,
    changed: Vec<(&'static str, Pending<()>)>,
    added: Vec<((), Pending<UserCommand>)>,
    profiles: Vec<(DeviceId, Pending<Rederived>)>,
    advice: Option<(DeviceId, Pending<Option<ClockAdvice>>)>,
}

impl Asking {
    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        let Self { commands, mine, mine_read: _, sent, changed, added, profiles, advice } = self;
        commands.is_some()
            || mine.is_some()
            || !sent.is_empty()
            || !changed.is_empty()
            || !added.is_empty()
            || !profiles.is_empty()
            || advice.is_some()
    }

    /// Asks for what the selection wants and the data lack.
    pub(super) fn ask(&mut self, backend: &Backend, data: &mut Data, selected: Option<DeviceId>) {
        let remote = &mut data.remote;
        remote.connected = backend.connected().into_iter().collect();
        if !self.mine_read {
            self.mine_read = true;
            self.mine = Some(backend.user_commands());
        }
        let tracker = selected.filter(|id| data.devices.get(id).is_some_and(|d| d.device.protocol == Protocol::Gt06));
        if remote.of != tracker {
            remote.of = tracker;
            remote.commands.clear();
            remote.advice = None;
            self.commands = tracker.map(|id| (id, backend.commands(Some(id), MAX_COMMANDS)));
            self.advice = tracker.map(|id| (id, backend.clock_advice(id)));
        }
    }

    /// Everything is read again: something was missed.
    pub(super) fn read_again(&mut self, data: &mut Data) {
        self.mine_read = false;
        data.remote.of = None;
    }

    /// Does what was asked for; anything else is none of its business.
    pub(super) fn carry_out(&mut self, backend: &Backend, data: &mut Data, action: Action, now: Timestamp) {
        match action {
            Action::PreviewCommand { text, language } => {
                data.remote.preview = Some(Remote::preview(backend, text, language, now));
            }
            Action::SendCommand { device, text, patience, forced } => {
                self.sent.push((device, backend.send_command(device, text, patience, forced)));
            }
            Action::CancelCommand(command) => {
                self.changed.push(("take the command back", backend.cancel_command(command)));
            }
            Action::AddUserCommand { title, text } => {
                self.added.push(((), backend.add_user_command(title, text)));
            }
            Action::RemoveUserCommand(id) => {
                self.changed.push(("remove your command", backend.remove_user_command(id)));
            }
            Action::SetProfile(device, profile) => self.set_profile(backend, data, device, profile),
            _ => {}
        }
    }

    fn set_profile(&mut self, backend: &Backend, data: &mut Data, device: DeviceId, profile: Profile) {
        let same = data.devices.get(&device).is_some_and(|known| known.device.profile.reads_like(&profile));
        if !same {
            data.remote.rereads.insert(device, Reread::Running);
        }
        self.profiles.push((device, backend.change_profile(device, profile)));
    }

    /// Takes in what was answered.
    pub(super) fn take(&mut self, backend: &Backend, data: &mut Data, toasts: &mut Toasts) {
        if let Some((device, Ok(commands))) = asks::take(&mut self.commands)
            && data.remote.of == Some(device)
        {
            data.remote.load(commands);
        }
        if let Some(answer) = self.mine.as_mut().and_then(Pending::poll) {
            self.mine = None;
            data.remote.mine = answer.unwrap_or_default();
        }
        for (device, answer) in asks::take_answered(&mut self.sent) {
            if let Err(error) = answer {
                toasts.error(format!("Not sent to {}: {error}", data.label(device)));
            }
        }
        for (what, answer) in asks::take_answered(&mut self.changed) {
            self.mine_read = false;
            said(toasts, what, answer);
        }
        for ((), answer) in asks::take_answered(&mut self.added) {
            self.mine_read = false;
            said(toasts, "keep your command", answer);
        }
        for (device, answer) in asks::take_answered(&mut self.profiles) {
            self.profile_set(backend, data, toasts, device, answer);
        }
        if let Some((device, Ok(advice))) = asks::take(&mut self.advice)
            && data.remote.of == Some(device)
        {
            data.remote.advice = advice.map(|advice| (device, advice));
        }
    }

    fn profile_set(
        &mut self,
        backend: &Backend,
        data: &mut Data,
        toasts: &mut Toasts,
        device: DeviceId,
        answer: Result<Rederived, Error>,
    ) {
        let name = data.label(device).to_owned();
        match answer {
            Ok(done) => {
                if let Some(reread) = data.remote.rereads.get_mut(&device) {
                    toasts.info(format!("{name}: {}", rederived(&done)));
                    *reread = Reread::Done(done);
                }
            }
            Err(error) => {
                toasts.error(format!("Could not change the profile of {name}: {error}"));
                data.remote.rereads.insert(device, Reread::Failed(error.to_string()));
            }
        }
        if data.remote.of == Some(device) {
            data.remote.advice = None;
            self.advice = Some((device, backend.clock_advice(device)));
        }
    }
}

/// `1,180 positions, 3 changed`.
pub(super) fn rederived(done: &Rederived) -> String {
    let changed = if done.changed == 0 { "none".to_owned() } else { format::count(done.changed) };
    format!("{}, {changed} changed", format::counted(done.positions, "position", "positions"))
}

fn said<T>(toasts: &mut Toasts, what: &str, answer: Result<T, Error>) {
    if let Err(error) = answer {
        toasts.error(format!("Could not {what}: {error}"));
    }
}
