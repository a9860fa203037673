//! How many files this process may have open at once. A connection is one of them.

use std::io;

/// What is not for connections: the store, its log, threads, fonts, listeners, and whatever a window needs.
const RESERVE: usize = 200;

/// Raises the number of files that may be open at once as far as the system lets us, and answers it; `None` where the system sets no bound.
///
/// Many systems begin with 1024, which is for programs that use an old system call, and let a program have twenty thousand for the asking.
#[cfg(unix)]
pub fn raise_open_files() -> io::Result<Option<u64>> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return Ok(current);
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum)
}

/// Windows bounds no sockets.
#[cfg(not(unix))]
pub fn raise_open_files() -> io::Result<Option<u64>> {
    Ok(None)
}

/// Makes room for connections, and answers how many of `wanted` fit; says so where not all do.
pub(super) fn room_for(wanted: usize) -> usize {
    let files = match raise_open_files() {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "the number of open files cannot be raised");
            return wanted;
        }
    };
    let room = fit(wanted, files);
    if room < wanted {
        tracing::warn!(
            files,
            connections = room,
            wanted,
            "the system lets this program open few files, so further connections wait; raise it with `ulimit -n` or LimitNOFILE="
        );
    }
    room
}

/// How many of so many connections so many files leave room for: one at least.
fn fit(wanted: usize, files: Option<u64>) -> usize {
    let room = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    // Where even the reserve is more than there is, half of the little.
    wanted.min(room.saturating_sub(RESERVE).max(room / 2)).max(1)
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(fit(12_000, None), 12_000);
        assert_eq!(fit(12_000, Some(20_000)), 12_000);
        assert_eq!(fit(12_000, Some(1024)), 824);
        assert_eq!(fit(12_000, Some(256)), 128);
        assert_eq!(fit(12_000, Some(0)), 1);
    }
}
