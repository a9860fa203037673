//! How far a long piece of work is, for who shows it, and a way to break it off.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Looked at by one thread while another works. Cheap to clone; every clone is about the same work.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    done: AtomicU64,
    total: AtomicU64,
    checking: AtomicBool,
    cancelled: AtomicBool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// So many bytes of so many; points, where points are written or read. Both 0: it has not begun.
    Bytes { done: u64, total: u64 },
    /// What was written is being read again and checked.
    Checking,
}

impl Watch {
    /// How far it is.
    pub fn stage(&self) -> Stage {
        if self.0.checking.load(Ordering::Relaxed) {
            return Stage::Checking;
        }
        Stage::Bytes { done: self.0.done.load(Ordering::Relaxed), total: self.0.total.load(Ordering::Relaxed) }
    }

    /// Breaks it off as soon as may be.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody broke it off.
    pub fn cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// For who works: so much is done.
    pub fn at(&self, done: u64, total: u64) {
        self.0.done.store(done, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn checks(&self) {
        self.0.checking.store(true, Ordering::Relaxed);
    }
}
