//! A capture as a backend: packets, links, devices, times; and a folder that goes.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, mpsc},
    time::Instant,
};

use jiff::tz::TimeZone;
use wayglass::{
    backend::{
        Backend, PacketQuery,
        capture::{CaptureError, CaptureSource, CaptureStatus},
    },
    model::{Direction, PacketRow, Timestamp},
};

use super::pcap::{Link, login, pcap};
use crate::support::{SOON, TestClock};

pub const RELOGIN: &str = include_str!("../../fixtures/capture/relogin.txt");

fn open(source: &CaptureSource) -> Result<(Backend, Arc<CaptureStatus>), CaptureError> {
    let clock = TestClock::at("2026-11-21T14:02:31Z");
    let (tell, woken) = mpsc::channel();
    let wake = Arc::new(move || {
        tell.send(()).ok();
    });
    let backend = Backend::of_capture(source, TimeZone::UTC, clock.clock(), wake)?;
    let end = Instant::now() + 4 * SOON;
    loop {
        let status = backend.capture().unwrap();
        if !status.filling {
            return Ok((backend, status));
        }
        assert!(Instant::now() < end, "still reading");
        woken.recv_timeout(4 * SOON).ok();
    }
}

fn packets(backend: &Backend) -> Vec<PacketRow> {
    backend.packets(PacketQuery { limit: 1000, ..PacketQuery::default() }).wait().unwrap()
}

#[test]
fn a_pasted_log_becomes_packets_with_their_times_and_links() {
    let (backend, status) = open(&CaptureSource::Pasted(RELOGIN.into())).unwrap();
    let packets = packets(&backend);
    let told: Vec<(String, Direction, &str, u64)> =
        packets.iter().map(|p| (p.kind.to_string(), p.direction, &*p.peer, p.connection)).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    for (n, pair) in packets.chunks(2).take(3).enumerate() {
        let [heard, answer] = pair else { panic!("a pair") };
        assert_eq!((&*heard.kind, heard.direction, heard.connection), ("login", Direction::In, n as u64 + 1));
        assert_eq!((answer.direction, answer.answers), (Direction::Out, Some(heard.id)));
        assert!(answer.context.is_none(), "ours is the same: {:?}", answer.context);
    }
    assert_eq!(packets[0].received, "2024-05-01T10:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(packets[6].received, "2024-05-01T10:06:05Z".parse::<Timestamp>().unwrap());
    assert_eq!((status.cut, status.rejected, status.passed, status.untimed), (1, 0, 3, 0));
    let devices = backend.devices().wait().unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].device.identity.as_str(), "123456789012345");
    let folder = backend.data_dir().to_owned();
    assert!(folder.exists());
    backend.stop(SOON);
    assert!(!folder.exists(), "the folder goes with it");
}

/// Its length says one byte less than there is, and the connection says nothing more.
#[test]
fn a_frame_that_cannot_be_cut_stands_where_its_time_was() {
    let log = "\
2026-11-21 14:05:31  INFO: [Te3c4e700: gt06 < 10.0.0.9] 78780d01012345678901234500018cdd0d0a
2026-11-21 14:05:35  INFO: [Te3c4e700: gt06 < 10.0.0.9] 78781f120b081d112e10cc027ac7eb0c46584900148f01cc00287d001fb8000380813a0d0a
2026-11-21 14:08:31  INFO: [Te3c4e701: gt06 < 10.0.0.9] 78780d01012345678901234500018cdd0d0a
";
    let (backend, _) = open(&CaptureSource::Pasted(log.into())).unwrap();
    let told: Vec<(u64, String)> =
        packets(&backend).iter().map(|p| (p.connection, p.received.to_string()[11..16].to_owned())).collect();
    // As a receiver does, it waits half a minute for the rest.
    let expected = [(1, "14:05"), (1, "14:06"), (2, "14:08")];
    assert_eq!(told, expected.map(|(connection, at)| (connection, at.to_owned())));
    backend.stop(SOON);
}

#[test]
fn a_file_without_times_stands_at_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.txt");
    std::fs::write(&path, "78780d01012345678901234500018cdd0d0a\n78780d0101\n78780d01012345678901234500018cdd0d0a\n")
        .unwrap();
    let at: Timestamp = std::fs::metadata(&path).unwrap().modified().unwrap().try_into().unwrap();
    let (backend, status) = open(&CaptureSource::File(path)).unwrap();
    let kinds: Vec<_> = packets(&backend).iter().map(|p| (p.kind.to_string(), p.received.as_second())).collect();
    let login = ("login".to_owned(), at.as_second());
    assert_eq!((&kinds[0], &kinds[2], kinds.len()), (&login, &login, 3), "each line stands alone: {kinds:?}");
    assert_eq!(status.untimed, 3);
    assert!(status.remarks().contains("have no time"), "{}", status.remarks());
    backend.stop(SOON);
}

#[test]
fn history_is_no_capture_and_neither_is_a_letter() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let gpx = write("a.gpx", "<?xml version=\"1.0\"?><gpx></gpx>");
    assert!(matches!(open(&CaptureSource::Dropped(gpx)), Err(CaptureError::History(_))));
    let letter = write("a.txt", "Dear Jane!\n\nHow are you?\n");
    assert!(matches!(open(&CaptureSource::Dropped(letter)), Err(CaptureError::Refused { .. })));
}

#[test]
fn import_and_decode_take_captures() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cap) = (folder.path().join("fleet.log"), folder.path().join("fleet.pcap"));
    std::fs::write(&log, RELOGIN).unwrap();
    std::fs::write(&cap, pcap(Link::Ethernet, false, &login())).unwrap();
    let call = |words: &[&std::ffi::OsStr]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
        let done =
            command.arg("--data-dir").arg(folder.path().join("data")).arg("--quiet").args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let dry = |file: &std::path::Path| call(&["import".as_ref(), "--dry-run".as_ref(), file.as_ref()]);
    let told = dry(&log);
    assert!(told.contains("fleet.log: 7 packets over 3 connections; 1 cut short"), "{told}");
    assert!(told.contains("123456789012345: 7 packets, 0 positions → no device here"), "{told}");
    assert!(!folder.path().join("data").exists(), "nothing was made");
    let told = call(&["import".as_ref(), "--create".as_ref(), log.as_ref(), cap.as_ref()]);
    assert!(told.contains("fleet.log: 7 packets over 3 connections; 1 cut short"), "{told}");
    assert!(told.contains("fleet.pcap: 2 packets over 1 connection"), "{told}");
    assert!(call(&["devices".as_ref()]).contains("123456789012345"));
    assert!(dry(&log).contains("→ 123456789012345"), "{}", dry(&log));
    let told = call(&["decode".as_ref(), "--json".as_ref(), cap.as_ref()]);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.lines().next().unwrap().contains("78780d01012345678901234500018cdd0d0a"), "{told}");
}
