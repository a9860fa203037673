//! A window without a store: where the data folder cannot be had, an empty one stands in, so that there is something to show and to say why.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    model::Clock,
    store::{Error, Options, Store},
};

/// An empty folder of our own that goes when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it with an empty store in it.
    pub(super) fn new(clock: &Clock) -> Result<Self, Error> {
        let folder = std::env::temp_dir().join(format!("wayglass-without-store-{}", std::process::id()));
        let denied = |e: io::Error| Error::Open { path: folder.clone(), reason: e.to_string() };
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Ours alone: one that is there already is an error.
        builder.create(&folder).map_err(denied)?;
        let scratch = Self(folder);
        Store::open(&scratch.0, Options::new(Clock::clone(clock)))?.close();
        Ok(scratch)
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
