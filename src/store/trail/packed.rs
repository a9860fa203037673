//! Points as bytes: each number as its difference from the point before, in as few bytes as it takes.

use super::Point;

/// Bytes of a row's points at most, so that a row lies on one page.
const MOST_BYTES: usize = 3_800;

/// Bytes of a point at most: its flags, its tag, and eight numbers.
const MOST_OF_POINT: usize = 1 + 2 + 8 * 10;

const VALID: u8 = 1;
const SUSPECT: u8 = 2;
const SPEED: u8 = 4;
const COURSE: u8 = 8;
const ALTITUDE: u8 = 16;
const ACCURACY: u8 = 32;

const ORIGIN: Point = Point {
    at_ms: 0,
    tag: 0,
    id: 0,
    valid: false,
    suspect: false,
    latitude: 0,
    longitude: 0,
    speed: Some(0),
    course: Some(0),
    altitude: Some(0),
    accuracy: Some(0),
};

/// Packs as many of the first points as go into a row, but no more than `most`; at least one. Answers how many those are.
pub(super) fn pack(points: &[Point], most: usize) -> (usize, Vec<u8>) {
    let mut bytes = Vec::with_capacity(MOST_BYTES);
    let (mut last, mut packed) = (ORIGIN, 0);
    for point in points.iter().take(most.max(1)) {
        let before = bytes.len();
        put(&mut bytes, point, &mut last);
        if bytes.len() > MOST_BYTES && packed > 0 {
            bytes.truncate(before);
            break;
        }
        packed += 1;
    }
    (packed, bytes)
}

/// True where there may be no room for another point in a row.
pub(super) fn is_full(row: &[u8]) -> bool {
    row.len() + MOST_OF_POINT > MOST_BYTES
}

/// Adds the points of a row to `to`, in their order. `None`: these bytes were not written by [`pack`].
pub(super) fn unpack(mut bytes: &[u8], to: &mut Vec<Point>) -> Option<()> {
    let mut last = ORIGIN;
    while !bytes.is_empty() {
        to.push(take(&mut bytes, &mut last)?);
    }
    Some(())
}

/// `last` keeps the last value of each number, and not of whether it was known.
fn put(bytes: &mut Vec<u8>, point: &Point, last: &mut Point) {
    let Point { at_ms, tag, id, valid, suspect, latitude, longitude, speed, course, altitude, accuracy } = *point;
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    bytes.push(
        flag(valid, VALID)
            | flag(suspect, SUSPECT)
            | flag(speed.is_some(), SPEED)
            | flag(course.is_some(), COURSE)
            | flag(altitude.is_some(), ALTITUDE)
            | flag(accuracy.is_some(), ACCURACY),
    );
    bytes.extend(tag.to_le_bytes());
    let mut number = |value: i64, last: &mut i64| {
        put_number(bytes, value.wrapping_sub(*last));
        *last = value;
    };
    number(at_ms, &mut last.at_ms);
    number(id, &mut last.id);
    number(latitude, &mut last.latitude);
    number(longitude, &mut last.longitude);
    let known = [
        (speed, &mut last.speed),
        (course, &mut last.course),
        (altitude, &mut last.altitude),
        (accuracy, &mut last.accuracy),
    ];
    for (value, last) in known {
        if let (Some(value), Some(last)) = (value, last) {
            number(value, last);
        }
    }
}

fn take(bytes: &mut &[u8], last: &mut Point) -> Option<Point> {
    let (&[flags, low, high], rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    let mut number = |last: &mut i64| {
        *last = last.wrapping_add(take_number(bytes)?);
        Some(*last)
    };
    let mut point = Point {
        tag: u16::from_le_bytes([low, high]),
        valid: flags & VALID != 0,
        suspect: flags & SUSPECT != 0,
        at_ms: number(&mut last.at_ms)?,
        id: number(&mut last.id)?,
        latitude: number(&mut last.latitude)?,
        longitude: number(&mut last.longitude)?,
        speed: None,
        course: None,
        altitude: None,
        accuracy: None,
    };
    let known = [
        (SPEED, &mut point.speed, &mut last.speed),
        (COURSE, &mut point.course, &mut last.course),
        (ALTITUDE, &mut point.altitude, &mut last.altitude),
        (ACCURACY, &mut point.accuracy, &mut last.accuracy),
    ];
    for (flag, value, last) in known {
        if flags & flag != 0 {
            *value = Some(number(last.as_mut()?)?);
        }
    }
    Some(point)
}

/// Seven bits a byte, the lowest first; the sign is the lowest bit of all.
fn put_number(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take_number(bytes: &mut &[u8]) -> Option<i64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift > 63 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Point> {
        let known = || proptest::option::of(any::<i64>());
        let place = (any::<i64>(), any::<i64>());
        (any::<(i64, u16, i64, bool, bool)>(), place, (known(), known(), known(), known())).prop_map(
            |((at_ms, tag, id, valid, suspect), (latitude, longitude), (speed, course, altitude, accuracy))| Point {
                at_ms,
                tag,
                id,
                valid,
                suspect,
                latitude,
                longitude,
                speed,
                course,
                altitude,
                accuracy,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(points in proptest::collection::vec(point(), 1..300)) {
            let (mut left, mut back) = (points.as_slice(), Vec::new());
            while !left.is_empty() {
                let (packed, bytes) = pack(left, usize::MAX);
                prop_assert!(packed > 0 && bytes.len() <= MOST_BYTES);
                prop_assert!(packed == left.len() || is_full(&bytes));
                prop_assert_eq!(unpack(&bytes, &mut back), Some(()));
                left = &left[packed..];
            }
            prop_assert_eq!(back, points);
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = unpack(&bytes, &mut Vec::new());
        }
    }

    #[test]
    fn a_point_of_a_drive_takes_a_few_bytes() {
        let drive: Vec<_> = (0..400)
            .map(|n: i64| Point {
                at_ms: 1_795_262_400_000 + n * 10_000,
                tag: Point::tag_of(n * 40_503),
                id: 7_000_000 + n * 10_000,
                latitude: 540_000_000 + n * 1_234,
                longitude: 240_000_000 - n * 987,
                speed: Some(610 + n % 7 * 10),
                course: Some(1_230 + n % 20),
                altitude: None,
                accuracy: None,
                valid: true,
                suspect: false,
            })
            .collect();
        let (packed, _) = pack(&drive, usize::MAX);
        assert!(packed >= 240, "{packed} on a page");
    }
}
