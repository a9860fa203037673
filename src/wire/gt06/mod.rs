//! GT06 / Concox / Jimi over TCP.

use crate::model::{Command, Profile, Timestamp};
use crate::wire::{Admission, Conversation, Dissection, Line, Output};

/// Explains one frame.
pub fn dissect(_bytes: &[u8], _profile: &Profile, _received: Timestamp) -> Dissection {
    Dissection::default()
}

/// Who is talking.
pub struct Session;

impl Session {
    /// A fresh connection.
    pub fn new(_line: Line) -> Self {
        Self
    }
}

impl Conversation for Session {
    fn receive(&mut self, _now: Timestamp, _bytes: &[u8]) {}
    fn identified(&mut self, _admission: Admission) {}
    fn command(&mut self, _now: Timestamp, _command: &Command) {}
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
    fn expire(&mut self, _now: Timestamp) {}
    fn finish(&mut self, _now: Timestamp) {}
    fn poll(&mut self) -> Option<Output> {
        None
    }
}
