//! Passwords, keys and tokens: they are in no log, no error, no packet that is kept; and what is written is its owner's alone.

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{
    far::{self},
    process::{Serve, run, serve_words, wayglass},
};

const USER: &str = "jane";
const PASSWORD: &str = "correct-horse-battery";
const WRONG: &str = "wrong-zebra-stapler";
const KEY: &str = "a-key-nobody-may-see";
const BODY: &str = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"tid":"xx","topic":"owntracks/jane/phone"}"#;

/// Says something to a port; what it answers. Where it is not `whole`, nothing follows, so an answer need not either.
fn say(to: SocketAddr, bytes: &[u8], whole: bool) -> String {
    let mut stream = far::dial(to).unwrap();
    // It may be refused before it is all said.
    stream.write_all(bytes).ok();
    if !whole {
        stream.shutdown(std::net::Shutdown::Write).ok();
    }
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    String::from_utf8_lossy(&said).into_owned()
}

fn basic(password: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(format!("{USER}:{password}"))
}

fn request(head: &str, body: &str) -> Vec<u8> {
    format!("POST /pub HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[test]
fn secrets_are_in_no_log_no_error_and_no_packet() {
    let data = tempfile::tempdir().unwrap();
    let words = serve_words(data.path());
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["-vvv"]).collect();
    let mut call = wayglass(data.path(), &words);
    call.env("WAYGLASS_OWNTRACKS_AUTH", format!("{USER}:{PASSWORD}")).env("WAYGLASS_OWNTRACKS_KEY", KEY);
    let serve = Serve::run(call, data.path());
    let with = |password: &str| format!("Authorization: Basic {}\r\n", basic(password));
    let (right, wrong) = (with(PASSWORD), with(WRONG));
    let to = serve.owntracks;
    let mut heard = String::new();
    let mut hear = |to, bytes: &[u8], status: &str| {
        let said = say(to, bytes, !status.is_empty());
        assert!(said.contains(status), "{status}: {said}");
        heard.push_str(&said);
    };
    hear(to, &request(&right, BODY), " 200 ");
    hear(to, &request(&wrong, BODY), " 401 ");
    hear(to, &request("", BODY), " 401 ");
    hear(to, &request(&right, "no json"), " 400 ");
    hear(to, &request(&right, r#"{"_type":"encrypted","data":"AAAA"}"#), " 200 ");
    hear(to, &request(&right, &"x".repeat(3 << 20)), " 413 ");
    hear(to, &request(&format!("{right}Content-Encoding: gzip\r\n"), BODY), " 415 ");
    hear(to, format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{right}\r\n").as_bytes(), " 405 ");
    // Nearly a request: broken, cut within its head, too long a head, the wrong port, HTTPS words aside.
    hear(to, format!("POST / HTTP/7.7\r\nHost: x\r\n{right}\r\n").as_bytes(), "");
    hear(to, format!("POST / HTTP/1.1\r\nHost: x\r\n{right}").as_bytes(), "");
    hear(to, format!("POST / HTTP/1.1\r\n{right}X: {}\r\n\r\n", "y".repeat(100_000)).as_bytes(), "");
    hear(serve.gt06, &request(&right, BODY), "");
    let http = format!("http://{USER}:{PASSWORD}@{to}/pub");
    let (_, out, err) = run(wayglass(
        data.path(),
        &["simulate", "--devices", "2", "--duration", "1", "--gt06", &serve.gt06.to_string(), "--owntracks", &http],
    ));
    heard.push_str(&out);
    heard.push_str(&err);
    let (_, out, err) = run(wayglass(data.path(), &["doctor", "--data-dir", data.path().to_str().unwrap(), "-vv"]));
    heard.push_str(&out);
    heard.push_str(&err);
    let log = serve.said();
    serve.stop();
    assert!(log.lines().count() > 5, "it says a lot: {log}");

    let (in_basic, in_wrong) = (basic(PASSWORD), basic(WRONG));
    // The ends of the encoded forms, too: a cut must not leave half of one.
    let secrets = [PASSWORD, WRONG, KEY, &in_basic, &in_wrong, &in_basic[8..]];
    for secret in secrets {
        assert!(!log.contains(secret), "the log has {secret}: {log}");
        assert!(!heard.contains(secret), "an answer has {secret}: {heard}");
        for (path, bytes) in files(data.path()) {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{path} has {secret}");
        }
    }
    let noise = "SELECT count(*) FROM packets WHERE kind = 'noise' AND direction = 'in'";
    assert!(crate::support::sql::<i64>(data.path(), noise) >= 3, "what was no request is kept all the same");
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn what_is_written_is_its_owners_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("deep/data");
    let mut words = serve_words(&data);
    words.extend(["--https", "127.0.0.1:0", "-v"].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Whatever the user's own mask allows.
    let call = super::process::within(
        home.path(),
        &["sh", "-c", r#"umask 000; exec "$0" "$@""#, env!("CARGO_BIN_EXE_wayglass")],
        &words,
    );
    let serve = Serve::run(call, &data);
    assert!(say(serve.owntracks, &request("", BODY), true).contains(" 200 "));
    let text = data.to_str().unwrap();
    let (code, _, err) = run(wayglass(home.path(), &["phone", "add", "jane", "phone", "--data-dir", text]));
    assert_eq!(code, 0, "{err}");
    let mut looked_at = 0;
    let mut folders = vec![data.clone()];
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                looked_at += 1;
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }
    assert!(looked_at >= 6, "database, log, lock, certificates: {looked_at}");
    serve.stop();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
