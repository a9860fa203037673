//! Hex digits in the dresses that logs and programs give them.

/// Stands for a byte that is no text.
pub(super) const LOST: char = '\u{1a}';

/// Bytes, and where and why there may be more than these.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hex {
    pub(super) bytes: Vec<u8>,
    pub(super) cut: Option<(usize, String)>,
}

/// An offset in the text, and what is wrong there.
type Wrong = (usize, String);

/// Reads the bytes that a text spells: `7878`, `78 78`, `0x78, 0x78`, `\x78\x78`, `{0x78, (byte) 0x78}`, `<Buffer 78 78>`,
/// `b'xx\r'`, `78-78`, bytes without leading zeros.
pub(super) fn read(text: &str) -> Result<Hex, Wrong> {
    let literal = text.find("\\x").map(|at| literal(text, at));
    let (start, end) = literal.unwrap_or_else(|| inside(text));
    let part = text.get(start..end).unwrap_or_default();
    let moved = |(at, why): Wrong| (start + at, why);
    if literal.is_some() {
        return escaped(part).map_err(moved);
    }
    let mut hex = digits(part).map_err(moved)?;
    hex.cut = hex.cut.map(moved);
    Ok(hex)
}

/// The part within brackets or quotes, where there are any.
fn inside(text: &str) -> (usize, usize) {
    let between = |open: &str, close: char| {
        let start = text.find(open)? + open.len();
        let end = text.get(start..)?.rfind(close).map_or(text.len(), |at| start + at);
        Some((start, end))
    };
    between("<Buffer", '>')
        .or_else(|| between("{", '}'))
        .or_else(|| between("\"", '"'))
        .or_else(|| between("'", '\''))
        .or_else(|| between("[", ']').filter(|_| text.trim_start().starts_with('[')))
        .unwrap_or((0, text.len()))
}

/// The string literal around an escape: between its quotes, or all of the text.
fn literal(text: &str, escape: usize) -> (usize, usize) {
    let quote = text.get(..escape).and_then(|t| t.find(['"', '\'']));
    let Some(quote) = quote else {
        let trimmed = text.trim();
        let start = text.len() - text.trim_start().len();
        return (start, start + trimmed.len());
    };
    let mark = text.get(quote..).and_then(|t| t.chars().next()).unwrap_or('"');
    let end = text.rfind(mark).filter(|at| *at > escape).unwrap_or(text.len());
    (quote + 1, end)
}

/// One word of digits.
struct Word<'t> {
    at: usize,
    digits: &'t str,
}

fn digits(text: &str) -> Result<Hex, Wrong> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut cut = None;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '|'));
        if trimmed.len() < rest.len() {
            at += rest.len() - trimmed.len();
            continue;
        }
        if let Some(after) = rest.strip_prefix("(byte)") {
            at += rest.len() - after.len();
            continue;
        }
        if rest.starts_with("...") || rest.starts_with('…') {
            cut = Some((at, format!("the bytes are cut here: \"{}\"", rest.trim_end())));
            break;
        }
        let plain = ["0x", "0X"].into_iter().find_map(|p| rest.strip_prefix(p)).unwrap_or(rest);
        let length = plain.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(plain.len());
        let start = at + (rest.len() - plain.len());
        let word = plain.get(..length).unwrap_or_default();
        let ends_well = plain
            .get(length..)
            .and_then(|r| r.chars().next())
            .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '|' | '…' | '.'));
        if word.is_empty() || !ends_well {
            let found = text.get(start + length..).and_then(|r| r.chars().next()).unwrap_or(' ');
            return Err((start + length, format!("expected a hex digit, found {found:?}")));
        }
        words.push(Word { at: start, digits: word });
        at = start + length;
    }
    let bytewise = words.iter().all(|w| w.digits.len() <= 2);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let last = words.len().saturating_sub(1);
    for (n, Word { at, digits }) in words.iter().enumerate() {
        if bytewise {
            bytes.extend(u8::from_str_radix(digits, 16));
            continue;
        }
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        bytes.extend(pairs.iter().filter_map(|p| u8::from_str_radix(std::str::from_utf8(p).ok()?, 16).ok()));
        if let [digit] = odd {
            let (where_, count) = (at + digits.len() - 1, digits.len());
            let why = format!("{count} hex digits, an odd number");
            if n < last {
                return Err((where_, why));
            }
            let digit = char::from(*digit);
            cut = Some((where_, format!("{why}: the line was cut, and its last digit {digit:?} is half a byte")));
        }
    }
    if bytes.is_empty() {
        return Err((0, "expected hex digits, found none".to_owned()));
    }
    Ok(Hex { bytes, cut })
}

/// A string literal of C, Python or JavaScript: escapes, and characters that stand for themselves.
fn escaped(text: &str) -> Result<Hex, Wrong> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == LOST {
            return Err((at, "expected text, found bytes that are none".to_owned()));
        }
        if c != '\\' {
            let mut utf8 = [0; 4];
            bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            continue;
        }
        match chars.next() {
            Some((_, 'x')) => {
                let mut value = 0;
                let mut count = 0;
                while let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(16)).filter(|_| count < 2) {
                    value = value << 4 | u8::try_from(digit).unwrap_or(0);
                    count += 1;
                    chars.next();
                }
                if count == 0 {
                    return Err((at, "expected hex digits after \\x".to_owned()));
                }
                bytes.push(value);
            }
            Some((_, 'r')) => bytes.push(b'\r'),
            Some((_, 'n')) => bytes.push(b'\n'),
            Some((_, 't')) => bytes.push(b'\t'),
            Some((_, '0')) => bytes.push(0),
            Some((_, same @ ('\\' | '\'' | '"'))) => bytes.extend(u8::try_from(same)),
            Some((_, other)) => return Err((at, format!("unknown escape \\{other}"))),
            None => return Err((at, "a backslash at the end".to_owned())),
        }
    }
    Ok(Hex { bytes, cut: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_reaches_to_a_quote_behind_its_escapes() {
        let bytes = |text| read(text).map(|hex| hex.bytes);
        assert_eq!(bytes(r#"x = "\x41";"#), Ok(b"A".to_vec()));
        assert_eq!(bytes(r#""" \x41"#), Ok(b"\" A".to_vec()));
    }

    #[test]
    fn a_literal_with_lost_bytes_spells_none() {
        assert_eq!(read("\\x78\u{1a}\\x78"), Err((4, "expected text, found bytes that are none".to_owned())));
    }
}
