//! The folder and its file: who may have it, who may look on, what is refused.

use std::{fs, path::Path, sync::Arc};

use rusqlite::Connection;

use wayglass::{
    model::{Clock, DeviceId, DeviceState, Fact, Policy},
    store::{Error, Options, Store, query},
};

use super::{Shelf, after, commands::command, fix, from, outsider, packet};

#[test]
fn a_second_instance_is_told_who_has_the_folder() {
    let mut shelf = Shelf::new(Policy::Ask);
    let error = Store::open(shelf.dir.path(), Options::new(shelf.clock())).err().unwrap();
    assert!(matches!(&error, Error::InUse(dir) if dir == shelf.dir.path()));
    assert!(error.to_string().contains(&*shelf.dir.path().to_string_lossy()));
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.close();
    // The lock file stays behind; what counts is whether a process holds it.
    assert!(shelf.dir.path().join("wayglass.lock").exists());
    shelf.open(Policy::Ask).unwrap();
}

#[test]
fn a_newer_file_is_left_as_it_is() {
    let mut shelf = Shelf::new(Policy::Ask);
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.close();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wayglass.db");
    fs::copy(shelf.dir.path().join("wayglass.db"), &file).unwrap();
    let db = Connection::open(&file).unwrap();
    db.execute_batch("PRAGMA user_version = 99;").unwrap();
    drop(db);
    let before = fs::read(&file).unwrap();
    let clock = shelf.clock();
    for opened in [
        Store::open(dir.path(), Options::new(clock.clone())),
        Store::view(dir.path(), clock.clone()),
        Store::beside(dir.path(), clock),
    ] {
        let error = opened.err().unwrap();
        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no lock, no log");
}

#[test]
fn what_is_not_ours_is_refused_in_one_line() {
    let clock: Clock = Arc::new(|| after(0));
    let refused = |prepare: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        prepare(&folder);
        let error = Store::open(&folder, Options::new(clock.clone())).err().expect("refused");
        assert!(matches!(error, Error::Open { .. }), "{error:?}");
        assert!(!error.to_string().contains('\n') && error.to_string().contains("data"), "{error}");
    };
    refused(&|folder| fs::write(folder, "a file where the folder should be").unwrap());
    refused(&|folder| {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("wayglass.db"), "no database, however long this text may get to be; ".repeat(9)).unwrap();
    });
    refused(&|folder| {
        fs::create_dir(folder).unwrap();
        outsider(folder).execute_batch("CREATE TABLE other(a);").unwrap();
    });
    refused(&|folder| {
        fs::create_dir(folder).unwrap();
        outsider(folder).execute_batch("CREATE TABLE other(a); PRAGMA user_version = 1;").unwrap();
    });
    // Looking on makes nothing.
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::view(dir.path(), clock), Err(Error::Open { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    let store = Store::open(&folder, Options::new(Arc::new(|| after(0)))).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    store.close();
}

#[test]
fn a_viewer_reads_while_the_writer_writes() {
    let shelf = Shelf::new(Policy::Adopt);
    let viewer = Store::view(shelf.dir.path(), shelf.clock()).unwrap();
    let mut facts = viewer.facts();
    for at in 0..20 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
        let seen = viewer.reader().read(query::device_overviews).wait().unwrap();
        assert_eq!(seen[0].positions, 1 + at.unsigned_abs());
    }
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    let writer = viewer.writer();
    assert!(matches!(shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))), Err(Error::ReadOnly)));
    assert!(matches!(writer.forget(DeviceId(1)).wait(), Err(Error::ReadOnly)));
    assert!(viewer.health().file_bytes > 0);
}

#[test]
fn a_decision_beside_a_running_instance_is_noticed() {
    let shelf = Shelf::new(Policy::Ask);
    let device = shelf.append(packet(from("A"), after(0), vec![fix(after(0))])).device.unwrap();
    let mut facts = shelf.facts();

    let beside = Store::beside(shelf.dir.path(), shelf.clock()).unwrap();
    let writer = beside.writer();
    assert!(matches!(shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))), Err(Error::ReadOnly)));
    assert_eq!(writer.try_adopt(device, Some("Van".into())).wait().unwrap(), 1);
    let command = writer.queue_command(command(device, "WHERE#", 60)).wait().unwrap();
    beside.close();

    // Idle, it looks about once a second.
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    let admitted = shelf.admit("A").unwrap();
    assert_eq!((admitted.state, admitted.label()), (DeviceState::Adopted, "Van"));
    assert_eq!(shelf.read(move |db| query::queued_commands(db, device, after(0))), [command]);
    shelf.append(packet(from("A"), after(1), vec![fix(after(1))]));
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 0);
    assert_eq!(shelf.read(query::device_overviews)[0].positions, 2);
}
