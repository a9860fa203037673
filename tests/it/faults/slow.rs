//! Far ends that take their time: they are closed by our clocks, never by theirs, while others are served.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use wayglass::{backend::Limits, model::Policy};

use super::{
    far::{self, Phone, Tracker, heartbeat, login},
    process::{Serve, pause, serve_words, within},
    scale,
};
use crate::support::{SOON, Station};

/// The clocks of this file: shorter than the real ones, and long enough for good ends on a machine that does other things, too.
const SHORT_MS: u64 = 2_000;

fn limits() -> Limits {
    let short = Duration::from_millis(SHORT_MS);
    Limits { login: short, http_head: short, http_body: short, write: short, ..Limits::default() }
}

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/good"}}"#)
}

/// Sends `start` and then one byte after another until the far end closes; whether it did, and what it said.
fn drip(to: SocketAddr, start: &[u8], byte: u8) -> thread::JoinHandle<(bool, Vec<u8>)> {
    let start = start.to_vec();
    thread::spawn(move || {
        let mut stream = TcpStream::connect(to).expect("the receiver accepts");
        stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
        stream.write_all(&start).expect("the receiver reads");
        let (end, mut said) = (Instant::now() + SOON, Vec::new());
        while Instant::now() < end {
            let mut chunk = [0; 512];
            match stream.read(&mut chunk) {
                Ok(0) => return (true, said),
                Ok(n) => said.extend(&chunk[..n]),
                Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
                Err(_) => return (true, said),
            }
            if stream.write_all(&[byte]).is_err() {
                return (true, said);
            }
        }
        (false, said)
    })
}

#[test]
fn a_drip_of_bytes_is_closed_by_our_clock_while_others_are_served() {
    let station = Station::start_with(Policy::Adopt, limits());
    let body = b"POST /pub HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{";
    let half = &login("861234567890123", 1)[..9];
    let slow = [
        ("nothing on the HTTP port", drip(station.owntracks, b"", b'P')),
        ("a head of a request", drip(station.owntracks, b"POST /pub HTTP/1.1\r\nX-Long: ", b'a')),
        ("a body", drip(station.owntracks, body, b' ')),
        ("noise on the GT06 port", drip(station.gt06, b"", b'A')),
        ("half a frame", drip(station.gt06, half, 0)),
        ("a frame whose length lies", drip(station.gt06, &[0x79, 0x79, 0xFF, 0xFF, 0x21], 0)),
        ("start pairs", drip(station.gt06, b"", 0x78)),
    ];
    let mut phone = Phone::call(station.owntracks).unwrap();
    let mut tracker = Tracker::log_in(station.gt06, "861234567890124").unwrap();
    let mut n = 0;
    while slow.iter().any(|(_, thread)| !thread.is_finished()) {
        assert_eq!(phone.post(&location(1_700_000_000 + n)).unwrap(), 200);
        tracker.report(n..n + 1).unwrap();
        n += 1;
        pause(50);
    }
    for (what, thread) in slow {
        let (closed, said) = thread.join().unwrap();
        assert!(closed, "{what} is not closed");
        if what == "a body" {
            assert!(said.starts_with(b"HTTP/1.1 408"), "{what}: {}", String::from_utf8_lossy(&said));
        }
    }
    let kept: i64 = station.sql("SELECT count(*) FROM packets WHERE kind = 'noise' AND direction = 'in'");
    assert!(kept >= 4, "what they sent is kept: {kept}");
    // A phone that rests between two messages is no slow one, and a tracker that logged in neither.
    pause(SHORT_MS + 500);
    assert_eq!(phone.post(&location(1_700_100_000)).unwrap(), 200);
    tracker.report(n..n + 1).unwrap();
}

#[test]
fn a_slow_second_request_is_closed_too() {
    let station = Station::start_with(Policy::Adopt, limits());
    let body = location(1_700_000_000);
    let first = format!("POST /pub HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (closed, said) = drip(station.owntracks, first.as_bytes(), b'X').join().unwrap();
    assert!(closed && said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn a_pause_ends_a_connection_only_where_it_is_too_long() {
    let station =
        Station::start_with(Policy::Adopt, Limits { http_pause: Duration::from_secs(5), ..Limits::default() });
    let mut phone = Phone::call(station.owntracks).unwrap();
    // Longer than one pause may be, all together.
    for n in 0..6 {
        assert_eq!(phone.post(&location(1_700_000_000 + n)).unwrap(), 200);
        pause(1_000);
    }
    assert!(phone.hung_up());
    let health = station.backend().health().wait().unwrap();
    let silent = health.counts.iter().find(|count| count.key == "silent").unwrap();
    assert_eq!(silent.since_start, 1, "it is counted as what it is");
}

/// A connection whose system takes few answers that nobody reads.
fn deaf(to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a socket option");
        socket.connect(to).await.expect("the receiver accepts").into_std().expect("a socket")
    });
    stream.set_nonblocking(false).expect("a socket option");
    stream.set_write_timeout(Some(SOON)).expect("a time-out");
    stream
}

#[test]
fn who_never_reads_is_closed_and_takes_no_memory() {
    let station = Station::start_with(Policy::Adopt, limits());
    let body = location(1_700_000_000);
    let request = format!("POST /pub HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let floods = [
        ("heartbeats", station.gt06, heartbeat(1)),
        ("requests", station.owntracks, request.clone().into_bytes()),
        ("requests with a long answer", station.owntracks, b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ];
    let floods = floods.map(|(what, to, one)| {
        thread::spawn(move || {
            let mut stream = deaf(to);
            if what == "heartbeats" {
                stream.write_all(&login("861234567890125", 1)).expect("the receiver reads");
            }
            let many = one.repeat(256);
            // As much as the system holds of answers nobody reads, and more.
            let end = Instant::now() + SOON;
            while Instant::now() < end {
                match stream.write_all(&many) {
                    Ok(()) => {}
                    Err(e) => {
                        return (
                            what,
                            !matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
                        );
                    }
                }
            }
            (what, false)
        })
    });
    for flood in floods {
        let (what, closed) = flood.join().unwrap();
        assert!(closed, "who floods with {what} and does not read is not closed");
    }
    assert_eq!(Phone::call(station.owntracks).unwrap().post(&location(1_700_000_001)).unwrap(), 200);
}

/// The most sockets that this process and the program can have with each other.
fn most_sockets() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux tells");
    let line = limits.lines().find_map(|l| l.strip_prefix("Max open files")).expect("a line of its own");
    let soft: usize = line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(1024);
    soft.saturating_sub(600)
}

#[test]
fn idle_sockets_keep_nobody_out_and_take_little() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path());
    let wanted = scale(3_000, 10_000).min(most_sockets());
    let (before, _) = serve.memory_mib();
    let mut idle = Vec::new();
    for n in 0..wanted {
        let (to, start): (_, &[u8]) = match n % 4 {
            0 => (serve.gt06, b""),
            1 => (serve.gt06, b"\x78\x78\x0d\x01"),
            2 => (serve.owntracks, b""),
            _ => (serve.owntracks, b"POST /pub HT"),
        };
        let mut stream = far::dial(to).unwrap();
        stream.write_all(start).unwrap();
        idle.push(stream);
    }
    let began = Instant::now();
    assert_eq!(Phone::call(serve.owntracks).unwrap().post(&location(1_700_000_000)).unwrap(), 200);
    Tracker::log_in(serve.gt06, "861234567890126").unwrap().report(0..1).unwrap();
    let took = began.elapsed();
    let (now, _) = serve.memory_mib();
    eprintln!("{wanted} idle sockets: {before} MiB before, {now} MiB with them, good ones served within {took:?}");
    // Half of what ten thousand may take, and more where there are more.
    let most = 100 + wanted as u64 / 50;
    assert!(now < most, "{now} of {most} MiB");
    drop(idle);
    serve.stop();
}

#[test]
fn running_out_of_files_keeps_nobody_out() {
    let data = tempfile::tempdir().unwrap();
    let words = serve_words(data.path());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let before = ["sh", "-c", r#"ulimit -n 300; exec "$0" "$@""#, env!("CARGO_BIN_EXE_wayglass")];
    let serve = Serve::run(within(data.path(), &before, &words), data.path());
    let mut known = Tracker::log_in(serve.gt06, "861234567890140").unwrap();
    let idle: Vec<_> =
        (0..900).map(|n| far::dial(if n % 3 == 0 { serve.gt06 } else { serve.owntracks }).unwrap()).collect();
    for n in 0..5 {
        let phone = || Phone::call(serve.owntracks)?.post(&location(1_700_000_000 + n));
        assert_eq!(dials_again(phone).unwrap(), 200);
        dials_again(|| Tracker::log_in(serve.gt06, "861234567890141")?.report(n..n + 1)).unwrap();
    }
    known.report(0..1).expect("who is known keeps its place");
    drop(idle);
    serve.stop();
}

/// As a device does that was hung up on: while the flood is still on its way in, who has said nothing yet makes room like everybody.
fn dials_again<T>(call: impl Fn() -> std::io::Result<T>) -> std::io::Result<T> {
    (0..4).map(|_| call()).find(Result::is_ok).unwrap_or_else(call)
}

#[test]
fn a_flood_of_one_address_makes_room_for_others() {
    let station = Station::start_with(Policy::Adopt, Limits { connections: 20, ..Limits::default() });
    let mut known: Vec<_> =
        (0..5).map(|n| Tracker::log_in(station.gt06, &format!("86123456789013{n}")).unwrap()).collect();
    let mut phone = Phone::call(station.owntracks).unwrap();
    assert_eq!(phone.post(&location(1_700_000_000)).unwrap(), 200);
    let flood: Vec<_> =
        (0..100).map(|n| far::dial(if n % 2 == 0 { station.gt06 } else { station.owntracks }).unwrap()).collect();
    Tracker::log_in(station.gt06, "861234567890139").unwrap().report(0..1).unwrap();
    assert_eq!(Phone::call(station.owntracks).unwrap().post(&location(1_700_000_001)).unwrap(), 200);
    for tracker in &mut known {
        tracker.report(0..1).expect("who is known keeps its place");
    }
    assert_eq!(phone.post(&location(1_700_000_002)).unwrap(), 200);
    for line in station.backend().receivers() {
        assert!(line.shown_out > 20 && line.connections <= 20, "it is shown: {line:?}");
    }
    drop(flood);
}

/// A frame may be cut anywhere; a whole one after junk is answered.
#[test]
fn good_frames_after_a_lie_are_answered() {
    let station = Station::start_with(Policy::Adopt, Limits::default());
    for lie in
        [&[0x79, 0x79, 0xFF, 0xFF, 0x21][..], &[0x78, 0x78, 0xFF], &[0x78, 0x78, 0x00], &[0x79, 0x79, 0x00, 0x00]]
    {
        let mut tracker = Tracker::log_in(station.gt06, "861234567890127").unwrap();
        tracker.stream.write_all(lie).unwrap();
        tracker.stream.write_all(&heartbeat(9)).unwrap();
        tracker.wait_for(0x13, 9).unwrap_or_else(|e| panic!("after {lie:02x?}: {e}"));
    }
}
