//! How long packets are kept: they go by age and by size, what they told stays, and nobody waits for it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use wayglass::{
    model::{Forever, Keep, NewPacket, Overviews, PacketId, Policy, Upto},
    store::{Compacted, Error, Limits, Reason, Removal, compact, query, removal_of},
};

use super::{NOON_MS, Shelf, after, committed, fix, from, packet};

const DAY_S: i64 = 24 * 3600;

fn keep(age_days: Option<u64>, bytes: Option<u64>) -> Keep {
    Keep {
        packet_age: age_days.map_or(Forever::Forever, |days| Forever::Until(Duration::from_hours(24 * days))),
        packet_bytes: bytes.map_or(Forever::Forever, Forever::Until),
        ..Keep::default()
    }
}

fn big(who: &str, at: i64) -> NewPacket {
    NewPacket { bytes: vec![7; 9_000], ..packet(from(who), after(at), vec![fix(after(at))]) }
}

/// Waits until the writer has removed what it has to.
fn until(shelf: &Shelf, done: impl Fn(&Shelf) -> bool) {
    let begun = Instant::now();
    while !done(shelf) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", shelf.store().health());
        shelf.settle();
    }
}

#[test]
fn old_packets_go_and_what_they_told_stays() {
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(Some(30), None), ..Limits::default() });
    let first = shelf.append(big("A", 0)).packet;
    for at in 1..40 {
        shelf.append(big(if at % 2 == 0 { "A" } else { "B" }, at * DAY_S));
    }
    // 39 days have passed: those of the first nine days are older than 30.
    shelf.now_ms.store(NOON_MS + 39 * DAY_S * 1000, Ordering::Relaxed);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    until(&shelf, |shelf| shelf.store().health().removed_packets == 9);
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 31);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 40);
    assert_eq!(shelf.count("SELECT min(received_ms) FROM packets"), NOON_MS + 9 * DAY_S * 1000);

    let at = after(39 * DAY_S).as_millisecond();
    let removal = shelf.read(move |db| removal_of(db, first)).unwrap();
    assert_eq!((removal.reason, removal.at.as_millisecond()), (Reason::Age, at));
    assert_eq!(shelf.read(|db| removal_of(db, PacketId(20))), None, "this one is there");
    let health = shelf.store().health();
    assert_eq!((health.removed_bytes, health.last_removal), (9 * 9_000, Some(removal.at)));
    assert_eq!(health.kept_bytes, 31 * 9_128);

    // Its overview still says what it told; the list of its packets ends where they do.
    let device = shelf.device("A").id;
    let overview = shelf.read(move |db| query::device_overview(db, device)).unwrap();
    assert_eq!((overview.positions, overview.packets), (20, 20));
    assert_eq!(shelf.read(move |db| query::packets(db, Some(device), None, 99)).len(), 15);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    let health = shelf.store().health();
    assert_eq!((health.kept_bytes, health.removed_packets), (31 * 9_128, 9), "counted anew it is the same");
}

#[test]
fn the_oldest_go_where_there_are_too_many_bytes() {
    let shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(None, Some(100_000)), ..Limits::default() });
    for at in 0..50 {
        shelf.append(big("A", at));
    }
    shelf.settle();
    let kept = shelf.count("SELECT sum(length(bytes) + 128) FROM packets");
    assert!((80_000..=100_000).contains(&kept), "{kept}");
    assert_eq!(shelf.store().health().kept_bytes, kept.unsigned_abs());
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 50);
    let removal = shelf.read(|db| removal_of(db, PacketId(1)));
    assert!(matches!(removal, Some(Removal { reason: Reason::Size, .. })), "{removal:?}");

    // Less from now on, without opening it anew; then none of it goes any more.
    shelf.store().set_keep(keep(None, Some(30_000)));
    until(&shelf, |shelf| shelf.store().health().kept_bytes <= 30_000);
    shelf.store().set_keep(keep(None, None));
    for at in 50..60 {
        shelf.append(big("A", at));
    }
    shelf.settle();
    assert!(shelf.store().health().kept_bytes > 100_000);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 60);
}

#[test]
fn what_is_held_is_not_historys() {
    let limits = Limits { keep: keep(None, Some(100_000)), ..Limits::default() };
    let shelf = Shelf::with(Policy::Ask, limits);
    for at in 0..30 {
        shelf.append(big("new", at));
    }
    shelf.settle();
    let health = shelf.store().health();
    assert_eq!((health.kept_bytes, health.quarantine_bytes, health.new_devices), (0, 30 * 9_512, 1));
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 30);
    let device = shelf.device("new").id;
    assert_eq!(shelf.store().writer().try_adopt(device, None).wait().unwrap(), 30);
    until(&shelf, |shelf| shelf.store().health().kept_bytes <= 100_000);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 30);
    shelf.store().writer().forget(device).wait().unwrap();
    shelf.settle();
    assert_eq!(shelf.store().health().kept_bytes, 0);
}

#[test]
fn an_id_is_never_given_twice() {
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(Some(1), None), ..Limits::default() });
    for at in 0..5 {
        shelf.append(big("A", at));
    }
    shelf.now_ms.store(NOON_MS + 9 * DAY_S * 1000, Ordering::Relaxed);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    until(&shelf, |shelf| shelf.count("SELECT count(*) FROM packets") == 0);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    let stored = shelf.append(big("A", 9 * DAY_S));
    assert_eq!(stored.packet, PacketId(6), "positions still name the packets that went");
}

#[test]
fn a_clock_that_jumps_empties_nothing() {
    // As it is without a test's say: ages count after an hour of even running.
    let mut shelf = Shelf::new(Policy::Adopt);
    shelf.limits = Limits { keep: keep(Some(30), None), ..Limits::default() };
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    shelf.append(big("A", 0));
    shelf.store().set_policy(Policy::Ask);
    shelf.append(big("new", 0));
    shelf.now_ms.store(NOON_MS + 3650 * DAY_S * 1000, Ordering::Relaxed);
    shelf.append(big("A", 1));
    shelf.settle();
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 3);
}

#[test]
fn ingest_goes_on_while_much_is_removed() {
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(None, None), ..Limits::default() });
    let writer = shelf.store().writer();
    shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        for at in 0..30_000 {
            receipts.push(writer.append(packet(from("A"), after(at), vec![fix(after(at))])).await.unwrap());
        }
        for receipt in receipts {
            receipt.durable().await.unwrap();
        }
    });
    drop(writer);
    // What was never written down is added up.
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    assert_eq!(shelf.store().health().kept_bytes, 30_000 * 132);
    shelf.store().set_keep(keep(None, Some(1_000_000)));
    let mut at = 30_000;
    until(&shelf, |shelf| shelf.store().health().removed_packets > 0);
    let mut while_removing = 0;
    while shelf.store().health().kept_bytes > 1_000_000 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
        (at, while_removing) = (at + 1, while_removing + 1);
        assert!(at < 40_000, "it comes to an end");
    }
    assert!(while_removing > 2, "{while_removing}: the packets did not wait for all of it");
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), at);
}

/// Fills the file with so many bytes, and removes all but a little.
fn emptied(shelf: &Shelf) {
    for at in 0..60 {
        shelf.append(NewPacket { bytes: vec![7; 1_000_000], ..packet(from("A"), after(at), vec![fix(after(at))]) });
    }
    shelf.store().set_keep(keep(None, Some(2_000_000)));
    until(shelf, |shelf| shelf.store().health().kept_bytes <= 2_000_000);
}

#[test]
fn what_is_unused_is_given_back_in_steps() {
    let shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(None, None), ..Limits::default() });
    emptied(&shelf);
    // A reserve stays, for what arrives goes there.
    until(&shelf, |shelf| (1..=17_000_000).contains(&shelf.store().health().free_bytes));
    shelf.append(big("A", 100));
    shelf.store().compact();
    until(&shelf, |shelf| !shelf.store().health().compacting && shelf.store().health().free_bytes == 0);
    until(&shelf, |shelf| shelf.store().health().file_bytes < 4_000_000);
    shelf.append(big("A", 101));
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 62);
    let sound: String = shelf.read(|db| db.query_row("PRAGMA integrity_check", [], |row| row.get(0)));
    assert_eq!(sound, "ok");
}

#[test]
fn a_file_that_cannot_shrink_is_rewritten_by_whoever_has_it_alone() {
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(None, None), ..Limits::default() });
    shelf.append(big("A", 0));
    shelf.close();
    super::outsider(shelf.dir.path()).execute_batch("PRAGMA auto_vacuum = NONE; VACUUM;").unwrap();
    shelf.open(Policy::Adopt).unwrap();
    assert!(!shelf.store().health().shrinks);
    emptied(&shelf);
    shelf.store().compact();
    until(&shelf, |shelf| !shelf.store().health().compacting);
    assert!(matches!(compact(shelf.dir.path()), Err(Error::InUse(_))));
    shelf.close();
    let Compacted { before, after: left } = compact(shelf.dir.path()).unwrap();
    assert!(before > 50_000_000 && left < 4_000_000, "{before} {left}");
    shelf.open(Policy::Adopt).unwrap();
    assert!(shelf.store().health().shrinks);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 60);
}

#[test]
fn the_list_of_devices_says_how_much_of_the_feed_it_has() {
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep: keep(Some(1), None), ..Limits::default() });
    let list = |shelf: &Shelf| {
        let Overviews { devices, upto } = shelf.read(query::overviews);
        (devices.iter().map(|device| device.packets).sum::<u64>(), upto)
    };
    assert_eq!(list(&shelf), (0, Upto::default()));
    let mut facts = shelf.facts();
    let mut newest = Upto::default();
    for at in 0..20 {
        let reports = if at % 5 == 0 { Vec::new() } else { vec![fix(after(at)), fix(after(100 + at))] };
        shelf.append(packet(from(if at % 3 == 0 { "A" } else { "B" }), after(at), reports));
        let told = committed(&mut facts);
        newest.packet = told.packets.last().map(|packet| packet.id);
        newest.position = told.fixes.last().map_or(newest.position, |fix| fix.id);
        assert_eq!(list(&shelf), (at.unsigned_abs() + 1, newest));
    }
    // What was counted stays counted where the packets themselves are gone.
    shelf.now_ms.store(NOON_MS + 3 * DAY_S * 1000, Ordering::Relaxed);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    until(&shelf, |shelf| shelf.count("SELECT count(*) FROM packets") == 0);
    assert_eq!(list(&shelf), (20, newest));
}
