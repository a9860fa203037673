//! Reads a binary packet and remembers every field it read, so that decoder and inspector are one.
//!
//! The only file of `wire` that cuts bytes by index: everything it hands out lies within the packet. A field that does not fit
//! ends the reading with [`Short`]; the whole fields before it stay, and what was missing where is kept in [`Cursor::shortfall`].

use std::{borrow::Cow, ops::Range};

use super::{Field, Value};
use crate::model::{Group, Problem, Severity};

/// The bytes ended within a field. The cursor knows which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short;

/// What a read gives.
pub(crate) type Read<T> = Result<T, Short>;

/// The field that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shortfall {
    pub(crate) field: Cow<'static, str>,
    pub(crate) at: usize,
    pub(crate) need: usize,
    pub(crate) have: usize,
}

/// A place in a packet, with the fields read so far.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where this part of the packet is said to end. May lie past the bytes that are there.
    end: usize,
    depth: u8,
    source: &'static str,
    fields: Vec<Field>,
    problems: Vec<Problem>,
    shortfall: Option<Shortfall>,
}

impl<'a> Cursor<'a> {
    /// At the first byte of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let fields = Vec::with_capacity(40);
        Self { bytes, at: 0, end: bytes.len(), depth: 0, source: "", fields, problems: Vec::new(), shortfall: None }
    }

    /// Offset of the next byte to read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Bytes from here to where this part is said to end, whether they are there or not.
    pub(crate) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// Bytes from here that are really there.
    pub(crate) fn here(&self) -> usize {
        self.end.min(self.bytes.len()).saturating_sub(self.at)
    }

    /// The next `len` bytes without reading them; fewer where fewer are there.
    pub(crate) fn peek(&self, len: usize) -> &'a [u8] {
        let end = self.at.saturating_add(len.min(self.here())).min(self.bytes.len());
        self.bytes.get(self.at..end).unwrap_or_default()
    }

    /// The bytes already read that lie in `span`.
    pub(crate) fn seen(&self, span: Range<usize>) -> &'a [u8] {
        self.bytes.get(span).unwrap_or_default()
    }

    /// What did not fit, if something did not.
    pub(crate) fn shortfall(&self) -> Option<&Shortfall> {
        self.shortfall.as_ref()
    }

    /// Says a doubt about `span`.
    pub(crate) fn doubt(&mut self, severity: Severity, group: Group, span: Range<usize>, text: impl Into<String>) {
        self.problems.push(Problem { severity, group, text: text.into(), span });
    }

    /// Everything that was read and doubted.
    pub(crate) fn finish(self) -> (Vec<Field>, Vec<Problem>) {
        (self.fields, self.problems)
    }

    /// Reads the next `len` bytes as a part of their own: `left` counts to its end, and what `read` leaves of it becomes
    /// `Undecoded`. Where fewer bytes are there, the whole fields among them are read all the same.
    pub(crate) fn within(&mut self, len: usize, read: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        let outer = self.end;
        self.end = self.at.saturating_add(len);
        let outcome = read(self);
        let rest = self.here();
        if rest > 0 {
            self.undecoded(rest);
        }
        self.end = outer;
        outcome
    }

    /// Fields read inside carry this source. The one before comes back afterwards.
    pub(crate) fn under<T>(&mut self, source: &'static str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let before = std::mem::replace(&mut self.source, source);
        let outcome = read(self);
        self.source = before;
        outcome
    }

    /// Fields read inside are parts of one named group. A group of nothing leaves no trace.
    pub(crate) fn group<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let (head, start) = (self.fields.len(), self.at);
        self.push(name.into(), start..start, None, Value::Group, "");
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        if self.at == start {
            self.fields.truncate(head);
        } else if let Some(group) = self.fields.get_mut(head) {
            group.span = start..self.at;
        }
        outcome
    }

    /// The general field: `len` bytes, what they are worth to the reader and to the inspector.
    pub(crate) fn field<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        unit: &'static str,
        read: impl FnOnce(&'a [u8]) -> (Value, T),
    ) -> Read<T> {
        let (name, start) = (name.into(), self.at);
        if len > self.here() {
            if self.shortfall.is_none() {
                self.shortfall = Some(Shortfall { field: name, at: start, need: len, have: self.here() });
            }
            return Err(Short);
        }
        let (value, told) = read(self.peek(len));
        self.at += len;
        if len > 0 {
            self.push(name, start..self.at, None, value, unit);
        }
        Ok(told)
    }

    /// Bytes that are shown as they are.
    pub(crate) fn raw(&mut self, name: impl Into<Cow<'static, str>>, len: usize) -> Read<&'a [u8]> {
        self.field(name, len, "", |raw| (Value::Raw(raw.to_vec()), raw))
    }

    /// Bytes that nobody knows; as many as are there.
    pub(crate) fn undecoded(&mut self, len: usize) {
        let source = std::mem::take(&mut self.source);
        let len = len.min(self.here());
        self.raw("Undecoded", len).expect("no more than is there");
        self.source = source;
    }

    /// A big-endian number of up to eight bytes, with its unit.
    pub(crate) fn uint(&mut self, name: impl Into<Cow<'static, str>>, len: usize, unit: &'static str) -> Read<u64> {
        self.field(name, len, unit, |raw| (Value::Unsigned(unsigned(raw)), unsigned(raw)))
    }

    /// One byte.
    pub(crate) fn u8(&mut self, name: impl Into<Cow<'static, str>>) -> Read<u8> {
        self.field(name, 1, "", |raw| {
            let byte = raw.first().copied().unwrap_or_default();
            (Value::Unsigned(byte.into()), byte)
        })
    }

    /// Two bytes.
    pub(crate) fn u16(&mut self, name: impl Into<Cow<'static, str>>) -> Read<u16> {
        self.field(name, 2, "", |raw| {
            let word = raw.try_into().map_or(0, u16::from_be_bytes);
            (Value::Unsigned(word.into()), word)
        })
    }

    /// Four bytes.
    pub(crate) fn u32(&mut self, name: impl Into<Cow<'static, str>>) -> Read<u32> {
        self.field(name, 4, "", |raw| {
            let word = raw.try_into().map_or(0, u32::from_be_bytes);
            (Value::Unsigned(word.into()), word)
        })
    }

    /// A big-endian two's complement number with its unit.
    pub(crate) fn int(&mut self, name: impl Into<Cow<'static, str>>, len: usize, unit: &'static str) -> Read<i64> {
        self.field(name, len, unit, |raw| (Value::Signed(signed(raw)), signed(raw)))
    }

    /// An unsigned number in steps of `1 / divisor` of the unit.
    pub(crate) fn scaled(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        divisor: f64,
        unit: &'static str,
    ) -> Read<f64> {
        self.field(name, len, unit, |raw| scale(i64::try_from(unsigned(raw)).unwrap_or(i64::MAX), divisor))
    }

    /// A signed number in steps of `1 / divisor` of the unit.
    pub(crate) fn scaled_signed(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        divisor: f64,
        unit: &'static str,
    ) -> Read<f64> {
        self.field(name, len, unit, |raw| scale(signed(raw), divisor))
    }

    /// A code and what it is called; an empty name stands for a code that nobody named.
    pub(crate) fn named<N: Into<Cow<'static, str>>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        call: impl FnOnce(u64) -> N,
    ) -> Read<u64> {
        self.field(name, len, "", |raw| {
            let code = unsigned(raw);
            (Value::Named { code, name: call(code).into() }, code)
        })
    }

    /// ASCII, up to the padding at its end; what is not ASCII is shown as `·`.
    pub(crate) fn text(&mut self, name: impl Into<Cow<'static, str>>, len: usize) -> Read<String> {
        self.field(name, len, "", |raw| {
            let text = ascii(raw);
            (Value::Text(text.clone()), text)
        })
    }

    /// UTF-16, big-endian; what is not is shown as the replacement character.
    pub(crate) fn utf16(&mut self, name: impl Into<Cow<'static, str>>, len: usize) -> Read<String> {
        self.field(name, len, "", |raw| {
            let text = utf16(raw);
            (Value::Text(text.clone()), text)
        })
    }

    /// Packed digits, two a byte; the nibbles A to F are shown as letters.
    pub(crate) fn digits(&mut self, name: impl Into<Cow<'static, str>>, len: usize) -> Read<String> {
        self.field(name, len, "", |raw| {
            let text = super::hex(raw);
            (Value::Text(text.clone()), text)
        })
    }

    /// A word of one to eight bytes that is opened to its bits. Bits that `read` does not name are shown as reserved.
    pub(crate) fn bits<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        read: impl FnOnce(&mut Bits<'_>) -> T,
    ) -> Read<T> {
        let start = self.at;
        // A code without a name is shown in hexadecimal digits.
        let word = self.named(name, len, |_| "")?;
        let width = u8::try_from(len * 8).unwrap_or(64);
        let mut bits = Bits {
            word,
            width,
            named: 0,
            span: start..self.at,
            depth: self.depth + 1,
            source: self.source,
            out: &mut self.fields,
        };
        let told = read(&mut bits);
        bits.name_the_rest();
        Ok(told)
    }

    fn push(
        &mut self,
        name: Cow<'static, str>,
        span: Range<usize>,
        bits: Option<(u8, u8)>,
        value: Value,
        unit: &'static str,
    ) {
        self.fields.push(Field { name, span, bits, depth: self.depth, value, unit, source: self.source });
    }
}

/// The bits of one word, named while they are read.
pub(crate) struct Bits<'c> {
    word: u64,
    width: u8,
    /// A one for each bit that has a name.
    named: u64,
    span: Range<usize>,
    depth: u8,
    source: &'static str,
    out: &'c mut Vec<Field>,
}

impl Bits<'_> {
    /// One bit.
    pub(crate) fn flag(&mut self, name: &'static str, bit: u8) -> bool {
        let set = self.slice(bit, bit) == 1;
        self.push(name, (bit, bit), Value::Bool(set), "");
        set
    }

    /// The number in the bits `low` to `high`, both inclusive.
    pub(crate) fn uint(&mut self, name: &'static str, low: u8, high: u8, unit: &'static str) -> u64 {
        let value = self.slice(low, high);
        self.push(name, (low, high), Value::Unsigned(value), unit);
        value
    }

    /// The code in the bits `low` to `high`, with what it is called.
    pub(crate) fn named<N: Into<Cow<'static, str>>>(
        &mut self,
        name: &'static str,
        low: u8,
        high: u8,
        call: impl FnOnce(u64) -> N,
    ) -> u64 {
        let code = self.slice(low, high);
        self.push(name, (low, high), Value::Named { code, name: call(code).into() }, "");
        code
    }

    /// The number in the bits `low` to `high`, worth what `weigh` makes of it.
    pub(crate) fn scaled(
        &mut self,
        name: &'static str,
        low: u8,
        high: u8,
        (divisor, unit): (f64, &'static str),
        weigh: impl FnOnce(i64) -> i64,
    ) -> f64 {
        let raw = weigh(i64::try_from(self.slice(low, high)).unwrap_or(i64::MAX));
        let (value, told) = scale(raw, divisor);
        self.push(name, (low, high), value, unit);
        told
    }

    fn slice(&self, low: u8, high: u8) -> u64 {
        (self.word >> low) & mask(0, high - low)
    }

    fn push(&mut self, name: &'static str, bits: (u8, u8), value: Value, unit: &'static str) {
        self.named |= mask(bits.0, bits.1);
        let (span, depth, source) = (self.span.clone(), self.depth, self.source);
        self.out.push(Field { name: name.into(), span, bits: Some(bits), depth, value, unit, source });
    }

    fn name_the_rest(&mut self) {
        let mut bit = 0;
        while bit < self.width {
            let run = (bit..self.width).take_while(|b| self.named >> b & 1 == 0).count();
            if let Some(high) = u8::try_from(run).ok().and_then(|run| (bit + run).checked_sub(1)).filter(|_| run > 0) {
                self.uint("Reserved", bit, high, "");
                bit = high;
            }
            bit += 1;
        }
    }
}

fn mask(low: u8, high: u8) -> u64 {
    (u64::MAX >> (63 - u32::from(high.min(63)))) & (u64::MAX << low)
}

fn unsigned(raw: &[u8]) -> u64 {
    raw.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn signed(raw: &[u8]) -> i64 {
    let unused = 64 - 8 * u32::try_from(raw.len().clamp(1, 8)).expect("at most 8");
    (unsigned(raw) << unused).cast_signed() >> unused
}

#[expect(clippy::cast_precision_loss, reason = "numbers on the wire have at most 53 bits where they are scaled")]
fn scale(raw: i64, divisor: f64) -> (Value, f64) {
    let value = raw as f64 / divisor;
    (Value::Scaled { raw, divisor, value }, value)
}

/// UTF-16, big-endian; what is none becomes the replacement character.
pub(crate) fn utf16(raw: &[u8]) -> String {
    // Half a unit at the end is no letter, but not nothing either.
    let units = raw.chunks(2).map(|pair| pair.try_into().map_or(0xD800, u16::from_be_bytes));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Printable ASCII; padding at the end goes, anything else becomes `·`.
pub(crate) fn ascii(raw: &[u8]) -> String {
    let used = raw.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    let shown = |&b: &u8| if (b' '..=b'~').contains(&b) || b == b'\n' || b == b'\r' { char::from(b) } else { '·' };
    raw.iter().take(used).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_without_a_name_are_reserved() {
        let mut c = Cursor::new(&[0x14, 0x8F]);
        let course = c.bits("Word", 2, |b| {
            b.flag("Fixed", 12);
            b.uint("Course", 0, 9, "°")
        });
        assert_eq!(course, Ok(143));
        let bits: Vec<_> = c.finish().0.iter().filter_map(|f| f.bits).collect();
        assert_eq!(bits, [(12, 12), (0, 9), (10, 11), (13, 15)]);
    }

    #[test]
    fn a_cut_part_keeps_its_whole_fields() {
        let mut c = Cursor::new(&[1, 2, 3]);
        let read = c.within(6, |c| {
            assert_eq!((c.left(), c.here()), (6, 3));
            c.u16("first")?;
            c.u32("second").map(drop)
        });
        assert_eq!(read, Err(Short));
        assert_eq!(c.shortfall(), Some(&Shortfall { field: "second".into(), at: 2, need: 4, have: 1 }));
        let names: Vec<_> = c.finish().0.into_iter().map(|f| (f.name, f.span)).collect();
        assert_eq!(names, [("first".into(), 0..2), ("Undecoded".into(), 2..3)]);
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(
            (signed(&[0xFF, 0xFE]), signed(&[0x7F]), signed(&[0x80; 8])),
            (-2, 127, i64::from_be_bytes([0x80; 8]))
        );
    }
}
