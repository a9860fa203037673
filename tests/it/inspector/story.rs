//! A story from an alarm to somebody else's tools: found, seen, copied, written for Wireshark, redacted, and read again.

use std::process::Command;

use egui_kittest::kittest::Queryable as _;
use serde_json::Value;

use super::{
    filter::{busy, filter_by, rows},
    out::{export_to, open_sheet},
};
use crate::{desk::TRACKER, out::pcapng::tshark};

const ALARM: &str = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";

#[test]
fn an_alarm_is_found_seen_copied_written_and_redacted() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    // The alarms of one device, and one of them opened.
    filter_by(&mut desk, &format!("kind == alarm && dir == in && dev == {TRACKER}"));
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    let alarm = rows(&desk).pop().unwrap();
    desk.click(&alarm);
    desk.until("it is open with its place", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| !opened.fixes.is_empty())
    });
    let place = desk.data().opened.as_ref().unwrap().fixes[0].fix.place;
    assert!((place.lat_deg() - 23.11169).abs() < 1e-5, "{place:?}");
    assert!(desk.window.query_all_by_label_contains("23.11169").next().is_some(), "the place is shown");

    // As Rust.
    desk.click("Copy");
    desk.window.get_by_label("Rust array").click();
    desk.window.step();
    let copied = super::copied(&desk).expect("it was copied");
    assert!(copied.starts_with("let packet: [u8; 42] = [0x78, 0x78, 0x25, 0x26,"), "{copied}");
    desk.window.run();

    // For Wireshark.
    open_sheet(&mut desk, "1 packet, 42 B");
    desk.click("pcapng (Wireshark)");
    let capture = desk.folder.path().join("alarm.pcapng");
    export_to(&mut desk, &capture, "1 packet written");
    if let Some(lines) = tshark(&capture, &["-Y", "tcp.len > 0"], &["tcp.payload", "tcp.dstport", "frame.comment"]) {
        assert_eq!(lines, [[ALARM, "5023", &format!("{TRACKER}: alarm, note")]].map(|line| line.map(str::to_owned)));
    }

    // Redacted, and read again by the program itself.
    desk.click("JSON lines");
    desk.click("Redact");
    let redacted = desk.folder.path().join("redacted.jsonl");
    let text = export_to(&mut desk, &redacted, "1 packet written");
    assert!(!text.contains(TRACKER) && !text.contains(ALARM), "{text}");
    let decode = |what: &std::ffi::OsStr| -> Value {
        let call = Command::new(env!("CARGO_BIN_EXE_wayglass")).args(["decode", "--json"]).arg(what).output().unwrap();
        assert!(call.status.success(), "{}", String::from_utf8_lossy(&call.stderr));
        serde_json::from_slice(&call.stdout).unwrap()
    };
    let (before, after) = (decode(ALARM.as_ref()), decode(redacted.as_os_str()));
    assert_eq!((&after["kind"], &after["crc"]["ok"]), (&"alarm".into(), &true.into()), "{after}");
    for same in ["serial", "type", "verdict", "attributes"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    for other in ["latitude", "longitude"] {
        assert_ne!(after["position"][other], before["position"][other], "{other}");
    }
}
