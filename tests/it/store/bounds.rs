//! What happens at each bound: quarantine, disk, lock, queue.

use std::sync::atomic::Ordering;

use wayglass::{
    model::{Keep, NewPacket, Policy},
    store::{Error, Limits, query},
};

use super::{NOON_MS, Shelf, after, fix, from, outsider, packet};

#[test]
fn new_senders_beyond_the_bound_make_room() {
    let limits = Limits { keep: Keep { new_devices: 3, ..Keep::default() }, ..Limits::default() };
    let shelf = Shelf::with(Policy::Ask, limits);
    let adopted = shelf.append(packet(from("mine"), after(0), vec![fix(after(0))])).device.unwrap();
    shelf.store().writer().try_adopt(adopted, None).wait().unwrap();
    for (at, who) in (1..).zip(["A", "B", "C", "D", "E"]) {
        shelf.append(packet(from(who), after(at), vec![fix(after(at))]));
    }
    shelf.settle();
    let names: Vec<_> = shelf.read(query::devices).into_iter().map(|device| device.identity.to_string()).collect();
    assert_eq!(names, ["mine", "C", "D", "E"]);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 4);
    let health = shelf.store().health();
    assert_eq!((health.dropped_devices, health.dropped_packets), (2, 2));
}

#[test]
fn the_quarantine_is_bounded_in_bytes_and_age() {
    let limits = Limits { keep: Keep { quarantine_bytes: 100_000, ..Keep::default() }, ..Limits::default() };
    let mut shelf = Shelf::with(Policy::Ask, limits);
    let big = |sender, at| NewPacket { bytes: vec![7; 9_000], ..packet(sender, after(at), vec![fix(after(at))]) };
    shelf.store().set_policy(Policy::Adopt);
    let mine = shelf.append(big(from("mine"), 0)).device.unwrap();
    shelf.store().set_policy(Policy::Ask);
    for at in 0..40 {
        shelf.append(big(if at % 4 == 0 { None } else { from("A") }, at));
    }
    shelf.settle();
    let held = shelf.count("SELECT sum(length(bytes)) FROM packets WHERE held IS NOT NULL");
    assert!((80_000..=100_000).contains(&held), "{held}");
    let overview = shelf.read(query::device_overviews).into_iter().find(|device| device.device.id != mine).unwrap();
    let id = overview.device.id;
    let kept = shelf.read(move |db| query::packets(db, Some(id), None, 99));
    assert_eq!((overview.packets, overview.positions), (kept.len() as u64, kept.len() as u64));
    assert_eq!(overview.last_fix.unwrap().fix.at, after(39));
    assert_eq!(kept.last().unwrap().received, after(39), "the oldest went");
    let dropped = shelf.store().health().dropped_packets;
    assert!(dropped > 20);

    // A week later everything is too old, but for what was adopted.
    shelf.now_ms.store(NOON_MS + 8 * 24 * 3_600_000, Ordering::Relaxed);
    shelf.append(big(None, 8 * 24 * 3600));
    shelf.settle();
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 1);
    assert_eq!(shelf.read(query::devices).len(), 1);
    assert_eq!(shelf.read(query::device_overviews)[0].positions, 1);

    let dropped = shelf.store().health().dropped_packets;
    shelf.close();
    shelf.open(Policy::Ask).unwrap();
    assert_eq!(shelf.store().health().dropped_packets, dropped, "the count outlives the run");
}

#[test]
fn a_full_disk_acknowledges_nothing_and_is_survived() {
    // The bound on the file fails at the same place as a disk without space.
    let limits = Limits { file_bytes: Some(600_000), ..Limits::default() };
    let mut shelf = Shelf::with(Policy::Adopt, limits);
    let big = |who, at| NewPacket { bytes: vec![7; 30_000], ..packet(from(who), after(at), vec![fix(after(at))]) };
    let positions = |shelf: &Shelf| shelf.count("SELECT count(*) FROM positions");
    // A little larger, so that what it leaves is enough for another and its place in the tables.
    shelf.append(NewPacket { bytes: vec![7; 34_000], ..big("B", 0) });
    let mut acknowledged = 1;
    let error = loop {
        match shelf.try_append(big("A", acknowledged)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full), "{error}");
    assert!(matches!(shelf.store().health().error, Some(Error::Full)));
    assert!(matches!(shelf.try_append(big("A", 500)), Err(Error::Full)));
    assert_eq!(positions(&shelf), acknowledged);

    // Space comes back: here by what is removed, then by a larger bound.
    let device = shelf.device("B");
    shelf.store().writer().forget(device.id).wait().unwrap();
    // It is said until it has been over for a while.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while shelf.store().health().error.is_some() {
        assert!(std::time::Instant::now() < end, "the trouble is never over");
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    // One or two fit, by how the tables' own pages fall.
    let fitted = (600..610).take_while(|&at| shelf.try_append(big("A", at)).is_ok()).count();
    assert!((1..=2).contains(&fitted), "{fitted}");
    assert!(matches!(shelf.try_append(big("A", 700)), Err(Error::Full)));
    let acknowledged = acknowledged - 1 + i64::try_from(fitted).unwrap();
    shelf.close();
    shelf.limits = Limits::default();
    shelf.open(Policy::Adopt).unwrap();
    assert_eq!(positions(&shelf), acknowledged);
    shelf.append(big("A", 700));
    assert_eq!(shelf.read(query::device_overviews)[0].positions, acknowledged.unsigned_abs() + 1);
}

#[test]
fn a_locked_database_acknowledges_nothing_and_is_survived() {
    let shelf = Shelf::new(Policy::Adopt);
    let other = outsider(shelf.dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(shelf.try_append(packet(from("A"), after(0), vec![fix(after(0))])), Err(Error::Locked)));
    other.execute_batch("ROLLBACK").unwrap();
    let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    assert_eq!((stored.new_fixes, shelf.count("SELECT count(*) FROM packets")), (1, 1));
}

#[test]
fn the_queue_has_a_bound() {
    let limits = Limits { queue_bytes: 8 * 1024, ..Limits::default() };
    let shelf = Shelf::with(Policy::Adopt, limits);
    let other = outsider(shelf.dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writer = shelf.store().writer();
    shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        // The one that the writer holds counts too.
        for at in 0..8 {
            receipts.push(writer.append(packet(from("A"), after(at), vec![fix(after(at))])).await.unwrap());
        }
        let mut ninth = Box::pin(writer.append(packet(from("A"), after(8), vec![fix(after(8))])));
        let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(ninth.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        assert_eq!(shelf.store().health().queue_bytes, 8 * 1024);
        other.execute_batch("ROLLBACK").unwrap();
        for receipt in receipts {
            receipt.durable().await.unwrap();
        }
        ninth.await.unwrap().durable().await.unwrap();
    });
    // What is larger than the whole queue goes through alone.
    shelf.append(NewPacket { bytes: vec![1; 100_000], ..packet(None, after(9), Vec::new()) });
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 10);
    assert_eq!(shelf.store().health().queue_bytes, 0);
}
