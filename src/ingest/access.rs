//! Who may post to the OwnTracks receiver, and the secret that opens what phones encrypt.

use std::fmt;

use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;

use crate::wire::owntracks;

/// What a phone must know. Neither part is ever written to a log: `Debug` says only that it is set.
#[derive(Clone, Default)]
pub struct Access {
    /// `user:password` as HTTP Basic joins them. Once set, a request without them is as wrong as one with others.
    pub credentials: Option<String>,
    /// The secret of every phone that encrypts.
    pub key: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |part: &Option<String>| if part.is_some() { "set" } else { "none" };
        write!(f, "Access {{ credentials: {}, key: {} }}", set(&self.credentials), set(&self.key))
    }
}

impl Access {
    /// As `WAYGLASS_OWNTRACKS_AUTH` (`user:password`) and `WAYGLASS_OWNTRACKS_KEY` say (contract.md §4); an empty variable is not set.
    pub fn from_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self { credentials: set("WAYGLASS_OWNTRACKS_AUTH"), key: set("WAYGLASS_OWNTRACKS_KEY") }
    }

    /// True where these headers carry the credentials, or none are asked for. Compared in constant time.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(wanted) = &self.credentials else { return true };
        basic(headers).is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted.as_bytes())))
    }

    /// The secret that opens what phones encrypt. It is shared by all, so an empty answer goes out in the clear.
    pub(super) fn key(&self) -> Option<owntracks::Key<'_>> {
        self.key.as_deref().map(|secret| owntracks::Key { secret, nonce: None })
    }
}

/// The user of HTTP Basic credentials.
pub(super) fn basic_user(headers: &HeaderMap) -> Option<String> {
    basic(headers)?.split_once(':').map(|(user, _)| user.to_owned())
}

/// `user:password` of HTTP Basic credentials.
fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = text(headers, "authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()
}

/// A header as text: UTF-8, since apps write names that are not ASCII as they are.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
