//! One table of a damaged file, read around what cannot be read.
//!
//! Up from the first row until something is wrong, down from the last one until something is wrong, then into the gap between the two: in its
//! middle, up and down from there, and so on, until the gaps are single rows or it was tried often enough.

use std::collections::VecDeque;

use rusqlite::{Connection, Row, types::Value, types::ValueRef};

/// How often it is tried to read on within the gaps of one table.
const TRIES: usize = 3_000;

/// Row ids that an end which cannot be read may be away.
const FAR: i64 = 1 << 20;

/// Hears of every row; false breaks off.
type Each<'e> = dyn FnMut(&mut [Value]) -> bool + 'e;

/// A table and what to read of it.
pub(super) struct Walk<'c> {
    from: &'c Connection,
    table: String,
    columns: String,
    n_columns: usize,
    /// What could not be read.
    unread: Vec<Gap>,
    ended: bool,
}

/// Row ids between two that were read, or that nothing was read beyond; neither belongs to it.
#[derive(Clone, Copy)]
struct Gap {
    above: i64,
    below: i64,
}

/// How a run of rows ended.
struct Run {
    /// The first and the last row that was read.
    read: Option<(i64, i64)>,
    /// Nothing was wrong up to the end.
    whole: bool,
}

impl<'c> Walk<'c> {
    pub(super) fn new(from: &'c Connection, table: &str, columns: &[String]) -> Self {
        let (table, n_columns) = (table.to_owned(), columns.len());
        Self { from, table, columns: columns.join(", "), n_columns, unread: Vec::new(), ended: false }
    }

    /// Places that could not be read.
    pub(super) fn gaps(&self) -> u64 {
        let mut unread = self.unread.clone();
        unread.sort_unstable_by_key(|gap| gap.above);
        let apart = unread.windows(2).filter(|two| matches!(two, [a, b] if b.above > a.below));
        apart.count() as u64 + u64::from(!unread.is_empty())
    }

    /// Reads all rows that can be read, each once, in no order.
    pub(super) fn each(&mut self, each: &mut Each<'_>) {
        if self.has_rowid() {
            self.by_rowid(each);
        } else {
            self.walk_both_ends(each);
        }
    }

    fn has_rowid(&self) -> bool {
        self.from.prepare(&format!("SELECT rowid FROM {}", self.table)).is_ok()
    }

    fn by_rowid(&mut self, each: &mut Each<'_>) {
        let all = Gap { above: i64::MIN, below: i64::MAX };
        let up = self.run(all, true, each);
        if up.whole || self.ended {
            return;
        }
        let rest = Gap { above: up.read.map_or(all.above, |(_, last)| last), ..all };
        let down = self.run(rest, false, each);
        if down.whole || self.ended {
            // What was wrong was behind the last row, or is not wrong from below.
            self.unread.push(rest);
            return;
        }
        // Where an end cannot be read, nobody knows where it is: not far, or there would be too many places to try.
        let above = up.read.map_or(0, |(_, last)| last);
        let below = down.read.map_or(above.saturating_add(FAR), |(_, last)| last);
        let rest = Gap { above: above.max(below.saturating_sub(FAR)), below };
        self.into(rest, each);
    }

    /// Reads on within a gap, in the middle of what is left, the widest parts first.
    fn into(&mut self, gap: Gap, each: &mut Each<'_>) {
        let mut left = VecDeque::from([gap]);
        for _ in 0..TRIES {
            let Some(Gap { above, below }) = left.pop_front() else { return };
            let width = i128::from(below) - i128::from(above);
            if self.ended {
                return;
            }
            if width < 2 {
                continue;
            }
            let middle = i64::try_from(i128::from(above) + width / 2).unwrap_or(above);
            let up = self.run(Gap { above: middle - 1, below }, true, each);
            let Some((first, last)) = up.read else {
                // Nothing from the middle on; the rest may end there, or be reached from elsewhere.
                left.push_back(Gap { above, below: middle });
                if !up.whole {
                    self.unread.push(Gap { above: middle - 1, below: middle + 1 });
                    left.push_back(Gap { above: middle, below });
                }
                continue;
            };
            if !up.whole {
                left.push_back(Gap { above: last, below });
            }
            let down = self.run(Gap { above, below: first }, false, each);
            if !down.whole {
                left.push_back(Gap { above, below: down.read.map_or(first, |(_, last)| last) });
            }
        }
        self.unread.extend(left);
    }

    /// Reads the rows of a gap in order, until its end or until something is wrong.
    fn run(&mut self, gap: Gap, up: bool, each: &mut Each<'_>) -> Run {
        let order = if up { "" } else { " DESC" };
        let sql = format!(
            "SELECT rowid, {} FROM {} WHERE rowid > ?1 AND rowid < ?2 ORDER BY rowid{order}",
            self.columns, self.table
        );
        let mut run = Run { read: None, whole: false };
        let Ok(mut select) = self.from.prepare_cached(&sql) else { return run };
        let Ok(mut rows) = select.query([gap.above, gap.below]) else { return run };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => {
                    run.whole = true;
                    return run;
                }
                Err(_) => return run,
            };
            let Ok(id) = row.get::<_, i64>(0) else { return run };
            let last = run.read.map(|(_, last)| last);
            // Damaged pages may lead in a circle.
            if last.is_some_and(|last| if up { id <= last } else { id >= last }) {
                return run;
            }
            let Some(mut values) = values(row, 1, self.n_columns) else { return run };
            if !each(&mut values) {
                self.ended = true;
                return run;
            }
            run.read = Some((run.read.map_or(id, |(first, _)| first), id));
        }
    }

    /// A small table without row ids: what comes before what is wrong, from either end.
    fn walk_both_ends(&mut self, each: &mut Each<'_>) {
        let first = self.columns.split(',').next().unwrap_or_default().to_owned();
        for order in ["", " DESC"] {
            let sql = format!("SELECT {} FROM {} ORDER BY {first}{order}", self.columns, self.table);
            let whole = self.plain(&sql, each);
            if whole || self.ended {
                return;
            }
        }
        self.unread.push(Gap { above: 0, below: 2 });
    }

    fn plain(&mut self, sql: &str, each: &mut Each<'_>) -> bool {
        /// More than any such table can have: damaged pages may lead in a circle.
        const MOST: usize = 1_000_000;
        let Ok(mut select) = self.from.prepare(sql) else { return false };
        let Ok(mut rows) = select.query([]) else { return false };
        for _ in 0..MOST {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return true,
                Err(_) => return false,
            };
            let Some(mut values) = values(row, 0, self.n_columns) else { return false };
            if !each(&mut values) {
                self.ended = true;
                return false;
            }
        }
        false
    }
}

/// The values of a row; texts that are no texts are mended.
fn values(row: &Row<'_>, first: usize, n: usize) -> Option<Vec<Value>> {
    (first..first + n)
        .map(|column| {
            Some(match row.get_ref(column).ok()? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Integer(n),
                ValueRef::Real(x) => Value::Real(x),
                ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            })
        })
        .collect()
}
