//! Keeps what the online map leaves on disk within its bound. The cache itself knows none: it keeps every answer for ever.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Where the cache has the tiles, and where the notes on which tile is which.
const CONTENT: &str = "content-v2";
const INDEX: &str = "index-v5";

/// Folders nest this deep at most.
const MAX_DEPTH: usize = 6;

/// What was kept and what went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pruned {
    /// Bytes that are there now.
    pub(super) kept: u64,
    pub(super) removed: u64,
}

/// Removes the oldest tiles until the cache takes no more than nine tenths of `limit_bytes`, if it takes more than that now. A tile that is gone is
/// simply asked for again. Takes as long as the disk does.
pub(super) fn prune(cache: &Path, limit_bytes: u64) -> io::Result<Pruned> {
    let mut tiles = Vec::new();
    walk(&cache.join(CONTENT), MAX_DEPTH, &mut tiles)?;
    let mut notes = Vec::new();
    walk(&cache.join(INDEX), MAX_DEPTH, &mut notes)?;
    let sum = |files: &[File]| files.iter().map(|f| f.bytes).sum::<u64>();
    let (mut kept, index) = (sum(&tiles) + sum(&notes), sum(&notes));
    if kept <= limit_bytes {
        return Ok(Pruned { kept, removed: 0 });
    }
    let before = kept;
    if index > limit_bytes / 4 {
        // Notes are only ever added to; where they have become much, everything begins anew.
        for file in tiles.iter().chain(&notes) {
            kept -= remove(file);
        }
        return Ok(Pruned { kept, removed: before - kept });
    }
    tiles.sort_by_key(|file| file.written);
    for file in &tiles {
        if kept <= limit_bytes / 10 * 9 {
            break;
        }
        kept -= remove(file);
    }
    Ok(Pruned { kept, removed: before - kept })
}

struct File {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

/// Bytes that went; another instance may have been faster.
fn remove(file: &File) -> u64 {
    if fs::remove_file(&file.path).is_ok() { file.bytes } else { 0 }
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<File>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // Links are not followed: what they lead to is not ours.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() && depth > 0 {
            walk(&entry.path(), depth - 1, found)?;
        } else if meta.is_file() {
            let written = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(File { path: entry.path(), bytes: meta.len(), written });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Ten tiles of 1000 bytes, each a minute younger than the one before.
    fn cache(notes: usize) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(CONTENT).join("sha256/ab");
        fs::create_dir_all(&folder).unwrap();
        for n in 0..10u32 {
            let path = folder.join(n.to_string());
            fs::write(&path, [0; 1_000]).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + u64::from(n) * 60);
            fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        }
        fs::create_dir_all(dir.path().join(INDEX)).unwrap();
        fs::write(dir.path().join(INDEX).join("notes"), vec![0; notes]).unwrap();
        dir
    }

    fn left(dir: &tempfile::TempDir) -> Vec<String> {
        let names = fs::read_dir(dir.path().join(CONTENT).join("sha256/ab")).unwrap();
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_go_first_and_no_more_than_needed() {
        let dir = cache(100);
        assert_eq!(prune(dir.path(), 20_000).unwrap(), Pruned { kept: 10_100, removed: 0 });
        assert_eq!(prune(dir.path(), 6_000).unwrap(), Pruned { kept: 5_100, removed: 5_000 });
        assert_eq!(left(&dir), ["5", "6", "7", "8", "9"]);
        assert_eq!(prune(Path::new("/nowhere at all"), 1).unwrap(), Pruned::default());
    }

    #[test]
    fn notes_that_have_become_much_go_with_everything() {
        let dir = cache(5_000);
        assert_eq!(prune(dir.path(), 10_000).unwrap(), Pruned { kept: 0, removed: 15_000 });
    }
}
