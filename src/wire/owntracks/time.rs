//! Epoch numbers as phones write them.

use crate::model::Timestamp;

/// Larger numbers count milliseconds (owntracks.md §5).
const MOST_SECONDS: f64 = 1e11;

/// What an epoch number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    Seconds(Timestamp),
    /// It counted milliseconds, which the protocol does not.
    Milliseconds(Timestamp),
    /// Zero, negative, not finite, or beyond the year 9999.
    Unusable,
}

/// Reads an epoch number; fractions of a second are kept to the millisecond.
pub(super) fn epoch(number: f64) -> Epoch {
    let milliseconds = number > MOST_SECONDS;
    let ms = if milliseconds { number } else { number * 1000.0 }.round();
    if !ms.is_finite() || ms < 1.0 {
        return Epoch::Unusable;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 becomes its largest value, which is refused"
    )]
    match Timestamp::from_millisecond(ms as i64) {
        Ok(at) if milliseconds => Epoch::Milliseconds(at),
        Ok(at) => Epoch::Seconds(at),
        Err(_) => Epoch::Unusable,
    }
}
