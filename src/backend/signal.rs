//! The system's request to stop: SIGTERM and SIGINT, Ctrl-C elsewhere.

use std::io;

/// A file that grows to the limit set for this process is a write that fails, as on a full disk, and not the end of the process.
pub(super) fn outlive_file_limit(runtime: &tokio::runtime::Handle) {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use tokio::signal::unix::{SignalKind, signal};
        /// SIGXFSZ, but on MIPS.
        const FILE_TOO_LARGE: i32 = 25;
        let _entered = runtime.enter();
        // Caught once is caught for good, and nobody needs to hear of it: the write says so.
        if !cfg!(any(target_arch = "mips", target_arch = "mips64"))
            && let Err(error) = signal(SignalKind::from_raw(FILE_TOO_LARGE))
        {
            tracing::debug!(%error, "a limit on file sizes would end this process");
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    let _ = runtime;
}

/// Listens for the request to stop; ask once, early: a signal that comes before nobody catches.
#[derive(Debug)]
pub struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Must be called inside the runtime.
    pub(super) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when the system asks us to stop.
    pub async fn received(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.ok();
    }
}
