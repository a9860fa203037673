//! HTTPS for phones, with curl as a client that knows nothing but the root certificate.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use wayglass::{
    backend::{Access, Https, ListenAt, ReceiverStatus, phones::PhoneUrl},
    model::Policy,
};

use super::support::{SOON, Station, http};

const FIX: &str =
    r#"{"_type":"location","lat":48.85833,"lon":2.29513,"tst":1700000000,"tid":"JJ","topic":"owntracks/jane/phone"}"#;

fn free() -> ListenAt {
    ListenAt::Address("127.0.0.1:0".parse().unwrap())
}

fn secure_station() -> (Station, SocketAddr) {
    let https = Https { listen: free(), certificate: None };
    let station = Station::start_secure(tempfile::tempdir().unwrap(), Policy::Adopt, Access::default(), https);
    let at = listening(&station);
    (station, at)
}

fn listening(station: &Station) -> SocketAddr {
    match station.backend().https().unwrap().status {
        ReceiverStatus::Listening(at) => at,
        other => panic!("HTTPS does not listen: {other:?}"),
    }
}

/// Posts with curl; `None` where there is no curl to try with.
fn curl(to: &str, root: Option<&Path>, body: &str) -> Option<(bool, String)> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time"]).arg(SOON.as_secs().to_string());
    if let Some(root) = root {
        command.arg("--cacert").arg(root);
    }
    let done = command.args(["--data", body, to]).output();
    match done {
        Ok(done) => {
            let said = [done.stdout, done.stderr].concat();
            Some((done.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("curl does not start: {error}"),
    }
}

#[test]
fn a_client_that_trusts_the_root_is_answered_and_stored() {
    let (station, at) = secure_station();
    let root = station.folder.path().join("fetched.pem");
    let fetched = http(station.owntracks, "GET", "/wayglass-root.pem", "", b"");
    assert_eq!(fetched.status, 200);
    fs::write(&root, &fetched.body).unwrap();
    for (host, second) in [("127.0.0.1", "1700000001"), ("localhost", "1700000002")] {
        let body = FIX.replace("1700000000", second);
        let Some((done, said)) = curl(&format!("https://{host}:{}/pub", at.port()), Some(&root), &body) else { return };
        assert!(done && said == "[]", "{said}");
    }
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 2);
    // The same receiver without TLS goes on beside it.
    assert_eq!(http(station.owntracks, "POST", "/", "", FIX.as_bytes()).status, 200);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 3);
}

#[test]
fn a_client_without_the_root_goes_away_and_it_is_seen_why() {
    let (station, at) = secure_station();
    let Some((done, _)) = curl(&format!("https://{at}/"), None, FIX) else { return };
    assert!(!done);
    station.until("the failed handshake", |s| {
        s.backend().visits().iter().any(|v| format!("{:?}", v.outcome).contains("does not trust the certificate"))
    });
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 0);
}

#[test]
fn plain_http_at_the_port_of_https_is_no_redirect_and_no_end() {
    let (station, at) = secure_station();
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));
    station.until("the visit", |s| {
        s.backend().visits().iter().any(|v| format!("{:?}", v.outcome).contains("does not speak HTTPS"))
    });
    let pem = http(station.owntracks, "GET", "/wayglass-root.pem", "", b"");
    assert_eq!(pem.status, 200);
}

#[test]
fn the_root_outlives_a_restart() {
    let (station, _) = secure_station();
    let root = station.backend().certificate().wait().unwrap().root.expect("a private authority");
    let folder = station.stop();
    let https = Https { listen: free(), certificate: None };
    let again = Station::start_secure(folder, Policy::Adopt, Access::default(), https);
    let certificate = again.backend().certificate().wait().unwrap();
    assert_eq!(certificate.root.as_ref(), Some(&root));
    assert!(certificate.names.contains(&"localhost".to_owned()), "{:?}", certificate.names);
    assert!(certificate.root_url.unwrap().ends_with("/wayglass-root.crt"));
}

#[test]
fn the_users_own_certificate_is_shown_instead() {
    // One that this program made elsewhere stands in for any.
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("chain.pem");
    let key_file = folder.path().join("key.pem");
    fs::write(&certificate, made.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let own = wayglass::backend::CertificateFiles { certificate: certificate.clone(), key: key_file };
    let https = Https { listen: free(), certificate: Some(own) };
    let data = tempfile::tempdir().unwrap();
    let station = Station::start_secure(data, Policy::Adopt, Access::default(), https);
    let at = listening(&station);
    assert_eq!(station.backend().certificate().wait().unwrap().root, None);
    assert_eq!(http(station.owntracks, "GET", "/wayglass-root.pem", "", b"").status, 405);
    let Some((done, said)) = curl(&format!("https://{at}/"), Some(&certificate), FIX) else { return };
    assert!(done && said == "[]", "{said}");
}

#[test]
fn a_certificate_that_is_missing_is_said_and_the_rest_runs() {
    let own =
        wayglass::backend::CertificateFiles { certificate: "/nowhere/c.pem".into(), key: "/nowhere/k.pem".into() };
    let https = Https { listen: free(), certificate: Some(own) };
    let station = Station::start_secure(tempfile::tempdir().unwrap(), Policy::Adopt, Access::default(), https);
    match station.backend().https().unwrap().status {
        ReceiverStatus::Waiting { error, .. } => assert!(error.contains("/nowhere/c.pem"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(http(station.owntracks, "POST", "/", "", FIX.as_bytes()).status, 200);
}

#[test]
fn https_is_turned_on_and_off_while_it_runs() {
    let station = Station::start(Policy::Adopt);
    assert_eq!(http(station.owntracks, "GET", "/wayglass-root.crt", "", b"").status, 405);
    station.backend().listen_https(free());
    station.until("HTTPS listens", |s| matches!(s.backend().https().unwrap().status, ReceiverStatus::Listening(_)));
    let best: PhoneUrl = station.backend().phone_urls().into_iter().next().unwrap();
    assert!(best.secure && !best.from_network && best.url.starts_with("https://127.0.0.1:"), "{best:?}");
    assert_eq!(http(station.owntracks, "GET", "/wayglass-root.crt", "", b"").status, 200);
    station.backend().listen_https(ListenAt::Off);
    station.until("HTTPS is off", |s| s.backend().https().unwrap().status == ReceiverStatus::Off);
    assert!(station.backend().phone_urls().iter().all(|url| !url.secure));
}
