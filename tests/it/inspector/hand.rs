//! What the mouse offers on rows and fields: menus, Ctrl+click, why a layout was chosen; and the events of a capture.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use wayglass::{
    model::Policy,
    ui::{talk::Tab, view::Sheet},
};

use super::filter::{ALARM, busy, filter_by, rows};
use crate::desk::{Desk, LOGIN, TRACKER};

/// The row that says this, where the pointer finds it.
fn row(desk: &Desk, says: &str) -> String {
    rows(desk).into_iter().find(|row| row.contains(says)).unwrap_or_else(|| panic!("{says}: {:?}", rows(desk)))
}

fn menu(desk: &mut Desk, row: &str, entry: &str) {
    desk.window.get_by_label(row).click_secondary();
    desk.until_shown(entry);
    desk.click(entry);
}

#[test]
fn a_row_offers_to_mark_to_comment_and_its_connection() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    let alarm = row(&desk, "received 123456789012345 GT06 0x26");
    menu(&mut desk, &alarm, "Mark (M)");
    desk.until("it is marked", |window| window.state().data().notes.all().any(|(_, note)| note.marked));
    let alarm = row(&desk, "0x26 #12 Alarm");
    menu(&mut desk, &alarm, "Comment…");
    desk.until("the comment is open", |window| window.state().view().open.sheet == Some(Sheet::Comment));
    desk.type_text("who was that?");
    desk.click("Save");
    desk.until("it is written", |window| {
        window.state().data().notes.all().any(|(_, note)| note.marked && note.comment == "who was that?")
    });
    let alarm = row(&desk, "who was that?");
    menu(&mut desk, &alarm, "Only this connection");
    desk.until("the phone is left out", |window| {
        window.query_all_by_label_contains("OwnTracks location").next().is_none()
    });
    assert!(rows(&desk).iter().all(|row| row.contains("GT06")), "{:?}", rows(&desk));
    // A filter of a cell, and the rest of it with another.
    let login = row(&desk, "GT06 0x01");
    menu(&mut desk, &login, "Filter by this");
    desk.until("only such are left", |window| window.query_by_label_contains("2 of ").is_some());
}

#[test]
fn two_rows_are_compared_by_ctrl_and_a_click() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "dir == in && type == 0x12");
    desk.until("two positions are left", |window| window.query_by_label_contains("2 of ").is_some());
    let both = rows(&desk);
    desk.click(&both[0]);
    let named = |desk: &Desk| desk.window.query_all_by_role_and_label(Role::Label, TRACKER).count();
    let before = named(&desk);
    desk.window.get_by_label(&both[1]).click_modifiers(Modifiers::COMMAND);
    desk.until("they are compared", |window| {
        window.query_by_label_contains("differs: Speed: 0 km/h and 1 km/h").is_some()
    });
    assert_eq!(desk.view().talk.tab, Some(Tab::Compare));
    assert_eq!(named(&desk), before + 2, "each side says whose it is");
}

#[test]
fn the_tree_says_why_a_layout_was_chosen() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    let position = row(&desk, "0x12");
    desk.click(&position);
    desk.until("it is open", |window| window.state().data().opened.is_some());
    desk.window.get_by_label("Why this layout").scroll_to_me();
    desk.window.run();
    desk.click("Why this layout");
    desk.until("the reason is told", |window| {
        window.query_by_label_contains("its type is 0x12 and its length 31").is_some()
    });
}

#[test]
fn alarms_of_a_capture_are_events_of_its_tab() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    let log = format!(
        "2024-05-01 10:00:00  INFO: [Te3c4e6ff: gt06 < 10.0.0.9] HEX: {LOGIN}\n\
         2024-05-01 10:01:00  INFO: [Te3c4e6ff: gt06 < 10.0.0.9] HEX: {ALARM}\n"
    );
    desk.window.event(egui::Event::Paste(log));
    desk.until("the capture is read", |window| {
        let data = window.state().data();
        data.station.capture.as_ref().is_some_and(|status| !status.filling) && data.packets.len() == 2
    });
    desk.window.get_by_role_and_label(Role::Tab, "Show events").click();
    desk.until("the alarm is an event", |window| {
        window.query_all_by_label_contains(TRACKER).any(|node| format!("{node:?}").to_lowercase().contains("tamper"))
    });
}

#[test]
fn time_ends_with_the_last_fix_of_a_capture() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    let log = "2026-11-20 10:00:00 78780D01012345678901234500018CDD0D0A\n\
               2026-11-20 10:01:00 78781F121A0B140A0100C805A1F4A001700AC01E145A010602001000123400032D040D0A\n\
               2026-11-20 10:04:00 78781F121A0B140A0400C805A202B001700AC01E145A010602001000123400037BF50D0A\n";
    desk.window.event(egui::Event::Paste(log.to_owned()));
    desk.until_shown("END");
    let ends = "2026-11-20T10:04:00Z".parse().unwrap();
    assert_eq!(desk.view().time.ends, Some(ends));
    desk.until("the trail is there, however old", |window| {
        window.state().data().trails.values().any(|trail| trail.points().len() == 2)
    });
    let read = |desk: &mut Desk| {
        desk.until("its way is read", |window| {
            window.state().data().history.shown.values().any(|h| h.track.points().len() == 2)
        });
    };
    read(&mut desk);
    let now = (desk.clock.clock())();
    let last_day = |desk: &Desk| desk.view().time.span.days(desk.view().span_now(now), &TimeZone::UTC).1;
    for (key, day) in
        [(Key::OpenBracket, "2026-11-19"), (Key::CloseBracket, "2026-11-20"), (Key::CloseBracket, "2026-11-20")]
    {
        desk.press(Modifiers::NONE, key);
        assert_eq!(last_day(&desk).to_string(), day);
    }
    desk.click("Last day");
    let (from, to) = desk.view().span_ms(now);
    assert_eq!((to - from, to), (10 * 3_600_000 + 4 * 60_000, ends.as_millisecond()));
    read(&mut desk);
    desk.window.get_by_label("Live").click();
    desk.until("now is now again", |window| window.state().view().time.ends.is_none());
}

#[test]
fn the_list_goes_with_time_and_back_to_its_end() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    let heartbeats = "2026-11-20 10:02:00 78780A1346040300020002807E0D0A\n".repeat(300);
    let log = format!(
        "2026-11-20 10:00:00 78780D01012345678901234500018CDD0D0A\n\
         2026-11-20 10:01:00 78781F121A0B140A0100C805A1F4A001700AC01E145A010602001000123400032D040D0A\n\
         {heartbeats}\
         2026-11-20 10:04:00 78781F121A0B140A0400C805A202B001700AC01E145A010602001000123400037BF50D0A\n"
    );
    desk.window.event(egui::Event::Paste(log));
    desk.until_shown("END");
    desk.until_shown(TRACKER);
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    let shows = |desk: &mut Desk, time: &str| {
        desk.until(time, |window| {
            window.query_all_by_role(Role::ListBoxOption).any(|row| format!("{row:?}").contains(time))
        });
    };
    shows(&mut desk, "10:04:00");
    desk.until("its way is read", |window| {
        window.state().data().history.shown.values().any(|h| h.track.points().len() == 2)
    });
    desk.press(Modifiers::NONE, Key::Comma);
    shows(&mut desk, "10:01:00");
    desk.click("END");
    shows(&mut desk, "10:04:00");
}
