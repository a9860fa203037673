//! HTTPS that phones accept: the user's own certificate, or one of a private authority that this program keeps.
//!
//! The authority's root is made once and stays, because a person installs it on each phone. The certificate that the port shows is made
//! anew at every start, every month, and whenever this machine gets another name or address; nobody has to do anything for that.

use std::{
    collections::BTreeSet,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use if_addrs::Interface;
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use ring::digest;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::certificate::Certificate;
use crate::model::{Clock, Timestamp};

/// Where the root can be fetched, as bytes (for phones) and as text.
pub(crate) const ROOT_DER_PATH: &str = "/wayglass-root.crt";
pub(crate) const ROOT_PEM_PATH: &str = "/wayglass-root.pem";

const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root-key.pem";

/// How long the port's certificate is good for; iPhones refuse more than 825 days.
const LEAF_DAYS: i64 = 397;
/// It is made anew after this long.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often names, addresses and files are looked at.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// A clock that is wrong by a day must not make a new certificate one of the future.
const LEEWAY_DAYS: i64 = 2;
const ROOT_YEARS: i16 = 20;

/// A certificate chain and its key, in PEM files of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why there is no HTTPS.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: {why}", .path.display())]
    Read { path: PathBuf, why: String },
    #[error("cannot write {}: {why}", .path.display())]
    Write { path: PathBuf, why: String },
    #[error("the certificate in {} and the key in {} cannot be used: {why}", .certificate.display(), .key.display())]
    Unfit { certificate: PathBuf, key: PathBuf, why: String },
    #[error("cannot make a certificate: {0}")]
    Make(String),
}

/// The root that phones must trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub pem: String,
    pub der: Vec<u8>,
    /// SHA-256 of the certificate as phones show it, `AB:CD:…`.
    pub fingerprint: String,
}

/// Keeps what the port of HTTPS needs.
pub struct Tls {
    folder: PathBuf,
    own: Option<CertificateFiles>,
    clock: Clock,
    ready: Mutex<Option<Ready>>,
    /// What the port shows. Apart from the rest, so that nobody who asks waits for one that is being made.
    shown: Mutex<Option<Certificate>>,
}

/// What was made or read last.
struct Ready {
    config: Arc<ServerConfig>,
    shown: Certificate,
    made: Timestamp,
    looked: Timestamp,
    source: Source,
}

/// What it was made of; other when it is to be made anew.
#[derive(PartialEq, Eq)]
enum Source {
    Names(BTreeSet<String>),
    Files([Option<SystemTime>; 2]),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("folder", &self.folder).field("own", &self.own).finish_non_exhaustive()
    }
}

impl Tls {
    /// `folder` is for the private authority; it is made when it is needed.
    pub fn new(folder: PathBuf, own: Option<CertificateFiles>, clock: Clock) -> Self {
        Self { folder, own, clock, ready: Mutex::default(), shown: Mutex::default() }
    }

    /// What a handshake needs now. Reads and writes files: not for a thread that others wait for. Once it has worked, a failure is only
    /// logged, and what was good stays.
    pub(crate) fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let now = (self.clock)();
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_mut() {
            // A clock that was set back must not keep us from looking.
            if now.duration_since(ready.looked).abs() < LOOK_EVERY {
                return Ok(Arc::clone(&ready.config));
            }
            ready.looked = now;
            let fresh = now.duration_since(ready.made).abs() < RENEW_AFTER || self.own.is_some();
            if fresh && ready.source == self.source() {
                return Ok(Arc::clone(&ready.config));
            }
        }
        match (self.make(now), ready.as_mut()) {
            (Ok(made), _) => {
                tracing::info!(names = ?made.shown.names, "a certificate for HTTPS is ready");
                let config = Arc::clone(&made.config);
                *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.shown.clone());
                *ready = Some(made);
                Ok(config)
            }
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "HTTPS goes on with the certificate it has");
                Ok(Arc::clone(&old.config))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// What the port shows; `None` before the first handshake could be made.
    pub(crate) fn shown(&self) -> Option<Certificate> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A certificate of the user's is used.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The root of the private authority, made where there is none; `None` with a certificate of the user's.
    pub(crate) fn root(&self) -> Result<Option<Root>, TlsError> {
        if self.own.is_some() {
            return Ok(None);
        }
        // Two who ask at once must not make two.
        let _ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        self.authority((self.clock)()).map(|authority| Some(authority.root))
    }

    /// The root, if it was made before.
    pub(crate) fn root_if_there(&self) -> Option<Root> {
        if self.own.is_some() {
            return None;
        }
        read_root(&fs::read_to_string(self.folder.join(ROOT_FILE)).ok()?)
    }

    fn source(&self) -> Source {
        match &self.own {
            Some(files) => {
                let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
                Source::Files([changed(&files.certificate), changed(&files.key)])
            }
            None => Source::Names(names()),
        }
    }

    fn make(&self, now: Timestamp) -> Result<Ready, TlsError> {
        let source = self.source();
        let (chain, key, shown) = match (&self.own, &source) {
            (Some(files), _) => {
                let (chain, key) = read_files(files)?;
                let shown = chain.first().and_then(|first| Certificate::read(first)).unwrap_or_default();
                (chain, key, shown)
            }
            (None, Source::Names(names)) => self.authority(now)?.issue(names, now)?,
            (None, Source::Files(_)) => return Err(TlsError::Make("there are no names".to_owned())),
        };
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| match &self.own {
                Some(files) => TlsError::Unfit {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                    why: error.to_string(),
                },
                None => TlsError::Make(error.to_string()),
            });
        let mut config = config?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Ready { config: Arc::new(config), shown, made: now, looked: now, source })
    }

    /// Reads the private authority, or makes it.
    fn authority(&self, now: Timestamp) -> Result<Authority, TlsError> {
        let (root_path, key_path) = (self.folder.join(ROOT_FILE), self.folder.join(ROOT_KEY_FILE));
        let read = |path: &Path| match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TlsError::Read { path: path.to_owned(), why: error.to_string() }),
        };
        if let (Some(pem), Some(key)) = (read(&root_path)?, read(&key_path)?) {
            let unfit = |why: &str| TlsError::Read { path: root_path.clone(), why: why.to_owned() };
            let key = KeyPair::from_pem(&key).map_err(|e| unfit(&e.to_string()))?;
            let root = read_root(&pem).ok_or_else(|| unfit("it is no certificate"))?;
            return Ok(Authority { root, key });
        }
        let key = KeyPair::generate().map_err(|e| TlsError::Make(e.to_string()))?;
        let today = date(now);
        let mut params = authority_params(&key);
        set_days(&mut params, today, Date::new(today.year() + ROOT_YEARS, today.month(), 1).unwrap_or(today));
        let pem = params.self_signed(&key).map_err(|e| TlsError::Make(e.to_string()))?.pem();
        let root = read_root(&pem).ok_or_else(|| TlsError::Make("what was made is no certificate".to_owned()))?;
        let write = |path: &Path, text: &str| {
            write_private(path, text).map_err(|e| TlsError::Write { path: path.to_owned(), why: e.to_string() })
        };
        make_private_folder(&self.folder)
            .map_err(|e| TlsError::Write { path: self.folder.clone(), why: e.to_string() })?;
        // The key first: a root without its key would be shown and be of no use.
        write(&key_path, &key.serialize_pem())?;
        write(&root_path, &pem)?;
        tracing::info!(fingerprint = root.fingerprint, "a private certificate authority was made");
        Ok(Authority { root, key })
    }
}

/// The private authority.
struct Authority {
    root: Root,
    key: KeyPair,
}

impl Authority {
    /// A fresh certificate for these names, with the root behind it.
    fn issue(
        self,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, Certificate), TlsError> {
        let failed = |error: rcgen::Error| TlsError::Make(error.to_string());
        let today = date(now);
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>()).map_err(failed)?;
        set_days(&mut params, today, later(today, LEAF_DAYS));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Wayglass");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = Issuer::new(authority_params(&self.key), self.key);
        let leaf = params.signed_by(&key, &issuer).map_err(failed)?;
        let chain = vec![leaf.der().clone(), CertificateDer::from(self.root.der)];
        let shown = Certificate::read(leaf.der()).unwrap_or_default();
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| TlsError::Make(e.to_owned()))?;
        Ok((chain, key, shown))
    }
}

/// What a root is called and allowed; the same for one key each time, so that the certificates it signs fit the root that was installed.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let [a, b, c, d, ..] = sha256(key.public_key_raw());
    let mark = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Wayglass private authority {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn read_root(pem: &str) -> Option<Root> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?.to_vec();
    let bytes: Vec<_> = sha256(&der).iter().map(|b| format!("{b:02X}")).collect();
    Some(Root { pem: pem.to_owned(), der, fingerprint: bytes.join(":") })
}

impl CertificateFiles {
    /// What the certificate says of itself. Reads the files, and finds out whether they go together.
    pub(crate) fn examine(&self) -> Result<Certificate, TlsError> {
        let tls = Tls::new(PathBuf::new(), Some(self.clone()), Arc::new(|| Timestamp::UNIX_EPOCH));
        Ok(tls.make(Timestamp::UNIX_EPOCH)?.shown)
    }
}

fn read_files(files: &CertificateFiles) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let failed = |path: &Path, why: String| TlsError::Read { path: path.to_owned(), why };
    let path = &files.certificate;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain = chain.map_err(|e| failed(path, e.to_string()))?;
    if chain.is_empty() {
        return Err(failed(path, "there is no certificate in it; a PEM file is wanted".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| failed(&files.key, e.to_string()))?;
    Ok((chain, key))
}

/// Under what this machine may be reached: its name, its name in the local network, its addresses.
fn names() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let host = gethostname::gethostname().to_string_lossy().to_ascii_lowercase();
    let is_name = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if host.len() <= 200 && host.split('.').all(is_name) {
        if !host.contains('.') {
            names.insert(format!("{host}.local"));
        }
        names.insert(host);
    }
    let addresses = if_addrs::get_if_addrs().unwrap_or_default();
    names.extend(
        addresses.iter().filter(|i| !i.is_link_local()).map(Interface::ip).filter(is_stable).map(|ip| ip.to_string()),
    );
    names
}

/// Addresses that last: a privacy address of IPv6 changes daily, and nobody types it into a phone.
fn is_stable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

fn date(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn later(day: Date, days: i64) -> Date {
    day.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(day)
}

/// From a little before `first` to `last`.
fn set_days(params: &mut CertificateParams, first: Date, last: Date) {
    let moment = |day: Date| {
        let [month, of_month] = [day.month(), day.day()].map(|n| u8::try_from(n).unwrap_or(1));
        date_time_ymd(i32::from(day.year()), month, of_month)
    };
    params.not_before = moment(later(first, -LEEWAY_DAYS));
    params.not_after = moment(last);
}

fn sha256(bytes: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that nobody but its owner reads; whole or not at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn clock(hour: &Arc<AtomicI64>) -> Clock {
        let hour = Arc::clone(hour);
        Arc::new(move || Timestamp::from_second(1_795_000_000 + hour.load(Ordering::Relaxed) * 3600).unwrap())
    }

    #[test]
    fn the_root_stays_and_the_certificate_is_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let hour = Arc::new(AtomicI64::new(0));
        let tls = Tls::new(folder.path().join("tls"), None, clock(&hour));
        assert_eq!(tls.root_if_there(), None);
        let first = tls.config().unwrap();
        let root = tls.root().unwrap().expect("a private one");
        assert!(Arc::ptr_eq(&first, &tls.config().unwrap()));
        let ends = tls.shown().unwrap().ends;
        hour.store(31 * 24, Ordering::Relaxed);
        assert!(!Arc::ptr_eq(&first, &tls.config().unwrap()));
        assert!(tls.shown().unwrap().ends > ends);
        assert_eq!(tls.root_if_there().as_ref(), Some(&root));
        // Another start of the program.
        let again = Tls::new(folder.path().join("tls"), None, clock(&hour));
        again.config().unwrap();
        assert_eq!(again.root().unwrap().as_ref(), Some(&root));
        assert!(again.shown().unwrap().names.contains(&"127.0.0.1".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::new(folder.path().join("tls"), None, clock(&Arc::default()));
        tls.root().unwrap();
        let mode = fs::metadata(folder.path().join("tls").join(ROOT_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["a.pem", "b.pem"].map(|name| folder.path().join(name));
        let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
        let tls = Tls::new(folder.path().join("tls"), Some(files), clock(&Arc::default()));
        let said = tls.config().unwrap_err().to_string();
        assert!(said.contains("a.pem"), "{said}");
        fs::write(&certificate, "nothing").unwrap();
        fs::write(&key, "nothing").unwrap();
        assert!(tls.config().unwrap_err().to_string().contains("no certificate"), "{}", tls.config().unwrap_err());
        assert_eq!(tls.root().unwrap(), None);
    }
}
