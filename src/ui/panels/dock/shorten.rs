//! Text without its beginning: of many identities only the end differs.

use std::borrow::Cow;

/// The text, or its end behind an ellipsis where it is wider than `room`. Of a path, whole parts where one fits:
/// `owntracks/sim/phone-40` is `…/phone-40`.
pub fn to_its_end(text: &str, room: f32, mut width_of: impl FnMut(char) -> f32) -> Cow<'_, str> {
    let mut left = room - width_of('…');
    let mut from = text.len();
    let mut whole = 0.0;
    let mut fits = true;
    for (at, c) in text.char_indices().rev() {
        let width = width_of(c);
        whole += width;
        fits &= width <= left;
        if fits {
            left -= width;
            from = at;
        } else if whole > room {
            break;
        }
    }
    if whole <= room {
        return Cow::Borrowed(text);
    }
    let end = text.get(from..).unwrap_or_default();
    let part = end.find('/').filter(|at| at + 1 < end.len());
    let end = part.and_then(|at| end.get(at..)).unwrap_or(end);
    Cow::Owned(format!("…{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, room: f32, expected: &str) {
        assert_eq!(to_its_end(text, room, |_| 1.0), expected, "{text} in {room}");
    }

    #[test]
    fn the_end_stays() {
        check("004401010000202", 15.0, "004401010000202");
        check("004401010000202", 11.0, "…1010000202");
        check("004401010000202", 8.0, "…0000202");
        check("004401010000202", 0.0, "…");
        check("größer", 4.0, "…ßer");
    }

    #[test]
    fn a_path_is_cut_between_its_parts() {
        check("owntracks/sim/phone-40", 17.0, "…/sim/phone-40");
        check("owntracks/sim/phone-40", 12.0, "…/phone-40");
        check("owntracks/sim/phone-40", 7.0, "…one-40");
        check("owntracks/sim/", 4.0, "…im/");
    }
}
