//! A system that lets the program open few files: it says so, serves as many trackers as fit, and the others when there is room.
#![cfg(unix)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
};

use wayglass::wire::gt06::encode;

use crate::support::{SOON, line_of};

/// Ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn connect(to: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(&encode::login(&format!("{:015}", 358_000_000_000_000_u64 + number as u64), 1)).unwrap();
    stream
}

fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).is_ok()
}

#[test]
fn few_open_files_are_said_and_shared() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_wayglass");
    // A soft limit below the hard one: the program raises it.
    let limits = "ulimit -Sn 80 && ulimit -Hn 260 && exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limits, program, "serve", "--gt06", "127.0.0.1:0", "--owntracks", "off", "--policy", "adopt"]);
    command.arg("--data-dir").arg(folder.path()).env("HOME", folder.path()).env_remove("RUST_LOG");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Ends(child);
    let line = line_of(child.0.stdout.take().unwrap(), |_| true).expect("a ready line");
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let at: SocketAddr = ready["gt06"].as_str().unwrap().parse().unwrap();

    // Half of 260 is what is left for connections; the 131st waits.
    let mut first: Vec<_> = (0..130).map(|n| connect(at, n)).collect();
    assert!(first.iter_mut().all(is_answered), "more than the soft limit of 80 allows");
    let mut late: Vec<_> = (130..150).map(|n| connect(at, n)).collect();
    for serial in 2..5 {
        for (number, stream) in first.iter_mut().enumerate() {
            let beat = encode::heartbeat(true, true, 6, 4, serial);
            stream.write_all(&beat).unwrap();
            assert!(is_answered(stream), "connection {number} is unharmed");
        }
    }
    // All these called before hundreds of answers were given: with room for them they had one, too.
    for stream in &mut late {
        stream.set_nonblocking(true).unwrap();
        assert!(!is_answered(stream), "there is no room for it");
        stream.set_nonblocking(false).unwrap();
    }
    drop(first);
    for (number, mut stream) in late.into_iter().enumerate() {
        // One that had to make room before it could log in dials again, as a device does.
        let again = (0..1000).map(|_| {
            is_answered(&mut stream) || {
                stream = connect(at, 130 + number);
                false
            }
        });
        assert!(again.into_iter().any(|answered| answered), "its turn has come");
    }

    child.0.kill().unwrap();
    let mut said = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("ulimit -n") && said.contains("130"), "{said}");
}
