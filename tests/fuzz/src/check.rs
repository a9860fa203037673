//! What must hold for every dissection and every answer.

use crate::{
    model::{Protocol, Report, Trust, Verdict},
    wire::{Dissection, Field, Value, gt06::encode, json},
};

/// Everything at once: the tree, the values in all their dresses, problems, reports.
pub fn dissection(protocol: Protocol, bytes: &[u8], d: &Dissection) {
    tree(&d.fields, bytes.len());
    for field in &d.fields {
        value(field);
    }
    for problem in &d.problems {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= bytes.len(), "{problem:?}");
        assert!(!problem.text.is_empty() && problem.text.len() < 2000, "{problem:?}");
    }
    d.reports.iter().for_each(report);
    if d.crc.is_some_and(|crc| !crc.ok()) {
        assert_eq!(d.verdict(), Verdict::Error);
        assert!(d.reports.iter().all(|r| r.trust == Trust::Suspect), "believed in spite of its checksum");
    }
    assert!(!d.kind.is_empty() && !d.title.is_empty());
    if d.kind == "noise" {
        assert!(d.reports.is_empty() && d.reply.is_none() && d.device.is_none());
    }
    if let (Protocol::Gt06, Some(reply)) = (protocol, &d.reply) {
        answer(reply, d.crc.is_none());
    }
    if !bytes.is_empty() {
        assert!(d.field_at(0).is_some() && d.field_at(bytes.len() - 1).is_some());
    }
    assert!(d.field_at(bytes.len()).is_none());
    let text = serde_json::to_string(&json::object(protocol, 0, bytes, d)).expect("texts and numbers");
    assert!(text.starts_with('{'));
}

/// Leaves tile the packet in order: no byte without a name, none with two; the bits of one word are one cover of it.
fn tree(fields: &[Field], len: usize) {
    let (mut end, mut deepest) = (0, 0);
    let mut word: Option<(&Field, u64)> = None;
    let mut parents: Vec<&Field> = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let Field { span, depth, name, .. } = field;
        assert!(!name.is_empty() && span.start < span.end && span.end <= len, "{field:?} of {len}");
        assert!(usize::from(*depth) <= deepest, "depth jumps at {field:?}");
        deepest = usize::from(*depth) + 1;
        parents.truncate(usize::from(*depth));
        if let Some(parent) = parents.last() {
            assert!(
                parent.span.start <= span.start && span.end <= parent.span.end,
                "{field:?} sticks out of {parent:?}"
            );
        }
        parents.push(field);
        if fields.get(i + 1).is_some_and(|next| next.depth > *depth) {
            continue;
        }
        let mask = field.bits.map(|(low, high)| {
            assert!(low <= high && usize::from(high) < 8 * span.len() && high < 64, "{field:?}");
            (u64::MAX >> (63 - high)) & (u64::MAX << low)
        });
        match (&mut word, mask) {
            (Some((first, seen)), Some(mask)) if first.span == *span => {
                assert_eq!(*seen & mask, 0, "bits twice: {field:?}");
                *seen |= mask;
            }
            (_, mask) => {
                whole(word.take());
                assert_eq!(span.start, end, "a gap, or a byte twice, before {field:?}");
                end = span.end;
                word = mask.map(|mask| (field, mask));
            }
        }
    }
    whole(word);
    assert_eq!(end, len, "bytes without a name at the end");
}

fn whole(word: Option<(&Field, u64)>) {
    if let Some((field, seen)) = word {
        let all = u64::MAX >> (64 - 8 * field.span.len().min(8));
        assert_eq!(seen, all, "bits without a name in the word of {field:?}");
    }
}

fn value(field: &Field) {
    if let Value::Real(x) | Value::Scaled { value: x, .. } = &field.value {
        assert!(x.is_finite(), "{field:?}");
    }
    let text = field.text();
    assert!(text.len() <= 4096 + 16 * field.span.len(), "a long text of {} bytes", text.len());
    let _ = field.value_json();
}

fn report(report: &Report) {
    for (name, value) in report.readings.iter() {
        assert!(!name.is_empty() && !value.is_null());
    }
    let Some(fix) = &report.fix else { return };
    let finite = |x: f64| x.is_finite();
    assert!(fix.altitude_m.is_none_or(finite), "{fix:?}");
    assert!(fix.accuracy_m.is_none_or(|x| finite(x) && x >= 0.0), "{fix:?}");
    assert!(fix.speed_kmh.is_none_or(|x| finite(x) && x >= 0.0), "{fix:?}");
    assert!(fix.course_deg.is_none_or(|x| (0.0..=360.0).contains(&x)), "{fix:?}");
}

/// What a tracker is sent is a whole frame with the right length and checksum; with `plain` it may be one of the dialect that
/// has no checksum.
pub fn answer(bytes: &[u8], plain: bool) {
    assert!(bytes.len() <= 512, "an answer of {} bytes", bytes.len());
    let overhead = match bytes {
        [0x78, 0x78, length, .., 0x0D, 0x0A] if usize::from(*length) + 5 == bytes.len() => 5,
        [0x79, 0x79, high, low, .., 0x0D, 0x0A]
            if usize::from(u16::from_be_bytes([*high, *low])) + 6 == bytes.len() =>
        {
            6
        }
        [0x78, 0x78, _, _, .., 0x0D, 0x0A] if plain => return,
        _ => panic!("no frame: {bytes:02x?}"),
    };
    let Some((covered, [high, low])) = bytes.get(2..bytes.len() - 2).and_then(<[u8]>::split_last_chunk) else {
        panic!("too short: {bytes:02x?}")
    };
    let right = encode::checksum(covered) == u16::from_be_bytes([*high, *low]) && bytes.len() >= overhead + 5;
    assert!(right || plain, "checksum: {bytes:02x?}");
}
