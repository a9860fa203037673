//! GT06 / Concox / Jimi over TCP.

pub mod encode;

use std::ops::Range;

use crate::model::{Command, Profile, Timestamp};
use crate::wire::{Admission, Conversation, Dissection, Line, Output};

/// Explains one frame.
pub fn dissect(_bytes: &[u8], _profile: &Profile, _received: Timestamp) -> Dissection {
    Dissection::default()
}

/// What one connection remembers from frame to frame: who logged in, in which zone and dialect.
#[derive(Debug, Clone, Default)]
pub struct State {}

/// One frame, or one run of bytes between frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where it begins in the buffer.
    pub offset: usize,
    /// Its bytes in the buffer.
    pub bytes: Range<usize>,
    /// Spans inside are relative to the piece.
    pub dissection: Dissection,
}

/// Cuts one buffer into frames and the runs of bytes between them, in order and without a gap, and explains each.
///
/// `state` goes from line to line as one connection would keep it; a fresh one for each buffer lets it stand alone.
pub fn explain(_buffer: &[u8], _profile: &Profile, _state: &mut State, _received: Timestamp) -> Vec<Piece> {
    Vec::new()
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
