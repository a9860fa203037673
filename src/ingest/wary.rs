//! Notices that the clock of this computer was set, and says so with the packet that comes next: the times at which packets were received do
//! not go on from one to the other there.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use jiff::SignedDuration;

use crate::model::{Clock, NewPacket, Timestamp};

/// What the clock may go on differently from time itself between two packets: it is put right little by little all the time.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// Compares the clock with the time that passes.
#[derive(Default)]
pub(crate) struct Wary(Mutex<Option<(Timestamp, Instant)>>);

impl Wary {
    /// Looks at the clock, and notes in the context of this packet if it was set since the packet before.
    pub(super) fn look(&self, clock: &Clock, packet: &mut NewPacket) {
        if let Some(by) = self.set_by(clock(), Instant::now()) {
            tracing::warn!(seconds = by.as_secs(), "the clock of this computer was set, or it slept");
            note(packet, by);
        }
    }

    /// By how much the clock went further than time; `None` where both went on together.
    fn set_by(&self, now: Timestamp, passing: Instant) -> Option<SignedDuration> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace((now, passing));
        let (before, then) = seen?;
        let passed = SignedDuration::try_from(passing.saturating_duration_since(then)).unwrap_or(SignedDuration::MAX);
        let by = now.duration_since(before).saturating_sub(passed);
        (by.abs() > SLACK).then_some(by)
    }
}

/// Adds it to what else is known of a packet.
fn note(packet: &mut NewPacket, by: SignedDuration) {
    use serde_json::{Map, Value};
    let known = packet.context.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut context = known.unwrap_or_default();
    context.insert(crate::wire::CLOCK_SET_S.to_owned(), by.as_secs().into());
    packet.context = Some(Value::Object(context).to_string());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_jump_is_one() {
        let (wary, began) = (Wary::default(), Instant::now());
        let noon = Timestamp::from_second(1_795_262_400).expect("a moment");
        let look = |passed_s: u64, wall_s: i64| {
            let by = wary.set_by(noon + SignedDuration::from_secs(wall_s), began + Duration::from_secs(passed_s));
            by.map(|by| by.as_secs())
        };
        assert_eq!([look(0, 0), look(3600, 3601), look(3700, 3690)], [None; 3]);
        assert_eq!(look(3701, 7291), Some(3600));
        assert_eq!(look(3702, 7292), None, "it is said once");
        assert_eq!(look(3703, 7292 - 315_360_000), Some(-315_360_001));
    }
}
