//! The part of a packet filter that SQL can do.
//!
//! What comes out admits every packet that the filter admits, and perhaps more: whoever asked looks at each with the filter itself. So a
//! million packets are read past without dissecting them.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, Result, params_from_iter, types::Value as Sql};

use super::{PACKET, clamp};
use crate::{
    model::{
        DeviceId, PacketId, PacketRow, TimeWindow, Timestamp, Verdict,
        filter::{ANSWERED_WITHIN, Expr, Field, Filter, Op, Path, Value},
    },
    store::row,
};

/// At most `limit` packets of `among` that may fulfil a filter, the newest or the oldest. Oldest first.
pub fn packets_filtered(
    db: &Connection,
    filter: &Filter,
    now: Timestamp,
    among: Range<PacketId>,
    newest: bool,
    limit: usize,
) -> Result<Vec<PacketRow>> {
    let params = vec![Sql::from(among.end.0), Sql::from(clamp(limit)), Sql::from(among.start.0)];
    let mut asked = Asked { params, now };
    let wanted = filter.expr().and_then(|expr| asked.part(expr)).map_or("1".to_owned(), |part| part.sql);
    let order = if newest { "DESC" } else { "ASC" };
    let sql =
        format!("SELECT {PACKET} FROM packets WHERE id >= ?3 AND id < ?1 AND {wanted} ORDER BY id {order} LIMIT ?2");
    let mut select = db.prepare_cached(&sql)?;
    let mut packets = select.query_map(params_from_iter(asked.params), row::packet)?.collect::<Result<Vec<_>>>()?;
    if newest {
        packets.reverse();
    }
    Ok(packets)
}

/// The oldest `limit` packets above `after` that may fulfil a filter, of these devices (none named: of anybody) and received within
/// `window`, oldest first.
pub fn packets_onward(
    db: &Connection,
    filter: &Filter,
    (devices, window): (&[DeviceId], TimeWindow),
    now: Timestamp,
    after: PacketId,
    limit: usize,
) -> Result<Vec<PacketRow>> {
    let mut asked = Asked { params: vec![Sql::from(after.0), Sql::from(clamp(limit))], now };
    let mut wanted = vec!["id > ?1".to_owned()];
    wanted.extend(filter.expr().and_then(|expr| asked.part(expr)).map(|part| part.sql));
    for (at, op) in [(window.from, ">="), (window.to, "<=")] {
        wanted.extend(at.map(|at| format!("received_ms {op} {}", asked.bind(at.as_millisecond()))));
    }
    if !devices.is_empty() {
        let ids: Vec<_> = devices.iter().map(|device| device.0.to_string()).collect();
        wanted.push(format!("device_id IN ({})", ids.join(", ")));
    }
    let sql = format!("SELECT {PACKET} FROM packets WHERE {} ORDER BY id LIMIT ?2", wanted.join(" AND "));
    let mut select = db.prepare_cached(&sql)?;
    select.query_map(params_from_iter(asked.params), row::packet)?.collect()
}

/// The oldest packet from this one on, and when it came.
pub fn oldest_packet(db: &Connection, from: PacketId) -> Result<Option<(PacketId, Timestamp)>> {
    let sql = "SELECT id, received_ms FROM packets WHERE id >= ?1 ORDER BY id LIMIT 1";
    let found = db.prepare_cached(sql)?.query_row([from.0], |row| Ok((PacketId(row.get(0)?), row.get::<_, i64>(1)?)));
    let found = found.optional()?;
    Ok(found.and_then(|(id, ms)| Some((id, Timestamp::from_millisecond(ms).ok()?))))
}

/// The greatest id of a packet; 0 where there is none.
pub fn newest_id(db: &Connection) -> Result<PacketId> {
    let sql = "SELECT coalesce(max(id), 0) FROM packets";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0).map(PacketId))
}

/// Whether one of the [`ANSWERED_WITHIN`] packets after this one answers it.
pub fn is_answered(db: &Connection, id: PacketId) -> Result<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM packets WHERE id > ?1 AND id <= ?1 + ?2 AND answers = ?1)";
    db.prepare_cached(sql)?.query_row([id.0, ANSWERED_WITHIN], |row| row.get(0))
}

const MARKED: &str = "(EXISTS(SELECT 1 FROM packet_notes n WHERE n.packet_id = packets.id AND n.marked))";
const COMMENTED: &str = "(EXISTS(SELECT 1 FROM packet_notes n WHERE n.packet_id = packets.id AND n.comment <> ''))";
/// A word of the context stands in quotes, and in none of its values.
const DIFFERS: &str = r#"(instr(ifnull(context, ''), '"ours"') > 0 OR instr(ifnull(context, ''), '"late_ms"') > 0)"#;
const TAPPED: &str = r#"(instr(ifnull(context, ''), '"tap"') > 0)"#;

/// A condition, which is 0 or 1 and never NULL.
struct Part {
    sql: String,
    /// It admits nothing that the filter does not, so it may be negated.
    exact: bool,
}

fn exact(sql: impl Into<String>) -> Part {
    Part { sql: sql.into(), exact: true }
}

struct Asked {
    params: Vec<Sql>,
    now: Timestamp,
}

impl Asked {
    /// `None`: SQL cannot say anything about it.
    fn part(&mut self, expr: &Expr) -> Option<Part> {
        let bound = self.params.len();
        let part = self.said(expr);
        if part.is_none() {
            // What is not said binds nothing.
            self.params.truncate(bound);
        }
        part
    }

    fn said(&mut self, expr: &Expr) -> Option<Part> {
        match expr {
            Expr::All(parts) => {
                let said: Vec<_> = parts.iter().map(|part| self.part(part)).collect();
                let exact = said.iter().all(|part| part.as_ref().is_some_and(|part| part.exact));
                let said: Vec<_> = said.into_iter().flatten().map(|part| part.sql).collect();
                (!said.is_empty()).then(|| Part { sql: format!("({})", said.join(" AND ")), exact })
            }
            Expr::Any(parts) => {
                let said: Vec<_> = parts.iter().map(|part| self.part(part)).collect::<Option<_>>()?;
                let exact = said.iter().all(|part| part.exact);
                let said: Vec<_> = said.into_iter().map(|part| part.sql).collect();
                Some(Part { sql: format!("({})", said.join(" OR ")), exact })
            }
            Expr::Not(inner) => {
                let inner = self.part(inner).filter(|part| part.exact)?;
                Some(exact(format!("(NOT {})", inner.sql)))
            }
            Expr::Test { path: Path::Field(field), op, value } => self.test(*field, *op, value),
            Expr::OneOf { path: Path::Field(field), values } => {
                let said: Vec<_> =
                    values.iter().map(|value| self.test(*field, Op::Is, value)).collect::<Option<_>>()?;
                let exact = said.iter().all(|part| part.exact);
                let said: Vec<_> = said.into_iter().map(|part| part.sql).collect();
                Some(Part { sql: format!("({})", said.join(" OR ")), exact })
            }
            Expr::Between { path: Path::Field(field), from, to } => {
                let (from, to) = (self.test(*field, Op::AtLeast, from)?, self.test(*field, Op::AtMost, to)?);
                Some(Part { sql: format!("({} AND {})", from.sql, to.sql), exact: from.exact && to.exact })
            }
            Expr::Has(Path::Field(Field::Marked)) => Some(exact(MARKED)),
            // Whether an answer came is left to the filter.
            Expr::Has(Path::Field(Field::TapDiffers)) => Some(Part { sql: DIFFERS.to_owned(), exact: false }),
            Expr::Has(Path::Field(Field::Tap)) => Some(Part { sql: TAPPED.to_owned(), exact: false }),
            Expr::Has(Path::Field(Field::Comment)) => Some(exact(COMMENTED)),
            Expr::Within { path: Path::Field(Field::Time), ago } => {
                let from = self.now.checked_sub(*ago).unwrap_or(Timestamp::MIN);
                self.test(Field::Time, Op::AtLeast, &Value::Time(from))
            }
            _ => None,
        }
    }

    fn bind(&mut self, value: impl Into<Sql>) -> String {
        self.params.push(value.into());
        format!("?{}", self.params.len())
    }

    fn test(&mut self, field: Field, op: Op, value: &Value) -> Option<Part> {
        match (field, value) {
            (Field::Id, Value::Number(n)) => self.ordered("id", op, *n),
            (Field::Connection, Value::Number(n)) => self.ordered("connection", op, *n),
            (Field::Length, Value::Number(n)) => self.ordered("length(bytes)", op, *n),
            // A row knows milliseconds.
            (Field::Time, Value::Time(at)) => self.ordered("received_ms", op, at.as_millisecond()),
            (Field::Verdict, Value::Verdict(verdict)) => {
                let rank = "CASE verdict WHEN 'ok' THEN 0 WHEN 'note' THEN 1 WHEN 'warn' THEN 2 ELSE 3 END";
                let wanted = match verdict {
                    Verdict::Ok => 0_i64,
                    Verdict::Note => 1,
                    Verdict::Warn => 2,
                    Verdict::Error => 3,
                };
                self.ordered(rank, op, wanted)
            }
            (Field::Protocol, Value::Text(text)) => self.text("protocol", op, text),
            (Field::Direction, Value::Text(text)) => self.text("direction", op, text),
            (Field::Kind, Value::Text(text)) => self.text("kind", op, text),
            (Field::Peer, Value::Text(text)) => self.text("peer", op, text),
            (Field::Bytes, Value::Text(text)) => self.text("hex(bytes)", op, text),
            (Field::Tap, Value::Text(_)) => Some(Part { sql: TAPPED.to_owned(), exact: false }),
            (Field::Marked, Value::Bool(yes)) => {
                let yes = *yes == (op == Op::Is);
                Some(exact(if yes { MARKED.to_owned() } else { format!("(NOT {MARKED})") }))
            }
            (Field::Comment, Value::Text(text)) => {
                let said = self.text("n.comment", op, text)?;
                let sql = format!(
                    "(EXISTS(SELECT 1 FROM packet_notes n WHERE n.packet_id = packets.id AND n.comment <> '' AND {}))",
                    said.sql
                );
                Some(exact(sql))
            }
            (Field::Device, Value::Text(text)) => self.device(&["identity", "name"], op, text),
            (Field::Identity, Value::Text(text)) => self.device(&["identity"], op, text),
            (Field::Type, Value::Number(n)) if op == Op::Is => {
                // Only where a frame of GT06 has it; what else could have a type is left to the filter.
                let byte = format!("{n:.0}").parse::<u8>().ok()?;
                let byte = self.bind(vec![byte]);
                let kind =
                    "CASE substr(bytes, 1, 2) WHEN x'7878' THEN substr(bytes, 4, 1) ELSE substr(bytes, 5, 1) END";
                Some(Part { sql: format!("(protocol = 'gt06' AND {kind} = {byte})"), exact: false })
            }
            _ => None,
        }
    }

    fn ordered(&mut self, column: &str, op: Op, value: impl Into<Sql>) -> Option<Part> {
        let op = match op {
            Op::Is => "=",
            Op::IsNot => "<>",
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::More => ">",
            Op::AtLeast => ">=",
            Op::Contains => return None,
        };
        let value = self.bind(value);
        Some(exact(format!("({column} {op} {value})")))
    }

    /// Beyond ASCII, SQLite does not know what is the same letter.
    fn text(&mut self, column: &str, op: Op, text: &str) -> Option<Part> {
        if !text.is_ascii() {
            return None;
        }
        let text = self.bind(text.to_owned());
        let sql = match op {
            Op::Is => format!("(lower({column}) = {text})"),
            Op::IsNot => format!("(lower({column}) <> {text})"),
            Op::Contains => format!("(instr(lower({column}), {text}) > 0)"),
            _ => return None,
        };
        Some(exact(sql))
    }

    /// By any of its names. A packet of nobody has none.
    fn device(&mut self, names: &[&str], op: Op, text: &str) -> Option<Part> {
        let is = if op == Op::IsNot { Op::Is } else { op };
        let by: Vec<_> = names.iter().map(|name| self.text(name, is, text)).collect::<Option<_>>()?;
        let by: Vec<_> = by.into_iter().map(|part| format!("ifnull({}, 0)", part.sql)).collect();
        let among = format!("(SELECT id FROM devices WHERE {})", by.join(" OR "));
        Some(exact(match op {
            Op::IsNot => format!("(device_id IS NOT NULL AND device_id NOT IN {among})"),
            _ => format!("(device_id IS NOT NULL AND device_id IN {among})"),
        }))
    }
}
