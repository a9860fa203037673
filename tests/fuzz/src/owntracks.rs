//! Any body is answered with JSON, named to the last byte, and means the same when it is read again from the store.

use base64::{Engine, prelude::BASE64_STANDARD};
use crypto_secretbox::{KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};

use crate::{
    budget, check,
    model::{Protocol, Report, Verdict},
    now,
    script::Script,
    wire::{
        Line,
        owntracks::{self, Exchange, Key, NONCE_BYTES, Request},
    },
};

/// The receiver has the key.
pub const KEYED: u8 = 1;
/// The rest of the input is what a phone with that key encrypts.
pub const SEALED: u8 = 2;
/// The receiver's key is another one.
pub const OTHER_KEY: u8 = 4;
/// The answer is encrypted, too.
pub const NONCE: u8 = 8;
/// The request has `X-Limit-U` and `X-Limit-D`.
pub const LIMITS: u8 = 16;
/// It has a user.
pub const USER: u8 = 32;
/// It has a query, which stands behind its length.
pub const QUERY: u8 = 64;

/// Bytes that reading may take at its peak, for each byte of the body, and beside them.
const BYTES_PER_BYTE: usize = 2048;
const BYTES_BESIDE: usize = 64 * 1024;
const SECRET: &str = "mysecreTpass01";

/// See the module.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let flags = script.byte();
    let has = |flag: u8| flags & flag != 0;
    let names = ["jane", "user", "", "ja/ne", "üñí", "u"];
    let name = |n: u8| names.get(usize::from(n) % names.len()).copied();
    let pick = script.byte();
    let query = has(QUERY).then(|| String::from_utf8_lossy(script.counted()).into_owned());
    let body = if has(SEALED) { sealed(script.0) } else { script.0.to_vec() };
    let secret = has(KEYED).then_some(if has(OTHER_KEY) { "another" } else { SECRET });
    let key = secret.map(|secret| Key { secret, nonce: has(NONCE).then_some([7; NONCE_BYTES]) });
    let request = Request {
        method: "POST",
        path: "/pub",
        query: query.as_deref(),
        limit_user: has(LIMITS).then(|| name(pick)).flatten(),
        limit_device: has(LIMITS).then(|| name(pick / 8)).flatten(),
        basic_user: has(USER).then(|| name(pick / 64)).flatten(),
        body: &body,
    };
    let line = Line { peer: "192.0.2.1:1".into(), connection: 1 };
    let limit = BYTES_BESIDE + BYTES_PER_BYTE * body.len() + 16 * data.len();
    let exchange = budget::within(limit, || owntracks::receive(&line, &request, key.as_ref(), now()));
    answer(&exchange, secret, &body);

    let context = exchange.packet.context.as_deref();
    serde_json::from_str::<serde_json::Map<_, _>>(context.unwrap_or_default()).expect("context is an object");
    let kept = budget::within(limit, || owntracks::dissect_kept(&body, context, secret, now()));
    check::dissection(Protocol::OwnTracks, &body, &kept);
    assert_eq!(kept.reports, exchange.packet.reports, "read again it tells something else");
    assert_eq!((&kept.kind, kept.verdict()), (&exchange.packet.kind, exchange.packet.verdict));
    for secret in [None, Some(SECRET)] {
        let alone = budget::within(limit, || owntracks::dissect_with(&body, secret, now()));
        check::dissection(Protocol::OwnTracks, &body, &alone);
    }
}

fn answer(exchange: &Exchange, secret: Option<&str>, body: &[u8]) {
    let Exchange { packet, status, reply, problems } = exchange;
    assert_eq!(packet.bytes, body);
    assert_eq!(packet.verdict, Verdict::of(problems));
    let answer: serde_json::Value = serde_json::from_slice(reply).expect("answers are JSON");
    match status {
        200 => {
            assert_eq!(packet.replies.first().map(|r| &r.bytes), Some(reply));
            assert!(answer.is_array() || (answer["_type"] == "encrypted" && secret.is_some()));
        }
        400 => {
            assert!(packet.replies.is_empty() && answer["error"].is_string());
            assert_eq!(packet.verdict, Verdict::Error);
        }
        other => panic!("status {other}"),
    }
    let fixes = packet.reports.iter().filter(|r: &&Report| r.fix.is_some()).count();
    assert!(fixes <= body.len() / 20 + 1, "{fixes} fixes of {} bytes", body.len());
}

/// As a phone sends it.
pub fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut key = [0; 32];
    key.iter_mut().zip(SECRET.bytes()).for_each(|(to, from)| *to = from);
    let nonce = [3; NONCE_BYTES];
    let boxed = XSalsa20Poly1305::new(&key.into()).encrypt(&Nonce::from(nonce), plain).expect("far below the limit");
    let data = BASE64_STANDARD.encode([&nonce[..], &boxed].concat());
    format!(r#"{{"_type":"encrypted","data":"{data}"}}"#).into_bytes()
}
