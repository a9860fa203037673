//! Memory limits for a piece of work: an allocation beyond them fails, which ends the process.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Runs `work`, which may hold so many bytes more at any moment than are held now.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    HEAP.set_limit(HEAP.allocated() + bytes).expect("the limit is above what is held");
    let done = work();
    HEAP.set_limit(usize::MAX).expect("no limit is above what is held");
    done
}

/// Bytes that are held now.
pub fn held() -> usize {
    HEAP.allocated()
}
