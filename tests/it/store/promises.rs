//! What a receipt and a fact promise.

use std::{
    fs,
    sync::{Arc, mpsc},
    time::Duration,
};

use wayglass::{
    model::{
        DeviceId, DeviceState, Direction, Event, Fact, NewPacket, NewReply, Policy, Protocol, Report, TimeWindow, Trust,
    },
    store::{Error, Options, Store, query},
};

use super::{NOON_MS, Shelf, after, alarm, committed, fix, from, ms, name, outsider, packet, told};

#[test]
fn a_receipt_says_that_everyone_can_read_it() {
    let shelf = Shelf::new(Policy::Adopt);
    let reply = NewReply { kind: "ack".into(), bytes: vec![1, 2] };
    let stored = shelf.append(NewPacket {
        replies: vec![reply],
        context: Some(r#"{"path":"/"}"#.into()),
        ..packet(from("358000000000001"), after(5), vec![fix(after(0))])
    });
    assert!(!stored.refused);
    assert_eq!(stored.new_fixes, 1);

    let db = outsider(shelf.dir.path());
    let row: (String, String, i64, String) = db
        .query_row(
            "SELECT d.identity, d.state, p.fix_time_ms, p.attributes FROM positions p JOIN devices d ON d.id = p.device_id
             JOIN packets k ON k.id = p.packet_id WHERE k.direction = 'in' AND k.device_id = d.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(row, ("358000000000001".into(), "adopted".into(), NOON_MS, r#"{"sat":7}"#.into()));

    let rows = shelf.read(|db| query::packets(db, None, None, 10));
    let [arrived, answer] = rows.as_slice() else { panic!("two rows, not {rows:?}") };
    assert_eq!((arrived.id, arrived.answers, arrived.direction), (stored.packet, None, Direction::In));
    assert_eq!((answer.answers, answer.direction), (Some(stored.packet), Direction::Out));
    assert_eq!((&*answer.bytes, answer.device), (&[1, 2][..], stored.device));
    assert_eq!(arrived.context.as_deref(), Some(r#"{"path":"/"}"#));
    let told = shelf.read(move |db| query::fixes_of_packet(db, stored.packet));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].fix.satellites, Some(7));
}

#[test]
fn facts_come_after_the_commit_and_say_what_the_rows_say() {
    let shelf = Shelf::new(Policy::Ask);
    let mut facts = shelf.facts();
    let mut report = fix(ms(NOON_MS + 7));
    report.readings.set("ignition", true);
    let event = Event { at: after(0), kind: "alarm".into(), attributes: told("alarm", "sos").readings };
    report.events.push(event);
    shelf.append(packet(from("A"), after(1), vec![report]));

    let said = committed(&mut facts);
    assert_eq!(said.packets, shelf.read(|db| query::packets(db, None, None, 9)));
    assert_eq!(said.events, shelf.read(|db| query::events(db, None, 9)));
    let device = shelf.device("A");
    assert_eq!(said.fixes, shelf.read(move |db| query::track(db, device.id, TimeWindow::ALL, 9)));
    assert_eq!(said.devices[0].state, DeviceState::New);
    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!(overview.last_fix.as_ref(), said.fixes.first());
    assert_eq!(said.readings, [(overview.device.id, overview.readings)]);
    assert!(facts.next().is_none());
}

#[test]
fn the_same_fix_again_is_one_row() {
    let shelf = Shelf::new(Policy::Adopt);
    let sent = |key, at| Report { fix_key: key, ..fix(after(at)) };
    let new = |reports| shelf.append(packet(from("A"), after(9), reports)).new_fixes;
    assert_eq!(new(vec![sent(1, 0)]), 1);
    assert_eq!(new(vec![sent(1, 0)]), 0, "sent again");
    assert_eq!(new(vec![sent(2, 0)]), 1, "another fix of the same second");
    assert_eq!(new(vec![sent(1, 1), sent(1, 1)]), 1, "twice within a packet");
    assert_eq!(shelf.append(packet(from("B"), after(9), vec![sent(1, 0)])).new_fixes, 1, "another device");
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 5, "every packet is kept");

    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!((overview.packets, overview.positions), (4, 3));
}

#[test]
fn the_same_message_again_is_one_row() {
    let shelf = Shelf::new(Policy::Adopt);
    let sent = |id: &str, at| Report { message_id: Some(id.into()), ..fix(after(at)) };
    let new = |report| shelf.append(packet(from("A"), after(9), vec![report])).new_fixes;
    assert_eq!(new(sent("aa", 0)), 1);
    assert_eq!(new(sent("aa", 1)), 0, "the same message with another time");
    assert_eq!(new(sent("bb", 1)), 1);
    let again = packet(from("A"), after(9), vec![Report { events: vec![alarm()], ..Report::default() }]);
    shelf.append(again.clone());
    shelf.append(again);
    assert_eq!(shelf.count("SELECT count(*) FROM events"), 1);
}

#[test]
fn a_restart_finds_everything() {
    let mut shelf = Shelf::new(Policy::Ask);
    let device = shelf.append(packet(from("A"), after(0), vec![fix(after(0))])).device;
    shelf.append(packet(from("A"), after(1), vec![told("batteryLevel", 40)]));
    let last = shelf.append(packet(from("A"), after(2), vec![told("ignition", true)]));
    let before = shelf.read(query::device_overviews);
    shelf.close();
    assert!(!shelf.dir.path().join("wayglass.db-wal").exists(), "the log was emptied");

    shelf.open(Policy::Strict).unwrap();
    assert_eq!(shelf.read(query::device_overviews), before);
    shelf.store().set_policy(Policy::Ask);
    let again = shelf.append(packet(from("A"), after(3), vec![fix(after(0))]));
    assert_eq!((again.device, again.new_fixes), (device, 0));
    assert!(again.packet > last.packet);
    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!((overview.packets, overview.positions), (4, 1));
    assert_eq!(overview.readings.get("batteryLevel"), Some(&40.into()));
    assert_eq!(overview.device.last_heard, Some(after(3)));
}

#[test]
fn a_process_that_is_killed_loses_nothing() {
    let shelf = Shelf::new(Policy::Adopt);
    for at in 0..50 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
    }
    // What is on the disk while it runs is all that is left when it is killed.
    let mut left = Shelf::new(Policy::Adopt);
    left.close();
    for file in ["wayglass.db", "wayglass.db-wal"] {
        fs::copy(shelf.dir.path().join(file), left.dir.path().join(file)).unwrap();
    }
    left.open(Policy::Adopt).unwrap();
    assert_eq!(left.read(query::device_overviews), shelf.read(query::device_overviews));
    assert_eq!(left.append(packet(from("A"), after(50), vec![fix(after(49))])).new_fixes, 0);
    assert_eq!(left.count("SELECT count(*) FROM packets"), 51);
}

#[test]
fn the_last_fix_never_moves_back() {
    let shelf = Shelf::new(Policy::Adopt);
    let at = |at, report: Report| {
        let mut report = report;
        report.readings.set("batteryLevel", at);
        shelf.append(packet(from("A"), after(100), vec![report]));
        let overview = shelf.read(query::device_overviews).remove(0);
        let last = overview.last_fix.unwrap().fix.at;
        (
            (last.as_millisecond() - NOON_MS) / 1000,
            overview.readings.get("batteryLevel").and_then(serde_json::Value::as_i64),
        )
    };
    assert_eq!(at(10, fix(after(10))), (10, Some(10)));
    assert_eq!(at(5, fix(after(5))), (10, Some(10)), "a late one tells nothing about now");
    assert_eq!(at(20, fix(after(20))), (20, Some(20)));
    assert_eq!(at(30, Report { trust: Trust::Suspect, ..fix(after(30)) }), (20, Some(20)), "under a wrong checksum");
    let tomorrow = after(100 + 25 * 3600);
    assert_eq!(at(40, fix(tomorrow)).0, 20, "more than a day ahead");
    assert_eq!(at(50, Report::default()), (20, Some(50)), "readings without a fix are about now");
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 5, "all of them are kept");
}

#[test]
fn a_suspect_position_says_so_to_everyone() {
    let shelf = Shelf::new(Policy::Adopt);
    shelf.append(packet(from("A"), after(0), vec![Report { trust: Trust::Suspect, ..fix(after(0)) }]));
    let row: (bool, String) = outsider(shelf.dir.path())
        .query_row("SELECT valid, attributes FROM positions", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(row, (false, r#"{"sat":7,"suspect":true}"#.into()));
    let last = shelf.last_fix();
    assert_eq!((last.trust, last.fix.valid, last.readings.get("suspect")), (Trust::Suspect, false, None));
    // A good one takes its place, even with an earlier time.
    shelf.append(packet(from("A"), after(0), vec![fix(after(-60))]));
    assert_eq!(shelf.last_fix().trust, Trust::Good);
}

#[test]
fn who_lags_behind_hears_that_facts_were_missed() {
    let shelf = Shelf::new(Policy::Adopt);
    let mut facts = shelf.facts();
    for at in 0..200 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
    }
    shelf.settle();
    assert!(matches!(facts.next(), Some(Fact::Missed)));
    let mut last = None;
    while let Some(Fact::Committed(committed)) = facts.next() {
        last = committed.fixes.last().map(|fix| fix.fix.at);
    }
    assert_eq!(last, Some(after(199)), "and then what is newest");
}

#[test]
fn a_row_that_cannot_be_written_spoils_no_other() {
    let shelf = Shelf::new(Policy::Adopt);
    outsider(shelf.dir.path())
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON positions WHEN NEW.speed_kmh = 666
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
        )
        .unwrap();
    // The trigger is another process's write, which is over and told before we subscribe.
    let mut facts = shelf.facts();
    let writer = shelf.store().writer();
    let outcomes: Vec<_> = shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        for at in 0..30 {
            let mut report = fix(after(at));
            if at % 10 == 5 {
                report.fix.as_mut().unwrap().speed_kmh = Some(666.0);
            }
            let who = format!("device {}", at % 7);
            receipts.push(writer.append(packet(from(&who), after(at), vec![report])).await.unwrap());
        }
        let mut outcomes = Vec::new();
        for receipt in receipts {
            outcomes.push(receipt.durable().await);
        }
        outcomes
    });
    let failed: Vec<_> = (0..30).filter(|&at| outcomes[at].is_err()).collect();
    assert_eq!(failed, [5, 15, 25]);
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 27, "a packet goes with what it told");
    let overviews = shelf.read(query::device_overviews);
    assert_eq!(overviews.iter().map(|device| device.positions).sum::<u64>(), 27);
    assert_eq!(overviews.iter().map(|device| device.packets).sum::<u64>(), 27);

    shelf.settle();
    let mut told = 0;
    while let Some(Fact::Committed(committed)) = facts.next() {
        told += committed.fixes.len();
    }
    assert_eq!(told, 27);
}

#[test]
fn closing_drains_the_queue() {
    let mut shelf = Shelf::new(Policy::Adopt);
    let writer = shelf.store().writer();
    let reader = shelf.store().reader();
    let mut facts = shelf.facts();
    let receipts: Vec<_> = shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        for at in 0..500 {
            receipts.push(writer.append(packet(from("A"), after(at), vec![fix(after(at))])).await.unwrap());
        }
        receipts
    });
    shelf.close();
    for receipt in receipts {
        assert_eq!(shelf.runtime.block_on(receipt.durable()).unwrap().new_fixes, 1);
    }
    assert!(matches!(
        shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))).map(drop),
        Err(Error::Closed)
    ));
    assert!(matches!(writer.ignore(DeviceId(1)).wait(), Err(Error::Closed)));
    assert!(matches!(reader.read(query::devices).wait(), Err(Error::Closed)));
    while facts.wait().is_some() {}
    let rows: i64 =
        outsider(shelf.dir.path()).query_row("SELECT count(*) FROM positions", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 500);
}

#[test]
fn the_wake_is_called_after_the_facts_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = mpsc::channel();
    let options = Options {
        wake: Some(Arc::new(move || {
            woken.send(()).ok();
        })),
        policy: Policy::Adopt,
        ..Options::new(Arc::new(|| after(0)))
    };
    let store = Store::open(dir.path(), options).unwrap();
    let mut facts = store.facts();
    let added = store.writer().add_device(Protocol::Gt06, name("A"), None);
    wakes.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(facts.next(), Some(Fact::Committed(_))));
    added.wait().unwrap();
}
