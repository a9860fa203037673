//! OwnTracks over HTTP: one request is one packet, and there is no conversation (owntracks.md).
//!
//! | module | holds |
//! |---|---|
//! | `scan` | JSON with the place of every value |
//! | `object` | one object, asked by name |
//! | `location`, `event`, `message` | what the messages tell |
//! | `secretbox` | encryption |
//! | `body` | one body: nothing, a message, an array, an encrypted one of these |
//! | `fields`, `keys` | the tree that the inspector shows |
//! | `identity`, `request` | who sent it, and what a request becomes |
//! | `refused` | why a request was refused, and what bytes are that are none |

mod body;
mod event;
mod fields;
mod findings;
mod identity;
mod keys;
mod location;
mod message;
mod object;
mod refused;
mod request;
mod scan;
mod secretbox;
mod time;

pub use identity::{Rule, is_generic};
pub use location::fix_key;
pub use refused::{NOISE, dissect_refused};
pub use request::{
    Exchange, Incoming, Request, answer, called, claims, dissect_kept, fitting, read, receive, refusal, reopen, reread,
};
pub use secretbox::{Key, NONCE_BYTES};

use self::body::{Body, Depth};
use crate::{model::Timestamp, wire::Dissection};

/// Explains one body, alone. An encrypted one stays closed.
pub fn dissect(bytes: &[u8], received: Timestamp) -> Dissection {
    dissect_with(bytes, None, received)
}

/// Explains one body; `secret` opens it where it is encrypted. `received` stands in for a `tst` that is missing.
pub fn dissect_with(bytes: &[u8], secret: Option<&str>, received: Timestamp) -> Dissection {
    let mut body = Body::read(bytes, secret, received, Depth::Fields);
    let messages = std::mem::take(&mut body.messages);
    let device = messages.iter().find_map(|m| identity::in_body(m.topic.as_deref(), &m.kind, m.tid.as_deref()));
    let reports = messages.into_iter().map(|m| m.report).collect();
    Dissection { device, reports, ..dissection(body) }
}

fn dissection(body: Body) -> Dissection {
    Dissection {
        kind: body.kind,
        title: body.title,
        problems: body.problems,
        fields: body.fields,
        reply: body.accepted.then(|| b"[]".to_vec()),
        ..Dissection::default()
    }
}
