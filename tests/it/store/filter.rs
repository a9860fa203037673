//! What SQL picks for a filter is what the filter admits, and nothing that it admits is missing.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use wayglass::{
    model::{
        Direction, NewPacket, PacketId, PacketNote, Policy, Profile, Protocol, Verdict,
        filter::{Filter, Ground},
    },
    store::query,
    wire::Seen,
};

use super::{Shelf, after, from, packet};

/// Filters, with how many packets SQL may hand on needlessly: `=` none, `~` any.
const FILTERS: &[&str] = &[
    "= dev == a",
    "= dev != a",
    "= !(dev == a)",
    "= dev contains b || dev == \"van 7\"",
    "= identity == c",
    "= proto == gt06 && dir == in",
    "= proto != gt06",
    "= kind == login",
    "= kind in {login, noise}",
    "= kind contains o",
    "= peer contains 4711",
    "= verdict >= warn",
    "= !(verdict < warn)",
    "= verdict in {ok, error}",
    "= len > 5",
    "= len in 4..18",
    "= len == 18 || len == 4",
    "= conn == 3",
    "= time in 5m",
    "= time < 12:00:30",
    "= time == 12:01",
    "= time != 12:01",
    "= time in 12:00:30..12:02",
    "= id > 3 && id <= 5",
    "= bytes contains 7878",
    "~ type == 0x01",
    "~ type == 0x12 && dev == b",
    "~ serial == 1",
    "~ serial == 1 || dev == a",
    "~ !(type == 0x01)",
    "~ !(serial == 1) && kind == login",
    "~ latitude > 0 && len > 2",
    "~ 7878",
    "~ dev == é",
    "=",
];

#[test]
fn sql_picks_what_a_filter_admits() {
    let shelf = Shelf::new(Policy::Adopt);
    let login: Vec<u8> = (0..18).map(|at| u8::from_str_radix(&LOGIN[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let kinds = [("login", login), ("noise", vec![1, 2, 3]), ("location", vec![0x78, 0x78, 0x0d, 0x0a])];
    let whose = [from("A"), from("B"), None, from("C")];
    let verdicts = [Verdict::Ok, Verdict::Note, Verdict::Warn, Verdict::Error];
    for (n, at) in (0..48_usize).zip((0..).step_by(10)) {
        let (kind, bytes) = kinds[n % 3].clone();
        shelf.append(NewPacket {
            protocol: if n % 5 == 0 { Protocol::OwnTracks } else { Protocol::Gt06 },
            direction: if n % 7 == 0 { Direction::Out } else { Direction::In },
            peer: format!("10.0.0.{}:4711", n % 3).into(),
            connection: n as u64 % 4,
            kind: kind.into(),
            verdict: verdicts[n % 4],
            bytes,
            ..packet(whose[n / 3 % 4].clone(), after(at), Vec::new())
        });
    }
    let c = shelf.device("C");
    shelf.store().writer().rename(c.id, Some("Van 7".to_owned())).wait().unwrap();
    let ground = Ground { now: after(480), zone: TimeZone::UTC };
    let devices = shelf.read(query::devices);
    let names: HashMap<_, Vec<String>> = devices
        .into_iter()
        .map(|device| (device.id, device.name.into_iter().chain([device.identity.to_string()]).collect()))
        .collect();
    for case in FILTERS {
        let (exact, text) = (case.starts_with('='), case[1..].trim());
        let filter = Filter::parse(text, &ground).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
        let admits = |row: &wayglass::model::PacketRow| {
            let who: Vec<&str> = row.device.iter().flat_map(|id| &names[id]).map(String::as_str).collect();
            filter.admits(&Seen::new(row, &Profile::default(), &who), ground.now)
        };
        let all = shelf.read(|db| query::packets(db, None, None, 1_000));
        let wanted: Vec<PacketId> = all.iter().filter(|row| admits(row)).map(|row| row.id).collect();
        let (asked, now) = (filter.clone(), ground.now);
        let picked = shelf
            .read(move |db| query::packets_filtered(db, &asked, now, PacketId(0)..PacketId(i64::MAX), true, 1_000));
        let kept: Vec<PacketId> = picked.iter().filter(|row| admits(row)).map(|row| row.id).collect();
        assert_eq!(kept, wanted, "{text}");
        assert!(!exact || picked.len() == wanted.len(), "{text}: {} picked for {}", picked.len(), wanted.len());
        // A page is the newest of them.
        let (asked, last) = (filter.clone(), picked.last().map_or(PacketId(i64::MAX), |row| row.id));
        let page = shelf.read(move |db| query::packets_filtered(db, &asked, now, PacketId(0)..last, true, 2));
        let before: Vec<PacketId> = picked.iter().map(|row| row.id).rev().skip(1).take(2).collect();
        assert_eq!(page.iter().map(|row| row.id).rev().collect::<Vec<_>>(), before, "{text}");
    }
}

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";

#[test]
fn a_mark_and_a_comment_go_with_their_packet() {
    let shelf = Shelf::new(Policy::Adopt);
    for n in 0..4 {
        shelf.append(packet(from("A"), after(n), Vec::new()));
    }
    let note = |marked, comment: &str| PacketNote { marked, comment: comment.to_owned() };
    let set = |id: i64, note: PacketNote| shelf.store().writer().set_note(PacketId(id), note).wait();
    set(2, note(true, "")).unwrap();
    set(3, note(true, "Why twice?")).unwrap();
    set(4, note(false, "gone")).unwrap();
    set(4, note(false, "")).unwrap();
    assert!(set(99, note(true, "")).is_err(), "there is no such packet");
    assert!(set(2, note(true, &"x".repeat(2_001))).is_err());
    let known = shelf.read(|db| query::notes(db, 10));
    assert_eq!(known, [(PacketId(3), note(true, "Why twice?")), (PacketId(2), note(true, ""))]);
    let ground = Ground { now: after(9), zone: TimeZone::UTC };
    let cases: [(&str, &[i64]); 6] = [
        ("marked", &[2, 3]),
        ("!marked", &[1, 4]),
        ("marked == no", &[1, 4]),
        ("comment", &[3]),
        ("comment contains twice", &[3]),
        ("comment == \"why twice?\"", &[3]),
    ];
    for (text, wanted) in cases {
        let filter = Filter::parse(text, &ground).unwrap();
        let picked = shelf
            .read(move |db| query::packets_filtered(db, &filter, after(9), PacketId(0)..PacketId(i64::MAX), true, 100))
            .into_iter()
            .map(|row| row.id.0)
            .collect::<Vec<_>>();
        assert_eq!(picked, wanted, "{text}");
    }
    let device = shelf.device("A").id;
    shelf.store().writer().forget(device).wait().unwrap();
    assert_eq!(shelf.read(|db| query::notes(db, 10)), []);
}
