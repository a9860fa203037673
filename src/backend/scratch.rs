//! Folders of our own that go when nobody needs them any more: of captures, and of a window without a store. Where the data folder cannot be
//! had, an empty one stands in, so that there is something to show and to say why.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    model::Clock,
    store::{Error, Options, Store},
};

/// Folders of that name that may be there already.
const MOST_TRIES: u32 = 100;

/// An empty folder of our own that goes when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it with an empty store in it.
    pub(super) fn new(clock: &Clock) -> Result<Self, Error> {
        let scratch = Self::folder_for("without-store")?;
        Store::open(&scratch.0, Options::new(Clock::clone(clock)))?.close();
        Ok(scratch)
    }

    /// Makes it, empty. `what` is part of its name.
    pub(super) fn folder_for(what: &str) -> Result<Self, Error> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let mut tries = 0;
        loop {
            let nth = MADE.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("wayglass-{what}-{}-{nth}", std::process::id()));
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            // Ours alone: one that is there already, of a process that was killed, is passed over.
            match builder.create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MOST_TRIES => tries += 1,
                Err(error) => return Err(Error::Open { path: folder, reason: error.to_string() }),
            }
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What the system cleans up otherwise.
        fs::remove_dir_all(&self.0).ok();
    }
}
