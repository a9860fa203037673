//! Doubts about bytes: how bad, of what sort, in words, and where.

use std::ops::Range;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Note,
    /// A value is doubtful or missing.
    Warn,
    /// The packet cannot be trusted or used.
    Error,
}

impl Severity {
    /// The word in JSON (contract.md §2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What sort of problem it is (contract.md §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Framing,
    Length,
    Checksum,
    Sequence,
    Time,
    Range,
    Undecoded,
    Auth,
    Json,
    Crypto,
}

impl Group {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Length => "length",
            Self::Checksum => "checksum",
            Self::Sequence => "sequence",
            Self::Time => "time",
            Self::Range => "range",
            Self::Undecoded => "undecoded",
            Self::Auth => "auth",
            Self::Json => "json",
            Self::Crypto => "crypto",
        }
    }
}

/// One doubt about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub group: Group,
    /// What was expected and what came, a whole sentence without a full stop.
    pub text: String,
    /// The bytes it is about, as offsets into the packet.
    pub span: Range<usize>,
}

/// The worst of a packet's problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Verdict {
    #[default]
    Ok,
    Note,
    Warn,
    Error,
}

impl Verdict {
    /// The verdict that these problems add up to.
    pub fn of(problems: &[Problem]) -> Self {
        problems.iter().map(|p| Self::from(p.severity)).max().unwrap_or_default()
    }

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The verdict of a word that [`Verdict::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ok, Self::Note, Self::Warn, Self::Error].into_iter().find(|v| v.as_str() == word)
    }
}

impl From<Severity> for Verdict {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Note => Self::Note,
            Severity::Warn => Self::Warn,
            Severity::Error => Self::Error,
        }
    }
}
