//! What is done to a tracker from here: commands, its profile, its clock. Asked of the backend, answered into [`Remote`].

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Action, Data, asks, format, toasts::Toasts};
use crate::{
    backend::{Backend, Error, Pending, Rederived, Rederiving},
    model::{ClockAdvice, Command, CommandId, DeviceId, Profile, Protocol, Timestamp, library::UserCommand},
    wire::{self, Dissection},
};

/// So many packets more, at least, make the clock doctor look again.
const MORE_PACKETS: u64 = 5;
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
    /// Proposals that the user does not want to see again.
    pub dismissed: BTreeSet<(DeviceId, i32)>,
    /// Devices whose packets are being read again under a new profile.
    pub rereads: BTreeMap<DeviceId, Rederiving>,
    /// The number in the bytes that are looked at: once another command took it, they are put together again.
    numbered: Option<CommandId>,
    /// Whose commands are kept.
    of: Option<DeviceId>,
}

/// The bytes of a command that is being put together, or why it cannot be sent.
pub struct Preview {
    pub text: String,
    pub language: bool,
    pub bytes: Result<(Vec<u8>, Dissection), String>,
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

    /// Puts the bytes of a command together, and reads them as the decoder does.
    fn look_at(&mut self, backend: &Backend, text: String, language: bool, now: Timestamp) {
        // Asked before the bytes are made: a number that is taken meanwhile makes them old, never wrong for good.
        self.numbered = Some(backend.next_command());
        let profile = Profile { command_language: language, ..Profile::default() };
        let bytes = backend.preview_command(&profile, &text).map(|bytes| {
            let dissection = wire::dissect(Protocol::Gt06, &bytes, &profile, now);
            (bytes, dissection)
        });
        self.preview = Some(Preview { text, language, bytes });
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
    /// Packets that the device had when the clock doctor was asked.
    advised_by: u64,
    /// Histories are being found again: look how far that is.
    watching: bool,
}

impl Asking {
    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        let Self { commands, mine, mine_read: _, sent, changed, added, profiles, advice, advised_by: _, watching } =
            self;
        commands.is_some()
            || mine.is_some()
            || !sent.is_empty()
            || !changed.is_empty()
            || !added.is_empty()
            || !profiles.is_empty()
            || advice.is_some()
            || *watching
    }

    /// Asks for what the selection wants and the data lack.
    pub(super) fn ask(&mut self, backend: &Backend, data: &mut Data, selected: Option<DeviceId>, now: Timestamp) {
        let remote = &mut data.remote;
        remote.connected = backend.connected().into_iter().collect();
        remote.rereads = backend.rederiving().into_iter().map(|work| (work.device, work)).collect();
        self.watching = !remote.rereads.is_empty();
        // Whoever queued a command, and whatever became of it since: its number is taken.
        if remote.numbered != Some(backend.next_command())
            && let Some(Preview { text, language, bytes: _ }) = remote.preview.take()
        {
            remote.look_at(backend, text, language, now);
        }
        if !self.mine_read {
            self.mine_read = true;
            self.mine = Some(backend.user_commands());
        }
        let tracker = selected.filter(|id| data.devices.get(id).is_some_and(|d| d.device.protocol == Protocol::Gt06));
        let known = selected.filter(|id| data.devices.contains_key(id));
        if remote.of != known {
            remote.of = known;
            remote.commands.clear();
            remote.advice = None;
            self.commands = known.map(|id| (id, backend.commands(Some(id), MAX_COMMANDS)));
            self.advised_by = 0;
        }
        if let Some(overview) = tracker.and_then(|id| data.devices.get(&id))
            && self.advice.is_none()
            && overview.packets >= self.advised_by
            && !self.watching
        {
            let (id, packets) = (overview.device.id, overview.packets);
            // Again when it has told a quarter more: a doctor who is asked all the time only costs.
            self.advised_by = packets + (packets / 4).max(MORE_PACKETS);
            self.advice = Some((id, backend.clock_advice(id)));
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
                data.remote.look_at(backend, text, language, now);
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
            Action::SetProfile(device, profile) => {
                self.profiles.push((device, backend.change_profile(device, profile)));
            }
            Action::SetLook(device, look) => self.profiles.push((device, backend.set_look(device, look))),
            Action::ApplyClock(device, offset_s) => {
                self.profiles.push((device, backend.apply_clock(device, Some(offset_s))));
                data.remote.advice = None;
            }
            Action::DismissClock(device, offset_s) => {
                data.remote.dismissed.insert((device, offset_s));
            }
            _ => {}
        }
    }

    /// Takes in what was answered. Gives the devices whose profile could not be changed.
    pub(super) fn take(&mut self, data: &mut Data, toasts: &mut Toasts) -> Vec<DeviceId> {
        let mut refused = Vec::new();
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
            let name = data.label(device);
            match answer {
                Ok(done) if done.packets > 0 => toasts.info(format!("{name}: {}", rederived(&done))),
                Ok(_) => {}
                Err(error) => {
                    toasts.error(format!("Could not change the profile of {name}: {error}"));
                    refused.push(device);
                }
            }
            self.advised_by = 0;
        }
        if let Some((device, Ok(advice))) = asks::take(&mut self.advice)
            && data.remote.of == Some(device)
        {
            data.remote.advice = advice.map(|advice| (device, advice));
        }
        refused
    }
}

impl Remote {
    /// Histories were found again: what the clock doctor said of them is old.
    pub(super) fn reread(&mut self, devices: &[DeviceId]) {
        self.advice.take_if(|(device, _)| devices.contains(device));
    }
}

/// `1,204 packets read again, 3 of 1,180 positions changed`.
fn rederived(done: &Rederived) -> String {
    let Rederived { packets, positions, changed, unread } = *done;
    let packets = format::counted(packets, "packet", "packets");
    let positions = format::counted(positions, "position", "positions");
    let unread = match unread {
        0 => String::new(),
        n => format!("; {} as they were: their packets are no longer kept", format::count(n)),
    };
    format!("{packets} read again, {} of {positions} changed{unread}", format::count(changed))
}

fn said<T>(toasts: &mut Toasts, what: &str, answer: Result<T, Error>) {
    if let Err(error) = answer {
        toasts.error(format!("Could not {what}: {error}"));
    }
}
