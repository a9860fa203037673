//! Text into tokens, each with its place.

use std::ops::Range;

use super::{Mistake, Op};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    /// `..`
    To,
    And,
    Or,
    Not,
    In,
    Op(Op),
    /// A bare word: the name of a field, a number, a moment, anything without blanks.
    Word(String),
    /// In quotes.
    Text(String),
    /// In brackets: a field of the tree.
    Tree(String),
}

pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) span: Range<usize>,
}

/// Two-character signs before the one-character signs that they begin with.
const SIGNS: [(&str, Token); 18] = [
    ("&&", Token::And),
    ("||", Token::Or),
    ("==", Token::Op(Op::Is)),
    ("!=", Token::Op(Op::IsNot)),
    ("<=", Token::Op(Op::AtMost)),
    (">=", Token::Op(Op::AtLeast)),
    ("..", Token::To),
    ("≤", Token::Op(Op::AtMost)),
    ("≥", Token::Op(Op::AtLeast)),
    ("=", Token::Op(Op::Is)),
    ("<", Token::Op(Op::Less)),
    (">", Token::Op(Op::More)),
    ("!", Token::Not),
    ("(", Token::Open),
    (")", Token::Close),
    ("{", Token::OpenList),
    ("}", Token::CloseList),
    (",", Token::Comma),
];

pub(super) fn lex(text: &str) -> Result<Vec<Placed>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (token, len) = match next {
            '"' | '\'' => quoted(rest, at, next)?,
            '[' => match rest.find(']') {
                Some(end) => (Token::Tree(rest.get(1..end).unwrap_or_default().trim().to_owned()), end + 1),
                None => return Err(Mistake::new(at..text.len(), "the bracket that opens here is never closed")),
            },
            _ => match SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
                Some((sign, token)) => {
                    alone(rest, at, sign)?;
                    (token.clone(), sign.len())
                }
                None if next == '&' || next == '|' => {
                    return Err(Mistake::new(at..at + 1, format!("{next} is no operator; {next}{next} is meant")));
                }
                None => word(rest),
            },
        };
        tokens.push(Placed { token, span: at..at + len });
        at += len;
    }
    Ok(tokens)
}

/// An operator that another one is glued to, `&&&`, `=<`, is a slip of the hand. `!` may follow `&&` and `||`, and itself.
fn alone(rest: &str, at: usize, sign: &str) -> Result<(), Mistake> {
    let glues = |c: char| match sign {
        "&&" | "||" => "&|=<>≤≥".contains(c),
        "==" | "!=" | "<=" | ">=" | "≤" | "≥" | "=" | "<" | ">" => "&|=<>≤≥!".contains(c),
        ".." => c == '.',
        _ => false,
    };
    let behind = rest.get(sign.len()..).unwrap_or_default();
    let much = behind.find(|c| !glues(c)).unwrap_or(behind.len());
    if much == 0 {
        return Ok(());
    }
    let written = rest.get(..sign.len() + much).unwrap_or_default();
    let from = at + sign.len();
    Err(Mistake::new(from..from + much, format!("{written} is no operator; {sign} stands alone")))
}

/// A text in quotes; a backslash takes the next character as it is.
fn quoted(rest: &str, at: usize, quote: char) -> Result<(Token, usize), Mistake> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        match c {
            '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
            c if c == quote => return Ok((Token::Text(text), offset + 1)),
            c => text.push(c),
        }
    }
    Err(Mistake::new(at..at + rest.len(), "the quote that opens here is never closed"))
}

fn word(rest: &str) -> (Token, usize) {
    let ends = |at: usize, c: char| {
        c.is_whitespace()
            || "()[]{},\"'=<>!&|≤≥".contains(c)
            // A range, not the dot of a number or an address.
            || rest.get(at..).is_some_and(|rest| rest.starts_with(".."))
    };
    let len = rest.char_indices().find(|(at, c)| ends(*at, *c)).map_or(rest.len(), |(at, _)| at);
    // A sign that means nothing here stands alone, or nothing would go on.
    let len = if len == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { len };
    let word = rest.get(..len).unwrap_or_default();
    let token = match word.to_ascii_lowercase().as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::In,
        "contains" => Token::Op(Op::Contains),
        _ => Token::Word(word.to_owned()),
    };
    (token, len)
}
