//! Brings a vector tile (MVT) into the one dialect that the painter of tiles understands: coordinates of 4096 a side, whole numbers that are
//! signed, fractions that are doubles, and only the layers that are drawn.
//!
//! Writers are free in all of these, and what the painter does not know it leaves out with a line in the log for each value.

/// Coordinates along a side of every tile that comes out.
pub const EXTENT: u32 = 4096;

/// The tile cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a vector tile, or damaged")]
pub struct Damaged;

/// The tile with only those layers whose name `wanted` takes.
pub fn normal(tile: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<u8>, Damaged> {
    let mut out = Vec::with_capacity(tile.len());
    for field in fields(tile) {
        if let (3, Value::Bytes(layer)) = field? {
            self::layer(layer, &wanted, &mut out)?;
        }
    }
    Ok(out)
}

/// Names of the layers, as far as they can be read.
pub fn layer_names(tile: &[u8]) -> Vec<String> {
    let layers = fields(tile).map_while(Result::ok).filter_map(|field| match field {
        (3, Value::Bytes(layer)) => Some(layer),
        _ => None,
    });
    layers.filter_map(|layer| Some(String::from_utf8_lossy(head(layer).ok()?.0).into_owned())).collect()
}

/// Name and extent of a layer.
fn head(layer: &[u8]) -> Result<(&[u8], u32), Damaged> {
    let (mut name, mut extent): (&[u8], u32) = (&[], EXTENT);
    for field in fields(layer) {
        match field? {
            (1, Value::Bytes(bytes)) => name = bytes,
            (5, Value::Varint(n)) => extent = u32::try_from(n).map_err(|_| Damaged)?,
            _ => {}
        }
    }
    if extent == 0 { Err(Damaged) } else { Ok((name, extent)) }
}

fn layer(layer: &[u8], wanted: impl Fn(&str) -> bool, out: &mut Vec<u8>) -> Result<(), Damaged> {
    let (name, extent) = head(layer)?;
    if !std::str::from_utf8(name).is_ok_and(wanted) {
        return Ok(());
    }
    let mut inside = Vec::with_capacity(layer.len());
    for field in fields(layer) {
        match field? {
            (2, Value::Bytes(bytes)) if extent != EXTENT => put_bytes(&mut inside, 2, &feature(bytes, extent)?),
            (4, Value::Bytes(bytes)) => put_bytes(&mut inside, 4, &value(bytes)?),
            (5, _) => {}
            (number, value) => put(&mut inside, number, &value),
        }
    }
    put(&mut inside, 5, &Value::Varint(EXTENT.into()));
    put_bytes(out, 3, &inside);
    Ok(())
}

/// A number as the painter knows it; everything else as it is.
fn value(bytes: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for field in fields(bytes) {
        match field? {
            (2, Value::Fixed32(raw)) => {
                put(&mut out, 3, &Value::Fixed64(f64::from(f32::from_le_bytes(raw)).to_le_bytes()));
            }
            (5, Value::Varint(n)) => put(&mut out, 4, &Value::Varint(n.min(i64::MAX.cast_unsigned()))),
            (number, value) => put(&mut out, number, &value),
        }
    }
    Ok(out)
}

/// A feature with its geometry brought to [`EXTENT`].
fn feature(bytes: &[u8], extent: u32) -> Result<Vec<u8>, Damaged> {
    let mut out = Vec::with_capacity(bytes.len());
    for field in fields(bytes) {
        match field? {
            (4, Value::Bytes(geometry)) => put_bytes(&mut out, 4, &scaled(geometry, extent)?),
            (number, value) => put(&mut out, number, &value),
        }
    }
    Ok(out)
}

/// Commands with their steps: each step is from the point before, so the places are scaled and not the steps.
fn scaled(geometry: &[u8], extent: u32) -> Result<Vec<u8>, Damaged> {
    const CLOSE: u64 = 7;
    let mut out = Vec::with_capacity(geometry.len());
    let mut input = geometry;
    let (mut at, mut put_at) = ([0i64; 2], [0i64; 2]);
    while !input.is_empty() {
        let command = varint(&mut input).ok_or(Damaged)?;
        put_varint(&mut out, command);
        let count = if command & 7 == CLOSE { 0 } else { command >> 3 };
        for _ in 0..count {
            for axis in 0..2 {
                let step = unzigzag(varint(&mut input).ok_or(Damaged)?);
                at[axis] = at[axis].saturating_add(step).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
                let to = (at[axis] * i64::from(EXTENT) + i64::from(extent / 2)).div_euclid(i64::from(extent));
                put_varint(&mut out, zigzag(to - put_at[axis]));
                put_at[axis] = to;
            }
        }
    }
    Ok(out)
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -(n & 1).cast_signed()
}

/// The value of a field.
enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Numbers and values of a message, in order; one error ends it.
fn fields(mut input: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>), Damaged>> {
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        let field = field(&mut input).ok_or(Damaged);
        if field.is_err() {
            input = &[];
        }
        Some(field)
    })
}

fn field<'a>(input: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(input)?;
    let value = match key & 7 {
        0 => Value::Varint(varint(input)?),
        1 => Value::Fixed64(take(input, 8)?.try_into().ok()?),
        2 => {
            let len = usize::try_from(varint(input)?).ok()?;
            Value::Bytes(take(input, len)?)
        }
        5 => Value::Fixed32(take(input, 4)?.try_into().ok()?),
        _ => return None,
    };
    Some((key >> 3, value))
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(taken)
}

fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put(out: &mut Vec<u8>, number: u64, value: &Value<'_>) {
    match value {
        Value::Varint(n) => {
            put_varint(out, number << 3);
            put_varint(out, *n);
        }
        Value::Fixed64(raw) => {
            put_varint(out, number << 3 | 1);
            out.extend(raw);
        }
        Value::Bytes(bytes) => put_bytes(out, number, bytes),
        Value::Fixed32(raw) => {
            put_varint(out, number << 3 | 5);
            out.extend(raw);
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A layer `water` of this extent with one line from (extent/2, 0) to (extent, extent), and one number.
    fn tile(extent: u32, number: &Value<'_>, number_field: u64) -> Vec<u8> {
        let mut geometry = Vec::new();
        let (half, whole) = (i64::from(extent / 2), i64::from(extent));
        for n in [9, zigzag(half), zigzag(0), 10, zigzag(whole - half), zigzag(whole)] {
            put_varint(&mut geometry, n);
        }
        let (mut feature, mut value, mut layer, mut tile) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        put_bytes(&mut feature, 2, &[0, 0]);
        put(&mut feature, 3, &Value::Varint(2));
        put_bytes(&mut feature, 4, &geometry);
        put(&mut value, number_field, number);
        put(&mut layer, 15, &Value::Varint(2));
        put_bytes(&mut layer, 1, b"water");
        put_bytes(&mut layer, 2, &feature);
        put_bytes(&mut layer, 3, b"n");
        put_bytes(&mut layer, 4, &value);
        put(&mut layer, 5, &Value::Varint(extent.into()));
        put_bytes(&mut tile, 3, &layer);
        tile
    }

    #[test]
    fn every_extent_becomes_one_and_places_stay() {
        let whole = normal(&tile(4096, &Value::Varint(7), 4), |_| true).unwrap();
        for extent in [512, 2048, 8192] {
            assert_eq!(normal(&tile(extent, &Value::Varint(7), 4), |_| true).unwrap(), whole, "{extent}");
        }
        assert_eq!(layer_names(&whole), ["water"]);
        assert_eq!(normal(&whole, |name| name == "roads"), Ok(Vec::new()), "what nobody draws goes");
    }

    #[test]
    fn numbers_are_told_as_the_painter_knows_them() {
        let whole = normal(&tile(4096, &Value::Varint(7), 4), |_| true).unwrap();
        assert_eq!(normal(&tile(4096, &Value::Varint(7), 5), |_| true).unwrap(), whole);
        let double = normal(&tile(4096, &Value::Fixed64(0.5f64.to_le_bytes()), 3), |_| true).unwrap();
        assert_eq!(normal(&tile(4096, &Value::Fixed32(0.5f32.to_le_bytes()), 2), |_| true).unwrap(), double);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..80, extent in 1u32..20_000) {
            normal(&bytes, |_| true).ok();
            let mut bent = tile(extent, &Value::Varint(1), 5);
            for (place, byte) in bent.iter_mut().skip(at).zip(&bytes) {
                *place = *byte;
            }
            normal(&bent, |_| true).ok();
            layer_names(&bent);
        }
    }
}
