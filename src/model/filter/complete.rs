//! What may come next while a filter is typed.

use std::ops::Range;

use super::{
    Kind, Op, Path,
    field::{FIELDS, Field},
    lex::{Placed, Token, lex},
    quoted,
};
use crate::model::reading;

/// Offers at most.
const MOST: usize = 12;

/// What may stand where the cursor is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The bytes that an offer takes the place of.
    pub span: Range<usize>,
    pub offers: Vec<Offer>,
}

/// One thing that may stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub text: String,
    /// What it means.
    pub says: String,
}

/// What may stand at `cursor`, a byte of `text`. `values` are those that packets have for a field, in the order they are offered: names of
/// devices, kinds. `tree` are the names of fields of the tree that are known.
pub fn complete(text: &str, cursor: usize, values: &dyn Fn(Field) -> Vec<String>, tree: &[&str]) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let Ok(mut tokens) = lex(before) else { return open(before, values, tree) };
    // What is being typed touches the cursor.
    let begun = match tokens.last() {
        Some(Placed { token: Token::Word(word), span }) if span.end == before.len() => {
            Some((word.clone(), span.clone()))
        }
        Some(Placed { token: Token::And | Token::Or | Token::Not | Token::In, span }) if span.end == before.len() => {
            before
                .get(span.clone())
                .filter(|w| w.chars().all(char::is_alphabetic))
                .map(|w| (w.to_owned(), span.clone()))
        }
        _ => None,
    };
    if begun.is_some() {
        tokens.pop();
    }
    let (begun, span) = begun.unwrap_or((String::new(), before.len()..before.len()));
    let offers = match place(&tokens) {
        Place::Term => terms(tree),
        Place::Operator(path) if begun.is_empty() || !begun.starts_with(|c: char| c.is_ascii_digit()) => {
            operators(&path)
        }
        Place::Operator(_) => Vec::new(),
        Place::Value(path) => literals(&path, values),
        Place::After => words(&[("&&", "and"), ("||", "or")]),
    };
    Completion { span, offers: fitting(offers, &begun) }
}

/// A quote or bracket that is still open.
fn open(before: &str, values: &dyn Fn(Field) -> Vec<String>, tree: &[&str]) -> Completion {
    let Some(at) = before.rfind(['"', '\'', '[']) else { return Completion::default() };
    let begun = before.get(at + 1..).unwrap_or_default();
    let offers = if before.get(at..).is_some_and(|rest| rest.starts_with('[')) {
        tree.iter().map(|name| offer(format!("[{name}]"), "field of the tree")).collect()
    } else {
        match lex(before.get(..at).unwrap_or_default()).map(|tokens| place(&tokens)) {
            Ok(Place::Value(path)) => literals(&path, values),
            _ => Vec::new(),
        }
    };
    Completion { span: at..before.len(), offers: fitting(offers, begun) }
}

/// Which part of the grammar stands at the end.
enum Place {
    Term,
    Operator(Path),
    Value(Path),
    After,
}

fn place(tokens: &[Placed]) -> Place {
    let path = |placed: Option<&Placed>| match placed.map(|placed| &placed.token) {
        Some(Token::Word(word)) => Path::of(word),
        Some(Token::Tree(name)) => Some(Path::Tree(name.clone())),
        _ => None,
    };
    let back = |n: usize| tokens.len().checked_sub(n).and_then(|at| tokens.get(at));
    match back(1).map(|placed| &placed.token) {
        None | Some(Token::And | Token::Or | Token::Not | Token::Open) => Place::Term,
        Some(Token::Op(_) | Token::In) => path(back(2)).map_or(Place::After, Place::Value),
        Some(Token::OpenList | Token::Comma | Token::To) => {
            let at = tokens.iter().rposition(|placed| matches!(placed.token, Token::In));
            let of = at.and_then(|at| at.checked_sub(1)).and_then(|at| path(tokens.get(at)));
            of.map_or(Place::After, Place::Value)
        }
        Some(Token::Word(_) | Token::Tree(_))
            if !matches!(back(2).map(|p| &p.token), Some(Token::Op(_) | Token::In)) =>
        {
            path(back(1)).map_or(Place::After, Place::Operator)
        }
        _ => Place::After,
    }
}

fn offer(text: impl Into<String>, says: impl Into<String>) -> Offer {
    Offer { text: text.into(), says: says.into() }
}

fn words(words: &[(&str, &str)]) -> Vec<Offer> {
    words.iter().map(|(text, says)| offer(*text, *says)).collect()
}

/// Fields, readings, fields of the tree.
fn terms(tree: &[&str]) -> Vec<Offer> {
    let fields = FIELDS.iter().map(|about| {
        let name = about.names.first().copied().unwrap_or_default();
        offer(name, format!("{}: {}", about.says, about.example))
    });
    let readings = reading::TABLE.iter().map(|about| match about.unit {
        "" => offer(about.key, about.label),
        unit => offer(about.key, format!("{}, {unit}", about.label)),
    });
    let tree = tree.iter().map(|name| offer(format!("[{name}]"), "field of the tree"));
    fields.chain(readings).chain(tree).collect()
}

fn operators(path: &Path) -> Vec<Offer> {
    let fits = |op: Op| match path.kind() {
        Kind::Text => matches!(op, Op::Is | Op::IsNot | Op::Contains),
        Kind::Word(_) | Kind::Bool => matches!(op, Op::Is | Op::IsNot),
        Kind::Number(_) | Kind::Time | Kind::Verdict => op != Op::Contains,
        Kind::Any => true,
    };
    let says = |op: Op| match op {
        Op::Is => "is",
        Op::IsNot => "is there, and is not",
        Op::Less => "less than",
        Op::AtMost => "at most",
        Op::More => "more than",
        Op::AtLeast => "at least",
        Op::Contains => "has this text in it",
    };
    let mut offers: Vec<Offer> =
        Op::ALL.iter().filter(|(op, _)| fits(*op)).map(|(op, text)| offer(*text, says(*op))).collect();
    offers.push(offer("in", "a list {1, 2}, a span 1..5, or for times 5m"));
    offers
}

fn literals(path: &Path, values: &dyn Fn(Field) -> Vec<String>) -> Vec<Offer> {
    let plain = |word: &str| {
        let bare = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_./-".contains(c));
        if bare { word.to_owned() } else { quoted(word) }
    };
    match path.kind() {
        Kind::Word(list) => list.iter().map(|word| offer(*word, "")).collect(),
        Kind::Bool => words(&[("yes", ""), ("no", "")]),
        Kind::Verdict => words(&[
            ("ok", "nothing to say"),
            ("note", "worth knowing"),
            ("warn", "doubtful or missing"),
            ("error", "cannot be used"),
        ]),
        Kind::Time => words(&[
            ("today", ""),
            ("yesterday", ""),
            ("5m", "after in: not longer ago"),
            ("1h", "after in: not longer ago"),
            ("14:00", "today at that time"),
        ]),
        Kind::Text | Kind::Number(_) => match path {
            Path::Field(field) => values(*field).iter().map(|value| offer(plain(value), "")).collect(),
            Path::Reading(_) | Path::Tree(_) => Vec::new(),
        },
        Kind::Any => Vec::new(),
    }
}

/// Those that begin with what is typed, then those that have it within.
fn fitting(offers: Vec<Offer>, begun: &str) -> Vec<Offer> {
    let begun = begun.to_lowercase();
    let bare = |offer: &Offer| offer.text.trim_start_matches(['"', '[']).to_lowercase();
    let (first, rest): (Vec<_>, Vec<_>) = offers.into_iter().partition(|offer| bare(offer).starts_with(&begun));
    let within = rest.into_iter().filter(|offer| !begun.is_empty() && bare(offer).contains(&begun));
    first.into_iter().chain(within).take(MOST).collect()
}
