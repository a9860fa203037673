//! Any stream is cut into frames and the runs between them without a gap, and the same however the network cut it.

use crate::{
    check,
    model::{CommandId, Device, DeviceId, DeviceState, Profile, Protocol, Timestamp},
    now,
    script::Script,
    wire::{
        Admission, Conversation, Line, Output, Receipt,
        gt06::{self, Piece, Session, State},
    },
};

/// See the module.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let seed = u16::from_be_bytes([script.byte(), script.byte()]);
    let stream = script.0;
    let profile = Profile::default();
    let mut state = State::default();
    pieces(stream, &gt06::explain(stream, &profile, &mut state, now()));
    pieces(stream, &gt06::explain_alone(stream, &profile, now()));

    let whole = talk(stream, || stream.len());
    let mut random = u32::from(seed) | 0x1_0000;
    let longest = 1 << (seed % 12);
    let cut = talk(stream, || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (random >> 12) as usize % longest
    });
    assert_eq!(whole, cut, "segments matter");
}

fn pieces(stream: &[u8], pieces: &[Piece]) {
    let mut at = 0;
    for piece in pieces {
        assert_eq!((piece.offset, piece.bytes.start), (at, at), "a gap");
        assert!(piece.bytes.end > at, "an empty piece");
        at = piece.bytes.end;
        check::dissection(Protocol::Gt06, &stream[piece.bytes.clone()], &piece.dissection);
    }
    assert_eq!(at, stream.len(), "bytes in no piece");
}

/// What a conversation did.
#[derive(Debug, PartialEq)]
enum Did {
    Asked(String),
    Stored { kind: String, verdict: &'static str, bytes: Vec<u8>, context: Option<String> },
    Sent(Vec<u8>),
    Answered(CommandId),
    Closed,
}

/// The stream in segments, everything in one moment, then its end.
fn talk(stream: &[u8], mut segment: impl FnMut() -> usize) -> Vec<Did> {
    let mut session = Session::new(Line { peer: "192.0.2.1:1".into(), connection: 1 });
    let mut did = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let (now_comes, later) = rest.split_at(segment().clamp(1, rest.len()));
        session.receive(now(), now_comes);
        carry_out(&mut session, &mut did);
        rest = later;
    }
    session.finish(now());
    carry_out(&mut session, &mut did);
    did
}

fn carry_out(session: &mut Session, did: &mut Vec<Did>) {
    while let Some(output) = session.poll() {
        match output {
            Output::Identify(identity) => {
                did.push(Did::Asked(identity.as_str().to_owned()));
                session.identified(Admission::Device(Box::new(Device {
                    id: DeviceId(1),
                    identity,
                    protocol: Protocol::Gt06,
                    name: None,
                    state: DeviceState::New,
                    profile: Profile::default(),
                    first_seen: Timestamp::UNIX_EPOCH,
                    last_heard: None,
                })));
            }
            Output::Store(packet) => did.push(Did::Stored {
                kind: packet.kind.into_owned(),
                verdict: packet.verdict.as_str(),
                bytes: packet.bytes,
                context: packet.context,
            }),
            Output::Send(bytes) => did.push(Did::Sent(bytes)),
            Output::Receipt(Receipt::AnsweredLate { id, .. }) => did.push(Did::Answered(id)),
            Output::Receipt(receipt) => panic!("nothing was asked: {receipt:?}"),
            Output::Close(_) => did.push(Did::Closed),
        }
    }
}
