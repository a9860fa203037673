//! Stands in for what is built beside this: commands and the clock doctor. It answers that there is nothing.

use super::Backend;
use crate::{
    model::{DeviceId, Profile},
    store::Pending,
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

#[expect(clippy::unused_self, clippy::needless_pass_by_value, reason = "it stands in")]
impl Backend {
    pub fn clock_advice(&self, _device: DeviceId) -> Pending<Option<ClockAdvice>> {
        nothing(None)
    }

    pub fn change_profile(&self, _device: DeviceId, _profile: Profile) -> Pending<Rederived> {
        nothing(Rederived::default())
    }
}
