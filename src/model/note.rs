//! What a person wrote about a packet.

/// Longest comment, in characters.
pub const MAX_COMMENT_CHARS: usize = 2_000;

/// A mark and a comment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PacketNote {
    pub marked: bool,
    /// Empty where there is none.
    pub comment: String,
}

impl PacketNote {
    /// True where it says nothing.
    pub fn is_empty(&self) -> bool {
        !self.marked && self.comment.is_empty()
    }
}
