//! The demo: simulated devices over the real receivers.

use tokio::runtime::Handle;

use crate::{
    ingest::ReceiverLine,
    model::{Clock, Identity},
};

/// A running demo.
pub(super) struct Demo;

impl Demo {
    pub(super) fn start(_on: &Handle, _vehicles: usize, _receivers: &[ReceiverLine], _clock: &Clock) -> Self {
        Self
    }

    pub(super) fn stop(self, _on: &Handle) {}
}

/// True for an identity that only a demo device has.
pub(super) fn is_demo(identity: &Identity) -> bool {
    identity.as_str().starts_with("owntracks/demo/")
}
