//! The filter of the packet list: a small typed language, `dev == "Van 7" && speed > 50`.
//!
//! ```text
//! any    = all { ("||" | "or") all }
//! all    = one { ["&&" | "and"] one }                 two terms side by side are both wanted
//! one    = ("!" | "not") one | "(" any ")" | test | word | "quoted text"
//! test   = field op value | field "in" list | field "in" span | field         a field alone: it is there, and not false
//! op     = == != < <= > >= contains
//! list   = "{" value { "," value } "}"
//! span   = 5m | 14:00..15:30 | 10..20
//! ```
//!
//! A word is looked for in everything that a row shows, and as bytes where it spells some. Fields are those of [`FIELDS`], every reading of
//! [`super::reading::TABLE`] under its own name, and every field of the tree in brackets: `[GSM signal] < 2`. What a packet does not have
//! fulfils no comparison, not even `!=`; `!(speed > 50)` holds for packets without a speed, too.
//!
//! | module | holds |
//! |---|---|
//! | `lex` | text into tokens, each with its place |
//! | `parse` | tokens into [`Expr`], typed; mistakes that point at the character |
//! | `admit` | whether a packet fulfils it |
//! | `complete` | what may come next |

mod admit;
mod complete;
mod field;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::ops::Range;

use jiff::{SignedDuration, tz::TimeZone};

pub use self::{
    admit::{Facts, Told},
    complete::{Completion, Offer, complete},
    field::{FIELDS, Field, FieldAbout, Kind, Path},
};
use super::{Timestamp, Verdict};

/// Longest filter that is read, in bytes.
pub const MOST_BYTES: usize = 4_096;
/// An answer comes within so many packets of what it answers, else `answered` does not know of it.
pub const ANSWERED_WITHIN: i64 = 256;
/// Deepest nesting of parentheses and negations.
pub const MOST_DEPTH: usize = 64;

/// A filter that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// `None` admits everything.
    expr: Option<Expr>,
    /// What a careful reader would say about it, with the place: valid, but perhaps not meant.
    pub doubts: Vec<Mistake>,
}

/// What a filter asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A word, in lower case, anywhere in what the row shows; `bytes` where it spells some.
    Word {
        text: String,
        bytes: Option<Vec<u8>>,
    },
    /// The field is there, and not false.
    Has(Path),
    Test {
        path: Path,
        op: Op,
        value: Value,
    },
    /// One of these.
    OneOf {
        path: Path,
        values: Vec<Value>,
    },
    /// Both ends inclusive.
    Between {
        path: Path,
        from: Value,
        to: Value,
    },
    /// Not longer ago than this.
    Within {
        path: Path,
        ago: SignedDuration,
    },
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
}

impl Op {
    /// Every operator as it is written.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Is, "=="),
        (Self::IsNot, "!="),
        (Self::Less, "<"),
        (Self::AtMost, "<="),
        (Self::More, ">"),
        (Self::AtLeast, ">="),
        (Self::Contains, "contains"),
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(op, _)| *op == self).map_or("", |(_, text)| text)
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// In lower case: texts are compared without regard to case.
    Text(String),
    Number(f64),
    Bool(bool),
    Time(Timestamp),
    Verdict(Verdict),
}

/// Why a text is no filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the text; at its end where something is missing.
    pub span: Range<usize>,
    /// What was expected and what came, a whole sentence without a full stop.
    pub text: String,
}

impl Mistake {
    fn new(span: Range<usize>, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// What words about time in a filter stand for.
#[derive(Debug, Clone)]
pub struct Ground {
    pub now: Timestamp,
    /// The zone of times that name none.
    pub zone: TimeZone,
}

impl Filter {
    /// Admits every packet.
    pub const ALL: Self = Self { expr: None, doubts: Vec::new() };

    /// Reads a filter. A text of blanks admits everything.
    pub fn parse(text: &str, ground: &Ground) -> Result<Self, Mistake> {
        parse::parse(text, ground)
    }

    /// What it asks; `None` where it admits everything.
    pub fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// Whether a packet fulfils it, at `now`.
    pub fn admits(&self, facts: &dyn Facts, now: Timestamp) -> bool {
        self.expr.as_ref().is_none_or(|expr| admit::admits(expr, facts, now))
    }

    /// What both admit.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut doubts = self.doubts;
        doubts.extend(other.doubts);
        let expr = match (self.expr, other.expr) {
            (Some(one), Some(two)) => Some(Expr::All(vec![one, two])),
            (one, two) => one.or(two),
        };
        Self { expr, doubts }
    }

    /// True where the answer for a packet changes while time goes on: `time in 5m`.
    pub fn ages(&self) -> bool {
        self.has(&|part| matches!(part, Expr::Within { .. }))
    }

    /// True where it asks for a word, whatever has it.
    pub fn has_words(&self) -> bool {
        self.has(&|part| matches!(part, Expr::Word { .. }))
    }

    /// True where it asks about this field.
    pub fn mentions(&self, field: Field) -> bool {
        self.has(&|part| match part {
            Expr::Has(path)
            | Expr::Test { path, .. }
            | Expr::OneOf { path, .. }
            | Expr::Between { path, .. }
            | Expr::Within { path, .. } => *path == Path::Field(field),
            _ => false,
        })
    }

    /// True where it must know of a packet whether it was answered.
    pub fn asks_for_answers(&self) -> bool {
        self.mentions(Field::Answered) || self.mentions(Field::TapDiffers)
    }

    /// True where some part of it is so.
    fn has(&self, so: &dyn Fn(&Expr) -> bool) -> bool {
        fn has(expr: &Expr, so: &dyn Fn(&Expr) -> bool) -> bool {
            so(expr)
                || match expr {
                    Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| has(part, so)),
                    Expr::Not(inner) => has(inner, so),
                    _ => false,
                }
        }
        self.expr.as_ref().is_some_and(|expr| has(expr, so))
    }
}

/// A text as a filter writes it: in quotes, where a bare word would mean something else.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
