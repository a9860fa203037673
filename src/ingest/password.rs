//! Passwords as salted hashes, and secrets fresh from the system's source of chance.

use std::num::NonZeroU32;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use ring::{
    digest, pbkdf2,
    rand::{SecureRandom, SystemRandom},
};

use crate::model::Secret;

/// What begins every hash that this program writes: the way it was made.
const SCHEME: &str = "pbkdf2-sha256";
/// Rounds of a new hash; a quarter of a second or less, once for each phone and run of the program.
const ROUNDS: u32 = 600_000;
/// More rounds than this were not written by us, and would be a way to stop the receiver.
const MOST_ROUNDS: u32 = 10_000_000;
const SALT_BYTES: usize = 16;

/// Letters and digits that nobody confuses on a phone's keyboard.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The salted hash of a password. Takes a quarter of a second: not for a thread that others wait for.
pub fn hash(password: &str) -> Option<Secret> {
    let salt: [u8; SALT_BYTES] = random()?;
    let rounds = NonZeroU32::new(ROUNDS)?;
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut out);
    let [salt, out] = [&salt[..], &out[..]].map(|bytes| BASE64_STANDARD_NO_PAD.encode(bytes));
    Secret::new(format!("{SCHEME}${ROUNDS}${salt}${out}"))
}

/// True where the password is the one behind the hash. Compared in constant time; as slow as [`hash`].
pub(super) fn verify(hash: &Secret, password: &str) -> bool {
    let mut parts = hash.reveal().split('$');
    let (Some(SCHEME), Some(rounds), Some(salt), Some(told), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let rounds = rounds.parse::<u32>().ok().filter(|n| *n <= MOST_ROUNDS).and_then(NonZeroU32::new);
    let [salt, told] = [salt, told].map(|text| BASE64_STANDARD_NO_PAD.decode(text).ok());
    match (rounds, salt, told) {
        (Some(rounds), Some(salt), Some(told)) => {
            pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &told).is_ok()
        }
        _ => false,
    }
}

/// A fresh password of 16 characters: 80 bits of chance, and easy to type. `None`: the system gives no chance.
pub fn fresh() -> Option<String> {
    let bytes: [u8; 16] = random()?;
    // Every value of five bits is one character.
    Some(bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b & 31))).map(|b| char::from(*b)).collect())
}

/// Bytes that nobody can foresee. `None`: the system gives none.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_and_no_other() {
        let [one, two] = ["pass:wörd", "pass:wörd"].map(|p| hash(p).expect("chance"));
        assert_ne!(one.reveal(), two.reveal(), "salted");
        assert!(verify(&one, "pass:wörd") && verify(&two, "pass:wörd"));
        assert!(!verify(&one, "pass:word") && !verify(&one, ""));
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for text in ["x", "pbkdf2-sha256$0$$", "pbkdf2-sha256$4000000000$YQ$YQ", "pbkdf2-sha256$1$YQ$!", "plain$1$a$b"]
        {
            assert!(!verify(&Secret::new(text).expect("not empty"), "x"), "{text}");
        }
    }

    #[test]
    fn fresh_passwords_differ_and_are_easy_to_type() {
        let (one, two) = (fresh().expect("chance"), fresh().expect("chance"));
        assert_ne!(one, two);
        assert!(one.len() == 16 && one.bytes().all(|b| ALPHABET.contains(&b)), "{one}");
    }
}
