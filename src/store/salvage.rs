//! Reads what can be read of a damaged file into a new one, row by row: plain questions by row id, up and down, around what cannot be read.

mod mend;
mod walk;

use rusqlite::{Connection, Result, types::Value};

use crate::model::{Identity, Protocol, Timestamp, Verdict};
use walk::Walk;

/// Rows written between two commits.
const ROWS: u64 = 20_000;

/// Tables that the next start makes from others.
const FOUND_AGAIN: [&str; 2] = ["tracks", "track_ends"];

/// What was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) devices: u64,
    pub(super) positions: u64,
    pub(super) packets: u64,
    /// Rows that were read and make no sense.
    pub(super) refused: u64,
    /// Places in tables that could not be read, each of one row or many.
    pub(super) gaps: u64,
}

/// Copies everything from the damaged files, the best first, into a new one with today's schema. What an earlier one had is not overwritten. `lost`: something is missing in them that does not show.
pub(super) fn salvage(from: &[Connection], into: &Connection, now: Timestamp, lost: bool) -> Result<Saved> {
    let mut saved = Saved::default();
    // What a batch sees to while the program runs: the same fix again is no second row.
    into.execute_batch("CREATE UNIQUE INDEX salvage_fix ON positions(device_id, fix_time_ms, fix_key)")?;
    let tables: Vec<String> = into
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for table in tables.iter().filter(|table| !FOUND_AGAIN.contains(&table.as_str())) {
        let mut gaps = 0;
        for source in from {
            let copied = copy(source, into, table)?;
            saved.refused += copied.refused;
            gaps = copied.gaps;
            // What is older than the log has rows that were removed since: it is only asked where something is missing.
            if gaps == 0 {
                break;
            }
        }
        saved.gaps += gaps;
    }
    for source in from {
        sequences(source, into)?;
    }
    mend::mend(into, lost || saved.gaps + saved.refused > 0, now)?;
    into.execute_batch("DROP INDEX salvage_fix")?;
    let count = |table: &str| -> Result<u64> {
        into.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    (saved.devices, saved.positions, saved.packets) = (count("devices")?, count("positions")?, count("packets")?);
    Ok(saved)
}

#[derive(Default)]
struct Copied {
    refused: u64,
    gaps: u64,
}

/// Copies what can be read of one table.
fn copy(from: &Connection, into: &Connection, table: &str) -> Result<Copied> {
    let columns = |db: &Connection| -> Result<Vec<String>> {
        db.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([table], |row| row.get(0))?.collect()
    };
    let ours = columns(into)?;
    // Not even the table's name can be read.
    let Ok(theirs) = columns(from) else { return Ok(Copied { gaps: 1, ..Copied::default() }) };
    let common: Vec<_> = ours.into_iter().filter(|name| theirs.contains(name)).collect();
    if common.is_empty() {
        // An older schema has no such table.
        return Ok(Copied::default());
    }
    let marks = vec!["?"; common.len()].join(", ");
    let mut insert = into.prepare(&format!("INSERT OR IGNORE INTO {table}({}) VALUES ({marks})", common.join(", ")))?;
    let (mut copied, mut rows) = (Copied::default(), 0);
    into.execute_batch("BEGIN")?;
    let mut walk = Walk::new(from, table, &common);
    let mut failed = None;
    walk.each(&mut |values: &mut [Value]| {
        let taken = fits(table, &common, values) && {
            match insert.execute(rusqlite::params_from_iter(values.iter())) {
                // Ignored: a rule of the table forbids it, or it is there already.
                Ok(_) => true,
                Err(error) if crate::store::error::blames_the_row(&error) => false,
                Err(error) => {
                    failed = Some(error);
                    return false;
                }
            }
        };
        copied.refused += u64::from(!taken);
        rows += 1;
        if rows % ROWS == 0
            && let Err(error) = into.execute_batch("COMMIT; BEGIN")
        {
            failed = Some(error);
            return false;
        }
        true
    });
    copied.gaps = walk.gaps();
    match failed {
        Some(error) => Err(error),
        None => into.execute_batch("COMMIT").map(|()| copied),
    }
}

/// Whether a row can be understood when it is read again; mends what can be mended.
fn fits(table: &str, columns: &[String], values: &mut [Value]) -> bool {
    let at = |name: &str| columns.iter().position(|column| column == name);
    let text = |values: &[Value], name: &str| match at(name).and_then(|at| values.get(at)) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    match table {
        "devices" => {
            Protocol::parse(&text(values, "protocol")).is_some() && Identity::new(text(values, "identity")).is_some()
        }
        "packets" => {
            if Verdict::parse(&text(values, "verdict")).is_none()
                && let Some(verdict) = at("verdict").and_then(|at| values.get_mut(at))
            {
                *verdict = Value::Text(Verdict::Error.as_str().to_owned());
            }
            Protocol::parse(&text(values, "protocol")).is_some()
        }
        _ => true,
    }
}

/// Numbers that are never given out twice.
fn sequences(from: &Connection, into: &Connection) -> Result<()> {
    let read = || -> Result<Vec<(String, i64)>> {
        from.prepare("SELECT name, seq FROM sqlite_sequence")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    for (name, seq) in read().unwrap_or_default() {
        // A number that no count of ours can have reached is damage, too.
        if seq < i64::MAX / 2 {
            into.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (&name, seq))?;
            into.execute(
                "INSERT INTO sqlite_sequence(name, seq) SELECT ?1, ?2
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)
                   AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
                (&name, seq),
            )?;
        }
    }
    Ok(())
}
