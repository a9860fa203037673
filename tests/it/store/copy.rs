//! A copy of everything while everything goes on: complete, sound, its owner's alone, and never over something else.

use std::{fs, path::Path, thread};

use rusqlite::Connection;
use wayglass::{
    model::{NewPacket, Policy},
    store::{Copied, CopyError, Watch, save_copy},
};

use super::{Shelf, after, fix, from, packet};

fn big(at: i64) -> NewPacket {
    NewPacket { bytes: vec![7; 9_000], ..packet(from("A"), after(at), vec![fix(after(at))]) }
}

fn positions(database: &Path) -> i64 {
    let db = Connection::open(database).unwrap();
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    db.query_row("SELECT count(*) FROM positions", [], |row| row.get(0)).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_copy_is_everything_as_of_one_moment_while_more_arrives() {
    let shelf = Shelf::new(Policy::Adopt);
    for at in 0..300 {
        shelf.append(big(at));
    }
    let safe = tempfile::tempdir().unwrap();
    let to = safe.path().join("copy.db");
    let (dir, target, watch) = (shelf.dir.path().to_owned(), to.clone(), Watch::default());
    let watched = watch.clone();
    let copying = thread::spawn(move || save_copy(&dir, &target, false, &watched));
    let mut at = 300;
    while !copying.is_finished() {
        shelf.append(big(at));
        at += 1;
    }
    let Copied { to: told, bytes } = copying.join().unwrap().unwrap();
    assert_eq!((told.as_path(), bytes), (to.as_path(), fs::metadata(&to).unwrap().len()));
    assert_eq!(names(safe.path()), ["copy.db"], "one file and nothing beside it");
    let copied = positions(&to);
    assert!((300..=at).contains(&copied), "{copied} of {at}");
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), at);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // It is a store again, wherever it is put.
    let other = tempfile::tempdir().unwrap();
    fs::copy(&to, other.path().join("wayglass.db")).unwrap();
    let again = wayglass::store::Store::open(other.path(), wayglass::store::Options::new(shelf.clock())).unwrap();
    again.close();
}

#[test]
fn a_copy_takes_nothing_away() {
    let shelf = Shelf::new(Policy::Adopt);
    shelf.append(big(0));
    let safe = tempfile::tempdir().unwrap();
    let to = safe.path().join("copy.db");
    fs::write(&to, "mine").unwrap();
    let attempt = |to: &Path, replace| save_copy(shelf.dir.path(), to, replace, &Watch::default());
    assert!(matches!(attempt(&to, false), Err(CopyError::Exists(path)) if path == to));
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    for own in ["wayglass.db", "wayglass.db-wal"] {
        let own = shelf.dir.path().join(own);
        assert!(matches!(attempt(&own, true), Err(CopyError::Itself(_))), "{}", own.display());
    }
    assert!(matches!(attempt(&safe.path().join("no/such/folder.db"), false), Err(CopyError::Write { .. })));
    let broken_off = Watch::default();
    broken_off.cancel();
    assert!(matches!(save_copy(shelf.dir.path(), &to, true, &broken_off), Err(CopyError::Cancelled)));
    assert_eq!((fs::read(&to).unwrap().as_slice(), names(safe.path())), (&b"mine"[..], vec!["copy.db".to_owned()]));
    attempt(&to, true).unwrap();
    assert_eq!((positions(&to), names(safe.path())), (1, vec!["copy.db".to_owned()]));
    assert!(matches!(save_copy(safe.path(), &to, true, &Watch::default()), Err(CopyError::Store(_))), "no store there");
}

#[test]
fn a_damaged_store_gives_no_copy_that_looks_sound() {
    let mut shelf = Shelf::new(Policy::Adopt);
    for at in 0..300 {
        shelf.append(big(at));
    }
    shelf.close();
    let file = shelf.dir.path().join("wayglass.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4 * 4096].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let safe = tempfile::tempdir().unwrap();
    let error = save_copy(shelf.dir.path(), &safe.path().join("copy.db"), false, &Watch::default()).unwrap_err();
    assert!(matches!(error, CopyError::Damaged(_)), "{error}");
    assert!(names(safe.path()).is_empty());
}
