//! pcap and pcapng, made here frame by frame.

use etherparse::PacketBuilder;

use super::told;

const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";
const ACK: &str = "787805010001d9dc0d0a";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// How frames are dressed.
#[derive(Clone, Copy, PartialEq)]
pub enum Link {
    Ethernet,
    Cooked,
    Cooked2,
    Raw,
    Loopback,
}

impl Link {
    const ALL: [Self; 5] = [Self::Ethernet, Self::Cooked, Self::Cooked2, Self::Raw, Self::Loopback];

    fn number(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::Cooked => 113,
            Self::Cooked2 => 276,
            Self::Raw => 101,
            Self::Loopback => 0,
        }
    }
}

/// A segment: the device's port is 4000, the server's the other one.
pub struct Seg {
    pub out: bool,
    pub port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: &'static str,
    pub bytes: Vec<u8>,
}

pub fn seg(way: char, seq: u32, ack: u32, flags: &'static str, bytes: &[u8]) -> Seg {
    Seg { out: way == '>', port: 5023, seq, ack, flags, bytes: bytes.to_vec() }
}

fn frame(link: Link, six: bool, s: &Seg) -> Vec<u8> {
    let (from, to) = if s.out { (s.port, 4000) } else { (4000, s.port) };
    let mac = [2, 0, 0, 0, 0, 1];
    let ether = PacketBuilder::ethernet2(mac, mac);
    let device = [192, 0, 2, 7];
    let server = [192, 0, 2, 1];
    let (a, b) = if s.out { (server, device) } else { (device, server) };
    let long = |last: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let ip = if six { ether.ipv6(long(a[3]), long(b[3]), 64) } else { ether.ipv4(a, b, 64) };
    let mut tcp = ip.tcp(from, to, s.seq, 8192);
    if s.flags.contains('S') {
        tcp = tcp.syn();
    }
    if s.flags.contains('A') {
        tcp = tcp.ack(s.ack);
    }
    if s.flags.contains('F') {
        tcp = tcp.fin();
    }
    if s.flags.contains('R') {
        tcp = tcp.rst();
    }
    let mut bytes = Vec::new();
    tcp.write_to_vec(&mut bytes, &s.bytes).unwrap();
    let kind = [bytes[12], bytes[13]];
    let ip = bytes.split_off(14);
    let head = match link {
        Link::Ethernet => bytes,
        Link::Cooked => [&[0; 14][..], &kind].concat(),
        Link::Cooked2 => [&kind[..], &[0; 18]].concat(),
        Link::Raw => Vec::new(),
        Link::Loopback => vec![if six { 30 } else { 2 }, 0, 0, 0],
    };
    [head, ip].concat()
}

pub fn pcap(link: Link, six: bool, segments: &[Seg]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, link.number()] {
        file.extend(word.to_le_bytes());
    }
    for (n, segment) in segments.iter().enumerate() {
        let bytes = frame(link, six, segment);
        let len = u32::try_from(bytes.len()).unwrap();
        for word in [1_714_557_600 + u32::try_from(n).unwrap(), 250_000, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(bytes);
    }
    file
}

pub fn pcapng(segments: &[Seg]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let len = u32::try_from(padded + 12).unwrap();
        file.extend(kind.to_le_bytes());
        file.extend(len.to_le_bytes());
        file.extend(body);
        file.resize(file.len() + padded - body.len(), 0);
        file.extend(len.to_le_bytes());
    };
    block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    // Nanoseconds.
    block(1, &[1, 0, 0, 0, 0xff, 0xff, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    for (n, segment) in segments.iter().enumerate() {
        let bytes = frame(Link::Ethernet, false, segment);
        let at = (1_714_557_600 + n as u64) * 1_000_000_000 + 250_000_000;
        let len = u32::try_from(bytes.len()).unwrap();
        let words = [0, u32::try_from(at >> 32).unwrap(), u32::try_from(at & 0xffff_ffff).unwrap(), len, len];
        let head: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        block(6, &[head, bytes].concat());
    }
    file
}

/// A login in two pieces, answered.
pub fn login() -> Vec<Seg> {
    let login = unhex(LOGIN);
    vec![
        seg('<', 99, 0, "S", b""),
        seg('>', 499, 100, "SA", b""),
        seg('<', 100, 500, "A", b""),
        seg('<', 100, 500, "A", &login[..7]),
        seg('<', 107, 500, "A", &login[7..]),
        seg('>', 500, 118, "A", &unhex(ACK)),
        seg('<', 118, 510, "FA", b""),
        seg('>', 510, 119, "FA", b""),
    ]
}

const TOLD: &str = "4 gt06 #1 < PEER 2024-05-01T10:00:03.25Z 78780d01012345
5 gt06 #1 < PEER 2024-05-01T10:00:04.25Z 678901234500018cdd0d0a
6 gt06 #1 > PEER 2024-05-01T10:00:05.25Z 787805010001d9dc0d0a
closed #1
";

#[test]
fn every_link_is_read() {
    for link in Link::ALL {
        assert_eq!(told(&pcap(link, false, &login())), TOLD.replace("PEER", "192.0.2.7:4000"));
        assert_eq!(told(&pcap(link, true, &login())), TOLD.replace("PEER", "[2001:db8::7]:4000"));
    }
    assert_eq!(told(&pcapng(&login())), TOLD.replace("PEER", "192.0.2.7:4000"));
}

#[test]
fn segments_are_put_in_order() {
    let login = unhex(LOGIN);
    let talk = [
        seg('<', 99, 0, "S", b""),
        seg('<', 107, 500, "A", &login[7..]),
        seg('<', 100, 500, "A", &login[..7]),
        seg('<', 100, 500, "A", &login),
        seg('>', 500, 118, "A", &unhex(ACK)),
    ];
    let told = told(&pcap(Link::Raw, false, &talk));
    let bytes: String = told.lines().filter(|l| l.contains('<')).filter_map(|l| l.split(' ').next_back()).collect();
    assert_eq!(bytes, LOGIN, "{told}");
    assert!(told.contains(&format!("> 192.0.2.7:4000 2024-05-01T10:00:04.25Z {ACK}")), "{told}");
}

#[test]
fn what_was_not_captured_is_said() {
    let login = unhex(LOGIN);
    let talk = [
        seg('<', 99, 0, "S", b""),
        seg('<', 100, 500, "A", &login),
        seg('<', 130, 500, "A", &login),
        seg('>', 500, 148, "A", b""),
    ];
    let told = told(&pcap(Link::Raw, false, &talk));
    assert!(told.contains(&format!("{LOGIN} cut: 12 bytes before these were not captured")), "{told}");
}

#[test]
fn the_device_is_who_logs_in_even_where_the_beginning_is_missing() {
    let talk = [seg('>', 500, 118, "A", &unhex(ACK)), seg('<', 118, 510, "A", &unhex(LOGIN))];
    let told = told(&pcap(Link::Ethernet, false, &talk));
    assert!(told.starts_with("1 gt06 #1 > 192.0.2.7:4000"), "{told}");
    assert!(told.contains("2 gt06 #1 < 192.0.2.7:4000"), "{told}");
}

#[test]
fn ports_are_used_again() {
    let mut talk = login();
    talk.truncate(6);
    talk.extend(login().into_iter().map(|s| Seg { seq: s.seq + 70_000, ack: s.ack.wrapping_add(70_000), ..s }));
    let told = told(&pcap(Link::Ethernet, false, &talk));
    assert_eq!(told.matches("closed #").count(), 2, "{told}");
    assert_eq!(told.matches(" #2 ").count(), 3, "{told}");
}

#[test]
fn phones_are_cut_into_bodies() {
    let body = r#"{"_type":"location","lat":51.2,"lon":4.4,"tst":1714557611,"tid":"ja"}"#;
    let post = format!(
        "POST /pub?token=hidden HTTP/1.1\r\nAuthorization: Basic amFuZTpoaWRkZW4=\r\nX-Limit-U: jane\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
    let (half, rest) = post.as_bytes().split_at(60);
    let mut talk = vec![
        seg('<', 99, 0, "S", b""),
        seg('<', 100, 500, "A", half),
        seg('<', 160, 500, "A", rest),
        seg('>', 500, 1, "A", answer.as_bytes()),
    ];
    for s in &mut talk {
        s.port = 8080;
    }
    let context = r#"{"X-Limit-U":"jane","method":"POST","path":"/pub","query":"token=…","user":"jane"}"#;
    let expected = format!(
        "3 owntracks #1 < 192.0.2.7:4000 2024-05-01T10:00:02.25Z {body} {context}\n4 owntracks #1 > 192.0.2.7:4000 2024-05-01T10:00:03.25Z [] {{\"status\":200}}\nclosed #1\n"
    );
    assert_eq!(told(&pcap(Link::Ethernet, false, &talk)), expected);
}

#[test]
fn a_file_that_is_cut_off_gives_what_it_has() {
    let file = pcap(Link::Ethernet, false, &login());
    let told = told(&file[..file.len() - 5]);
    assert!(told.starts_with("4 gt06 #1 <"), "{told}");
    assert!(told.ends_with("7 broken: the file ends within a frame: it was cut off\n"), "{told}");
}

#[test]
fn traffic_of_others_is_passed_over() {
    let mut talk = [
        seg('<', 99, 0, "S", b""),
        seg('<', 100, 0, "A", b"\x16\x03\x01\x02\x00hello"),
        seg('<', 110, 0, "FA", b""),
        seg('>', 1, 111, "FA", b""),
    ];
    for s in &mut talk {
        s.port = 443;
    }
    assert_eq!(told(&pcap(Link::Ethernet, false, &talk)), "2 passed\n");
}
