//! A few bytes as everything that they could be: numbers in both orders, digits, text, times, coordinates, bits.
//!
//! Pure and without a guess: each reading says its value, or why these bytes are none.

use jiff::civil::DateTime;

use crate::model::Timestamp;

/// More bytes than this are not shown as digits, text or bits.
const MOST_BYTES: usize = 64;
/// Of bits, more do not fit a line.
const MOST_BIT_BYTES: usize = 8;
/// Parts of a degree of GT06: minutes times thirty thousand.
const PER_DEGREE: f64 = 1_800_000.0;
const PER_MINUTE: f64 = 30_000.0;

/// One thing that the bytes could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub name: &'static str,
    /// The value; else why the bytes are no such thing. With the big end first, where there is an end.
    pub big: Result<String, String>,
    /// With the little end first; `None` where that makes no difference.
    pub little: Option<Result<String, String>>,
}

impl Reading {
    /// True where it is none, whichever end comes first.
    pub fn is_none(&self) -> bool {
        self.big.is_err() && self.little.as_ref().is_none_or(Result::is_err)
    }
}

/// Everything that these bytes could be, always in the same order.
pub fn inspect(bytes: &[u8]) -> Vec<Reading> {
    vec![
        number(sized(&UNSIGNED, bytes).unwrap_or("u8 … u64"), bytes, unsigned),
        number(sized(&SIGNED, bytes).unwrap_or("i8 … i64"), bytes, signed),
        number("/1 800 000", bytes, |b| coordinate(b, PER_DEGREE, "°", 6)),
        number("/30 000", bytes, |b| coordinate(b, PER_MINUTE, "′", 4)),
        one("GT06 date", gt06_date(bytes)),
        number("unix time", bytes, unix),
        one("BCD", bcd(bytes)),
        one("ASCII", ascii(bytes)),
        one("UTF-8", utf8(bytes)),
        number(if bytes.len() == 8 { "f64" } else { "f32" }, bytes, float),
        one("bits", bits(bytes)),
    ]
}

/// Integers of one to eight bytes.
const UNSIGNED: [&str; 8] = ["u8", "u16", "u24", "u32", "u40", "u48", "u56", "u64"];
const SIGNED: [&str; 8] = ["i8", "i16", "i24", "i32", "i40", "i48", "i56", "i64"];

fn sized(names: &[&'static str; 8], bytes: &[u8]) -> Option<&'static str> {
    names.get(bytes.len().checked_sub(1)?).copied()
}

fn one(name: &'static str, said: Result<String, String>) -> Reading {
    Reading { name, big: said, little: None }
}

/// A reading that depends on which end comes first. `read` takes the bytes with the big end first.
fn number(name: &'static str, bytes: &[u8], read: impl Fn(&[u8]) -> Result<String, String>) -> Reading {
    let turned: Vec<u8> = bytes.iter().rev().copied().collect();
    let little = (bytes.len() != 1).then(|| read(&turned));
    Reading { name, big: read(bytes), little }
}

/// Why so many bytes are none of these sizes.
fn needs(sizes: &str, bytes: &[u8]) -> String {
    format!("needs {sizes}, not {}", bytes.len())
}

fn unsigned(bytes: &[u8]) -> Result<String, String> {
    Ok(word(bytes)?.to_string())
}

fn signed(bytes: &[u8]) -> Result<String, String> {
    let word = word(bytes)?;
    let empty = 64 - 8 * u32::try_from(bytes.len()).unwrap_or(8);
    // Up to the top, and back with the sign.
    Ok((word.checked_shl(empty).unwrap_or(0).cast_signed() >> empty.min(63)).to_string())
}

/// One to eight bytes as a number.
fn word(bytes: &[u8]) -> Result<u64, String> {
    if bytes.is_empty() || bytes.len() > 8 {
        return Err(needs("1 to 8 bytes", bytes));
    }
    Ok(bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)))
}

fn float(bytes: &[u8]) -> Result<String, String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        let value = f32::from_be_bytes(four);
        return Ok(shorter(value.to_string(), value.into()));
    }
    let eight = <[u8; 8]>::try_from(bytes).map_err(|_| needs("4 or 8 bytes", bytes))?;
    let value = f64::from_be_bytes(eight);
    Ok(shorter(value.to_string(), value))
}

/// Very large and very small numbers with an exponent.
fn shorter(plain: String, value: f64) -> String {
    if plain.len() > 14 && value.is_finite() { format!("{value:.6e}") } else { plain }
}

fn bits(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() || bytes.len() > MOST_BIT_BYTES {
        return Err(needs("1 to 8 bytes", bytes));
    }
    let spelled = bytes.iter().map(|b| format!("{:04b} {:04b}", b >> 4, b & 0xF));
    Ok(spelled.collect::<Vec<_>>().join(" "))
}

/// Two digits a byte; what fills up at the end, `F`, is none.
fn bcd(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() || bytes.len() > MOST_BYTES {
        return Err(needs("1 to 64 bytes", bytes));
    }
    let digits = super::hex(bytes);
    let told = digits.trim_end_matches('f');
    match told.find(|c: char| !c.is_ascii_digit()) {
        _ if told.is_empty() => Err("no digit, only filling".to_owned()),
        Some(at) => Err(format!("{} is no digit", told.get(at..=at).unwrap_or_default())),
        None => Ok(told.to_owned()),
    }
}

fn ascii(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() || bytes.len() > MOST_BYTES {
        return Err(needs("1 to 64 bytes", bytes));
    }
    match bytes.iter().position(|b| !(b.is_ascii_graphic() || *b == b' ')) {
        Some(at) => Err(format!("{:02x} is no letter", bytes[at])),
        None => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    if bytes.is_empty() || bytes.len() > MOST_BYTES {
        return Err(needs("1 to 64 bytes", bytes));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("{:02x} begins no character", bytes[error.valid_up_to()]))?;
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("U+{:04X} is not shown", u32::from(c))),
        None => Ok(text.to_owned()),
    }
}

/// Seconds in four bytes, milliseconds in eight.
fn unix(bytes: &[u8]) -> Result<String, String> {
    let word = word(bytes).unwrap_or_default();
    let at = match bytes.len() {
        4 => i64::try_from(word).ok().and_then(|s| Timestamp::from_second(s).ok()),
        8 => i64::try_from(word).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        _ => return Err(needs("4 bytes (s) or 8 (ms)", bytes)),
    };
    let text = at.map(|at| if bytes.len() == 4 { format!("{at:.0}") } else { format!("{at:.3}") });
    text.ok_or_else(|| "beyond the year 9999".to_owned())
}

/// Year since 2000, month, day, hour, minute, second.
fn gt06_date(bytes: &[u8]) -> Result<String, String> {
    let [year, month, day, hour, minute, second] = *bytes else { return Err(needs("6 bytes", bytes)) };
    let small = |b: u8| i8::try_from(b).ok();
    let parts = (|| Some((small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?)))();
    let Some((month, day, hour, minute, second)) = parts else { return Err("no date".to_owned()) };
    let date = DateTime::new(2_000 + i16::from(year), month, day, hour, minute, second, 0);
    date.map(|date| date.strftime("%Y-%m-%d %H:%M:%S").to_string()).map_err(|_| "no date".to_owned())
}

/// Four bytes as a number of parts. Degrees also where a sign is meant.
#[expect(clippy::cast_precision_loss, reason = "four bytes")]
fn coordinate(bytes: &[u8], parts: f64, unit: &str, places: usize) -> Result<String, String> {
    let Ok(four) = <[u8; 4]>::try_from(bytes) else { return Err(needs("4 bytes", bytes)) };
    let raw = i64::from(i32::from_be_bytes(four));
    let degrees = raw as f64 / PER_DEGREE;
    if degrees.abs() > 180.0 {
        return Err(format!("{degrees:.0}° is off the globe"));
    }
    Ok(format!("{:.places$}{unit}", raw as f64 / parts))
}
