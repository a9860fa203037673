//! Whether a packet fulfils a filter.

use super::{Expr, Op, Path, Value};
use crate::model::{Timestamp, Verdict};

/// One value of a field, as a packet has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'a> {
    Text(&'a str),
    Number(f64),
    Bool(bool),
    Time(Timestamp),
    Verdict(Verdict),
    /// A code with its name: either may be asked for.
    Named(f64, &'a str),
}

/// What a filter may ask about a packet.
pub trait Facts {
    /// Tells `see` every value of a field, until it returns true. True where it did; nothing is told where the packet has none.
    fn any(&self, path: &Path, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool;

    /// True where the row shows this text, which is in lower case, or carries these bytes.
    fn shows(&self, text: &str, bytes: Option<&[u8]>) -> bool;
}

pub(super) fn admits(expr: &Expr, facts: &dyn Facts, now: Timestamp) -> bool {
    match expr {
        Expr::All(parts) => parts.iter().all(|part| admits(part, facts, now)),
        Expr::Any(parts) => parts.iter().any(|part| admits(part, facts, now)),
        Expr::Not(inner) => !admits(inner, facts, now),
        Expr::Word { text, bytes } => facts.shows(text, bytes.as_deref()),
        Expr::Has(path) => facts.any(path, &mut |told| told != Told::Bool(false)),
        // Of several values none may be it.
        Expr::Test { path, op: Op::IsNot, value } => {
            let mut has = false;
            let is = facts.any(path, &mut |told| {
                has = true;
                compare(told, Op::Is, value)
            });
            has && !is
        }
        Expr::Test { path, op, value } => facts.any(path, &mut |told| compare(told, *op, value)),
        Expr::OneOf { path, values } => {
            facts.any(path, &mut |told| values.iter().any(|value| compare(told, Op::Is, value)))
        }
        Expr::Between { path, from, to } => {
            facts.any(path, &mut |told| compare(told, Op::AtLeast, from) && compare(told, Op::AtMost, to))
        }
        Expr::Within { path, ago } => {
            let from = now.checked_sub(*ago).unwrap_or(Timestamp::MIN);
            facts.any(path, &mut |told| matches!(told, Told::Time(at) if at >= from))
        }
    }
}

/// False where the two are of kinds that cannot be compared.
fn compare(told: Told<'_>, op: Op, value: &Value) -> bool {
    use std::cmp::Ordering::{self, Equal, Greater, Less};
    let by = |order: Option<Ordering>| match (op, order) {
        (_, None) | (Op::Contains, _) => false,
        (Op::Is, Some(order)) => order == Equal,
        (Op::IsNot, Some(order)) => order != Equal,
        (Op::Less, Some(order)) => order == Less,
        (Op::AtMost, Some(order)) => order != Greater,
        (Op::More, Some(order)) => order == Greater,
        (Op::AtLeast, Some(order)) => order != Less,
    };
    match (told, value) {
        (Told::Named(_, name), Value::Text(_)) => compare(Told::Text(name), op, value),
        (Told::Named(code, _), _) => compare(Told::Number(code), op, value),
        (Told::Text(text), Value::Text(wanted)) => {
            let text = text.to_lowercase();
            if op == Op::Contains { text.contains(wanted.as_str()) } else { by(Some(text.as_str().cmp(wanted))) }
        }
        (Told::Number(n), Value::Number(wanted)) => by(n.partial_cmp(wanted)),
        (Told::Bool(b), Value::Bool(wanted)) => by(Some(b.cmp(wanted))),
        (Told::Time(at), Value::Time(wanted)) => by(Some(at.cmp(wanted))),
        (Told::Verdict(verdict), Value::Verdict(wanted)) => by(Some(verdict.cmp(wanted))),
        // Readings come as they were told: a card number may be a text of digits, a state a number.
        (Told::Text(text), Value::Number(wanted)) => text.trim().parse().is_ok_and(|n: f64| {
            if op == Op::Contains { text.contains(&wanted.to_string()) } else { by(n.partial_cmp(wanted)) }
        }),
        (Told::Number(n), Value::Text(wanted)) => {
            let text = n.to_string();
            if op == Op::Contains { text.contains(wanted.as_str()) } else { by(Some(text.as_str().cmp(wanted))) }
        }
        (Told::Text(text), Value::Time(wanted)) => text.parse().is_ok_and(|at: Timestamp| by(Some(at.cmp(wanted)))),
        (Told::Number(n), Value::Bool(wanted)) => by(Some((n != 0.0).cmp(wanted))),
        (Told::Bool(b), Value::Number(wanted)) => by(f64::from(u8::from(b)).partial_cmp(wanted)),
        _ => false,
    }
}
