//! How a replay went.

use std::io;

use super::{ReplayError, Target, words};
use crate::{
    backend::demo::HttpUrl,
    capture::{Place, Record},
    model::Timestamp,
};

/// Oddities that are told one by one; further ones are counted.
const MOST_TOLD: usize = 20;

/// What was sent, and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tale {
    /// Records of the capture that were gone through: each holds a frame, some, or a part of one; or a body.
    pub taken: u64,
    /// When the last of them was, by the capture.
    pub at: Option<Timestamp>,
    /// Frames and bodies.
    pub sent: u64,
    /// Of these, how many were answered.
    pub answered: u64,
    /// Answered in the capture, and not now.
    pub missing: u64,
    /// Answered otherwise than in the capture.
    pub other: u64,
    /// Not answered where one should have been, and the capture has no answer either.
    pub silent: u64,
    /// Frames of a connection that could not be made, or was closed by the far end.
    pub unsent: u64,
    /// What the capture has of the other protocol, which this target does not take.
    pub others: u64,
    /// What in the capture should carry a packet and does not.
    pub rejects: u64,
    /// The first oddities, in words.
    pub odd: Vec<Odd>,
}

/// One oddity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd(pub String);

impl Tale {
    /// "12 packets sent, 11 answered, 1 answered otherwise".
    pub fn summary(&self) -> String {
        let packets = if self.sent == 1 { "packet" } else { "packets" };
        let mut said = vec![format!("{} {packets} sent", self.sent), format!("{} answered", self.answered)];
        let more = [
            (self.missing, "answered in the capture and not now"),
            (self.other, "answered otherwise"),
            (self.silent, "not answered, in the capture neither"),
            (self.unsent, "not sent"),
            (self.others, "of the other protocol left out"),
            (self.rejects, "unreadable"),
        ];
        said.extend(more.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        said.join(", ")
    }

    /// Why nothing was sent, where nothing was.
    pub fn nothing(&self, to: &Target) -> Option<&'static str> {
        (self.sent == 0).then_some(match to {
            _ if self.others == 0 => "the capture holds nothing that a device sent",
            Target::Gt06(_) => "the capture holds OwnTracks bodies only, which go to http://HOST:PORT",
            Target::OwnTracks(_) => "the capture holds GT06 frames only, which go to HOST:PORT",
        })
    }

    pub(super) fn odd(&mut self, text: String) {
        if self.odd.len() < MOST_TOLD {
            self.odd.push(Odd(text));
        }
    }

    pub(super) fn rejected(&mut self, place: Place, why: &str) {
        self.rejects += 1;
        self.odd(format!("{}: {why}", words(place)));
    }

    pub(super) fn broken(&mut self, connection: u64, place: Place, error: &io::Error) {
        self.unsent += 1;
        self.odd(format!("connection {connection}, {}: not sent: {error}", words(place)));
    }

    /// A body was posted: with what status it was answered.
    pub(super) fn posted(
        &mut self,
        record: &Record,
        url: &HttpUrl,
        answered: io::Result<u16>,
    ) -> Result<(), ReplayError> {
        match answered {
            Ok(status) => {
                self.sent += 1;
                self.answered += 1;
                if status != 200 {
                    self.other += 1;
                    self.odd(format!("{}: answered with {status}", words(record.place)));
                }
            }
            Err(source) if self.sent == 0 => {
                return Err(ReplayError::Connect { address: url.address.clone(), source });
            }
            Err(error) => self.broken(record.connection, record.place, &error),
        }
        Ok(())
    }
}
