//! Who may post to the OwnTracks receiver, and the secrets that open what phones encrypt.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::password;
use crate::{
    model::{DeviceId, Identity, Login, PhoneBook, Secret},
    wire::owntracks,
};

/// Passwords that are known to be right; when there are more, all are checked anew.
const MOST_KNOWN: usize = 4096;
/// Checks of passwords at once: each takes a processor for a while, and wrong ones come from anybody.
const CHECKS_AT_ONCE: usize = 2;
/// Encrypted bodies up to this size are tried with every key, where nothing tells whose they are.
const TRY_ALL_BYTES: usize = 64 << 10;
const TRY_ALL_KEYS: usize = 256;

/// What every phone must know. Neither part is ever written to a log: `Debug` says only that it is set.
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
}

/// Credentials of HTTP Basic as they came.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Basic {
    pub(super) user: String,
    password: String,
}

impl Basic {
    /// The first colon ends the user name; a password may have more.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let (scheme, credentials) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let told = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (user, password) = told.split_once(':')?;
        Some(Self { user: user.to_owned(), password: password.to_owned() })
    }
}

/// As whom a request has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignedIn {
    /// With the credentials of all: as anybody.
    Anybody,
    /// With passwords that were set here; more than one where the same user has several.
    With(Vec<Login>),
    /// Not at all; `given`: there were credentials.
    No { given: bool },
}

/// Why a request may not report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Barred {
    WrongCredentials {
        given: bool,
    },
    /// Signed in, but as somebody else.
    NotTheirs,
}

/// The secret that opened a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opener {
    pub(super) secret: Secret,
    /// It is the one of all phones.
    pub(super) shared: bool,
}

/// Checks who comes, and remembers which passwords were right.
pub(crate) struct Gate {
    shared: Access,
    /// Salted digests of hash and password, so that no request after the first costs a slow hash.
    known: Mutex<HashSet<[u8; digest::SHA256_OUTPUT_LEN]>>,
    /// `None` where the system gives no chance: then nothing is remembered.
    salt: Option<[u8; 32]>,
    checks: Semaphore,
}

impl Gate {
    pub(crate) fn new(shared: Access) -> Self {
        Self { shared, known: Mutex::default(), salt: password::random(), checks: Semaphore::new(CHECKS_AT_ONCE) }
    }

    /// The secret of all phones.
    pub(super) fn shared_key(&self) -> Option<Secret> {
        self.shared.key.clone().and_then(Secret::new)
    }

    /// True where everybody must sign in and there is but one way to.
    pub(super) fn closed_to(&self, headers: &HeaderMap, book: &PhoneBook) -> bool {
        self.shared.credentials.is_some() && book.logins.is_empty() && !self.is_shared(Basic::of(headers).as_ref())
    }

    fn is_shared(&self, given: Option<&Basic>) -> bool {
        let (Some(wanted), Some(given)) = (&self.shared.credentials, given) else { return false };
        let given = format!("{}:{}", given.user, given.password);
        bool::from(given.as_bytes().ct_eq(wanted.as_bytes()))
    }

    /// Finds out as whom a request signs in.
    pub(super) async fn sign_in(&self, given: Option<&Basic>, book: &PhoneBook) -> SignedIn {
        if self.is_shared(given) {
            return SignedIn::Anybody;
        }
        let Some(given) = given else { return SignedIn::No { given: false } };
        let mut right = Vec::new();
        for login in book.logins.iter().filter(|login| login.is_user(&given.user)) {
            if self.fits(&login.hash, &given.password).await {
                right.push(login.clone());
            }
        }
        if right.is_empty() { SignedIn::No { given: true } } else { SignedIn::With(right) }
    }

    /// Whether somebody who signed in like this may report under all of these names. Without a name it is nobody's.
    pub(super) fn may_report(&self, who: &SignedIn, names: &[Identity], book: &PhoneBook) -> Result<(), Barred> {
        match who {
            SignedIn::Anybody => Ok(()),
            SignedIn::With(logins) => {
                let fine = |name: &Identity| logins.iter().any(|login| book.may_report(login, name));
                if names.iter().all(fine) { Ok(()) } else { Err(Barred::NotTheirs) }
            }
            SignedIn::No { given } => {
                let guarded = self.shared.credentials.is_some()
                    || names.iter().any(|name| book.is_guarded(Some(name)))
                    || (names.is_empty() && book.is_guarded(None));
                if guarded { Err(Barred::WrongCredentials { given: *given }) } else { Ok(()) }
            }
        }
    }

    async fn fits(&self, hash: &Secret, password: &str) -> bool {
        let mark = self.salt.map(|salt| {
            let mut context = digest::Context::new(&digest::SHA256);
            for part in [&salt[..], hash.reveal().as_bytes(), &[0], password.as_bytes()] {
                context.update(part);
            }
            let mut mark = [0; digest::SHA256_OUTPUT_LEN];
            mark.copy_from_slice(context.finish().as_ref());
            mark
        });
        if mark.is_some_and(|mark| self.known().contains(&mark)) {
            return true;
        }
        // An error means that the semaphore is closed, which nobody does.
        let _turn = self.checks.acquire().await.ok();
        // Others with the same password may have waited for the same check.
        if mark.is_some_and(|mark| self.known().contains(&mark)) {
            return true;
        }
        let (hash, password) = (hash.clone(), password.to_owned());
        let right = tokio::task::spawn_blocking(move || password::verify(&hash, &password)).await.unwrap_or_default();
        if let Some(mark) = mark.filter(|_| right) {
            let mut known = self.known();
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(mark);
        }
        right
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; digest::SHA256_OUTPUT_LEN]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that opens this request: its sender's, the one of all, else any that fits. Also whether its sender has one.
    pub(super) fn opener(&self, request: &owntracks::Request<'_>, book: &PhoneBook) -> (Option<Opener>, bool) {
        if book.keys.is_empty() && self.shared.key.is_none() {
            return (None, false);
        }
        let own: Vec<&Secret> = owntracks::called(request)
            .iter()
            .filter_map(|name| book.find(name).or_else(|| book.find(&Identity::new(format!("owntracks/{name}"))?)))
            .filter_map(|device| book.keys.get(&device))
            .collect();
        let shared = self.shared_key();
        let mut secrets: Vec<&Secret> = own.clone();
        secrets.extend(shared.as_ref());
        if own.is_empty() && request.body.len() <= TRY_ALL_BYTES {
            secrets.extend(book.keys.values().take(TRY_ALL_KEYS));
        }
        let fitting = owntracks::fitting(request.body, secrets.iter().map(|secret| secret.reveal()));
        let found = fitting.and_then(|text| secrets.iter().find(|secret| secret.reveal() == text));
        let opener = found.map(|secret| {
            let is_own = book.keys.values().any(|key| key == *secret);
            Opener { secret: (*secret).clone(), shared: !is_own }
        });
        (opener, !own.is_empty() || shared.is_some())
    }
}

/// Whether what a device is told may go out in the clear.
pub(super) fn speaks_openly(device: DeviceId, book: &PhoneBook) -> bool {
    !book.keys.contains_key(&device)
}

/// The book as it is now.
pub(super) type Book = Arc<PhoneBook>;

/// A header as text: UTF-8, since apps write names that are not ASCII as they are.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
