//! What was not taken, not kept or not held open, by reason: the words that counters, health panel, `doctor` and log share.

use serde::{Deserialize, Serialize};

/// Something that was not taken, kept or held open, or had to wait, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mishap {
    BadChecksum,
    SenderRefused,
    WrongCredentials,
    NotAMessage,
    TooLarge,
    Compressed,
    NotPost,
    BodySlow,
    BodyBroken,
    NotStored,
    NoiseNotKept,
    NoiseOfOneNotKept,
    ConnectionsFull,
    MadeRoom,
    AcceptFailed,
    QueueFull,
    BodiesFull,
    ClosedByPeer,
    Silent,
    Stranger,
    StrangersJunk,
    Junk,
    Replaced,
    AnswerNotRead,
    Broken,
    HeadSlow,
    HeadTooLarge,
    NoRequest,
    NoHandshake,
    NotRecorded,
    NotPassedOn,
}

/// Under which heading a mishap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MishapKind {
    /// Somebody heard no, or nothing.
    Refused,
    /// Bytes that came are not in the store.
    NotKept,
    /// Somebody had to wait, or could not connect.
    Bound,
    /// A connection ended.
    Closed,
}

impl MishapKind {
    pub const ALL: [Self; 4] = [Self::Refused, Self::NotKept, Self::Bound, Self::Closed];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Refused => "Refused or not answered",
            Self::NotKept => "Not kept",
            Self::Bound => "Held up by a limit",
            Self::Closed => "Connections that ended",
        }
    }
}

/// A row of the table.
struct About {
    mishap: Mishap,
    /// In the file of counters and in JSON.
    key: &'static str,
    title: &'static str,
    kind: MishapKind,
    /// Said in the log when it begins; false where whoever counts it says it, or nobody can do anything about it.
    loud: bool,
}

const fn about(mishap: Mishap, kind: MishapKind, loud: bool, key: &'static str, title: &'static str) -> About {
    About { mishap, key, title, kind, loud }
}

const LOUD: bool = true;
const QUIET: bool = false;

/// Every mishap, in the order of the enum.
const TABLE: [About; Mishap::COUNT] = {
    use MishapKind::{Bound, Closed, NotKept, Refused};
    [
        about(
            Mishap::BadChecksum,
            Refused,
            QUIET,
            "bad_checksum",
            "frames with a wrong checksum, kept and not answered",
        ),
        about(
            Mishap::SenderRefused,
            Refused,
            LOUD,
            "sender_refused",
            "messages of unknown senders, which the policy refuses",
        ),
        about(
            Mishap::WrongCredentials,
            Refused,
            LOUD,
            "wrong_credentials",
            "requests with a wrong or missing password",
        ),
        about(Mishap::NotAMessage, Refused, QUIET, "not_a_message", "bodies that are no OwnTracks message"),
        about(Mishap::TooLarge, Refused, LOUD, "too_large", "bodies over the size limit, of which the start is kept"),
        about(Mishap::Compressed, Refused, QUIET, "compressed", "compressed bodies"),
        about(Mishap::NotPost, Refused, QUIET, "not_post", "requests that are no POST"),
        about(Mishap::BodySlow, Refused, LOUD, "body_slow", "bodies that did not come in time"),
        about(Mishap::BodyBroken, Refused, QUIET, "body_broken", "bodies that broke off"),
        about(
            Mishap::NotStored,
            Refused,
            LOUD,
            "not_stored",
            "messages that could not be stored, so were not answered",
        ),
        about(Mishap::NoiseNotKept, NotKept, LOUD, "noise_not_kept", "pieces of noise beyond what a minute keeps"),
        about(
            Mishap::NoiseOfOneNotKept,
            NotKept,
            LOUD,
            "noise_of_one_not_kept",
            "pieces of noise beyond what a minute keeps from one address",
        ),
        about(
            Mishap::ConnectionsFull,
            Bound,
            LOUD,
            "connections_full",
            "times that all connections of a receiver were taken",
        ),
        about(
            Mishap::MadeRoom,
            Bound,
            QUIET,
            "made_room",
            "connections that said nothing of use and made room for others",
        ),
        about(Mishap::AcceptFailed, Bound, QUIET, "accept_failed", "connections that the system did not let us accept"),
        about(Mishap::QueueFull, Bound, LOUD, "queue_full", "packets that waited for room in the queue"),
        about(Mishap::BodiesFull, Bound, LOUD, "bodies_full", "bodies that waited for room in memory"),
        about(Mishap::ClosedByPeer, Closed, QUIET, "closed_by_peer", "closed by the far end"),
        about(Mishap::Silent, Closed, QUIET, "silent", "silent for too long"),
        about(Mishap::Stranger, Closed, QUIET, "stranger", "no sound frame in the time that a login may take"),
        about(Mishap::StrangersJunk, Closed, QUIET, "strangers_junk", "sent too much without a first sound frame"),
        about(Mishap::Junk, Closed, LOUD, "junk", "sent too much without one sound frame"),
        about(Mishap::Replaced, Closed, QUIET, "replaced", "replaced by a newer one of the same tracker"),
        about(Mishap::AnswerNotRead, Closed, LOUD, "answer_not_read", "did not read our answers in time"),
        about(Mishap::Broken, Closed, QUIET, "broken", "broken off"),
        about(Mishap::HeadSlow, Closed, QUIET, "head_slow", "sent no whole request in time"),
        about(Mishap::HeadTooLarge, Closed, LOUD, "head_too_large", "sent a request head over the limit"),
        about(Mishap::NoRequest, Closed, QUIET, "no_request", "sent something that is no HTTP request"),
        about(Mishap::NoHandshake, Closed, QUIET, "no_handshake", "no TLS handshake"),
        about(
            Mishap::NotRecorded,
            NotKept,
            LOUD,
            "not_recorded",
            "gaps in the record of taps: bytes that were passed on and found no room",
        ),
        about(
            Mishap::NotPassedOn,
            Closed,
            LOUD,
            "not_passed_on",
            "closed because a tap did not reach the other server",
        ),
    ]
};

impl Mishap {
    /// How many there are.
    pub const COUNT: usize = Self::NotPassedOn as usize + 1;

    /// Every one, in the order of the enum.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|about| about.mishap)
    }

    /// Its place in a table of [`Mishap::COUNT`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The word in the file and in JSON.
    pub fn key(self) -> &'static str {
        self.about().key
    }

    /// The one of this word.
    pub fn parse(key: &str) -> Option<Self> {
        TABLE.iter().find(|about| about.key == key).map(|about| about.mishap)
    }

    /// What is counted, in the plural.
    pub fn title(self) -> &'static str {
        self.about().title
    }

    pub fn kind(self) -> MishapKind {
        self.about().kind
    }

    /// True where its beginning is said in the log: somebody may want to do something about it.
    pub fn is_loud(self) -> bool {
        self.about().loud
    }

    fn about(self) -> &'static About {
        &TABLE[self.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_its_words_are_its_own() {
        for (n, mishap) in Mishap::all().enumerate() {
            assert_eq!(mishap.index(), n, "{mishap:?}");
            assert_eq!(Mishap::parse(mishap.key()), Some(mishap));
        }
    }
}
