//! Damage noticed while the store is open: from then on nothing is written and nothing acknowledged, and the next start checks everything.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

use super::{Error, check, place};

/// Beside the database while damage was noticed and nobody has looked at all of it.
const MARK: &str = "-suspect";

/// What was noticed first. Every connection of a store tells it here.
#[derive(Debug, Clone)]
pub(super) struct Damage(Arc<Noticed>);

#[derive(Debug)]
struct Noticed {
    mark: PathBuf,
    first: OnceLock<String>,
    /// Cancelled once there is a first.
    told: CancellationToken,
}

impl Damage {
    pub(super) fn of(database: &Path) -> Self {
        Self(Arc::new(Noticed { mark: mark(database), first: OnceLock::new(), told: CancellationToken::new() }))
    }

    /// Hears of every error; takes those to heart that say that the file's content is wrong.
    pub(super) fn hear(&self, error: &rusqlite::Error) {
        if check::is_damage(error) && self.0.first.set(error.to_string()).is_ok() {
            // Without the mark the next start may overlook it, and notices it where this one did.
            place::write_private(&self.0.mark, format!("{error}\n").as_bytes()).ok();
            tracing::error!(%error, "the database is damaged: nothing is stored or acknowledged until it is repaired; start Wayglass again");
            self.0.told.cancel();
        }
    }

    /// Waits until there is some, and says why nothing may be written.
    pub(super) async fn wait(self) -> String {
        self.0.told.cancelled().await;
        self.0.first.get().cloned().unwrap_or_default()
    }

    /// Why nothing may be written.
    pub(super) fn noticed(&self) -> Option<Error> {
        self.0.first.get().map(|reason| Error::Damaged(reason.clone()))
    }
}

fn mark(database: &Path) -> PathBuf {
    place::beside(database, MARK)
}

/// Whether damage was noticed that nobody has looked at since.
pub(super) fn is_suspect(database: &Path) -> bool {
    mark(database).exists()
}

/// All of it was looked at.
pub(super) fn clear(database: &Path) {
    fs::remove_file(mark(database)).ok();
}
