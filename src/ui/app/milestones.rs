//! How long the window took until it was usable, for the log.

use std::time::Instant;

/// When the program began, and when its store and receivers were open.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    pub program: Instant,
    pub opened: Instant,
}

/// The way to the first frame that shows what is stored.
pub(super) struct Milestones {
    begun: Option<Begun>,
    /// The system has given a window, and graphics are ready.
    window: Instant,
}

impl Milestones {
    pub(super) fn at_window(begun: Option<Begun>) -> Self {
        Self { begun, window: Instant::now() }
    }

    /// A frame with data was laid out: says so, the first time. Milliseconds since the program began.
    pub(super) fn usable(&mut self) {
        let Some(Begun { program, opened }) = self.begun.take() else { return };
        let ms = |at: Instant| u64::try_from(at.duration_since(program).as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            opened_ms = ms(opened),
            window_ms = ms(self.window),
            drawn_ms = ms(Instant::now()),
            "the window is usable"
        );
    }
}
