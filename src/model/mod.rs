//! The vocabulary: plain data with units in the names, and no behaviour beyond invariants.
//!
//! | word | means |
//! |---|---|
//! | device | a phone or tracker, known by one identity (IMEI, or an OwnTracks topic) |
//! | sender | who sent a packet, before the store has found or made the device |
//! | packet | one frame or body, in or out, exactly as it was on the wire |
//! | report | what one packet told: maybe a fix, readings, events |
//! | fix | where a device was at one moment, as the device measured it |
//! | outlier | a fix that nothing could have reached so fast |
//! | reading | one named value beside the fix: battery, ignition, odometer |
//! | event | something that happened at a moment: an alarm, a region entered |
//! | problem | a doubt about bytes: severity, group, text, and where |
//! | verdict | the worst severity of a packet's problems |
//! | fact | what a commit made true |
//! | import | a batch of positions that a file brought |

mod clock;
mod command;
mod connection;
mod device;
mod fact;
pub mod filter;
mod habit;
mod hidden;
mod import;
mod keep;
mod leap;
pub mod library;
mod look;
mod mishap;
mod note;
mod packet;
mod phone;
mod phone_command;
mod problem;
pub mod reading;
mod report;
mod track;
pub mod watch;

pub use clock::{ClockAdvice, ClockExample, ClockSample, advise};
pub use command::{CANCELLED, COMMAND_EXPIRES_S, Command, CommandId, CommandState, NewCommand};
pub use connection::{
    CLOSED_BY_SERVER, Connected, ConnectionEnd, Ended, Ender, NOT_STORED, REPLACED, SILENT, STOPPING, UNREAD,
};
pub use device::{
    Device, DeviceId, DeviceOverview, DeviceState, Identity, Overviews, Policy, Profile, Upto, imei_check_digit,
};
pub use fact::{Committed, Fact, StoredEvent, StoredFix, TimeWindow};
pub use habit::{AlarmTable, SupplyVoltage};
pub use hidden::{HiddenFix, HideReason};
pub use import::{CountedIn, ImportBatch, ImportId, ImportInto, NewImport, NewRecord, Origin};
pub use keep::{
    FOREVER, Forever, Keep, age_text, bytes_text, parse_age, parse_bytes, parse_forever, parse_size, size_text,
};
pub use leap::{FASTEST_KMH, Leaps, Spot};
pub use look::{DeviceIcon, Look, MAX_GROUPS, MAX_NOTES_CHARS, Tint, group_name, same_group};
pub use mishap::{Mishap, MishapKind};
pub use note::{MAX_COMMENT_CHARS, PacketNote};
pub use packet::{Direction, NewPacket, NewReply, PacketId, PacketRow, Protocol, Sender};
pub use phone::{Card, ClosedPacket, Login, Named, PhoneBook, PhoneRow, Secret, StoredCard};
pub use phone_command::{MOST_PHONE_COMMAND_BYTES, PhoneCommand, Place};
pub use problem::{Group, Problem, Severity, Verdict};
pub use reading::Readings;
pub use report::{AccessPoint, Cell, Event, Fix, Report, Trust};
pub use track::{TrackPoint, Waymark};

/// A moment, UTC. Zones exist only on screen.
pub use jiff::Timestamp;

/// Tells the time. Handed in from `main`; nothing else asks the system, so a test owns time from socket to pixel.
pub type Clock = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;
