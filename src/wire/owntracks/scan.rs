//! Reads a JSON text and keeps where everything stands. Knows JSON, not OwnTracks.
//!
//! Strict about grammar, lenient about text: broken UTF-8 and lone surrogates become replacement characters. Nothing is
//! lost on an error: what was whole before it stays.

use std::{borrow::Cow, ops::Range};

/// Values nested deeper than this are passed over as one opaque value.
pub(super) const MAX_DEPTH: u8 = 64;
/// A text nested deeper than this is refused: no app sends it.
const MOST_DEPTH: usize = 512;
/// A text with more values than this is refused, so that a small body cannot fill the memory.
pub(super) const MAX_NODES: usize = 65_536;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    Object,
    Array,
    Text(Cow<'a, str>),
    /// The number as it is written.
    Number(&'a str),
    Bool(bool),
    Null,
    /// An array or object below [`MAX_DEPTH`], not looked into.
    Deep,
}

/// One value of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'a> {
    /// The member's name; `None` for an element of an array and for the root.
    pub(super) name: Option<Cow<'a, str>>,
    /// From the name (or the value) to behind the comma and the space that follow. Siblings touch.
    pub(super) whole: Range<usize>,
    /// The value alone.
    pub(super) value: Range<usize>,
    /// Of an array or object: where its first child begins, behind bracket and space.
    pub(super) inside: usize,
    /// False for an array or object in which the text broke off.
    pub(super) closed: bool,
    pub(super) kind: Kind<'a>,
    /// Index of the next node that is not inside this one.
    pub(super) next: usize,
}

/// Where the text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    /// What would have been right there, or what is wrong.
    pub(super) expected: &'static str,
}

/// A JSON text with all its values in pre-order.
#[derive(Debug)]
pub(super) struct Doc<'a> {
    pub(super) body: &'a [u8],
    pub(super) nodes: Vec<Node<'a>>,
    /// A byte order mark stands before the text.
    pub(super) bom: bool,
    /// Everything up to here belongs to a value that was read.
    pub(super) read_to: usize,
    pub(super) error: Option<SyntaxError>,
    /// The first string that had to be mended, because it is no UTF-8 or holds half a surrogate pair.
    pub(super) mended: Option<Range<usize>>,
    /// The first value that is nested too deep.
    pub(super) deep: Option<Range<usize>>,
}

impl<'a> Doc<'a> {
    /// Reads `body`. Never fails: what is wrong stands in [`Doc::error`].
    pub(super) fn scan(body: &'a [u8]) -> Self {
        let bom = body.starts_with(BOM);
        let start = if bom { BOM.len() } else { 0 };
        // A member takes some ten bytes at least; what phones send has a dozen or two.
        let nodes = Vec::with_capacity((body.len() / 10).min(24));
        let doc = Doc { body, nodes, bom, read_to: start, error: None, mended: None, deep: None };
        let mut scanner = Scanner { doc, at: start };
        if let Err(error) = scanner.text(start) {
            scanner.doc.error = Some(error);
        }
        scanner.doc
    }

    /// Indices of the values directly inside the one at `of`.
    pub(super) fn children(&self, of: usize) -> impl Iterator<Item = (usize, &Node<'a>)> {
        let end = self.nodes.get(of).map_or(0, |n| n.next);
        let mut at = of + 1;
        std::iter::from_fn(move || {
            let index = at;
            let node = self.nodes.get(index).filter(|_| index < end)?;
            at = node.next;
            Some((index, node))
        })
    }
}

struct Scanner<'a> {
    doc: Doc<'a>,
    at: usize,
}

type Scanned = Result<(), SyntaxError>;

impl<'a> Scanner<'a> {
    fn text(&mut self, start: usize) -> Scanned {
        self.space();
        self.value(None, start, 0)?;
        self.space();
        if let Some(root) = self.doc.nodes.first_mut() {
            root.whole.end = self.at;
        }
        self.doc.read_to = self.at;
        if self.at < self.doc.body.len() { Err(self.wrong("nothing more: the text is complete")) } else { Ok(()) }
    }

    /// Reads the value that begins here and adds its node; `lead` is where its member begins.
    fn value(&mut self, name: Option<Cow<'a, str>>, lead: usize, depth: u8) -> Scanned {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                self.skip_nested()?;
                self.doc.deep.get_or_insert(start..self.at);
                self.add(name, lead, start, Kind::Deep)
            }
            Some(b'{') => self.container(name, lead, depth, Kind::Object, b'}'),
            Some(b'[') => self.container(name, lead, depth, Kind::Array, b']'),
            Some(b'"') => {
                let text = self.string()?;
                self.add(name, lead, start, Kind::Text(text))
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                self.add(name, lead, start, Kind::Number(number))
            }
            Some(b't') => self.word(b"true").and_then(|()| self.add(name, lead, start, Kind::Bool(true))),
            Some(b'f') => self.word(b"false").and_then(|()| self.add(name, lead, start, Kind::Bool(false))),
            Some(b'n') => self.word(b"null").and_then(|()| self.add(name, lead, start, Kind::Null)),
            Some(_) => Err(self.wrong("a value")),
            None => Err(self.wrong("a value, but the text ends")),
        }
    }

    fn container(&mut self, name: Option<Cow<'a, str>>, lead: usize, depth: u8, kind: Kind<'a>, close: u8) -> Scanned {
        let named = kind == Kind::Object;
        let index = self.doc.nodes.len();
        let start = self.at;
        self.at += 1;
        self.space();
        self.add(name, lead, start, kind)?;
        self.node(index).closed = false;
        let result = self.children(named, depth + 1, close);
        let (at, read_to, count) = (self.at, self.doc.read_to, self.doc.nodes.len());
        let node = self.node(index);
        node.next = count;
        let end = if result.is_ok() { at } else { read_to };
        node.closed = result.is_ok();
        (node.value.end, node.whole.end) = (end, end);
        self.doc.read_to = end;
        result
    }

    /// Reads members or elements up to the closing bracket.
    fn children(&mut self, named: bool, depth: u8, close: u8) -> Scanned {
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            let (lead, child) = (self.at, self.doc.nodes.len());
            let name = if named { Some(self.name()?) } else { None };
            self.value(name, lead, depth)?;
            self.space();
            let comma = self.peek() == Some(b',');
            if comma {
                self.at += 1;
                self.space();
            } else if self.peek() != Some(close) {
                return Err(self.wrong(match self.peek() {
                    None => "a closing bracket, but the text ends",
                    Some(_) if named => "a comma or }",
                    Some(_) => "a comma or ]",
                }));
            }
            let at = self.at;
            self.node(child).whole.end = at;
            self.doc.read_to = at;
            if !comma {
                self.at += 1;
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.wrong("a name in double quotes")),
            None => return Err(self.wrong("a name, but the text ends")),
        }
        let name = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.wrong("a colon"));
        }
        self.at += 1;
        self.space();
        Ok(name)
    }

    /// Reads a string, quotes included.
    fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let from = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    let plain = self.doc.body.get(from..self.at).unwrap_or_default();
                    self.at += 1;
                    if let Ok(text) = std::str::from_utf8(plain) {
                        return Ok(Cow::Borrowed(text));
                    }
                    self.doc.mended.get_or_insert(start..self.at);
                    return Ok(String::from_utf8_lossy(plain));
                }
                b'\\' => return self.escaped_string(start, from),
                0..=0x1f => return Err(self.wrong("no control character inside a string")),
                _ => self.at += 1,
            }
        }
        Err(self.wrong("a closing quote, but the text ends"))
    }

    /// Reads the rest of a string from its first backslash on.
    fn escaped_string(&mut self, start: usize, from: usize) -> Result<Cow<'a, str>, SyntaxError> {
        let mut text = self.doc.body.get(from..self.at).unwrap_or_default().to_vec();
        let mut mended = false;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    self.at += 1;
                    let text = match String::from_utf8(text) {
                        Ok(text) => text,
                        Err(error) => {
                            mended = true;
                            String::from_utf8_lossy(error.as_bytes()).into_owned()
                        }
                    };
                    if mended {
                        self.doc.mended.get_or_insert(start..self.at);
                    }
                    return Ok(Cow::Owned(text));
                }
                b'\\' => {
                    self.at += 1;
                    let c = self.escape()?;
                    mended |= c.is_none();
                    let mut utf8 = [0; 4];
                    text.extend_from_slice(c.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut utf8).as_bytes());
                }
                0..=0x1f => return Err(self.wrong("no control character inside a string")),
                other => {
                    text.push(other);
                    self.at += 1;
                }
            }
        }
        Err(self.wrong("a closing quote, but the text ends"))
    }

    /// Reads what follows a backslash; `Ok(None)` for half a surrogate pair.
    fn escape(&mut self) -> Result<Option<char>, SyntaxError> {
        let plain = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(_) | None => return Err(self.wrong("one of \"\\/bfnrtu after a backslash")),
        };
        self.at += 1;
        Ok(Some(plain))
    }

    fn unicode_escape(&mut self) -> Result<Option<char>, SyntaxError> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high));
        }
        let after_high = self.at;
        if self.doc.body.get(self.at..self.at + 2) == Some(b"\\u") {
            self.at += 2;
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                return Ok(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
            }
            self.at = after_high;
        }
        Ok(None)
    }

    fn four_digits(&mut self) -> Result<u32, SyntaxError> {
        let digits = self.doc.body.get(self.at..self.at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits.and_then(|d| std::str::from_utf8(d).ok()) else {
            return Err(self.wrong("four hex digits after \\u"));
        };
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).expect("four hex digits fit a u32"))
    }

    fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let number = self.doc.body.get(start..self.at).unwrap_or_default();
        Ok(std::str::from_utf8(number).expect("a JSON number is ASCII"))
    }

    fn digits(&mut self) -> Scanned {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static [u8]) -> Scanned {
        if self.doc.body.get(self.at..self.at + word.len()) != Some(word) {
            return Err(self.wrong("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over an array or object without looking into it further than its brackets and strings.
    fn skip_nested(&mut self) -> Scanned {
        let mut open = 0_usize;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => {
                    open += 1;
                    if open + usize::from(MAX_DEPTH) > MOST_DEPTH {
                        return Err(self.wrong("no more than 512 levels of nesting"));
                    }
                }
                b']' | b'}' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Ok(());
            }
        }
        Err(self.wrong("a closing bracket, but the text ends"))
    }

    fn add(&mut self, name: Option<Cow<'a, str>>, lead: usize, start: usize, kind: Kind<'a>) -> Scanned {
        if self.doc.nodes.len() >= MAX_NODES {
            return Err(SyntaxError { at: start, expected: "fewer than 65,536 values" });
        }
        let (at, next) = (self.at, self.doc.nodes.len() + 1);
        let node = Node { name, whole: lead..at, value: start..at, inside: at, closed: true, kind, next };
        self.doc.nodes.push(node);
        self.doc.read_to = at;
        Ok(())
    }

    fn node(&mut self, index: usize) -> &mut Node<'a> {
        self.doc.nodes.get_mut(index).expect("the node was added just now")
    }

    fn peek(&self) -> Option<u8> {
        self.doc.body.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn wrong(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { at: self.at, expected }
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}
