//! Positions that were put out of sight. Nothing is deleted: the row stays, and with it the bytes that told it.

use super::{DeviceId, PacketId, Timestamp};

/// Why a position is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HideReason {
    /// Somebody pointed at it.
    Hand,
    /// The rule for outliers said so, and somebody agreed.
    Outlier,
}

impl HideReason {
    pub const ALL: [Self; 2] = [Self::Hand, Self::Outlier];

    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Outlier => "outlier",
        }
    }

    /// The reason of a word that [`HideReason::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// As a person reads it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Hand => "hidden by hand",
            Self::Outlier => "hidden as an outlier",
        }
    }
}

/// A position that is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenFix {
    /// Row id of the position.
    pub fix: i64,
    pub device: DeviceId,
    pub packet: PacketId,
    /// When it was measured.
    pub at: Timestamp,
    pub reason: HideReason,
    /// When it was hidden.
    pub hidden: Timestamp,
}
