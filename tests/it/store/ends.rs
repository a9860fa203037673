//! How connections ended goes with their last packets: with age, with their devices, and through a repair.

use std::{sync::atomic::Ordering, time::Instant};

use tempfile::TempDir;
use wayglass::{
    model::{ConnectionEnd, Ended, Ender, Forever, Keep, NewReply, PacketId, Policy},
    store::{Limits, Watch, query, repair_folder},
};

use crate::support::SOON;

use super::{NOON_MS, Shelf, after, fix, from, outsider, packet};

const COUNT: &str = "SELECT count(*) FROM connection_ends";

fn end(last_packet: PacketId) -> ConnectionEnd {
    let ended = Ended { at: after(9), by: Ender::Us, why: "silent for too long".into() };
    ConnectionEnd { last_packet, made: Some(after(1)), ended }
}

/// A packet of a sender, with the end of its connection; the last row of it.
fn talk(shelf: &Shelf, who: &str, at: i64) -> PacketId {
    let reply = NewReply { kind: "reply".into(), bytes: vec![1, 2] };
    let mut heard = packet(from(who), after(at), vec![fix(after(at))]);
    heard.replies = vec![reply];
    let stored = shelf.append(heard);
    assert_eq!(stored.last.0, stored.packet.0 + 1);
    shelf.store().writer().note_end(end(stored.last));
    stored.last
}

#[test]
fn an_end_is_there_after_a_restart_and_goes_with_its_packet() {
    let keep = Keep { packet_age: Forever::Until(std::time::Duration::from_hours(24)), ..Keep::default() };
    let mut shelf = Shelf::with(Policy::Adopt, Limits { keep, ..Limits::default() });
    let [a, b] = ["A", "B"].map(|who| talk(&shelf, who, 0));
    let c = talk(&shelf, "C", 48 * 3600);
    let writer = shelf.store().writer();
    writer.note_end(end(PacketId(99)));
    writer.note_end(ConnectionEnd { made: None, ..end(c) });
    shelf.close();
    writer.note_end(end(a));
    shelf.open(Policy::Adopt).unwrap();
    for id in [a, b, c] {
        assert_eq!(shelf.read(move |db| query::end_of_connection(db, id)), Some(end(id)), "the first word counts");
    }
    assert_eq!(shelf.read(|db| query::end_of_connection(db, PacketId(99))), None, "there is no such packet");
    let device = shelf.device("B").id;
    shelf.store().writer().forget(device).wait().unwrap();
    assert_eq!(shelf.count(COUNT), 2);
    // Age takes the first with its packet; the last is not a day old.
    shelf.now_ms.store(NOON_MS + 50 * 3_600_000, Ordering::Relaxed);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    let end = Instant::now() + SOON;
    while shelf.count("SELECT min(id) FROM packets") < c.0 - 1 {
        assert!(Instant::now() < end, "the first packets never go");
        shelf.settle();
    }
    assert_eq!(shelf.count("SELECT sum(packet_id) FROM connection_ends"), c.0);
}

#[test]
fn a_repair_carries_ends_of_packets_that_are_left() {
    let mut shelf = Shelf::new(Policy::Adopt);
    let [a, b] = ["A", "B"].map(|who| talk(&shelf, who, 0));
    shelf.close();
    // As where a page is lost, so that no trigger hears of it.
    let lost = format!("DROP TRIGGER connection_ends_go; DELETE FROM packets WHERE id = {}", b.0);
    outsider(shelf.dir.path()).execute_batch(&lost).unwrap();
    let repaired = repair_folder(shelf.dir.path(), true, &Watch::default(), after(5_000)).unwrap().unwrap();
    assert_eq!((repaired.packets, repaired.refused + repaired.gaps), (3, 0));
    shelf.open(Policy::Adopt).unwrap();
    assert_eq!(shelf.read(move |db| query::end_of_connection(db, a)), Some(end(a)));
    assert_eq!(shelf.count(COUNT), 1);
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'connection_ends_go'";
    assert_eq!(shelf.count(sql), 1, "and they go with their packets again");
}

#[test]
fn a_file_of_the_tenth_schema_keeps_everything() {
    const STEPS: [&str; 10] = [
        include_str!("../../../src/store/schema/1.sql"),
        include_str!("../../../src/store/schema/2.sql"),
        include_str!("../../../src/store/schema/3.sql"),
        include_str!("../../../src/store/schema/4.sql"),
        include_str!("../../../src/store/schema/5.sql"),
        include_str!("../../../src/store/schema/6.sql"),
        include_str!("../../../src/store/schema/7.sql"),
        include_str!("../../../src/store/schema/8.sql"),
        include_str!("../../../src/store/schema/9.sql"),
        include_str!("../../../src/store/schema/10.sql"),
    ];
    let mut shelf = Shelf::new(Policy::Adopt);
    shelf.close();
    shelf.dir = TempDir::new().unwrap();
    {
        let db = outsider(shelf.dir.path());
        db.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
            .unwrap();
        for step in STEPS {
            db.execute_batch(step).unwrap();
        }
        db.execute_batch(&format!(
            "INSERT INTO devices(identity, protocol, state, first_seen_ms) VALUES ('A', 'gt06', 'adopted', 1);
             INSERT INTO packets(received_ms, protocol, direction, peer, connection, device_id, kind, verdict, bytes)
             VALUES ({NOON_MS}, 'gt06', 'in', '127.0.0.1:1', 1, 1, 'login', 'ok', x'7878');
             INSERT INTO packet_notes VALUES (1, 1, 'look here', {NOON_MS});
             PRAGMA user_version = 10; PRAGMA application_id = {};",
            0x5761_7967
        ))
        .unwrap();
    }
    shelf.open(Policy::Adopt).unwrap();
    let notes = shelf.read(|db| query::notes(db, 9));
    assert_eq!((notes.len(), notes[0].1.comment.as_str()), (1, "look here"));
    let row = shelf.read(|db| query::packet(db, PacketId(1))).unwrap();
    assert_eq!((&*row.kind, row.bytes.as_ref()), ("login", [0x78, 0x78].as_slice()));
    shelf.store().writer().note_end(end(PacketId(1)));
    talk(&shelf, "A", 3);
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    assert_eq!(shelf.count(COUNT), 2);
    let left: Vec<_> = std::fs::read_dir(shelf.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("schema")), "{left:?}");
}
