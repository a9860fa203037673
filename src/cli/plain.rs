//! What may not reach a terminal: control characters, and those that turn text around. Names and texts come from strangers.

use std::io::{self, Write};

/// What stands for a character that is left out.
const INSTEAD: char = '\u{fffd}';

/// True where a character steers a terminal or makes text look like another. A line break is for the caller to judge.
fn steers(c: char) -> bool {
    // The second: marks that turn the direction of writing.
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of one line.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|c| if steers(c) { INSTEAD } else { c }).collect()
}

/// How what steers is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// For people: something else stands for it.
    People,
    /// Within the strings of JSON, where it can be said otherwise.
    Json,
}

/// Writes text, and what steers a terminal otherwise. Line breaks stay.
pub(super) struct Plain<W> {
    out: W,
    reader: For,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W, json: bool) -> Self {
        Self { out, reader: if json { For::Json } else { For::People } }
    }
}

impl<W: Write> Write for Plain<W> {
    /// Takes all of it: what formats text writes whole characters.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut rest = &*text;
        while let Some(at) = rest.find(|c| c != '\n' && steers(c)) {
            let (fine, from) = rest.split_at(at);
            self.out.write_all(fine.as_bytes())?;
            let mut chars = from.chars();
            match (chars.next(), self.reader) {
                (Some(c), For::Json) => write!(self.out, "\\u{:04x}", u32::from(c))?,
                (_, For::People) | (None, For::Json) => write!(self.out, "{INSTEAD}")?,
            }
            rest = chars.as_str();
        }
        self.out.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, json: bool) -> String {
        let mut out = Vec::new();
        Plain::new(&mut out, json).write_all(text.as_bytes()).expect("memory takes it");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(written("a\u{1b}[31mb\r\n\u{9b}1m\u{202e}ü\n", false), "a�[31mb�\n�1m�ü\n");
        assert_eq!(line("two\nlines"), "two�lines");
    }

    #[test]
    fn json_says_it_otherwise_and_means_the_same() {
        let value = serde_json::json!(["a\u{7f}\u{9b}\u{202e}b\n", "ü"]);
        let text = written(&value.to_string(), true);
        assert_eq!(text, r#"["a\u007f\u009b\u202eb\n","ü"]"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
