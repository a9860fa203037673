//! Tokens into what is asked, typed; mistakes that point at the character.

use std::ops::Range;

use jiff::{SignedDuration, civil};

use super::{
    Expr, Filter, Ground, Kind, MOST_BYTES, MOST_DEPTH, Mistake, Op, Path, Value,
    field::{FIELDS, Field},
    lex::{Placed, Token, lex},
};
use crate::model::{Timestamp, Verdict, reading};

/// Shorter runs of hex digits occur in every packet and are not looked for in the bytes.
const LEAST_HEX_DIGITS: usize = 4;

pub(super) fn parse(text: &str, ground: &Ground) -> Result<Filter, Mistake> {
    if text.len() > MOST_BYTES {
        return Err(Mistake::new(MOST_BYTES..text.len(), format!("a filter has at most {MOST_BYTES} characters")));
    }
    let tokens = lex(text)?;
    let mut parser = Parser { ground, tokens, at: 0, end: text.len(), doubts: Vec::new(), depth: 0 };
    if parser.tokens.is_empty() {
        return Ok(Filter::ALL);
    }
    let expr = parser.any()?;
    match parser.next() {
        Some(Placed { token: Token::Close, span }) => {
            Err(Mistake::new(span.clone(), "no parenthesis is open that this one closes"))
        }
        Some(Placed { span, .. }) => Err(Mistake::new(span.clone(), "a field or a word was expected here")),
        None => Ok(Filter { expr: Some(expr), doubts: parser.doubts }),
    }
}

struct Parser<'a> {
    ground: &'a Ground,
    tokens: Vec<Placed>,
    at: usize,
    /// Where the text ends.
    end: usize,
    doubts: Vec<Mistake>,
    depth: usize,
}

/// A moment as it was written: the first and the last instant that it may mean.
#[derive(Clone, Copy)]
struct Moment {
    first: Timestamp,
    last: Timestamp,
}

/// A value, or a moment that is as long as it was written.
enum Literal {
    Value(Value),
    Moment(Moment),
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn next(&mut self) -> Option<&Placed> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn eat(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    /// Where the next token stands.
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |placed| placed.span.clone())
    }

    fn any(&mut self) -> Result<Expr, Mistake> {
        let mut parts = vec![self.all()?];
        while self.eat(&Token::Or) {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all(&mut self) -> Result<Expr, Mistake> {
        let mut parts = vec![self.one()?];
        loop {
            let told = self.eat(&Token::And);
            match self.peek() {
                None | Some(Token::Or | Token::Close) if !told => break,
                _ => parts.push(self.one()?),
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn one(&mut self) -> Result<Expr, Mistake> {
        let span = self.here();
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Mistake::new(span, format!("nested deeper than {MOST_DEPTH}")));
        }
        let missing = || Mistake::new(span.clone(), "a field or a word was expected here");
        let Some(token) = self.next().map(|placed| placed.token.clone()) else { return Err(missing()) };
        let one = match token {
            Token::Not => Expr::Not(Box::new(self.one()?)),
            Token::Open => {
                let inner = self.any()?;
                if !self.eat(&Token::Close) {
                    return Err(Mistake::new(span, "the parenthesis that opens here is never closed"));
                }
                inner
            }
            Token::Text(text) if !self.compares() => Expr::Word { text: text.to_lowercase(), bytes: None },
            Token::Tree(name) => self.about(Path::Tree(name), span)?,
            Token::Word(word) if self.compares() => {
                let Some(path) = Path::of(&word) else { return Err(Mistake::new(span, no_field(&word))) };
                self.about(path, span)?
            }
            Token::Word(word) => self.word(&word, &span),
            _ => return Err(missing()),
        };
        self.depth -= 1;
        Ok(one)
    }

    /// True where an operator comes next.
    fn compares(&self) -> bool {
        matches!(self.peek(), Some(Token::Op(_) | Token::In))
    }

    /// A word by itself.
    fn word(&mut self, word: &str, span: &Range<usize>) -> Expr {
        let says_whether = |path: &Path| !matches!(path, Path::Field(field) if field.about().kind != Kind::Bool && *field != Field::Comment);
        if let Some(path) = Path::of(word).filter(says_whether) {
            if let Path::Reading(_) = path {
                let text = format!("packets with this reading; write \"{word}\" for the word");
                self.doubts.push(Mistake::new(span.clone(), text));
            }
            return Expr::Has(path);
        }
        if let Some((name, value)) = word.split_once(':')
            && !value.is_empty()
            && let Some(path) = Path::of(name)
        {
            let text = format!("looked for as a word; {} == {value} asks for the field", path.written());
            self.doubts.push(Mistake::new(span.clone(), text));
        }
        // Bytes that are written apart are one run of them.
        let mut text = word.to_lowercase();
        let mut digits = text.trim_start_matches("0x").to_owned();
        let is_byte = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
        while is_byte(word)
            && let Some(Token::Word(next)) = self.peek()
            && is_byte(next)
        {
            let next = next.to_lowercase();
            text = format!("{text} {next}");
            digits += &next;
            self.at += 1;
        }
        Expr::Word { bytes: bytes_of_hex(&digits), text }
    }

    /// What follows a field.
    fn about(&mut self, path: Path, span: Range<usize>) -> Result<Expr, Mistake> {
        if matches!(&path, Path::Tree(name) if name.is_empty()) {
            return Err(Mistake::new(span, "the name of a field was expected between the brackets"));
        }
        let at = self.here();
        match self.peek().cloned() {
            Some(Token::In) => {
                self.at += 1;
                self.within(path)
            }
            Some(Token::Op(op)) => {
                self.at += 1;
                self.test(path, op, &at)
            }
            _ => Ok(Expr::Has(path)),
        }
    }

    fn test(&mut self, path: Path, op: Op, at: &Range<usize>) -> Result<Expr, Mistake> {
        let fits = match path.kind() {
            Kind::Text => matches!(op, Op::Is | Op::IsNot | Op::Contains),
            Kind::Word(_) | Kind::Bool => matches!(op, Op::Is | Op::IsNot),
            Kind::Number(_) | Kind::Time | Kind::Verdict => op != Op::Contains,
            Kind::Any => true,
        };
        if !fits {
            return Err(Mistake::new(at.clone(), format!("{} is {}", path.written(), compared(path.kind()))));
        }
        let (path, literal) = self.literal(path, op)?;
        Ok(match literal {
            Literal::Value(value) => Expr::Test { path, op, value },
            Literal::Moment(moment) => by_moment(&path, op, moment),
        })
    }

    /// `in { … }`, `in 5m`, `in from..to`.
    fn within(&mut self, path: Path) -> Result<Expr, Mistake> {
        if self.eat(&Token::OpenList) {
            return self.list(path);
        }
        let at = self.here();
        if path.kind() == Kind::Time
            && let Some(Token::Word(word)) = self.peek()
            && let Some(ago) = duration(word)
        {
            self.at += 1;
            return Ok(Expr::Within { path, ago });
        }
        let (path, from) = self.literal(path, Op::AtLeast)?;
        if !self.eat(&Token::To) {
            return match from {
                Literal::Moment(moment) => Ok(by_moment(&path, Op::Is, moment)),
                Literal::Value(_) => {
                    let text = "a list in braces or a span was expected, as in {1, 2} or 1..5";
                    Err(Mistake::new(at, text))
                }
            };
        }
        if !matches!(path.kind(), Kind::Number(_) | Kind::Time | Kind::Any) {
            return Err(Mistake::new(at, format!("{} is {}", path.written(), compared(path.kind()))));
        }
        let (path, to) = self.literal(path, Op::AtMost)?;
        let from = match from {
            Literal::Value(value) => value,
            Literal::Moment(moment) => Value::Time(moment.first),
        };
        let to = match to {
            Literal::Value(value) => value,
            Literal::Moment(moment) => Value::Time(moment.last),
        };
        let backwards = match (&from, &to) {
            (Value::Number(from), Value::Number(to)) => from > to,
            (Value::Time(from), Value::Time(to)) => from > to,
            _ => false,
        };
        if backwards {
            self.doubts.push(Mistake::new(at, "this span ends before it begins, so nothing is in it"));
        }
        Ok(Expr::Between { path, from, to })
    }

    fn list(&mut self, path: Path) -> Result<Expr, Mistake> {
        let mut values = Vec::new();
        let mut times = Vec::new();
        let mut path = path;
        loop {
            let (of, literal) = self.literal(path, Op::Is)?;
            path = of;
            match literal {
                Literal::Value(value) => values.push(value),
                Literal::Moment(moment) => times.push(by_moment(&path, Op::Is, moment)),
            }
            if self.eat(&Token::CloseList) {
                return Ok(if times.is_empty() { Expr::OneOf { path, values } } else { Expr::Any(times) });
            }
            let at = self.here();
            if !self.eat(&Token::Comma) {
                return Err(Mistake::new(at, "a comma or the closing brace was expected here"));
            }
        }
    }

    /// What a field is compared with. `type == login` asks for the kind by its word.
    fn literal(&mut self, path: Path, op: Op) -> Result<(Path, Literal), Mistake> {
        let span = self.here();
        let (word, in_quotes) = match self.next().map(|placed| &placed.token) {
            Some(Token::Word(word)) => (word.clone(), false),
            Some(Token::Text(text)) => (text.clone(), true),
            // A direction, too.
            Some(Token::In) => ("in".to_owned(), false),
            _ => {
                let text = format!("a value was expected here: {} is {}", path.written(), compared(path.kind()));
                return Err(Mistake::new(span, text));
            }
        };
        let wrong = |what: &str| Mistake::new(span.clone(), format!("{} is {what}, not {word}", path.written()));
        let lower = word.to_lowercase();
        let value = match path.kind() {
            Kind::Text => Value::Text(lower),
            Kind::Word(words) if words.contains(&lower.as_str()) => Value::Text(lower),
            Kind::Word(words) => return Err(wrong(&format!("one of {}", words.join(", ")))),
            Kind::Bool => Value::Bool(yes_or_no(&lower).ok_or_else(|| wrong("yes or no"))?),
            Kind::Verdict => match lower.as_str() {
                "warning" => Value::Verdict(Verdict::Warn),
                word => Value::Verdict(Verdict::parse(word).ok_or_else(|| wrong("one of ok, note, warn, error"))?),
            },
            Kind::Number(unit) => match number(&word, unit) {
                Some(mut n) => {
                    if let Some(Token::Word(next)) = self.peek()
                        && let Some(factor) = factor(next, unit)
                    {
                        n *= factor;
                        self.at += 1;
                    }
                    Value::Number(n)
                }
                None if path == Path::Field(Field::Type) && matches!(op, Op::Is | Op::IsNot) => {
                    return Ok((Path::Field(Field::Kind), Literal::Value(Value::Text(lower))));
                }
                None if unit.is_empty() => return Err(wrong("a number")),
                None => return Err(wrong(&format!("a number in {unit}"))),
            },
            Kind::Time => {
                let moment = moment(&lower, self.ground);
                let example = "a moment such as 14:02, 2026-11-21 or 2026-11-21T14:02:31Z";
                return Ok((path.clone(), Literal::Moment(moment.ok_or_else(|| wrong(example))?)));
            }
            Kind::Any if op == Op::Contains || in_quotes => Value::Text(lower),
            // A field of the tree may be a moment; that is written whole.
            Kind::Any if word.parse::<Timestamp>().is_ok() => {
                return Ok((
                    path,
                    moment(&lower, self.ground).map_or(Literal::Value(Value::Text(lower)), Literal::Moment),
                ));
            }
            Kind::Any => number(&word, "")
                .map(Value::Number)
                .or_else(|| yes_or_no(&lower).map(Value::Bool))
                .unwrap_or(Value::Text(lower)),
        };
        Ok((path, Literal::Value(value)))
    }
}

/// A comparison with a moment that lasts: a day, a minute.
fn by_moment(path: &Path, op: Op, Moment { first, last }: Moment) -> Expr {
    let test = |op, at| Expr::Test { path: path.clone(), op, value: Value::Time(at) };
    let between = || Expr::Between { path: path.clone(), from: Value::Time(first), to: Value::Time(last) };
    match op {
        Op::Is | Op::Contains => between(),
        Op::IsNot => Expr::All(vec![Expr::Has(path.clone()), Expr::Not(Box::new(between()))]),
        Op::Less | Op::AtLeast => test(op, first),
        Op::AtMost | Op::More => test(op, last),
    }
}

/// How a kind of field is compared, in words.
fn compared(kind: Kind) -> String {
    match kind {
        Kind::Text => "a text: compare it by ==, != or contains".to_owned(),
        Kind::Word(words) => format!("one of {}: compare it by == or !=", words.join(", ")),
        Kind::Bool => "yes or no: compare it by == or !=".to_owned(),
        Kind::Number("") => "a number: compare it by == != < <= > >= or in 1..5".to_owned(),
        Kind::Number(unit) => format!("a number in {unit}: compare it by == != < <= > >= or in 1..5"),
        Kind::Time => "a moment: compare it by < <= > >= or in 5m".to_owned(),
        Kind::Verdict => "one of ok, note, warn, error: compare it by == != < <= > >=".to_owned(),
        Kind::Any => "compared with a number, a text, yes or no".to_owned(),
    }
}

fn no_field(word: &str) -> String {
    let names = FIELDS.iter().filter_map(|about| about.names.first().copied());
    let names = names.chain(reading::TABLE.iter().map(|about| about.key));
    let lower = word.to_lowercase();
    let nearest = names.map(|name| (distance(&lower, &name.to_lowercase()), name)).min();
    match nearest {
        Some((steps, name)) if steps <= 1 + word.len() / 4 => format!("no field is called {word}; is {name} meant?"),
        _ => format!("no field is called {word}; a field of the tree is written [in brackets]"),
    }
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != *y);
            let (left, above) = (row.get(j).copied().unwrap_or(0), row.get(j + 1).copied().unwrap_or(0));
            before = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = replaced.min(left + 1).min(above + 1);
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// A number, decimal or `0x…`, with or without a unit.
fn number(word: &str, unit: &str) -> Option<f64> {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok().map(f64::from);
    }
    let is_part = |c: char| c.is_ascii_digit() || ".+-".contains(c);
    let split = word.find(|c| !is_part(c)).unwrap_or(word.len());
    let (digits, rest) = word.split_at(split);
    let n: f64 = digits.parse().ok().filter(|n: &f64| n.is_finite())?;
    if rest.is_empty() { Some(n) } else { Some(n * factor(rest, unit)?) }
}

/// What a number in one unit is worth in another; `None` where they do not measure the same.
fn factor(unit: &str, wanted: &str) -> Option<f64> {
    Some(match (unit.to_lowercase().as_str(), wanted) {
        ("km/h" | "kmh", "km/h") | ("m", "m") | ("b" | "bytes", "bytes") | ("°" | "deg", "°") => 1.0,
        ("mph", "km/h") => 1.609_344,
        ("kn" | "kt", "km/h") => 1.852,
        ("m/s", "km/h") => 3.6,
        ("km", "m") => 1_000.0,
        ("ft", "m") => 0.304_8,
        ("mi", "m") => 1_609.344,
        ("kb" | "kib", "bytes") => 1_024.0,
        _ => return None,
    })
}

/// `90s`, `5m`, `2h30m`, `3d`.
fn duration(word: &str) -> Option<SignedDuration> {
    if let Some(days) = word.strip_suffix('d') {
        let days: u32 = days.parse().ok()?;
        return Some(SignedDuration::from_hours(i64::from(days) * 24));
    }
    let starts = word.starts_with(|c: char| c.is_ascii_digit());
    let ends = word.ends_with(|c: char| c.is_ascii_alphabetic());
    word.parse().ok().filter(|ago: &SignedDuration| starts && ends && ago.is_positive())
}

/// A moment as people write it: with a zone, or in that of the ground.
fn moment(word: &str, ground: &Ground) -> Option<Moment> {
    let today = ground.now.to_zoned(ground.zone.clone()).date();
    let word = word.to_uppercase();
    let at = |date: civil::Date, time: civil::Time| {
        date.to_datetime(time).to_zoned(ground.zone.clone()).ok().map(|at| at.timestamp())
    };
    let lasting = |first: Timestamp, length: SignedDuration| {
        let last = first.checked_add(length).ok()?.checked_sub(SignedDuration::from_millis(1)).ok()?;
        Some(Moment { first, last })
    };
    let day = |date: civil::Date| {
        let first = at(date, civil::Time::midnight())?;
        let next = at(date.tomorrow().ok()?, civil::Time::midnight())?;
        lasting(first, next.duration_since(first))
    };
    match word.as_str() {
        "NOW" => return Some(Moment { first: ground.now, last: ground.now }),
        "TODAY" => return day(today),
        "YESTERDAY" => return day(today.yesterday().ok()?),
        _ => {}
    }
    if let Ok(first) = word.parse::<Timestamp>() {
        let length = if word.contains('.') { SignedDuration::from_millis(1) } else { SignedDuration::from_secs(1) };
        return lasting(first, length);
    }
    let (date, time) = match word.split_once(['T', ' ']) {
        Some((date, time)) => (date.parse().ok()?, Some(time)),
        None if word.contains(':') => (today, Some(word.as_str())),
        None => (word.parse().ok()?, None),
    };
    let Some(time) = time else { return day(date) };
    let length = match time.matches(':').count() {
        _ if time.contains('.') => SignedDuration::from_millis(1),
        2 => SignedDuration::from_secs(1),
        _ => SignedDuration::from_mins(1),
    };
    lasting(at(date, time.parse().ok()?)?, length)
}

/// The bytes that these digits spell, where they are enough to be looked for.
fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    if digits.len() < LEAST_HEX_DIGITS || digits.len() % 2 == 1 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok()).collect()
}
