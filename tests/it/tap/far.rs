//! The far ends of a tap: a server that is not ours, frames, and a station with a tap.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
};

use wayglass::{
    backend::{ListenAt, ReceiverStatus, Tap, TapLine, TapMode},
    model::Policy,
    wire::gt06::encode::{Start, seal},
};

use crate::support::{Port, SOON, Station, bytes};

/// The name of every tap here.
pub const NAME: &str = "vendor";

/// A server that is not ours.
pub struct Server(TcpListener, Port);

impl Server {
    pub fn start() -> Self {
        let port = Port::keep();
        Self(TcpListener::bind(port.at()).unwrap(), port)
    }

    /// It listens no more, and nobody else does there while its port is kept.
    pub fn leave(self) -> Port {
        self.1
    }

    pub fn at(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next tracker that is passed on to it.
    pub fn accept(&self) -> End {
        End::of(self.0.accept().unwrap().0)
    }
}

/// One end of a connection.
pub struct End(pub TcpStream);

impl End {
    pub fn of(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub fn dial(to: SocketAddr) -> Self {
        Self::of(TcpStream::connect(to).unwrap())
    }

    pub fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Exactly these bytes come next.
    #[track_caller]
    pub fn hear(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        self.0.read_exact(&mut heard).unwrap();
        assert_eq!(heard, expected);
    }

    /// Everything until the other end closes, or breaks off.
    pub fn hear_out(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        self.0.read_to_end(&mut heard).ok();
        heard
    }

    /// Says no more; may still hear.
    pub fn close_half(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }
}

pub fn login() -> Vec<u8> {
    bytes(crate::desk::LOGIN)
}

pub fn login_answer() -> Vec<u8> {
    bytes(crate::desk::LOGIN_ANSWER)
}

/// A tracker and its server, once the server has its login through the tap.
pub fn logged_in(at: SocketAddr, server: &Server) -> (End, End) {
    let mut tracker = End::dial(at);
    let mut far = server.accept();
    tracker.say(&login());
    far.hear(&login());
    (tracker, far)
}

/// A frame with a short start.
pub fn frame(kind: u8, body: &[u8], serial: u16) -> Vec<u8> {
    seal(Start::Short, kind, body, serial)
}

pub fn heartbeat(serial: u16) -> Vec<u8> {
    frame(0x13, &[0x44, 6, 4, 0, 2], serial)
}

pub fn ack(kind: u8, serial: u16) -> Vec<u8> {
    frame(kind, &[], serial)
}

/// A position in 2026 near Antwerp; `second` makes it another one.
pub fn position(second: u8, serial: u16) -> Vec<u8> {
    let mut body = vec![26, 11, 21, 11, 59, second, 0xC9];
    body.extend(92_022_120_u32.to_be_bytes());
    body.extend(7_904_160_u32.to_be_bytes());
    body.extend([42, 0x14, 0x5D, 0x00, 0xCE, 0x14, 0x03, 0xE9, 0x01, 0x11, 0x71, 1, 0, 0]);
    frame(0x22, &body, serial)
}

/// A tap of this mode on a free port; where it listens.
pub fn tap(station: &Station, mode: TapMode) -> SocketAddr {
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    station.backend().set_tap(Tap { name: NAME.to_owned(), listen: ListenAt::Address(free), mode });
    listens(station)
}

/// Where the tap listens.
pub fn listens(station: &Station) -> SocketAddr {
    let mut at = None;
    station.until("the tap listens", |station| {
        at = station.backend().taps().iter().find_map(|tap| match tap.line.status {
            ReceiverStatus::Listening(at) => Some(at),
            _ => None,
        });
        at.is_some()
    });
    at.unwrap()
}

/// A station that adopts everybody, with a tap to this server.
pub fn passing_on(server: &Server) -> (Station, SocketAddr) {
    let station = Station::start(Policy::Adopt);
    let at = tap(&station, TapMode::Pass { to: server.at().to_string() });
    (station, at)
}

/// How the tap fares.
pub fn line(station: &Station) -> TapLine {
    station.backend().taps().into_iter().next().expect("there is a tap")
}

/// Waits until so many packets are stored.
#[track_caller]
pub fn stored(station: &Station, packets: i64) {
    station.until("all packets are stored", |s| s.sql::<i64>("SELECT count(*) FROM packets") >= packets);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets"), packets);
}

/// A line a packet: direction, kind, verdict, number of what it answers, context.
pub fn told(station: &Station) -> String {
    station.sql(
        "SELECT group_concat(direction || ' ' || kind || ' ' || verdict || ' ' || coalesce(answers, '-') || ' ' || context, char(10))
         FROM (SELECT * FROM packets ORDER BY id)",
    )
}
