//! Any text is a filter or says what is wrong and where; what can be typed next is offered wherever the cursor stands; and to ask a packet is no danger.

use jiff::tz::TimeZone;

use crate::{
    budget,
    model::filter::{Facts, Filter, Ground, Path, Told, complete, quoted},
    now,
};

/// Bytes that reading may take at its peak, for each byte of the text, and beside them.
const BYTES_PER_BYTE: usize = 4096;
const BYTES_BESIDE: usize = 1 << 20;

/// See the module. The first byte says what the packet tells of each field.
pub fn run(data: &[u8]) {
    let Some((&pick, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let ground = Ground { now: now(), zone: TimeZone::UTC };
    let limit = BYTES_BESIDE + BYTES_PER_BYTE * text.len();
    match budget::within(limit, || Filter::parse(&text, &ground)) {
        Ok(filter) => {
            let same = Filter::parse(&text, &ground);
            assert_eq!(same.as_ref(), Ok(&filter));
            let facts = Packet(pick);
            assert_eq!(filter.admits(&facts, now()), filter.admits(&facts, now()));
            assert_eq!(filter.expr().is_none(), text.trim().is_empty(), "only blanks admit everything");
        }
        Err(mistake) => {
            let span = mistake.span;
            assert!(span.start <= span.end && text.get(span.clone()).is_some(), "{span:?} of {text:?}");
            assert!(!mistake.text.is_empty());
        }
    }
    let word = Filter::parse(&quoted(&text), &ground);
    assert!(word.is_ok() || text.is_empty(), "{text:?} quoted: {word:?}");
    for (cursor, _) in text.char_indices().take(64) {
        let completion = complete(&text, cursor, &|_| vec!["van 7".to_owned()], &["GSM signal"]);
        assert!(text.get(completion.span.clone()).is_some(), "{:?} of {text:?}", completion.span);
    }
}

/// A packet that tells the same of every field.
struct Packet(u8);

impl Facts for Packet {
    fn any(&self, _: &Path, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        match self.0 % 6 {
            0 => false,
            1 => see(Told::Text("van 7")),
            2 => see(Told::Number(f64::NAN)),
            3 => see(Told::Bool(true)),
            4 => see(Told::Time(now())),
            _ => see(Told::Named(18.0, "location")),
        }
    }

    fn shows(&self, text: &str, bytes: Option<&[u8]>) -> bool {
        "van 7".contains(text) || bytes.is_some()
    }
}
