//! A store with many packets, and what the window makes of it.

use std::time::{Duration, Instant};

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{model::Policy, ui::filter::PacketList};

use super::filter::{filter_by, rows};
use crate::desk::{Desk, Plan};

/// Each of so many packets is an alarm.
pub(super) const ALARM_EVERY: i64 = 1_000;

/// A folder with so many packets, of nobody, a second apart, the last one at the beginning of 21 November 2026.
pub(super) fn stocked(packets: i64) -> tempfile::TempDir {
    let desk = Desk::open(Policy::Adopt);
    let Desk { window, folder, .. } = desk;
    drop(window);
    let db = rusqlite::Connection::open(folder.path().join("wayglass.db")).unwrap();
    let (position, alarm) = (
        "78781f120f0a140e150bc505e51e780293a9e800540000f601006e0055da00035f240d0a",
        "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a",
    );
    let insert = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {packets})
         INSERT INTO packets(id, received_ms, protocol, direction, peer, connection, kind, verdict, bytes)
         SELECT i, 1795219200000 - ({packets} - i) * 1000, 'gt06', 'in', '10.0.0.9:4711', 1 + i / 500,
                CASE WHEN i % {ALARM_EVERY} = 0 THEN 'alarm' ELSE 'location' END,
                CASE WHEN i % {ALARM_EVERY} = 0 THEN 'warn' ELSE 'ok' END,
                CASE WHEN i % {ALARM_EVERY} = 0 THEN x'{alarm}' ELSE x'{position}' END FROM n"
    );
    db.execute(&insert, []).unwrap();
    db.close().unwrap();
    folder
}

/// Short by default; `WAYGLASS_LONG=1` takes a million.
fn many() -> i64 {
    if std::env::var_os("WAYGLASS_LONG").is_some() { 1_000_000 } else { 60_000 }
}

/// Types a filter; a search goes on for longer than a frame.
fn search(desk: &mut Desk, text: &str) {
    for key in [Key::L, Key::A] {
        desk.window.key_press_modifiers(Modifiers::COMMAND, key);
        desk.window.run_steps(2);
    }
    desk.window.event(egui::Event::Text(text.to_owned()));
    desk.window.run_steps(2);
}

#[test]
fn a_filter_goes_through_everything_that_is_stored() {
    let packets = many();
    let folder = stocked(packets);
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    desk.until("the newest are held", |window| !window.state().data().packets.is_empty());
    assert!(desk.data().packets.len() < 20_000, "not all of them are held");
    let all = packets / ALARM_EVERY;
    let counted = |n: i64| {
        let digits = n.to_string();
        if digits.len() > 3 {
            format!("{},{}", &digits[..digits.len() - 3], &digits[digits.len() - 3..])
        } else {
            digits
        }
    };
    // SQL can say the first; the second has to be read out of each packet.
    for filter in ["kind == alarm", "verdict >= warn && latitude > 0", "0x26 || kind == alarm"] {
        let begun = Instant::now();
        search(&mut desk, filter);
        let found = format!("{} of ", counted(all));
        desk.step_until("every alarm is found", |window| {
            // The list asks for more where it comes near its beginning.
            window.query_by_label_contains(&found).is_some() || window.state().data().found.rows.len() >= 200
        });
        println!("{filter}: {:?} for {} of {packets}", begun.elapsed(), desk.data().found.rows.len());
    }
    search(&mut desk, &format!("kind == alarm && id == {ALARM_EVERY}"));
    let begun = Instant::now();
    desk.step_until("the oldest one is found", |window| window.query_by_label_contains("1 of ").is_some());
    println!("the oldest: {:?}", begun.elapsed());
    assert_eq!(rows(&desk).len(), 1);
    assert!(begun.elapsed() < Duration::from_mins(5));
}

#[test]
fn columns_colours_and_filters_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = super::filter::busy(folder);
    filter_by(&mut desk, "kind == alarm");
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    desk.click("Saved filters");
    desk.click("Save this filter as");
    desk.type_text("Night");
    desk.click("Save the filter");
    // A field of the alarm becomes a column, times are told otherwise, and errors get a colour.
    let alarm = rows(&desk).remove(0);
    desk.click(&alarm);
    desk.until("it is open", |window| window.state().data().opened.is_some());
    let mut fields = desk.window.get_all_by_role(Role::TreeItem).filter_map(|field| field.accesskit_node().label());
    let latitude = fields.find(|label| label.starts_with("Latitude")).unwrap();
    drop(fields);
    desk.window.get_by_label(&latitude).click_secondary();
    desk.window.run();
    desk.click("Show as column");
    desk.until_shown("Column Latitude");
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::T);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    desk.click("Add a colour");
    desk.press(Modifiers::NONE, Key::Escape);
    let list = desk.view().packets.clone();
    assert!(!list.saved.is_empty() && !list.rules.is_empty(), "{list:?}");
    assert_ne!((list.time, list.columns.len()), (PacketList::default().time, PacketList::default().columns.len()));
    let kept = desk.kept();
    let Desk { window, folder, .. } = desk;
    drop(window);
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, kept: Some(kept), ..Plan::default() });
    desk.until("it is there again", |window| !window.state().data().packets.is_empty());
    assert_eq!(desk.view().packets, list);
    desk.until_shown("Column Latitude");
    desk.click("Saved filters");
    desk.click("Night");
    desk.until("the saved filter is on", |window| window.query_by_label_contains("1 of ").is_some());
}
