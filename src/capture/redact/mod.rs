//! Takes persons out of packets: identities, names, texts, cells and access points are replaced, coordinates are moved.
//!
//! What stands where is asked of the dissection, so there is no second parser. A packet that was redacted still decodes, to the same tree
//! but for what was replaced: lengths stay, checksums are computed again, wrong ones stay wrong. Times, serials, country and network codes stay.
//!
//! | module | knows |
//! |---|---|
//! | `names` | what stands for whom, and by how much coordinates move: the same within one redaction |
//! | `frame` | GT06 |
//! | `body` | OwnTracks |

mod body;
mod frame;
mod names;

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::frame::seal;
use self::names::Names;
use crate::{
    model::{Device, Identity, PacketRow, Profile, Protocol},
    wire::{dissect_kept, owntracks},
};

/// Replaces the same by the same, for as long as it lives.
#[derive(Debug)]
pub struct Redactor(Names);

impl Redactor {
    /// `seed` decides by what; it should be a number that nobody can guess.
    pub fn new(seed: u64) -> Self {
        Self(Names::new(seed))
    }

    /// A device under another name.
    pub fn device(&mut self, device: &Device) -> Device {
        let identity = self.0.identity(device.identity.as_str());
        let identity = Identity::new(identity).unwrap_or_else(|| device.identity.clone());
        let plain = Profile { look: crate::model::Look::default(), ..device.profile.clone() };
        Device { identity, name: None, profile: plain, ..device.clone() }
    }

    /// A packet without whom and where. `profile`: of its device, as it reads the packet.
    pub fn row(&mut self, row: &PacketRow, profile: Option<&Profile>) -> PacketRow {
        let plain = Profile::default();
        let dissection = dissect_kept(row, profile.unwrap_or(&plain));
        let bytes = match row.protocol {
            Protocol::Gt06 => frame::redacted(&row.bytes, &dissection, &mut self.0),
            Protocol::OwnTracks => body::redacted(&row.bytes, &dissection, &mut self.0),
        };
        let context = row.context.as_deref().map(|context| match row.protocol {
            Protocol::Gt06 => Arc::from(context),
            Protocol::OwnTracks => Arc::from(self.context(context)),
        });
        PacketRow { bytes: bytes.into(), context, peer: self.0.peer(&row.peer).into(), ..row.clone() }
    }

    /// What is kept beside a body.
    fn context(&mut self, context: &str) -> String {
        let Ok(Value::Object(mut object)) = serde_json::from_str(context) else { return "{}".to_owned() };
        let text = |object: &serde_json::Map<String, Value>, key: &str| {
            object.get(key).and_then(Value::as_str).map(str::to_owned)
        };
        // A name that many share is nobody's, and is told as such.
        let pair = text(&object, "X-Limit-U").zip(text(&object, "X-Limit-D"));
        let generic = pair.is_some_and(|(user, device)| is_generic(&format!("{user}/{device}")));
        for key in ["X-Limit-U", "X-Limit-D", "user"] {
            if let Some(name) = text(&object, key).filter(|_| !generic) {
                object.insert(key.to_owned(), self.0.name(&name).into());
            }
        }
        if let Some(path) = text(&object, "path") {
            object.insert("path".to_owned(), self.0.path(&path).into());
        }
        if let Some(query) = text(&object, "query") {
            object.insert("query".to_owned(), self.query(&query).into());
        }
        Value::Object(object).to_string()
    }

    fn query(&mut self, query: &str) -> String {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((key @ ("u" | "d"), name)) => format!("{key}={}", self.0.name(name)),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("&")
    }
}

fn is_generic(identity: &str) -> bool {
    Identity::new(identity).is_some_and(|identity| owntracks::is_generic(&identity))
}
