//! OwnTracks over HTTP.

use crate::model::Timestamp;
use crate::wire::Dissection;

/// Explains one body.
pub fn dissect(_bytes: &[u8], _received: Timestamp) -> Dissection {
    Dissection::default()
}
