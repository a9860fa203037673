//! What a filter admits, where it errs, what it offers.

use super::*;

/// A position of Van 7.
struct Packet;

impl Facts for Packet {
    fn any(&self, path: &Path, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        let told: &[Told<'_>] = match path {
            Path::Field(Field::Device) => &[Told::Text("Van 7"), Told::Text("123456789012345")],
            Path::Field(Field::Protocol) => &[Told::Text("gt06")],
            Path::Field(Field::Direction) => &[Told::Text("in")],
            Path::Field(Field::Kind) => &[Told::Text("location")],
            Path::Field(Field::Peer) => &[Told::Text("10.0.0.9:4711")],
            Path::Field(Field::Type) => &[Told::Number(18.0)],
            Path::Field(Field::Serial) => &[Told::Number(1204.0)],
            Path::Field(Field::Speed) => &[Told::Number(42.0)],
            Path::Field(Field::Altitude) => &[Told::Number(100.0)],
            Path::Field(Field::Latitude) => &[Told::Number(51.12345)],
            Path::Field(Field::Length) => &[Told::Number(36.0)],
            Path::Field(Field::Verdict) => &[Told::Verdict(Verdict::Warn)],
            Path::Field(Field::Group) => &[Told::Text("time"), Told::Text("range")],
            Path::Field(Field::Answered) => &[Told::Bool(true)],
            Path::Field(Field::Marked) => &[Told::Bool(false)],
            Path::Field(Field::Time) => return see(Told::Time("2026-11-21T14:00:00Z".parse().unwrap())),
            Path::Reading(key) if key == "ignition" => &[Told::Bool(true)],
            Path::Reading(key) if key == "temp1" => &[Told::Number(21.5)],
            Path::Reading(key) if key == "driverUniqueId" => &[Told::Text("00112")],
            Path::Tree(name) if name == "Date" => return see(Told::Time("2015-12-29T03:11:38Z".parse().unwrap())),
            Path::Reading(key) if key == "created_at" => &[Told::Text("2015-12-29T03:11:38Z")],
            Path::Tree(name) if name == "Alarm" => &[Told::Named(1.0, "SOS")],
            _ => &[],
        };
        told.iter().any(|one| see(*one))
    }

    fn shows(&self, text: &str, bytes: Option<&[u8]>) -> bool {
        "van 7 position 51.12345 relay".contains(text) || bytes == Some(&[0x78, 0x78])
    }
}

fn ground() -> Ground {
    Ground { now: "2026-11-21T14:02:31Z".parse().unwrap(), zone: TimeZone::get("Europe/Brussels").unwrap() }
}

fn parse(text: &str) -> Result<Filter, Mistake> {
    Filter::parse(text, &ground())
}

/// `+ filter`: admits the packet. `- filter`: does not.
#[test]
fn packets_are_admitted() {
    let cases = r#"
        +
        + dev == "van 7"
        + dev == 'Van 7' && type == 0x12
        + device contains 7
        - dev == "Van"
        + dev == 123456789012345
        - dev != "Van 7"
        + dev != "Van 8"
        + type == 18
        + type == location
        - type == login
        + serial in 1200..1210
        + serial in {1, 1204}
        - serial in {1, 2}
        + speed > 25mph
        - speed > 25 kn
        + speed >= 42 km/h
        + alt < 400ft
        + lat in 51.0..51.2
        - lat in -5..5
        - lon > 0
        - lon != 0
        + !(lon > 0)
        + verdict >= warn && verdict < error
        - verdict == ok
        + group == range
        - group != range
        + group != json
        + answered
        - !answered
        - marked
        + marked == no
        + not marked and dir == in
        + ignition
        + ignition == yes
        - charge
        + !charge
        + temp1 > 20
        + driverUniqueId contains 0112
        + driverUniqueId == 112
        + [Alarm] == 1
        + [Alarm] == SOS
        + [Alarm]
        + [Date] == 2015-12-29T03:11:38Z
        - [Date] > 2016-12-29T03:11:38Z
        + created_at < 2016-12-29T03:11:38Z
        - [Course]
        + time in 5m
        - time in 2m
        + time in 1d
        + time in today
        - time in yesterday
        + time < 15:01
        - time < 15:00
        + time <= 15:00
        + time == 15:00
        - time == 15:01
        + time == 2026-11-21
        + time in 14:00..16:00
        + time > 2026-11-21T13:59:59Z
        - time > 2026-11-21T14:00:00Z
        + van relay
        + "van 7"
        - van 8
        + 7878
        + 78 78
        + 0x7878
        + len == 1 || len == 36 && serial == 1204
        - (len == 1 || len == 36) && serial == 1
        + peer contains 10.0.0
        + 51.12345
        + conn == 1 || relay
    "#;
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sign, text) = case.split_at(1);
        let filter = parse(text.trim()).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
        assert_eq!(filter.admits(&Packet, ground().now), sign == "+", "{case}\n{filter:?}");
    }
}

/// The filter, the bytes that are wrong, what is said of them.
#[test]
fn mistakes_point_at_the_character() {
    let cases = [
        ("sped > 5", 0..4, "no field is called sped; is speed meant?"),
        ("wibblewobble > 5", 0..12, "a field of the tree is written [in brackets]"),
        ("speed > fast", 8..12, "speed is a number in km/h, not fast"),
        ("speed > 5kg", 8..11, "speed is a number in km/h, not 5kg"),
        ("speed >", 7..7, "a value was expected here: speed is a number in km/h"),
        ("speed contains 5", 6..14, "compare it by == != <"),
        ("dev < 5", 4..5, "dev is a text"),
        ("proto == mqtt", 9..13, "proto is one of gt06, owntracks, not mqtt"),
        ("verdict > bad", 10..13, "one of ok, note, warn, error"),
        ("crc == wrong", 7..12, "crc is one of ok, bad, not wrong"),
        ("time > soon", 7..11, "time is a moment such as"),
        ("time > 2026-13-01", 7..17, "time is a moment such as"),
        ("serial in 5", 10..11, "a list in braces or a span"),
        ("serial in {1, 2", 15..15, "a comma or the closing brace"),
        ("(speed > 5", 0..1, "never closed"),
        ("speed > 5)", 9..10, "no parenthesis is open"),
        ("dev == \"Van", 7..11, "never closed"),
        ("[Course > 5", 0..11, "never closed"),
        ("[] == 5", 0..2, "the name of a field"),
        ("a && ", 5..5, "a field or a word was expected"),
        ("|| a", 0..2, "a field or a word was expected"),
        ("!", 1..1, "a field or a word was expected"),
        ("marked > 1", 7..8, "yes or no"),
        ("dev in a..b", 7..8, "dev is a text"),
        ("a &&& b", 4..5, "&&& is no operator; && stands alone"),
        ("a |||| b", 4..6, "|||| is no operator; || stands alone"),
        ("a && && b", 5..7, "a field or a word was expected"),
        ("a & b", 2..3, "& is no operator; && is meant"),
        ("a | b", 2..3, "| is no operator; || is meant"),
        ("len === 5", 6..7, "=== is no operator; == stands alone"),
        ("len >== 5", 6..7, ">== is no operator; >= stands alone"),
        ("len =< 5", 5..6, "=< is no operator; = stands alone"),
        ("len !== 5", 6..7, "!== is no operator"),
        ("len <> 5", 5..6, "<> is no operator"),
        ("serial in 1...5", 13..14, "... is no operator"),
    ];
    for (text, span, says) in cases {
        let mistake = parse(text).expect_err(text);
        assert!(mistake.text.contains(says), "{text}: {mistake:?}");
        assert_eq!(mistake.span, span, "{text}: {mistake:?}");
    }
}

#[test]
fn what_is_valid_and_perhaps_not_meant_is_said() {
    let doubts = |text: &str| parse(text).unwrap().doubts.into_iter().map(|doubt| doubt.text).collect::<Vec<_>>();
    assert_eq!(doubts("verdict:error"), ["looked for as a word; verdict == error asks for the field"]);
    assert_eq!(doubts("alarm"), ["packets with this reading; write \"alarm\" for the word"]);
    assert_eq!(doubts("serial in 5..1"), ["this span ends before it begins, so nothing is in it"]);
    assert!(doubts("van 10.0.0.9:4711 answered").is_empty());
    // Negations may stand close.
    assert!(parse("a&&!b||!!c").is_ok() && parse("!(a)&&(b)").is_ok());
}

#[test]
fn any_text_is_read_without_a_panic() {
    let pieces =
        ["speed", ">", "\"", "[", "]", "(", ")", "{", "}", "!", "é", "..", "in", "5m", "\\", "0x", ",", " ", "≥", "'"];
    let mut state = 7_usize;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..state % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += pieces[(state >> 33) % pieces.len()];
        }
        state = state.wrapping_add(1);
        if let Err(mistake) = parse(&text) {
            assert!(mistake.span.end <= text.len() && text.get(mistake.span.clone()).is_some(), "{text}: {mistake:?}");
        }
        complete(&text, text.len(), &|_| Vec::new(), &["GSM signal"]);
    }
    assert!(parse(&"(".repeat(2_000)).is_err());
    assert!(parse(&"! ".repeat(2_000)).is_err());
    assert!(parse(&"a".repeat(MOST_BYTES + 1)).is_err());
}

#[test]
fn only_what_looks_back_from_now_ages() {
    assert!(parse("a || !(time in 5m)").unwrap().ages());
    assert!(!parse("time in today").unwrap().ages());
}

#[test]
fn what_may_come_next_is_offered() {
    let names = |field: Field| match field {
        Field::Device => vec!["Van 7".to_owned(), "jane".to_owned()],
        _ => Vec::new(),
    };
    let offers = |text: &str| {
        let found = complete(text, text.len(), &names, &["GSM signal"]);
        let put = |offer: &Offer| format!("{}{}", &text[..found.span.start], offer.text);
        found.offers.iter().map(put).collect::<Vec<_>>()
    };
    assert_eq!(offers("sp")[..1], ["speed"]);
    assert!(offers("len > 5 && ser").contains(&"len > 5 && serial".to_owned()));
    assert_eq!(offers("dev "), ["dev ==", "dev !=", "dev contains", "dev in"]);
    assert_eq!(offers("dev == "), ["dev == \"Van 7\"", "dev == jane"]);
    assert_eq!(offers("dev == \"va"), ["dev == \"Van 7\""]);
    assert_eq!(offers("dev in {jane, v"), ["dev in {jane, \"Van 7\""]);
    assert_eq!(offers("proto == o"), ["proto == owntracks"]);
    assert_eq!(offers("verdict >= w"), ["verdict >= warn"]);
    assert_eq!(offers("[gs"), ["[GSM signal]"]);
    assert_eq!(offers("speed > 5 "), ["speed > 5 &&", "speed > 5 ||"]);
    assert!(offers("").contains(&"dev".to_owned()));
    for about in FIELDS {
        assert!(parse(about.example).is_ok(), "{}: {:?}", about.example, parse(about.example));
        assert_eq!(Path::of(about.names[0]), Some(Path::Field(about.field)));
    }
}
