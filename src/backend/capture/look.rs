//! What would come of bringing a capture in: it is read into a store of its own, which goes again.

use std::path::Path;

use jiff::tz::TimeZone;

use super::{CaptureError, CaptureStatus, bring_capture, temporary};
use crate::{
    backend::scratch::Scratch,
    model::{Clock, DeviceOverview},
    store::{Store, Watch, query},
};

/// What a capture holds.
#[derive(Debug, Clone)]
pub struct Looked {
    pub status: CaptureStatus,
    /// Who sent it, with how many packets and positions, as if nobody had been known before.
    pub senders: Vec<DeviceOverview>,
}

/// Reads a capture without keeping anything of it; blocks. `watch` counts bytes and breaks it off.
pub fn look_at_capture(path: &Path, zone: TimeZone, clock: &Clock, watch: &Watch) -> Result<Looked, CaptureError> {
    let scratch = Scratch::folder_for("dry-run")?;
    let store = Store::open(scratch.folder(), temporary(Clock::clone(clock)))?;
    let status = bring_capture(&store.writer(), path, zone, clock(), watch)?;
    let senders = store.reader().read(query::device_overviews).wait()?;
    store.close();
    Ok(Looked { status, senders })
}
