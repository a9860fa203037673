//! Talks between a tracker and a server, overheard.

use super::{super::encode, *};
use crate::{
    model::{Device, DeviceId, DeviceState, PacketId},
    wire::hex,
};

const NOW: &str = "2026-11-21T14:02:31Z";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn device(identity: Identity) -> Device {
    Device {
        id: DeviceId(7),
        identity,
        protocol: Protocol::Gt06,
        name: None,
        state: DeviceState::Adopted,
        profile: Profile::default(),
        first_seen: NOW.parse().unwrap(),
        last_heard: None,
    }
}

/// `>` tracker, `<` server; a line is a segment. `+` lets milliseconds pass, `?` bytes get lost. What was witnessed, a line each.
fn witnessed(talk: &str) -> String {
    let mut now: Timestamp = NOW.parse().unwrap();
    let mut witness = Witness::new(Line { peer: "10.0.0.9:4000".into(), connection: 3 });
    let mut told = String::new();
    let mut drain = |witness: &mut Witness| {
        while let Some(next) = witness.poll() {
            let line = match next {
                Witnessed::Identify(identity) => {
                    witness.identified(Admission::Device(Box::new(device(identity))));
                    continue;
                }
                Witnessed::Heard { packet, nth, .. } => format!("> {nth} {} {}", packet.kind, hex(&packet.bytes)),
                Witnessed::Answered { packet, answers } => {
                    assert_eq!(packet.answers, None::<PacketId>, "the driver knows the id, nobody else");
                    let context = packet.context.unwrap_or_default();
                    format!("< {answers:?} {} {} {context}", packet.kind, hex(&packet.bytes))
                }
            };
            told += line.trim_end();
            told.push('\n');
        }
    };
    for line in talk.lines() {
        let (way, text) = line.split_at(2);
        match way {
            "> " => witness.heard(now, &bytes(text)),
            "+ " => now += jiff::SignedDuration::from_millis(text.parse().unwrap()),
            "? " => witness.interrupted(now),
            _ => witness.answered(now, &bytes(text)),
        }
        drain(&mut witness);
    }
    witness.finish(now);
    drain(&mut witness);
    told
}

const LOGIN: &str = "> 78780d01012345678901234500018cdd0d0a";

#[test]
fn an_answer_belongs_to_its_frame() {
    let told = witnessed(&format!("{LOGIN}\n< 787805010001d9dc0d0a"));
    assert_eq!(told, "> 0 login 78780d01012345678901234500018cdd0d0a\n< Some(0) ack 787805010001d9dc0d0a\n");
}

#[test]
fn an_answer_in_two_segments_is_one() {
    let told = witnessed(&format!("{LOGIN}\n< 78780501\n< 0001d9dc0d0a"));
    assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0a\n"), "{told}");
}

#[test]
fn another_answer_than_ours_says_what_ours_is() {
    // The stop bytes are wrong.
    let told = witnessed(&format!("{LOGIN}\n< 787805010001d9dc0d0d"));
    assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0d {\"ours\":\"787805010001d9dc0d0a\"}\n"), "{told}");
}

#[test]
fn what_answers_nothing_is_kept_all_the_same() {
    // A command, then noise of the server.
    let command = "78780e8006000000014142000100014c8d0d0a";
    let told = witnessed(&format!("{LOGIN}\n< {command}\n< 48656c6c6f"));
    assert!(told.contains("< None command "), "{told}");
    assert!(told.ends_with("48656c6c6f\n"), "{told}");
}

#[test]
fn another_serial_is_another_answer() {
    // Under serial 2.
    let told = witnessed(&format!("{LOGIN}\n< 787805010002eb470d0a"));
    assert!(told.ends_with("< Some(0) ack 787805010002eb470d0a {\"ours\":\"787805010001d9dc0d0a\"}\n"), "{told}");
}

#[test]
fn an_answer_where_we_have_none_is_another_answer() {
    let seal = |body: &[u8]| hex(&encode::seal(encode::Start::Short, 0x94, body, 3));
    let (voltage, ack) = (seal(&[0, 0x04, 0xB0]), seal(&[]));
    let told = witnessed(&format!("{LOGIN}\n< 787805010001d9dc0d0a\n> {voltage}\n< {ack}"));
    let last = told.lines().last().unwrap();
    assert!(last.starts_with("< Some(1) ack ") && last.ends_with("{\"ours\":\"\"}"), "{told}");
}

#[test]
fn a_slow_answer_is_said_to_be_late() {
    let told = witnessed(&format!("{LOGIN}\n+ 2000\n< 787805010001d9dc0d0a"));
    assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0a\n"), "{told}");
    let told = witnessed(&format!("{LOGIN}\n+ 5300\n< 787805010001d9dc0d0a"));
    assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0a {\"late_ms\":5300}\n"), "{told}");
}

#[test]
fn what_was_lost_in_between_joins_nothing() {
    let (first, second) = LOGIN.split_at(12);
    let told = witnessed(&format!("{first}\n? \n> {}\n{LOGIN}", &second[4..]));
    assert!(told.starts_with("> 0 login 78780d0101\n"), "{told}");
    assert!(told.ends_with("login 78780d01012345678901234500018cdd0d0a\n"), "{told}");
}

#[test]
fn junk_ends_nothing() {
    let junk = "> ".to_owned() + &"55".repeat(70_000);
    let told = witnessed(&format!("{junk}\n{LOGIN}\n< 787805010001d9dc0d0a"));
    let bytes: usize = told.lines().filter_map(|line| line.split(" noise ").nth(1)).map(|hex| hex.len() / 2).sum();
    assert_eq!(bytes, 70_000, "every byte is told");
    assert!(told.contains(" login ") && told.contains(" ack "), "and what comes after it");
}
