//! One TCP connection, made up around bytes: handshake, sequence numbers, acknowledgements, lengths, checksums.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::{PacketBuilder, TcpHeader, TcpOptionElement};

use crate::model::Direction;

/// Our end, in address ranges that are set aside for documentation.
const OUR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1);
/// Locally administered, so nobody's.
const OUR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const THEIR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
const HOPS: u8 = 64;
/// Data in one segment; with its headers it stays below the 64 KiB that IP can say.
const MOST_SEGMENT: usize = 65_000;
/// So much of one end may be on its way before the other acknowledges it by itself.
const MOST_UNACKNOWLEDGED: u32 = 512 * 1024;
/// Windows count in units of 2 to the power of this.
const WINDOW_SCALE: u8 = 7;

/// An Ethernet frame, and which way it went.
pub(super) struct Segment {
    pub(super) direction: Direction,
    pub(super) frame: Vec<u8>,
}

/// A connection between a device and us.
pub(super) struct Tcp {
    device: SocketAddr,
    us: SocketAddr,
    /// The next sequence number of each end.
    device_next: u32,
    our_next: u32,
    /// Up to where each end was acknowledged by the other.
    device_acked: u32,
    our_acked: u32,
}

/// The numbers both ends begin with; Wireshark shows them as 0.
const FIRST: u32 = 1_000;

impl Tcp {
    /// `peer`: the device's end; one that is no address gets one that is made of the connection's number.
    pub(super) fn new(peer: &str, connection: u64, our_port: u16) -> Self {
        let device = peer
            .parse()
            .map_or_else(|_| made_up(connection), |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port()));
        let us = match device.ip() {
            IpAddr::V4(_) => OUR_V4.into(),
            IpAddr::V6(_) => OUR_V6.into(),
        };
        let next = FIRST + 1;
        Self {
            device,
            us: SocketAddr::new(us, our_port),
            device_next: next,
            our_next: next,
            device_acked: next,
            our_acked: next,
        }
    }

    /// The device connects.
    pub(super) fn handshake(&self) -> [Segment; 3] {
        let syn = |direction| TcpHeader { syn: true, sequence_number: FIRST, ..self.header(direction) };
        let ask = TcpHeader { ack: false, acknowledgment_number: 0, ..syn(Direction::In) };
        [
            self.segment(Direction::In, ask, &[]),
            self.segment(Direction::Out, syn(Direction::Out), &[]),
            self.segment(Direction::In, self.header(Direction::In), &[]),
        ]
    }

    /// One end sends these bytes.
    pub(super) fn say(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Segment> {
        let mut segments = Vec::new();
        for part in bytes.chunks(MOST_SEGMENT) {
            let header = TcpHeader { psh: true, ..self.header(direction) };
            segments.push(self.segment(direction, header, part));
            self.sent(direction, u32::try_from(part.len()).unwrap_or_default());
            if self.on_its_way(direction) > MOST_UNACKNOWLEDGED {
                let back = other(direction);
                segments.push(self.segment(back, self.header(back), &[]));
                self.acknowledged(direction);
            }
        }
        segments
    }

    /// The device closes, and so do we.
    pub(super) fn close(&mut self) -> [Segment; 3] {
        let fin = |tcp: &Self, direction| TcpHeader { fin: true, ..tcp.header(direction) };
        let theirs = self.segment(Direction::In, fin(self, Direction::In), &[]);
        self.sent(Direction::In, 1);
        let ours = self.segment(Direction::Out, fin(self, Direction::Out), &[]);
        self.sent(Direction::Out, 1);
        [theirs, ours, self.segment(Direction::In, self.header(Direction::In), &[])]
    }

    fn sent(&mut self, direction: Direction, bytes: u32) {
        let next = match direction {
            Direction::In => &mut self.device_next,
            Direction::Out => &mut self.our_next,
        };
        *next = next.wrapping_add(bytes);
        // It acknowledged all that the other had sent.
        self.acknowledged(other(direction));
    }

    fn acknowledged(&mut self, direction: Direction) {
        match direction {
            Direction::In => self.device_acked = self.device_next,
            Direction::Out => self.our_acked = self.our_next,
        }
    }

    fn on_its_way(&self, direction: Direction) -> u32 {
        match direction {
            Direction::In => self.device_next.wrapping_sub(self.device_acked),
            Direction::Out => self.our_next.wrapping_sub(self.our_acked),
        }
    }

    fn header(&self, direction: Direction) -> TcpHeader {
        let (from, to, next, acknowledges) = match direction {
            Direction::In => (self.device, self.us, self.device_next, self.our_next),
            Direction::Out => (self.us, self.device, self.our_next, self.device_next),
        };
        let mut header = TcpHeader::new(from.port(), to.port(), next, u16::MAX);
        header.ack = true;
        header.acknowledgment_number = acknowledges;
        header
    }

    fn segment(&self, direction: Direction, mut header: TcpHeader, payload: &[u8]) -> Segment {
        let inbound = direction == Direction::In;
        let (from, to) = if inbound { (self.device, self.us) } else { (self.us, self.device) };
        let (from_mac, to_mac) = if inbound { (THEIR_MAC, OUR_MAC) } else { (OUR_MAC, THEIR_MAC) };
        if header.syn {
            let scale = [TcpOptionElement::Noop, TcpOptionElement::WindowScale(WINDOW_SCALE)];
            header.set_options(&scale).expect("four bytes fit");
        }
        let link = PacketBuilder::ethernet2(from_mac, to_mac);
        let packet = match (from.ip(), to.ip()) {
            (IpAddr::V6(from), IpAddr::V6(to)) => link.ipv6(from.octets(), to.octets(), HOPS),
            (from, to) => link.ipv4(v4(from), v4(to), HOPS),
        }
        .tcp_header(header);
        let mut frame = Vec::with_capacity(packet.size(payload.len()));
        packet.write(&mut frame, payload).expect("a payload below 64 KiB, into memory");
        Segment { direction, frame }
    }
}

fn v4(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(address) => address.octets(),
        // Both ends are of one kind: see `Tcp::new`.
        IpAddr::V6(_) => OUR_V4.octets(),
    }
}

fn other(direction: Direction) -> Direction {
    match direction {
        Direction::In => Direction::Out,
        Direction::Out => Direction::In,
    }
}

/// An address of the range for tests of networks, 198.18.0.0/15.
fn made_up(connection: u64) -> SocketAddr {
    let [.., high, middle, low] = connection.to_be_bytes();
    let port = 1_024 + u16::from(middle);
    SocketAddr::new(Ipv4Addr::new(198, 18 + high % 2, middle, low).into(), port)
}
