//! Stands in for what is built beside this: commands and the clock doctor. It answers that there is nothing.

use std::time::Duration;

use super::Backend;
use crate::{
    model::{Command, CommandId, DeviceId, Profile, library::UserCommand},
    store::{Error, Pending},
};

/// What the clock doctor proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockAdvice {
    /// Seconds to subtract from every device time.
    pub offset_s: i32,
}

/// What came of reading packets again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rederived {
    pub packets: u64,
    pub positions: u64,
    pub changed: u64,
}

fn nothing<T>(answer: T) -> Pending<T> {
    let (give, pending) = Pending::pair();
    give.give(Ok(answer));
    pending
}

fn closed<T>() -> Pending<T> {
    let (give, pending) = Pending::pair();
    give.give(Err(Error::Closed));
    pending
}

#[expect(clippy::unused_self, clippy::needless_pass_by_value, reason = "it stands in")]
impl Backend {
    pub fn connected(&self) -> Vec<DeviceId> {
        Vec::new()
    }

    pub fn commands(&self, _device: Option<DeviceId>, _limit: usize) -> Pending<Vec<Command>> {
        nothing(Vec::new())
    }

    pub fn user_commands(&self) -> Pending<Vec<UserCommand>> {
        nothing(Vec::new())
    }

    pub fn add_user_command(&self, _title: String, _text: String) -> Pending<UserCommand> {
        closed()
    }

    pub fn remove_user_command(&self, _id: i64) -> Pending<()> {
        closed()
    }

    pub fn preview_command(&self, profile: &Profile, text: &str) -> Result<Vec<u8>, String> {
        crate::model::library::check_text(text, profile.command_language)?;
        crate::wire::gt06::encode::command(text, 1, profile.command_language, 1).ok_or_else(|| "too long".to_owned())
    }

    pub fn send_command(
        &self,
        _device: DeviceId,
        _text: String,
        _patience: Duration,
        _forced: bool,
    ) -> Pending<Command> {
        closed()
    }

    pub fn cancel_command(&self, _command: CommandId) -> Pending<()> {
        closed()
    }

    pub fn clock_advice(&self, _device: DeviceId) -> Pending<Option<ClockAdvice>> {
        nothing(None)
    }

    pub fn change_profile(&self, _device: DeviceId, _profile: Profile) -> Pending<Rederived> {
        nothing(Rederived::default())
    }
}
