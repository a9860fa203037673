//! From a frame of a network to the TCP segment in it: Ethernet, Linux cooked, raw IP, loopback.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// One segment of a TCP connection.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "three are flags of TCP")]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    /// What the sender has of the other side; `None` without the flag.
    pub(super) acknowledged: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) bytes: &'a [u8],
    /// The capture has less of it than there was.
    pub(super) cut: bool,
}

/// What a frame holds.
#[derive(Debug)]
pub(super) enum Held<'a> {
    Tcp(Segment<'a>),
    /// Something else.
    Other,
    /// TCP that cannot be read, and why.
    Unread(&'static str),
    /// The link itself is none that is known.
    Strange,
}

/// Looks into a frame. `link` is its LINKTYPE.
pub(super) fn look(link: i32, frame: &[u8]) -> Held<'_> {
    let sliced = match link {
        1 => LaxSlicedPacket::from_ethernet(frame).ok(),
        // The protocol stands in the last two of 16 bytes, or in the first two of 20.
        113 => behind(frame, 14, 16),
        276 => behind(frame, 0, 20),
        // As BSD and macOS write what goes over the loopback: the family, in four bytes of either order.
        0 | 108 => frame.get(4..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok()),
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(frame).ok(),
        _ => return Held::Strange,
    };
    sliced.map_or(Held::Other, |sliced| segment(&sliced))
}

/// What stands behind a cooked header of Linux.
fn behind(frame: &[u8], protocol_at: usize, len: usize) -> Option<LaxSlicedPacket<'_>> {
    let protocol = frame.get(protocol_at..protocol_at + 2)?.try_into().ok()?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(protocol)), frame.get(len..)?))
}

fn segment<'a>(sliced: &LaxSlicedPacket<'a>) -> Held<'a> {
    let (from, to, payload): (IpAddr, IpAddr, _) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into(), ip.payload())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            (header.source_addr().into(), header.destination_addr().into(), ip.payload())
        }
        Some(LaxNetSlice::Arp(_)) | None => return Held::Other,
    };
    if payload.ip_number != etherparse::IpNumber::TCP {
        return Held::Other;
    }
    if payload.fragmented {
        return Held::Unread("a fragment of an IP packet: TCP in fragments is not put together");
    }
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else {
        return Held::Unread("the capture holds less of this frame than its headers");
    };
    Held::Tcp(Segment {
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        bytes: tcp.payload(),
        cut: payload.incomplete,
    })
}
