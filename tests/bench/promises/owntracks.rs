//! Reports of OwnTracks phones a second, every one answered after its commit, beside the same requests each committed alone.
//!
//! "The same requests each committed alone" can be had in two ways: from a plain server that commits each request by itself, and from this very
//! program where its queue has room for one write, so that no two share a commit. Both get the same requests over as many connections, one waiting
//! on each, and write the same rows. The faster of the two is what we are compared with. The second
//! does all that we do but commit together, so what came of that alone stands beside it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use wayglass::{
    backend::{Access, Backend, Https, ListenAt, ReceiverStatus, Setup, bounds::Bounds, logfile::LogFile},
    model::{Keep, Policy, Protocol, Timestamp},
    wire::{Line, owntracks},
};

use crate::{
    Size,
    bare::{Bare, Shape},
    phone,
    process::{Served, scratch},
    table::{Limit, Table, median},
};

/// How many times the pace of commits one by one we keep.
const LEAST_TIMES: f64 = 10.0;
const CONNECTIONS: usize = 64;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let runs = Duration::from_secs(size.seconds);
    for connections in [1, 8] {
        let served = Served::fresh();
        let load = phone::race(served.owntracks, connections, runs);
        table.tell(format!("OwnTracks, {connections} connections"), load.per_second(), "posts/s", "");
    }
    let served = Served::fresh();
    let plain = alone();
    let folder = scratch();
    let single = one_by_one(folder.path());
    let single_at = address(&single);
    let [mut ours, mut theirs, mut own, mut times, mut times_own, mut cpus]: [Vec<f64>; 6] = Default::default();
    for _ in 0..size.rounds {
        let before = served.cpu();
        let load = phone::race(served.owntracks, CONNECTIONS, runs);
        cpus.push(served.cpu().saturating_sub(before).as_secs_f64() * 1e6 / load.answered as f64);
        let [by_plain, by_us] = [plain, single_at].map(|at| phone::race(at, CONNECTIONS, runs).per_second());
        ours.push(load.per_second());
        theirs.push(by_plain);
        own.push(by_us);
        times.push(load.per_second() / by_plain.max(by_us));
        times_own.push(load.per_second() / by_us);
    }
    single.stop(Duration::from_secs(5));
    let name = format!("OwnTracks, {CONNECTIONS} connections");
    table.tell(name, median(ours), "posts/s", format!("{:.1} µs of processor time each", median(cpus)));
    let name = "  the same requests, each committed alone";
    table.tell(name, median(own), "posts/s", "by this program with room for one write in its queue");
    table.tell("    ours beside that", median(times_own), "x", "");
    table.tell(name, median(theirs), "posts/s", "by a plain server in this bench");
    let limit = Limit::AtLeast(LEAST_TIMES);
    table.add("  ours beside the faster of these", median(times), "x", limit, format!("median of {}", size.rounds));
}

/// This program, with room for one write in its queue.
fn one_by_one(folder: &Path) -> Backend {
    let mut limits = Bounds::default();
    limits.store.queue_bytes = 1;
    let setup = Setup {
        data_dir: folder.to_owned(),
        listen: vec![(Protocol::OwnTracks, ListenAt::Address(SocketAddr::from(([127, 0, 0, 1], 0))))],
        taps: Vec::new(),
        policy: Policy::Adopt,
        limits,
        access: Access::default(),
        https: Https::default(),
        addresses: None,
        keep: Keep::default(),
        settings: None,
        log: LogFile::default(),
        passing: None,
    };
    let backend = Backend::start(setup, Arc::new(Timestamp::now), Arc::new(|| ())).expect("it starts");
    backend.wait_settled();
    backend
}

fn address(backend: &Backend) -> SocketAddr {
    let mut status = backend.receivers().into_iter().map(|line| line.status);
    status.find_map(|s| if let ReceiverStatus::Listening(at) = s { Some(at) } else { None }).expect("it listens")
}

/// A server that does with a request what the program does, but plainly: a thread a connection, and one commit a request into the same tables.
fn alone() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("bound");
    let store = Arc::new(Mutex::new(Bare::new(CONNECTIONS)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let store = Arc::clone(&store);
            // Ends with its connection.
            thread::spawn(move || serve(stream, &store));
        }
    });
    at
}

fn serve(mut stream: TcpStream, store: &Mutex<Bare>) {
    stream.set_nodelay(true).ok();
    let (mut buffer, mut filled) = (vec![0; 8192], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]) {
        filled += read;
        if !phone::is_whole(&buffer[..filled]) {
            continue;
        }
        let body = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |head| head + 4);
        let line = Line { peer: "127.0.0.1:1".into(), connection: 1 };
        let request =
            owntracks::Request { method: "POST", path: "/pub", body: &buffer[body..filled], ..Default::default() };
        std::hint::black_box(owntracks::read(&line, &request, None, Timestamp::now()));
        let shape = Shape::owntracks(&String::from_utf8_lossy(&buffer[body..filled]));
        store.lock().expect("nobody panics").batch(&shape, 1).expect("written");
        filled = 0;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
