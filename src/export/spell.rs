//! How numbers, moments and names are spelled, in whatever format.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::Timestamp;

/// 1e-7 degrees is a centimetre: finer than any tracker tells.
pub(super) const DEGREE_PLACES: usize = 7;
pub(super) const METRE_PLACES: usize = 3;
pub(super) const SPEED_PLACES: usize = 3;
pub(super) const COURSE_PLACES: usize = 2;
pub(super) const HDOP_PLACES: usize = 2;
/// No altitude in metres and no speed in km/h comes near; readers choke on decimals of hundreds of digits.
pub(super) const NONSENSE: f64 = 1e9;

/// 0001-01-01T00:00:00Z.
pub(super) const YEAR_ONE: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// A number in the shortest form that says the same at this many places: no exponent, no trailing zeros, no `-0`.
pub(super) fn decimal(value: f64, places: usize) -> String {
    let mut text = format!("{value:.places$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".to_owned() } else { text }
}

/// North is 0, not 360, so that one direction has one spelling.
pub(super) fn course(degrees: f64) -> String {
    let text = decimal(degrees, COURSE_PLACES);
    if text == "360" { "0".to_owned() } else { text }
}

/// A name as one line of XML: line breaks and tabs become spaces, characters that XML 1.0 cannot hold become U+FFFD.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let replacement = |c: char| match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
        _ => None,
    };
    if text.chars().any(|c| replacement(c).is_some()) {
        Cow::Owned(text.chars().map(|c| replacement(c).unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// A moment in the form of RFC 3339, to the millisecond: nothing that we are told is finer.
pub(super) fn moment(at: Timestamp) -> String {
    let at = at.max(YEAR_ONE);
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at).to_string()
}

/// A degree with as many places as it is written with.
pub(super) fn rounded(degrees: f64) -> f64 {
    // Adding zero makes -0 a plain one.
    (degrees * 1e7).round() / 1e7 + 0.0
}

/// A reading as text: what is text already without quotes.
pub(super) fn reading_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_short() {
        for (value, expected) in [
            (48.85833, "48.85833"),
            (2.29513, "2.29513"),
            (-25.500_068_333_333, "-25.5000683"),
            (0.000_000_04, "0"),
            (-0.000_000_04, "0"),
            (-0.0, "0"),
            (100.0, "100"),
            (-90.0, "-90"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(decimal(value, DEGREE_PLACES), expected);
        }
        assert_eq!((course(360.0).as_str(), course(359.999).as_str(), course(271.0).as_str()), ("0", "0", "271"));
    }

    #[test]
    fn names_are_one_line_of_xml() {
        assert_eq!(clean("Van <7> & Söhne"), "Van <7> & Söhne", "escaping is the writer's work");
        assert_eq!(clean("a\0b\u{1b}c\r\nd\te\u{ffff}f"), "a\u{fffd}b\u{fffd}c  d e\u{fffd}f");
    }
}
