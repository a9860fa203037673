//! HTTPS for phones, with curl as a client that knows nothing but the root certificate.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use wayglass::{
    backend::{Access, Https, ListenAt, NoHandshake, Outcome, PacketQuery, ReceiverStatus, phones::PhoneUrl},
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
    station.until("the failed handshake", |s| came_to_nothing(s).contains(&NoHandshake::NotTrusted));
    kept_as_noise(&station, "no HTTPS connection: it does not trust the certificate: Install the root certificate");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 0);
}

/// Why visits to the port of HTTPS came to nothing.
fn came_to_nothing(station: &Station) -> Vec<NoHandshake> {
    let visits = station.backend().visits().into_iter();
    visits.filter_map(|v| if let Outcome::NoHandshake(why) = v.outcome { Some(why) } else { None }).collect()
}

fn kept_as_noise(station: &Station, problem: &str) {
    station.until("it is kept", |s| s.sql::<i64>("SELECT count(*) FROM packets WHERE kind = 'noise'") == 1);
    let packets = station.backend().packets(PacketQuery { limit: 9, ..PacketQuery::default() }).wait().unwrap();
    let row = packets.iter().find(|row| row.kind == "noise").expect("just counted");
    assert!(!row.bytes.is_empty());
    let dissection = wayglass::wire::dissect_kept(row, &wayglass::model::Profile::default());
    assert!(dissection.problems[0].text.starts_with(problem), "{:?}", dissection.problems);
}

#[test]
fn whoever_goes_away_behind_the_handshake_is_seen_too() {
    let (station, at) = secure_station();
    let root = station.folder.path().join("root.pem");
    fs::write(&root, station.backend().certificate().wait().unwrap().root.unwrap().pem).unwrap();
    // The certificate does not name this host.
    let Some((done, said)) = curl(&format!("https://127.0.0.2:{}/", at.port()), Some(&root), FIX) else { return };
    assert!(!done, "{said}");
    let closed = matches!(
        came_to_nothing(&station).first(),
        None | Some(NoHandshake::LeftAtOnce | NoHandshake::NotTrusted | NoHandshake::BrokeOff)
    );
    assert!(closed, "{:?}", came_to_nothing(&station));
    TcpStream::connect(at).unwrap();
    station.until("who says nothing", |s| came_to_nothing(s).contains(&NoHandshake::Silent));
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
    station.until("the visit", |s| came_to_nothing(s) == [NoHandshake::PlainHttp]);
    kept_as_noise(
        &station,
        "no HTTPS connection: it speaks plain HTTP there, not HTTPS: Let the address on the phone begin",
    );
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
    let shown = station.backend().certificate().wait().unwrap();
    assert_eq!((shown.root, shown.names), (None, vec!["127.0.0.1".to_owned()]));
    assert!(shown.ends.is_some() && shown.doubts.is_empty(), "{:?}", shown.doubts);
    assert_eq!(http(station.owntracks, "GET", "/wayglass-root.pem", "", b"").status, 405);
    let Some((done, said)) = curl(&format!("https://{at}/"), Some(&certificate), FIX) else { return };
    assert!(done && said == "[]", "{said}");
}

/// A certificate of the user's in a folder, good for `names` until the first of `until`.
fn own_certificate(folder: &Path, names: &[&str], until: i32) -> wayglass::backend::CertificateFiles {
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<_> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let made = params.self_signed(&key).unwrap();
    let [certificate, key_file] = ["chain.pem", "key.pem"].map(|name| folder.join(name));
    fs::write(&certificate, made.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    wayglass::backend::CertificateFiles { certificate, key: key_file }
}

#[test]
fn a_certificate_that_has_expired_is_said_where_it_is_shown_and_by_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let own = own_certificate(folder.path(), &["phones.example.net"], 2024);
    let https = Https { listen: free(), certificate: Some(own.clone()) };
    let station = Station::start_secure(tempfile::tempdir().unwrap(), Policy::Adopt, Access::default(), https);
    let shown = station.backend().certificate().wait().unwrap();
    let said: Vec<_> = shown.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["it has expired on 2024-01-01 00:00 UTC: phones refuse it"]);
    let data = tempfile::tempdir().unwrap();
    let doctor = |own: &wayglass::backend::CertificateFiles| {
        let config = data.path().join("config.toml");
        let [certificate, key] = [&own.certificate, &own.key].map(|path| path.display());
        let text = format!(
            "https = '0.0.0.0:0'\nhttps_certificate = '{certificate}'\nhttps_key = '{key}'\ngt06 = 'off'\nowntracks = 'off'\n"
        );
        fs::write(&config, text).unwrap();
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_wayglass"));
        let done =
            doctor.arg("doctor").arg("--config").arg(config).arg("--data-dir").arg(data.path()).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (ok, said) = doctor(&own);
    assert!(!ok && said.contains("it has expired on 2024-01-01"), "{said}");
    let (ok, said) = doctor(&own_certificate(folder.path(), &["phones.example.net"], 2099));
    assert!(ok && said.contains("is good until 2099-01-01 for phones.example.net"), "{said}");
    let (ok, said) = doctor(&own_certificate(folder.path(), &["*.example.net"], 2099));
    let reached = !wayglass::backend::lan_addresses().is_empty();
    assert_eq!(!ok && said.contains("it is good for *.example.net, so phones that are told"), reached, "{said}");
}

#[test]
fn phones_are_told_the_name_that_an_own_certificate_is_good_for() {
    let folder = tempfile::tempdir().unwrap();
    let own = own_certificate(folder.path(), &["phones.example.net", "*.example.org"], 2099);
    let https = Https { listen: free(), certificate: Some(own) };
    let station = Station::start_secure(tempfile::tempdir().unwrap(), Policy::Adopt, Access::default(), https);
    let at = listening(&station);
    let urls = station.backend().phone_urls();
    let secure: Vec<_> = urls.iter().filter(|url| url.secure).map(|url| (url.url.clone(), url.covered)).collect();
    let expected =
        [(format!("https://phones.example.net:{}/pub", at.port()), true), (format!("https://{at}/pub"), false)];
    assert_eq!(secure, expected);
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
