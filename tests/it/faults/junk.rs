//! What no device sends, in quantity: memory and file stay bounded, good devices are served, nothing ends.

use std::{io::Write, net::SocketAddr, thread, time::Duration};

use super::{
    far::{self, Phone, Tracker},
    process::Serve,
    scale,
};
use crate::support::http;

/// Resident memory may grow by so many MiB over what it was.
const MEMORY_MIB: u64 = 200;

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/good"}}"#)
}

/// A phone and a tracker that behave; each call serves one fix of each.
struct Good(i64);

impl Good {
    fn are_served(&mut self, serve: &Serve, during: &str) {
        self.0 += 1;
        let answer = Phone::call(serve.owntracks).and_then(|mut phone| phone.post(&location(1_700_000_000 + self.0)));
        assert_eq!(answer.unwrap_or_else(|e| panic!("during {during}: {e}")), 200, "during {during}");
        Tracker::log_in(serve.gt06, "861234567890200")
            .and_then(|mut tracker| tracker.report(self.0..self.0 + 1))
            .unwrap_or_else(|e| panic!("during {during}: {e}"));
    }

    fn are_stored(&self, serve: &Serve) {
        let stored = crate::support::sql::<i64>(&serve.data, "SELECT count(*) FROM positions");
        assert_eq!(stored, 2 * self.0);
    }
}

/// Sends `bytes` over and over, `total` in all, with a new connection whenever one is closed.
fn pour(to: SocketAddr, bytes: Vec<u8>, total: usize) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        let (mut sent, mut dials) = (0, 0);
        while sent < total && dials < 200_000 {
            dials += 1;
            let Ok(mut stream) = far::dial(to) else { continue };
            // Every write that was taken counts, also where the next one finds the connection closed.
            while sent < total && stream.write_all(&bytes).is_ok() {
                sent += bytes.len();
            }
        }
        sent
    })
}

/// Bytes that look like chance.
fn chance(len: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

#[test]
fn a_flood_of_junk_stays_within_bounds() {
    let data = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(data.path());
    let mut good = Good(0);
    good.are_served(&serve, "the start");
    let (before, _) = serve.memory_mib();
    let total: usize = scale(64 << 20, 1 << 30);
    let kinds: [(SocketAddr, Vec<u8>); 6] = [
        (serve.gt06, chance(16 << 10)),
        (serve.gt06, vec![0x78; 16 << 10]),
        (serve.gt06, [0x79, 0x79, 0xFF, 0xFF, 0x00].repeat(3 << 10)),
        (serve.gt06, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(512)),
        (serve.owntracks, chance(16 << 10)),
        (serve.owntracks, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(1 << 10)),
    ];
    let share = total / kinds.len();
    let floods: Vec<_> = kinds.into_iter().map(|(to, bytes)| pour(to, bytes, share)).collect();
    while floods.iter().any(|flood| !flood.is_finished()) {
        good.are_served(&serve, "the flood");
    }
    let sent: usize = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
    good.are_served(&serve, "the end");
    good.are_stored(&serve);
    assert!(serve.is_alive());
    let (_, most) = serve.memory_mib();
    let file: u64 = ["wayglass.db", "wayglass.db-wal"]
        .iter()
        .map(|name| std::fs::metadata(data.path().join(name)).map_or(0, |about| about.len()) >> 20)
        .sum();
    eprintln!("{} MiB of junk: memory {before} MiB before, {most} MiB at most; file {file} MiB", sent >> 20);
    assert!(most <= before + MEMORY_MIB, "{most} MiB");
    assert!(file < 400, "the file has {file} MiB");
    serve.stop();
}

#[test]
fn broken_and_oversized_requests_are_refused_one_by_one() {
    let data = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(data.path());
    let mut good = Good(0);
    let to = serve.owntracks;
    // Bodies: too large, too deep, no JSON.
    let start = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"tid":"bb","image":""#;
    for mib in [3, 10] {
        let body = format!("{start}{}\"}}", "A".repeat(mib << 20));
        assert_eq!(http(to, "POST", "/pub", "", body.as_bytes()).status, 413, "{mib} MiB");
    }
    for body in [
        "[".repeat(200_000),
        r#"{"a":"#.repeat(100_000),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"_type":"location","lat":1,"lon":2,"x":{}{}}}"#, "[".repeat(150_000), "]".repeat(150_000)),
    ] {
        assert_eq!(http(to, "POST", "/pub", "", body.as_bytes()).status, 400, "{}…", &body[..20]);
    }
    // Heads: floods of them, lying lengths, other protocols. Whatever is answered, it is no success and nothing ends.
    let many: Vec<String> = (0..20_000).map(|n| format!("X-{n}: {}\r\n", "a".repeat(100))).collect();
    let many = many.concat();
    let lying =
        |length: &str| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{{}}").into_bytes();
    let chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let heads = [
        format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(),
        format!("POST /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(2_000_000)).into_bytes(),
        b"\r\n".repeat(100_000),
        b"POST / HTTP/9.9\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        lying("99999999999999999999"),
        lying("-1"),
        lying("18446744073709551615"),
        lying("1000000000"),
        [&chunked[..], b"fffffff\r\n", &vec![b'A'; 300_000]].concat(),
        [&chunked[..], b"ffffffffffffffffff\r\n", &[b'A'; 3_000]].concat(),
        [&chunked[..], b"-1\r\n{}"].concat(),
        far::login("861234567890201", 1),
    ];
    for (n, head) in heads.iter().enumerate() {
        let mut stream = far::dial(to).unwrap();
        // It may be refused before it is all sent.
        stream.write_all(head).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut said = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut said).ok();
        assert!(!said.starts_with(b"HTTP/1.1 200"), "head {n}: {}", String::from_utf8_lossy(&said));
        good.are_served(&serve, &format!("head {n}"));
    }
    good.are_stored(&serve);
    assert!(serve.is_alive() && serve.memory_mib().1 < MEMORY_MIB);
    assert!(!serve.said().contains("panicked"), "{}", serve.said());
    serve.stop();
}
