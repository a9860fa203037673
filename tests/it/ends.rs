//! How connections ended: kept beside their last packets, so that a later run says it, too.

use std::{path::Path, time::Duration};

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use wayglass::{
    backend::{Access, Backend, Https, ListenAt, ReceiverStatus, TapMode, talk::Connected},
    model::{Ended, Ender, PacketId, Policy},
};

use crate::{
    desk::{AT_HOME, Desk, LOGIN, LOGIN_ANSWER, Plan},
    faults::process::Serve,
    support::{Station, TestClock, Tracker, post, sql},
    tap::far::{End, Server, logged_in, login_answer, tap},
};

/// A position and its acknowledgement.
const FIX: &str = "78781F120F0A140E150BC505E51E780293A9E800540000F601006E0055DA00035F240D0A";
const FIX_ANSWER: &str = "787805120003903f0d0a";

const COUNT: &str = "SELECT count(*) FROM connection_ends";

fn said(to: std::net::SocketAddr) -> Tracker {
    let mut tracker = Tracker::connect(to);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ANSWER);
    tracker.send(FIX);
    tracker.expect(FIX_ANSWER);
    tracker
}

/// Waits until the end of so many connections is in the file.
fn ended(station: &Station, count: i64) {
    station.until("the ends are written down", |station| station.sql::<i64>(COUNT) == count);
}

/// What a backend knows of the connection of a packet.
fn connected(backend: &Backend, of: i64) -> Option<Connected> {
    let talked = backend.conversation(PacketId(of)).wait().unwrap().expect("the packet is there");
    let row = talked.rows.iter().find(|row| row.id.0 == of).expect("its row").clone();
    talked.connections.into_iter().find(|c| (c.connection, &c.peer) == (row.connection, &row.peer))
}

fn by(connected: &Connected) -> (Ender, &str) {
    let Ended { by, why, .. } = connected.ended.as_ref().expect("it has ended");
    (*by, why)
}

/// The folder as somebody sees it who was not there.
fn looking_on<T>(folder: &Path, look: impl FnOnce(&Backend) -> T) -> T {
    let clock = TestClock::at("2026-11-22T12:00:00Z").clock();
    let viewer = Backend::view(folder, clock, std::sync::Arc::new(|| {})).unwrap();
    let seen = look(&viewer);
    viewer.stop(Duration::from_secs(5));
    seen
}

/// A window over this folder, in which the conversation of the packet that is listed first says so.
fn last_word(folder: tempfile::TempDir, says: &str) -> Desk {
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    desk.until("a packet is listed", |window| window.query_all_by_role(Role::ListBoxOption).next().is_some());
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until(says, |window| window.query_by_label_contains(says).is_some());
    desk
}

#[test]
fn the_next_run_says_who_closed_and_when() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    let tracker = said(station.gt06);
    clock.advance(Duration::from_secs(5));
    drop(tracker);
    ended(&station, 1);
    let last = "SELECT packet_id = (SELECT max(id) FROM packets) FROM connection_ends";
    assert!(station.sql::<bool>(last), "the answer is its last packet");
    let desk = last_word(station.stop(), "5.0 s after the last packet; it was open for 5.0 s");
    assert!(desk.window.query_by_label_contains("12:00:00.000 Connected from 127.0.0.1:").is_some());
    assert!(desk.window.query_by_label_contains("12:00:05.000 The device closed it").is_some());
}

#[test]
fn what_a_stop_closed_is_said_so() {
    let station = Station::start(Policy::Adopt);
    let _tracker = said(station.gt06);
    let mut untold = Tracker::connect(station.gt06);
    let folder = station.stop();
    untold.expect_closed();
    assert_eq!(sql::<i64>(folder.path(), COUNT), 1, "of the other there is no packet");
    last_word(folder, "We closed it: Wayglass was stopping");
}

#[test]
fn of_what_was_cut_off_with_the_program_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path());
    let tracker = said(serve.gt06);
    serve.kill();
    drop(tracker);
    last_word(folder, "How connection 1 ended is not recorded");
}

#[test]
fn a_viewer_says_it_while_another_instance_receives() {
    let station = Station::start(Policy::Adopt);
    let tracker = said(station.gt06);
    let folder = station.folder.path();
    looking_on(folder, |viewer| assert_eq!(connected(viewer, 1), None, "it is open, and others hold it"));
    drop(tracker);
    ended(&station, 1);
    let [mine, theirs] = [connected(station.backend(), 1), looking_on(folder, |viewer| connected(viewer, 1))];
    assert_eq!(by(mine.as_ref().unwrap()), (Ender::Peer, ""));
    assert_eq!(mine, theirs, "memory and file say the same");
}

#[test]
fn a_conversation_that_a_viewer_follows_learns_of_the_end() {
    let station = Station::start(Policy::Adopt);
    let tracker = said(station.gt06);
    let folder = station.folder.path();
    looking_on(folder, |viewer| {
        let talked = viewer.conversation(PacketId(1)).wait().unwrap().unwrap();
        let open = talked.rows.last().map(|row| (row.connection, row.peer.clone(), row.id));
        drop(tracker);
        ended(&station, 1);
        let more = viewer.more_of_conversation(talked.line, talked.searched, false, open.into_iter().collect());
        let more = more.wait().unwrap();
        assert_eq!((more.rows.len(), by(&more.connections[0])), (0, (Ender::Peer, "")));
    });
}

#[test]
fn requests_and_noise_end_in_the_file_too() {
    let https = Https { listen: ListenAt::Address("127.0.0.1:0".parse().unwrap()), certificate: None };
    let folder = tempfile::tempdir().unwrap();
    let station = Station::start_secure(folder, Policy::Adopt, Access::default(), https);
    assert_eq!(post(station.owntracks, AT_HOME).status, 200);
    ended(&station, 1);
    // No request, no TLS, and no tracker.
    let ReceiverStatus::Listening(at) = station.backend().https().unwrap().status else { panic!("no HTTPS") };
    for (n, to) in (2..).zip([station.owntracks, at, station.gt06]) {
        let mut stranger = End::dial(to);
        stranger.say(b"hello, is anybody there\r\n\r\n");
        stranger.close_half();
        stranger.hear_out();
        ended(&station, n);
    }
    let ends_at_last = "SELECT count(*) FROM connection_ends e JOIN packets p ON p.id = e.packet_id
        WHERE NOT EXISTS (SELECT 1 FROM packets q WHERE q.connection = p.connection AND q.id > p.id)";
    assert_eq!(station.sql::<i64>(ends_at_last), 4, "each stands beside the last packet of its connection");
    looking_on(station.folder.path(), |viewer| {
        assert_eq!(by(&connected(viewer, 1).unwrap()), (Ender::Peer, ""));
        let no_request = connected(viewer, 3).unwrap();
        assert_eq!(by(&no_request), (Ender::Us, "what came was no request"));
        assert!(no_request.made.is_some());
    });
}

#[test]
fn what_went_through_a_tap_ends_when_all_of_it_is_stored() {
    let (server, station) = (Server::start(), Station::start(Policy::Adopt));
    let at = tap(&station, TapMode::Pass { to: server.at().to_string() });
    let (mut tracker, mut far) = logged_in(at, &server);
    far.say(&login_answer());
    tracker.hear(&login_answer());
    tracker.close_half();
    far.hear_out();
    drop(far);
    tracker.hear_out();
    ended(&station, 1);
    assert_eq!(station.sql::<i64>("SELECT packet_id FROM connection_ends"), 2);
    let folder = station.stop();
    assert_eq!(looking_on(folder.path(), |viewer| by(&connected(viewer, 1).unwrap()).0), Ender::Peer);
}
