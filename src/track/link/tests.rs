//! What devices do, and what is said about it.

use super::*;

/// One of a kind every so many seconds.
fn every(kind: Kind, from_s: i64, step_s: i64, n: i64) -> Vec<Heard> {
    (0..n).map(|i| Heard { at_ms: (from_s + i * step_s) * 1_000, kind, ..Heard::default() }).collect()
}

fn each(n: i64, of: impl Fn(i64) -> Heard) -> Vec<Heard> {
    (0..n).map(|i| Heard { at_ms: i * 30_000, ..of(i) }).collect()
}

fn link(parts: &[Vec<Heard>]) -> Link {
    let mut heard = parts.concat();
    heard.sort_by_key(|h| h.at_ms);
    Link::of(&heard)
}

fn sentences(parts: &[Vec<Heard>]) -> Vec<String> {
    link(parts).symptoms().iter().map(Symptom::sentence).collect()
}

/// A name, what was heard, and how the sentences begin.
type Case<'a> = (&'a str, Vec<Vec<Heard>>, &'a [&'a str]);

#[test]
fn what_is_seen_becomes_a_sentence() {
    use Kind::{Heartbeat, Login, Other};
    let plain = Heard::default();
    let volts = |volts| Heard { volts: Some(volts), ..plain };
    let signal = |bars| Heard { signal: Some(bars), ..plain };
    let ahead = |s: i64| Heard { ahead_ms: Some(s * 1_000), ..plain };
    let cell = |n: i64| {
        let how = if n % 2 == 0 { Measured::CellOnly } else { Measured::Satellites };
        Heard { place: Some(how), ..plain }
    };
    let cases: &[Case] = &[
        ("nothing heard", vec![], &[]),
        ("well", vec![every(Login, 0, 1, 1), every(Heartbeat, 10, 180, 50), every(Other, 5, 30, 200)], &[]),
        (
            "behind a NAT",
            vec![every(Login, 0, 180, 10), every(Other, 20, 60, 30)],
            &["logs in again every 3 minutes: looks like a carrier's NAT time-out; shorten the heartbeat"],
        ),
        (
            "one heartbeat a login is none between",
            vec![every(Login, 0, 180, 10), every(Heartbeat, 1, 180, 10)],
            &["logs in again every 3 minutes: looks like a carrier's NAT time-out"],
        ),
        (
            "heartbeats do not help",
            vec![every(Login, 0, 300, 10), every(Heartbeat, 5, 30, 100)],
            &["logs in again every 5 minutes although it sends heartbeats every 30 seconds: looks like weak coverage"],
        ),
        (
            "deaf",
            vec![every(Login, 0, 20, 9)],
            &["logs in again every 20 seconds and says nothing else: looks like it does not take the answer"],
        ),
        ("twice is no habit", vec![every(Login, 0, 60, 2), every(Other, 5, 30, 20)], &[]),
        ("once an hour is none either", vec![every(Login, 0, 3_600, 10), every(Other, 5, 30, 20)], &[]),
        (
            "rare heartbeats",
            vec![every(Heartbeat, 0, 900, 8)],
            &["sends heartbeats only every 15 minutes: looks like a connection that a carrier may cut unseen"],
        ),
        (
            "lost",
            vec![each(96, |n| Heard { lost: u64::from(n % 24 == 0), ..plain })],
            &["4 of its frames never arrived (4 of 100)"],
        ),
        ("one lost is nothing", vec![each(9, |n| Heard { lost: u64::from(n == 3), ..plain })], &[]),
        (
            "slow",
            vec![each(5, |_| Heard { answer_ms: Some(4_200), ..plain })],
            &["half of the answers to it take more than 4.2 s: looks like a slow line"],
        ),
        ("quick", vec![each(5, |_| Heard { answer_ms: Some(200), ..plain })], &[]),
        ("indoors", vec![each(20, cell)], &["50 of 100 of its places come from cells or Wi-Fi alone"]),
        ("weak", vec![each(5, |n| signal(if n == 0 { 4.0 } else { 1.0 }))], &["its signal is 1 of 4 most of the time"]),
        ("another scale", vec![each(5, |n| signal(if n == 0 { 31.0 } else { 1.0 }))], &[]),
        ("low supply", vec![each(5, |n| volts(if n == 4 { 10.9 } else { 12.6 }))], &["its voltage fell to 10.9 V"]),
        ("a lorry's", vec![each(5, |n| volts(if n == 4 { 22.0 } else { 24.6 }))], &["its voltage fell to 22.0 V"]),
        ("its own battery", vec![each(5, |_| volts(3.9))], &[]),
        (
            "a zone",
            vec![each(5, |_| ahead(8 * 3_600 - 3))],
            &["its clock is 8 hours ahead: looks like a time zone set in the device"],
        ),
        (
            "a zone that is behind",
            vec![each(5, |_| ahead(-19_800))],
            &["its clock is 5.5 hours behind: looks like a time zone"],
        ),
        (
            "never set",
            vec![each(5, |_| ahead(-1_300))],
            &["its clock is 22 minutes behind: looks like a clock that was"],
        ),
        ("kept for later", vec![each(8, |n| ahead(if n < 5 { -3_000 } else { -2 }))], &[]),
    ];
    for (name, parts, expected) in cases {
        let told = sentences(parts);
        let fits =
            told.len() == expected.len() && told.iter().zip(*expected).all(|(told, want)| told.starts_with(want));
        assert!(fits, "{name}: {told:#?}");
    }
}

#[test]
fn what_is_counted_is_what_was_heard() {
    let parts = [every(Kind::Login, 0, 600, 4), every(Kind::Heartbeat, 10, 120, 12), every(Kind::Other, 1_795, 10, 2)];
    let link = link(&parts);
    assert_eq!((link.packets, link.logins, link.heartbeats), (18, 4, 12));
    assert_eq!(link.span_ms, Some((0, 1_805_000)));
    assert_eq!((link.login_every_s, link.heartbeat_every_s), (Some(600.0), Some(120.0)));
    assert!(link.logins_again_per_hour().is_some_and(|n| (n - 5.98).abs() < 0.01), "{link:?}");
    assert_eq!(
        (link.lost_share(), link.cell_only_share(), link.answer_ms, link.clock_ahead_s),
        (Some(0.0), None, None, None)
    );
    assert_eq!(Link::of(&[]), Link::default());
    assert_eq!(Link::default().logins_again_per_hour(), None);
}

#[test]
fn who_closed_the_connections_is_said_where_it_is_known() {
    use crate::model::{CLOSED_BY_SERVER, Ended, Ender, REPLACED, SILENT, STOPPING, Timestamp, UNREAD};
    let by = |by: Ender, why: &'static str| Ended { at: Timestamp::UNIX_EPOCH, by, why: why.into() };
    let (device, nobody) = (|| by(Ender::Peer, ""), || by(Ender::Nobody, "broken: connection reset"));
    let us = |why: &'static str| by(Ender::Us, why);
    let some = |n: usize, one: Ended| vec![one; n];
    let nat = "logs in again every 3 minutes: looks like a carrier's NAT time-out";
    let cases = [
        ("nothing recorded", vec![], nat),
        ("too little recorded", some(3, device()), nat),
        ("broken", some(8, nobody()), nat),
        ("one and one", [some(4, device()), some(4, us(SILENT))].concat(), nat),
        (
            "in order",
            [some(7, device()), some(2, nobody())].concat(),
            "logs in again every 3 minutes after it closed its connection in order: looks like a setting of the tracker",
        ),
        (
            "idle",
            some(9, us(SILENT)),
            "logs in again every 3 minutes because we close its connections, which are silent for too long: looks like pauses",
        ),
        (
            "replaced",
            [some(6, us(REPLACED)), some(3, device())].concat(),
            "logs in again every 3 minutes while its connection before is still open here, which we close then: looks like weak",
        ),
        (
            "restarts",
            some(9, us(STOPPING)),
            "logs in again every 3 minutes because Wayglass was stopped (9 times): looks like Wayglass being restarted",
        ),
        (
            "full",
            some(9, us("not stored: the disk is full")),
            "logs in again every 3 minutes because we close its connections (not stored: the disk is full): looks like trouble",
        ),
        (
            "refused",
            some(9, us("the sender was set aside and the policy is strict")),
            "logs in again every 3 minutes because we close its connections (the sender was set aside and the policy is \
             strict): looks like what it sends or a setting here",
        ),
        (
            "tapped",
            some(9, by(Ender::Nobody, CLOSED_BY_SERVER)),
            "logs in again every 3 minutes because the other server closes its connections: looks like something that",
        ),
        ("deaf", some(9, us(UNREAD)), nat),
    ];
    for (name, ended, want) in cases {
        let mut link = link(&[every(Kind::Login, 0, 180, 10), every(Kind::Other, 20, 60, 30)]);
        link.ends = Ends::of(&ended);
        let told: Vec<String> = link.symptoms().iter().map(Symptom::sentence).collect();
        assert!(told.len() == 1 && told[0].starts_with(want), "{name}: {told:#?}");
    }
    let mut link = link(&[every(Kind::Login, 0, 180, 10), every(Kind::Heartbeat, 5, 30, 60)]);
    link.ends = Ends::of(&some(9, us(STOPPING)));
    assert_eq!(link.symptoms()[0].key, "restarts", "heartbeats change nothing about that");
    assert_eq!(link.ends.line().as_deref(), Some("9 by a stop of Wayglass"));
}
