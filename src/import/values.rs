//! Numbers, moments and places as files spell them. Every refusal says what stood there.

use std::str::FromStr;

use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::Value;

use crate::{geo::LatLon, model::Timestamp};

/// Texts of a refusal are cut here.
const SHOWN: usize = 60;

/// More readings than this beside one position are left where they are.
pub(super) const MOST_READINGS: usize = 128;

/// What stood there, for a person.
pub(super) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    f64::from_str(text.trim()).ok().filter(|n| n.is_finite())
}

/// A number as it is written: whole ones stay whole.
pub(super) fn numeric(text: &str) -> Option<Value> {
    number(text).map(|n| Some(typed(text)).filter(Value::is_number).unwrap_or_else(|| Value::from(n)))
}

/// As [`number`], not below 0.
pub(super) fn positive(text: &str) -> Option<f64> {
    number(text).filter(|n| *n >= 0.0)
}

/// A count that is no fraction.
pub(super) fn count(text: &str) -> Option<u32> {
    let n = positive(text)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within range, as checked")]
    (n <= f64::from(u32::MAX) && n.fract() == 0.0).then_some(n as u32)
}

/// A direction within a full circle.
pub(super) fn course(text: &str) -> Option<f64> {
    number(text).filter(|c| (0.0..=360.0).contains(c))
}

/// A place of two texts.
pub(super) fn place(lat: Option<&str>, lon: Option<&str>) -> Result<LatLon, String> {
    let degrees = |text: Option<&str>, what: &str| {
        let text = text.filter(|t| !t.trim().is_empty()).ok_or_else(|| format!("no {what}"))?;
        number(text).ok_or_else(|| format!("the {what} is {}, which is no number", shown(text)))
    };
    on_globe(degrees(lat, "latitude")?, degrees(lon, "longitude")?)
}

/// A place of two numbers.
pub(super) fn on_globe(lat: f64, lon: f64) -> Result<LatLon, String> {
    LatLon::new(lat, lon).ok_or_else(|| format!("latitude {lat}, longitude {lon} is no place on the globe"))
}

/// A moment: RFC 3339, the same without a zone or with a blank for the `T`, or seconds or milliseconds since 1970. The second is true where
/// the zone had to be assumed.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<(Timestamp, bool), String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("no time".to_owned());
    }
    let wrong = || format!("the time is {}, which cannot be read", shown(text));
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((at, false));
    }
    if let Some(epoch) = number(text) {
        return from_epoch(epoch).map(|at| (at, false)).ok_or_else(wrong);
    }
    // As spreadsheets and GPSBabel write it.
    let dashes = if text.get(4..5) == Some("/") { text.replacen('/', "-", 2) } else { text.to_owned() };
    let local: DateTime = dashes.parse().map_err(|_| wrong())?;
    let at = zone.to_timestamp(local).map_err(|_| wrong())?;
    Ok((at, true))
}

/// As [`moment`], for formats whose times are UTC whether they say so or not.
pub(super) fn utc(text: &str) -> Result<Timestamp, String> {
    moment(text, &TimeZone::UTC).map(|(at, _)| at)
}

/// Seconds since 1970, or milliseconds where seconds would be thousands of years away.
pub(super) fn from_epoch(number: f64) -> Option<Timestamp> {
    const FAR_S: f64 = 1e11;
    let ms = if number.abs() < FAR_S { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "within range, as checked")]
    (ms.abs() < 1e15).then(|| Timestamp::from_millisecond(ms.round() as i64).ok()).flatten()
}

/// A moment of JSON.
pub(super) fn json_moment(value: &Value) -> Result<Timestamp, String> {
    match value {
        Value::String(text) => utc(text),
        Value::Number(n) => {
            n.as_f64().and_then(from_epoch).ok_or_else(|| format!("the time is {n}, which cannot be read"))
        }
        _ => Err("no time".to_owned()),
    }
}

/// A cell that no format gives a type: a number, a truth value, else text.
pub(super) fn typed(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
            // What begins with zeros is a name made of digits.
            let numeric =
                plain && text.len() < 16 && !(text.len() > 1 && text.starts_with('0') && !text.starts_with("0."));
            if numeric && let Ok(whole) = text.parse::<i64>() {
                return Value::from(whole);
            }
            if numeric && let Some(n) = number(text) {
                return Value::from(n);
            }
            Value::from(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_files_spell_them() {
        let brussels = TimeZone::get("Europe/Brussels").unwrap();
        for (text, expected, assumed) in [
            ("2017-06-15T06:37:31Z", "2017-06-15T06:37:31Z", false),
            ("2017-06-15T08:37:31.25+02:00", "2017-06-15T06:37:31.25Z", false),
            (" 2017-06-15 08:37:31 ", "2017-06-15T06:37:31Z", true),
            ("2017/06/15 08:37:31", "2017-06-15T06:37:31Z", true),
            ("1497508651", "2017-06-15T06:37:31Z", false),
            ("1497508651250", "2017-06-15T06:37:31.25Z", false),
        ] {
            let (at, was_assumed) = moment(text, &brussels).unwrap();
            assert_eq!((at.to_string().as_str(), was_assumed), (expected, assumed), "{text}");
        }
        for wrong in ["", "yesterday", "1e300", "2017-13-01T00:00:00Z", "NaN", "31.12.2017"] {
            moment(wrong, &brussels).unwrap_err();
        }
    }

    #[test]
    fn cells_have_the_type_that_they_look_like() {
        for (text, expected) in [
            ("true", Value::Bool(true)),
            ("87", Value::from(87)),
            ("-12.5", Value::from(-12.5)),
            ("0", Value::from(0)),
            ("0.5", Value::from(0.5)),
            ("0123", Value::from("0123")),
            ("1e5", Value::from("1e5")),
            ("123456789012345678", Value::from("123456789012345678")),
            ("", Value::from("")),
        ] {
            assert_eq!(typed(text), expected, "{text}");
        }
    }
}
