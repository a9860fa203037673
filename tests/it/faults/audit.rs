//! What far ends were answered, held against what the store has.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    path::Path,
    sync::Mutex,
};

use rusqlite::{Connection, OpenFlags};

use super::far::FIRST_S;
use crate::support::SOON;

/// The numbers of the fixes that were answered, by identity.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<String, BTreeSet<i64>>>);

impl Ledger {
    pub fn answered(&self, identity: &str, fixes: RangeInclusive<i64>) {
        self.0.lock().expect("whole").entry(identity.to_owned()).or_default().extend(fixes);
    }

    /// How many fixes were answered by now, of phones and of trackers.
    pub fn count(&self) -> (usize, usize) {
        let book = self.0.lock().expect("whole");
        let of = |phones: bool| book.iter().filter(|(id, _)| id.contains('/') == phones).map(|(_, n)| n.len()).sum();
        (of(true), of(false))
    }

    /// Everything that was answered is stored, nothing is stored twice, and the file is sound.
    #[track_caller]
    pub fn audit(&self, data: &Path) -> String {
        let db = open(data);
        let (mut all, mut lost) = (0, Vec::new());
        for (identity, fixes) in &*self.0.lock().expect("whole") {
            let stored = fixes_of(&db, identity);
            lost.extend(fixes.iter().filter(|n| !stored.contains(n)).map(|n| format!("{identity} {n}")));
            all += fixes.len();
        }
        assert!(
            lost.is_empty(),
            "{} of {all} answered fixes are lost, as {:?}",
            lost.len(),
            &lost[..lost.len().min(5)]
        );
        sound(&db);
        let doubled =
            "SELECT count(*) FROM (SELECT 1 FROM positions GROUP BY device_id, fix_time_ms HAVING count(*) > 1)";
        let doubled: i64 = db.query_row(doubled, [], |row| row.get(0)).expect("a number");
        assert_eq!(doubled, 0, "stored more than once");
        let (phones, trackers) = self.count();
        format!("{phones} fixes of phones and {trackers} of trackers answered, 0 lost, 0 doubled, integrity ok")
    }
}

/// SQLite's own check.
#[track_caller]
pub fn sound(db: &Connection) {
    let said: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(said, "ok");
}

/// A look into the file as any SQLite client has it.
pub fn open(data: &Path) -> Connection {
    let db = Connection::open_with_flags(data.join("wayglass.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)
        .expect("the store opens");
    db.busy_timeout(SOON).expect("a time-out");
    db
}

fn fixes_of(db: &Connection, identity: &str) -> BTreeSet<i64> {
    let sql = "SELECT fix_time_ms FROM positions p JOIN devices d ON d.id = p.device_id WHERE d.identity = ?1";
    let mut select = db.prepare(sql).expect("the promised columns");
    let times = select.query_map([identity], |row| row.get::<_, i64>(0)).expect("rows");
    times.map(|ms| ms.expect("a number") / 1000 - FIRST_S).collect()
}
