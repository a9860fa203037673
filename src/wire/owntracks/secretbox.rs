//! OwnTracks encryption: libsodium's secretbox, XSalsa20-Poly1305 (owntracks.md §4).

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use crypto_secretbox::{Key as BoxKey, KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};

/// Random bytes that begin every box.
pub const NONCE_BYTES: usize = 24;
/// Bytes of the authenticator that stands before the ciphertext.
pub(super) const MAC_BYTES: usize = 16;

/// Padding may be missing (owntracks.md §4).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The secret of a phone, and fresh random bytes for the answer it may need.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The secret as the user typed it; only its first 32 bytes count.
    pub secret: &'a str,
    /// Must never be the same for two answers under one secret. `None` answers an empty array in the clear: there is nothing in it
    /// to hide, and scripts that share one secret through the environment read it as it is.
    pub nonce: Option<[u8; NONCE_BYTES]>,
}

/// Why a box stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    NoKey,
    NotBase64,
    /// Fewer bytes than nonce and authenticator take.
    TooShort(usize),
    /// Another secret, or the bytes were changed on the way.
    Refused,
}

/// The text inside `data`.
pub(super) fn open(secret: &str, data: &str) -> Result<Vec<u8>, Closed> {
    let raw = BASE64.decode(data.trim_end()).map_err(|_| Closed::NotBase64)?;
    let (nonce, sealed) = raw.split_first_chunk::<NONCE_BYTES>().ok_or(Closed::TooShort(raw.len()))?;
    if sealed.len() < MAC_BYTES {
        return Err(Closed::TooShort(raw.len()));
    }
    cipher(secret).decrypt(&Nonce::from(*nonce), sealed).map_err(|_| Closed::Refused)
}

/// What `data` holds before any key is tried: `Err` where no key could open it.
pub(super) fn check(data: &str) -> Result<(), Closed> {
    let raw = BASE64.decode(data.trim_end()).map_err(|_| Closed::NotBase64)?;
    if raw.len() < NONCE_BYTES + MAC_BYTES { Err(Closed::TooShort(raw.len())) } else { Ok(()) }
}

/// An `encrypted` message whose plaintext is `plain`.
pub(super) fn seal(secret: &str, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
    let sealed = cipher(secret).encrypt(&Nonce::from(*nonce), plain).expect("a reply is far below the limit");
    let data = BASE64.encode([&nonce[..], &sealed].concat());
    serde_json::json!({ "_type": "encrypted", "data": data }).to_string().into_bytes()
}

/// No derivation: the bytes of the secret, cut or filled with zeros to 32.
fn cipher(secret: &str) -> XSalsa20Poly1305 {
    let mut key = [0; 32];
    key.iter_mut().zip(secret.bytes()).for_each(|(to, from)| *to = from);
    XSalsa20Poly1305::new(&BoxKey::from(key))
}
