//! Wireshark's own tools read what we write.

use std::process::Command;

use wayglass::{
    capture::out::{Emitter, Entry, Form},
    model::{Direction, PacketRow, Protocol},
    wire::hex,
};

use super::{super::support::bytes, row};

fn written(form: Form, rows: &[PacketRow]) -> Vec<u8> {
    let mut emitter = Emitter::begin(form, Vec::new(), "0.0").unwrap();
    for row in rows {
        emitter.packet(&Entry { row, device: None, note: None }).unwrap();
    }
    emitter.finish().unwrap()
}

/// One line a packet with these fields, separated by `|`; `None` where tshark is not installed, which is said.
pub fn tshark(file: &std::path::Path, more: &[&str], fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut call = Command::new("tshark");
    call.arg("-r").arg(file).args(["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]);
    call.args(["-d", "tcp.port==5144,http", "-T", "fields", "-E", "separator=|"]).args(more);
    for field in fields {
        call.args(["-e", field]);
    }
    let Ok(output) = call.output() else {
        eprintln!("tshark is not installed (Debian: tshark), so nobody else has read our pcapng");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect())
}

fn talk() -> Vec<PacketRow> {
    let login = bytes("78780d01012345678901234500018cdd0d0a");
    let ack = bytes("787805010001d9dc0d0a");
    let body = br#"{"_type":"location","tid":"JJ","lat":48.85833,"lon":2.29513,"tst":1700000000}"#;
    let phone = |id, direction, bytes: &[u8]| PacketRow {
        peer: "[2001:db8::7]:50000".into(),
        connection: 4,
        context: (direction == Direction::In)
            .then(|| r#"{"method":"POST","path":"/pub","X-Limit-U":"jane","X-Limit-D":"phone"}"#.into()),
        ..row(id, Protocol::OwnTracks, direction, bytes)
    };
    let long = vec![0x41; 150_000];
    let nameless = |id, bytes: &[u8]| PacketRow {
        peer: "".into(),
        connection: 70_000,
        ..row(id, Protocol::Gt06, Direction::In, bytes)
    };
    vec![
        row(1, Protocol::Gt06, Direction::In, &login),
        phone(2, Direction::In, body),
        row(3, Protocol::Gt06, Direction::Out, &ack),
        phone(4, Direction::Out, b"[]"),
        nameless(5, &long),
        row(6, Protocol::Gt06, Direction::In, &login),
    ]
}

#[test]
fn wiresharks_tools_read_our_bytes_and_find_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.pcapng");
    std::fs::write(&file, written(Form::Pcapng, &talk())).unwrap();
    let Some(bad) = tshark(
        &file,
        &["-Y", "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags"],
        &["frame.number", "_ws.col.info"],
    ) else {
        return;
    };
    assert_eq!(bad, Vec::<Vec<String>>::new(), "nothing is malformed, no checksum is wrong, no segment is missing");
    let sound = tshark(&file, &["-Y", "tcp.len > 0"], &["tcp.checksum.status"]).unwrap();
    assert!(sound.iter().all(|line| line == &["1"]), "each checksum was looked at: {sound:?}");

    let frames = tshark(
        &file,
        &["-Y", "tcp.port == 5023 && tcp.len > 0 && ip.addr == 10.0.0.9"],
        &["tcp.payload", "ip.src", "frame.comment"],
    );
    let frames = frames.unwrap();
    let login = hex(&talk()[0].bytes);
    assert_eq!(frames[0], [login.as_str(), "10.0.0.9", "login, ok"]);
    assert_eq!(frames[1][..2], ["787805010001d9dc0d0a".to_owned(), "192.0.2.1".to_owned()]);
    assert_eq!(frames[2][0], login);

    let requests = tshark(&file, &["-Y", "http.request"], &["http.request.uri", "ipv6.src", "http.file_data"]).unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0][..2], ["/pub".to_owned(), "2001:db8::7".to_owned()]);
    // Older versions give the text, newer ones its digits.
    let body = String::from_utf8_lossy(&talk()[1].bytes).into_owned();
    assert!(requests[0][2] == body || requests[0][2] == hex(body.as_bytes()), "{:?}", requests[0][2]);
    let answers = tshark(&file, &["-Y", "http.response"], &["http.response.code"]).unwrap();
    assert_eq!(answers, [["200"]]);

    let long = tshark(&file, &["-Y", "tcp.len > 0 && ip.src == 198.18.0.0/15"], &["tcp.len"]).unwrap();
    let lengths: Vec<usize> = long.iter().map(|line| line[0].parse().unwrap()).collect();
    assert_eq!((lengths.len(), lengths.iter().sum::<usize>()), (3, 150_000), "cut where IP cannot say more");

    let info = Command::new("capinfos").arg(&file).output().expect("it comes with tshark");
    let info = String::from_utf8_lossy(&info.stdout);
    assert!(info.contains("pcapng") && info.contains("Ethernet"), "{info}");
    // Three times three to open, three times three to close, and eight with bytes.
    assert!(info.contains("Number of packets:   26"), "{info}");
}

#[test]
fn more_connections_than_are_kept_in_mind_are_closed_and_opened_again() {
    let login = bytes("78780d01012345678901234500018cdd0d0a");
    let rows: Vec<_> = (1..=9_000_u16)
        .map(|n| PacketRow {
            peer: format!("10.1.{}.{}:{}", n >> 8, n & 255, 1_000 + n).into(),
            connection: u64::from(n),
            ..row(i64::from(n), Protocol::Gt06, Direction::In, &login)
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.pcapng");
    std::fs::write(&file, written(Form::Pcapng, &rows)).unwrap();
    let Some(ends) = tshark(&file, &["-Y", "tcp.flags.fin == 1 && ip.dst == 192.0.2.1"], &["tcp.stream"]) else {
        return;
    };
    assert_eq!(ends.len(), rows.len(), "each was closed once");
}

#[test]
fn logs_are_lines_that_decode_reads() {
    let text = |form| String::from_utf8(written(form, &talk()[..2])).unwrap();
    let traccar = text(Form::Traccar);
    let first = traccar.lines().next().unwrap();
    assert!(first.ends_with("  INFO: [T00000003: gt06 < 10.0.0.9] 78780d01012345678901234500018cdd0d0a"), "{first}");
    let hex_log = text(Form::Hex);
    let first = hex_log.lines().next().unwrap();
    assert!(first.ends_with("Z [3: gt06 < 10.0.0.9:40001] 78780d01012345678901234500018cdd0d0a"), "{first}");
    for log in [traccar, hex_log] {
        for (line, row) in log.lines().zip(talk()) {
            let read = wayglass::wire::dress::line(line.as_bytes(), None).unwrap();
            let wayglass::wire::dress::Line::Buffer(buffer) = read else { panic!("{read:?}") };
            assert_eq!((buffer.protocol, buffer.direction), (row.protocol, row.direction));
            assert!(buffer.bytes.ends_with(&row.bytes));
        }
    }
    let json: serde_json::Value = serde_json::from_str(text(Form::JsonLines).lines().nth(1).unwrap()).unwrap();
    assert_eq!((json["direction"].as_str(), json["context"]["X-Limit-U"].as_str()), (Some("in"), Some("jane")));
}

#[test]
fn what_is_written_is_read_again() {
    use wayglass::capture::{
        Item,
        read::{Ended, Ground, Kind, read},
    };
    let all = talk();
    for (form, kind) in [(Form::Pcapng, Kind::PcapNg), (Form::JsonLines, Kind::Text), (Form::Hex, Kind::Text)] {
        let file = written(form, &all);
        let mut records = Vec::new();
        let ended = read(kind, file.as_slice(), &Ground::default(), &mut |_| (), &mut |item| {
            if let Item::Record(record) = item {
                records.push(record);
            }
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(ended.unwrap(), Ended::Whole, "{form:?}");
        let logins: Vec<_> = records.iter().filter(|r| r.bytes == *all[0].bytes).collect();
        assert_eq!(logins.len(), 2, "{form:?}: {records:?}");
        assert_eq!(logins[0].at, Some(all[0].received), "{form:?}");
        assert_eq!(logins[0].connection, logins[1].connection, "{form:?}");
        let bodies: Vec<_> = records.iter().filter(|r| r.bytes == *all[1].bytes).collect();
        assert_eq!(bodies.len(), 1, "{form:?}: {records:?}");
        assert_eq!((bodies[0].protocol, bodies[0].direction), (Protocol::OwnTracks, Direction::In), "{form:?}");
    }
}
