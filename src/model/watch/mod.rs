//! What is watched for: places, rules, and who is muted; and what fixes say to that. Pure: whoever has positions finds the same events again.

mod judge;
mod place;
pub mod rhythm;
mod rules;

pub use judge::{ASSUMED_ACCURACY_M, Book, Course, LATE_AFTER, Raised, Seen};
pub use place::{Colour, Place, PlaceId, PlaceSpec};
pub use rhythm::Rhythm;
pub use rules::{Battery, Kind, Mute, Mutes, Overspeed, Quiet, RuleBook, Rules};
