//! Bytes of a file with the line and the offset they stand at, in pieces that have a bound.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use super::Mark;

/// Bytes asked of the system at a time.
const BUFFER: usize = 1 << 16;

/// No element, line, row or feature is longer.
pub(super) const PIECE: u64 = 16 << 20;

/// A file being read.
pub(super) struct Source<'a, R> {
    input: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    mark: Mark,
    /// Bytes that the piece may still have.
    left: u64,
    passed: &'a mut dyn FnMut(u64),
}

/// A piece is longer than [`PIECE`].
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a single piece is longer than {} MiB", PIECE >> 20)
    }
}

impl std::error::Error for TooLong {}

/// Why a file is broken, where the error is about a piece without an end.
pub(super) fn too_long(error: &io::Error) -> Option<String> {
    error.get_ref().filter(|inner| inner.is::<TooLong>()).map(ToString::to_string)
}

impl<'a, R: Read> Source<'a, R> {
    pub(super) fn new(input: R, passed: &'a mut dyn FnMut(u64)) -> Self {
        let mark = Mark { line: 1, column: 0, byte: 0 };
        Self { input, buffer: vec![0; BUFFER], from: 0, to: 0, mark, left: PIECE, passed }
    }

    /// Where the next byte stands.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Nothing of a line is read yet.
    pub(super) fn at_line_start(&self) -> bool {
        self.mark.column == 0
    }

    /// A new piece begins here.
    pub(super) fn piece(&mut self) {
        self.left = PIECE;
    }

    /// What comes next, in one piece: as much as is enough, or as there is room for, or all that is left. However little the input gives at a
    /// time, this is the same.
    pub(super) fn peek(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<&[u8]> {
        self.fill_buf()?;
        while self.to < self.buffer.len() && !self.buffer.get(self.from..self.to).is_some_and(&enough) {
            match self.more()? {
                0 => break,
                more => self.to += more,
            }
        }
        Ok(self.buffer.get(self.from..self.to).unwrap_or_default())
    }

    /// Reads behind what is there.
    fn more(&mut self) -> io::Result<usize> {
        let room = self.buffer.get_mut(self.to..).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Passes over a byte order mark of UTF-8.
    pub(super) fn skip_bom(&mut self) -> io::Result<()> {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        if self.peek(|head| !BOM.starts_with(head) || head == BOM)?.starts_with(BOM) {
            self.consume(3);
        }
        Ok(())
    }

    /// The next line without its end; `None` after the last.
    pub(super) fn line(&mut self, into: &mut Vec<u8>) -> io::Result<Option<Mark>> {
        self.piece();
        let at = self.mark;
        into.clear();
        if self.read_until(b'\n', into)? == 0 {
            return Ok(None);
        }
        if into.last() == Some(&b'\n') {
            into.pop();
        }
        if into.last() == Some(&b'\r') {
            into.pop();
        }
        Ok(Some(at))
    }
}

/// Gives no more than the rest of a line at a time, so that whoever reads ahead stands at the end of one.
impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let line = ready.iter().position(|b| *b == b'\n').map_or(ready.len(), |end| end + 1);
        let n = line.min(into.len());
        for (to, from) in into.iter_mut().zip(ready) {
            *to = *from;
        }
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Source<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong));
        }
        if self.from == self.to {
            self.from = 0;
            self.to = 0;
            self.to = self.more()?;
            (self.passed)(self.mark.byte);
        }
        Ok(self.buffer.get(self.from..self.to).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        let upto = (self.from + n).min(self.to);
        let taken = self.buffer.get(self.from..upto).unwrap_or_default();
        let bytes = taken.len() as u64;
        match taken.iter().rposition(|b| *b == b'\n') {
            Some(last) => {
                self.mark.line += (taken.split(|b| *b == b'\n').count() - 1) as u64;
                self.mark.column = (taken.len() - last - 1) as u64;
            }
            None => self.mark.column += bytes,
        }
        self.mark.byte += bytes;
        self.left = self.left.saturating_sub(bytes);
        self.from = upto;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_with_their_places() {
        let mut passed = |_| {};
        let mut source = Source::new(&b"a\r\n\nccc\nd"[..], &mut passed);
        let (mut line, mut found) = (Vec::new(), Vec::new());
        while let Some(at) = source.line(&mut line).unwrap() {
            found.push((at.line, at.byte, String::from_utf8(line.clone()).unwrap()));
        }
        let expected = [(1, 0, "a"), (2, 3, ""), (3, 4, "ccc"), (4, 8, "d")];
        assert_eq!(found, expected.map(|(line, byte, text)| (line, byte, text.to_owned())));
    }

    #[test]
    fn a_piece_without_an_end_is_not_held() {
        let mut passed = |_| {};
        let mut source = Source::new(io::repeat(b'x'), &mut passed);
        let mut line = Vec::new();
        let error = source.line(&mut line).unwrap_err();
        assert_eq!(too_long(&error).as_deref(), Some("a single piece is longer than 16 MiB"));
        assert!(line.len() as u64 <= PIECE + BUFFER as u64);
    }
}
