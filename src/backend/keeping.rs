//! What is kept for how long: its words in settings and on the command line, and changes while it runs.

use std::{
    path::{Path, PathBuf},
    sync::PoisonError,
    thread,
    time::Duration,
};

use super::{
    Backend, Copied, CopyError, Pending, Watch,
    config::{self, ConfigError, Key},
    signal::StopSignal,
};
use crate::{
    model::{Forever, Keep, parse_age, parse_bytes, parse_forever},
    store,
};

/// What is set of [`Keep`]; `None` leaves it to the next source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeepSet {
    pub packet_age: Option<Forever<Duration>>,
    pub packet_bytes: Option<Forever<u64>>,
    pub new_devices: Option<usize>,
    pub quarantine_bytes: Option<u64>,
    pub quarantine_age: Option<Duration>,
}

impl KeepSet {
    /// Reads the word of a key. `None`: it is not understood.
    pub(super) fn read(&mut self, key: Key, word: &str) -> Option<()> {
        fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
            *place = Some(value?);
            Some(())
        }
        match key {
            Key::KeepPackets => set(&mut self.packet_age, parse_forever(word, parse_age)),
            Key::KeepPacketsBytes => set(&mut self.packet_bytes, parse_forever(word, parse_bytes)),
            Key::QuarantineSenders => set(&mut self.new_devices, senders(word).ok()),
            Key::QuarantineBytes => set(&mut self.quarantine_bytes, parse_bytes(word)),
            Key::QuarantineAge => set(&mut self.quarantine_age, parse_age(word)),
            _ => None,
        }
    }

    /// This, and where it is silent the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            packet_age: self.packet_age.or(other.packet_age),
            packet_bytes: self.packet_bytes.or(other.packet_bytes),
            new_devices: self.new_devices.or(other.new_devices),
            quarantine_bytes: self.quarantine_bytes.or(other.quarantine_bytes),
            quarantine_age: self.quarantine_age.or(other.quarantine_age),
        }
    }

    /// This, and where it is silent what `keep` says.
    pub(super) fn over(self, keep: Keep) -> Keep {
        Keep {
            packet_age: self.packet_age.unwrap_or(keep.packet_age),
            packet_bytes: self.packet_bytes.unwrap_or(keep.packet_bytes),
            new_devices: self.new_devices.unwrap_or(keep.new_devices),
            quarantine_bytes: self.quarantine_bytes.unwrap_or(keep.quarantine_bytes),
            quarantine_age: self.quarantine_age.unwrap_or(keep.quarantine_age),
        }
    }
}

/// A span of time, or `forever`. The error says so.
pub fn age_or_forever(text: &str) -> Result<Forever<Duration>, String> {
    parse_forever(text, parse_age)
        .ok_or_else(|| "it is a time of an hour at least, as `30 days` or `12 hours`, or `forever`".to_owned())
}

/// A size, or `forever`. The error says so.
pub fn bytes_or_forever(text: &str) -> Result<Forever<u64>, String> {
    parse_forever(text, parse_bytes)
        .ok_or_else(|| "it is a size of 1 MB at least, as `2 GB` or `500 MB`, or `forever`".to_owned())
}

/// A span of time. The error says so.
pub fn age(text: &str) -> Result<Duration, String> {
    parse_age(text).ok_or_else(|| "it is a time of an hour at least, as `7 days` or `12 hours`".to_owned())
}

/// A size. The error says so.
pub fn bytes(text: &str) -> Result<u64, String> {
    parse_bytes(text).ok_or_else(|| "it is a size of 1 MB at least, as `64 MB` or `1 GB`".to_owned())
}

/// A number of senders. The error says so.
pub fn senders(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=100_000).contains(n));
    number.ok_or_else(|| "it is a number of senders between 1 and 100000".to_owned())
}

/// Writes down what differs.
fn remember(path: &Path, before: Keep, now: Keep) -> Result<(), ConfigError> {
    let (old, new) = (words(before), words(now));
    for ((key, word), _) in new.iter().zip(&old).filter(|(new, old)| new != old) {
        config::remember(path, *key, word)?;
    }
    Ok(())
}

fn words(keep: Keep) -> [(Key, String); 5] {
    let Keep { packet_age, packet_bytes, new_devices, quarantine_bytes, quarantine_age } = keep;
    [
        (Key::KeepPackets, packet_age.to_string()),
        (Key::KeepPacketsBytes, packet_bytes.to_string()),
        (Key::QuarantineSenders, new_devices.to_string()),
        (Key::QuarantineBytes, Forever::Until(quarantine_bytes).to_string()),
        (Key::QuarantineAge, Forever::Until(quarantine_age).to_string()),
    ]
}

impl Backend {
    /// What is kept for how long.
    pub fn keep(&self) -> Keep {
        self.store.keep()
    }

    /// Saves a copy of the whole store, on a thread of its own, while everything goes on. The second is how far it is. Ends when the backend does.
    pub fn save_copy(&self, to: PathBuf, replace: bool) -> (Pending<Result<Copied, CopyError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let watch = Watch::default();
        *self.copying.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch.clone());
        let (dir, watched) = (self.data_dir.clone(), watch.clone());
        let save = move || answer.give(Ok(store::save_copy(&dir, &to, replace, &watched)));
        self.changes.spawn_blocking_on(save, self.runtime.handle());
        (pending, watch)
    }

    /// Gives back everything in the file that nothing uses, in small steps.
    pub fn compact(&self) {
        self.store.compact();
    }

    /// Keeps more or less from now on and after a restart, too. What is beyond goes in small steps.
    pub fn set_keep(&self, keep: Keep) {
        if self.viewer() {
            return;
        }
        let before = self.store.keep();
        self.store.set_keep(keep);
        self.write_down(move |path| remember(path, before, keep));
    }
}

/// Does a long piece of work on a thread of its own, and breaks it off when the system asks us to stop. `told` hears now and then how far it is.
/// For command lines.
pub fn until_stopped<T: Send + 'static>(
    work: impl FnOnce(&Watch) -> T + Send + 'static,
    mut told: impl FnMut(&Watch),
) -> std::io::Result<T> {
    let watch = Watch::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stop = {
        let _entered = runtime.enter();
        StopSignal::new()?
    };
    let watched = watch.clone();
    let worker = thread::spawn(move || work(&watched));
    runtime.block_on(async {
        while !worker.is_finished() {
            told(&watch);
            if tokio::time::timeout(Duration::from_millis(100), stop.received()).await.is_ok() {
                watch.cancel();
            }
        }
    });
    worker.join().map_err(|_| std::io::Error::other("the work ended in a panic"))
}
