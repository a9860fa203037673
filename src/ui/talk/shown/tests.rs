//! Which lines a conversation has.

use super::*;
use crate::model::{CommandId, CommandState, DeviceId, Verdict};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn row(id: i64, connection: u64, ms: i64) -> PacketRow {
    PacketRow {
        id: PacketId(id),
        received: at(ms),
        protocol: Protocol::Gt06,
        direction: if id % 2 == 1 { Direction::In } else { Direction::Out },
        peer: "10.0.0.9:4711".into(),
        connection,
        device: Some(DeviceId(1)),
        kind: "heartbeat".into(),
        verdict: Verdict::Ok,
        bytes: Arc::from([]),
        context: None,
        answers: (id % 2 == 0).then(|| PacketId(id - 1)),
    }
}

fn connected(connection: u64, made: Option<i64>, ended: Option<(i64, Ender, &'static str)>) -> Connected {
    let ended = ended.map(|(ms, by, why)| Ended { at: at(ms), by, why: why.into() });
    Connected { connection, peer: "10.0.0.9:4711".into(), made: made.map(at), ended }
}

fn shown(rows: Vec<PacketRow>, connections: Vec<Connected>, to_the_end: bool, captured: bool) -> Shown {
    let line = Line::of(&rows[0]);
    let searched = (PacketId(1), rows.last().unwrap().id);
    Shown::of(Talked { line, rows, searched, to_the_end, connections, commands: Vec::new() }, captured)
}

fn lines(shown: &Shown) -> Vec<String> {
    let line = |step: &Step| match step {
        Step::Word { at, text } => {
            let at = at.map_or("-".to_owned(), |at| (at.as_millisecond() - 1_700_000_000_000).to_string());
            format!("{at} {text}")
        }
        Step::Packet { at, pause_ms, answer_ms, command } => {
            let id = shown.rows[*at].id.0;
            format!("#{id} {pause_ms:?} {answer_ms:?} {}", command.as_deref().unwrap_or_default()).trim_end().to_owned()
        }
    };
    shown.steps.iter().map(line).collect()
}

#[test]
fn a_connection_says_when_it_was_made_and_who_ended_it() {
    let known = connected(7, Some(0), Some((905_000, Ender::Us, "silent for too long")));
    let shown = shown(vec![row(1, 7, 500), row(2, 7, 500), row(3, 7, 5_000)], vec![known], true, false);
    let expected = [
        "0 Connected from 10.0.0.9:4711 (connection 7)",
        "#1 Some(500) None",
        "#2 Some(0) Some(0)",
        "#3 Some(4500) None",
        "905000 We closed it: it was silent for too long",
        "- 15 min after the last packet; it was open for 15 min 5 s",
    ];
    assert_eq!(lines(&shown), expected);
}

#[test]
fn what_is_not_known_is_said() {
    let rows = || vec![row(1, 7, 0), row(3, 8, 60_000)];
    let open = connected(8, Some(59_000), None);
    let expected = [
        "- Connection 7 from 10.0.0.9:4711; when it was made is not recorded",
        "#1 None None",
        "- How connection 7 ended is not recorded",
        "59000 Connected from 10.0.0.9:4711 (connection 8)",
        "#3 Some(1000) None",
        "- Connection 8 is open",
    ];
    assert_eq!(lines(&shown(rows(), vec![open], true, false)), expected);
    // Of what comes behind the last packet nothing is said while there may be more.
    assert_eq!(lines(&shown(rows(), Vec::new(), false, false)).last().unwrap(), "#3 None None");
    let captured = lines(&shown(rows(), vec![connected(7, None, Some((9, Ender::Nobody, "")))], true, true));
    assert_eq!(captured[2..4], ["9 The connection ended; by whom is not said", "- 9 ms after the last packet"]);
    assert_eq!(captured[6], "- The capture does not say how connection 8 ended");
}

#[test]
fn connections_side_by_side_end_when_they_do() {
    let ended = connected(7, Some(0), Some((2_500, Ender::Peer, "")));
    let rows = vec![row(1, 7, 1_000), row(3, 8, 2_000), row(5, 8, 3_000)];
    let words: Vec<String> = lines(&shown(rows, vec![ended], true, false));
    let place = |what: &str| words.iter().position(|line| line.contains(what)).expect(what);
    assert!(place("#3 ") < place("The device closed it") && place("The device closed it") < place("#5 "), "{words:?}");
}

#[test]
fn a_command_stands_at_both_its_ends() {
    let mut shown = shown(vec![row(1, 7, 0), row(2, 7, 100), row(3, 7, 1_500)], Vec::new(), true, false);
    let sent = Command {
        id: CommandId(4),
        device: DeviceId(1),
        text: "STATUS#".to_owned(),
        state: CommandState::Sent,
        created: at(0),
        expires: at(9_000),
        sent: Some(at(100)),
        answered: None,
        answer: None,
        guessed: false,
        waits: None,
        sent_packet: Some(PacketId(2)),
        answer_packet: None,
    };
    shown.learn(std::slice::from_ref(&sent));
    assert!(lines(&shown)[2].ends_with("not answered yet"), "{:?}", lines(&shown));
    let answered = Command {
        state: CommandState::Answered,
        answered: Some(at(1_500)),
        answer: Some("Battery:OK".to_owned()),
        answer_packet: Some(PacketId(3)),
        ..sent
    };
    shown.learn(&[answered]);
    assert!(lines(&shown)[2].ends_with("answered after 1.4 s: Battery:OK"), "{:?}", lines(&shown));
    assert!(lines(&shown)[3].ends_with("answers STATUS# after 1.4 s"), "{:?}", lines(&shown));
}

#[test]
fn it_grows_at_its_end_and_follows_from_then_on() {
    let mut shown = shown(vec![row(1, 7, 0)], vec![connected(7, Some(0), None)], false, false);
    assert!(!shown.follows);
    let line = shown.line.clone();
    let more = |id, to_the_end, connections| Talked {
        line: line.clone(),
        rows: vec![row(id, 7, id * 1_000)],
        searched: (PacketId(1), PacketId(id)),
        to_the_end,
        connections,
        commands: Vec::new(),
    };
    shown.join(more(3, true, Vec::new()));
    assert!(shown.follows && lines(&shown).last().unwrap().ends_with("is open"));
    assert_eq!(shown.open(), [(7, Arc::from("10.0.0.9:4711"), PacketId(3))]);
    shown.join(more(5, true, vec![connected(7, Some(0), Some((6_000, Ender::Peer, "")))]));
    let lines = lines(&shown);
    let [.., closed, when] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(closed.ends_with("The device closed it") && when.starts_with("- 1.0 s after the last"), "{lines:?}");
    assert_eq!(shown.open(), []);
}
