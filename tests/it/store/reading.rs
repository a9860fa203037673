//! Questions, and how they are asked.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
};

use wayglass::{
    model::{PacketId, Policy, StoredFix, TimeWindow},
    store::query,
};

use super::{NOON_MS, Shelf, after, fix, from, packet};

#[test]
fn a_track_is_read_whole_or_its_newest() {
    let shelf = Shelf::new(Policy::Adopt);
    for chunk in 0..25 {
        let reports = (0..1000).map(|n| fix(after(chunk * 1000 + n))).collect();
        shelf.append(packet(from("A"), after(0), reports));
    }
    let device = shelf.device("A").id;
    let secs = |fixes: Vec<StoredFix>| {
        fixes.iter().map(|fix| (fix.fix.at.as_millisecond() - NOON_MS) / 1000).collect::<Vec<_>>()
    };
    let newest = shelf.read(move |db| query::track(db, device, TimeWindow::ALL, 3));
    assert_eq!(secs(newest), [24_997, 24_998, 24_999]);
    let window = TimeWindow { from: Some(after(10)), to: Some(after(12)) };
    assert_eq!(secs(shelf.read(move |db| query::track(db, device, window, 9))), [10, 11, 12]);
    let each = |window, most| {
        shelf.read(move |db| {
            let mut fixes = Vec::new();
            query::track_each(db, device, window, |fix| {
                fixes.push(fix);
                if fixes.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            Ok(fixes)
        })
    };
    assert_eq!(secs(each(TimeWindow::ALL, usize::MAX)), (0..25_000).collect::<Vec<_>>());
    assert_eq!(secs(each(window, usize::MAX)), [10, 11, 12]);
    assert_eq!(secs(each(TimeWindow::ALL, 2)), [0, 1]);
}

#[test]
fn packets_of_a_device_are_paged_backwards() {
    let shelf = Shelf::new(Policy::Adopt);
    for at in 0..10 {
        let who = if at % 2 == 0 { "A" } else { "B" };
        shelf.append(packet(from(who), after(at), Vec::new()));
    }
    let device = shelf.device("A").id;
    let page = |before: Option<PacketId>| {
        let rows = shelf.read(move |db| query::packets(db, Some(device), before, 2));
        rows.into_iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None), [7, 9]);
    assert_eq!(page(Some(PacketId(7))), [3, 5]);
    assert_eq!(page(Some(PacketId(8))), [5, 7], "before a packet of another device");
    assert_eq!(page(Some(PacketId(1))), [0; 0]);
    let all = shelf.read(|db| query::packets(db, None, Some(PacketId(4)), 2));
    assert_eq!(all.iter().map(|row| row.id.0).collect::<Vec<_>>(), [2, 3]);
    let later = shelf.read(|db| query::packets_after(db, PacketId(4), 3));
    assert_eq!(later.iter().map(|row| row.id.0).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(shelf.read(query::packet_count), (10, Some(PacketId(10))));
    let ids = shelf.read(|db| query::packet_ids(db, PacketId(9), PacketId(20)));
    assert_eq!(ids, [PacketId(9), PacketId(10)]);
}

#[test]
fn an_empty_store_counts_no_packets() {
    assert_eq!(Shelf::new(Policy::Ask).read(query::packet_count), (0, None));
}

#[test]
fn a_question_that_was_dropped_is_not_asked() {
    let shelf = Shelf::new(Policy::Ask);
    let reader = shelf.store().reader();
    let (go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    // Both threads are busy until the test lets go.
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let gate = Arc::clone(&gate);
            reader.read(move |_| Ok(gate.lock().unwrap().recv().is_ok()))
        })
        .collect();
    let asked = Arc::new(AtomicI64::new(0));
    let ask = || {
        let asked = Arc::clone(&asked);
        reader.read(move |_| Ok(asked.fetch_add(1, Ordering::Relaxed)))
    };
    drop(ask());
    let kept = ask();
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    assert_eq!(kept.wait().unwrap(), 0);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for answer in busy {
        assert!(answer.wait().unwrap());
    }
    let writes = reader.read(|db| db.execute("DELETE FROM devices", []));
    assert!(writes.wait().is_err(), "readers cannot write");
}
