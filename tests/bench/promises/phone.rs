//! Pretend phones over real sockets: each posts a location, waits for its 200, and posts the next one over the same connection.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
};

/// Seconds since the first report, over all loads, so that none is a report that was there already.
static SECOND: AtomicU64 = AtomicU64::new(0);

/// 2026-11-01T00:00:00Z.
const BEGAN_S: u64 = 1_793_491_200;

/// Reports that were answered with 200, and in what time.
pub(crate) struct Load {
    pub(crate) answered: u64,
    pub(crate) took: Duration,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }
}

/// Posts over so many connections for a while, each a phone of its own.
pub(crate) fn race(to: SocketAddr, connections: usize, runs: Duration) -> Load {
    run(to, connections, connections, u64::MAX, runs)
}

/// Posts so many reports over so many connections, of more phones than that in turn.
pub(crate) fn take_turns(to: SocketAddr, connections: usize, phones: usize, posts: u64) -> Load {
    run(to, connections, phones, posts, Duration::from_mins(5))
}

fn run(to: SocketAddr, connections: usize, phones: usize, posts: u64, at_most: Duration) -> Load {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let turns =
        Arc::new(Turns { over: AtomicBool::new(false), taken: AtomicU64::new(0), posts, phones: phones as u64 });
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(to).await.expect("it listens");
            stream.set_nodelay(true).expect("a socket");
            streams.push(stream);
        }
        let began = Instant::now();
        let tasks: Vec<_> = streams.into_iter().map(|stream| tokio::spawn(post(stream, Arc::clone(&turns)))).collect();
        let mut answered = 0;
        let all = async {
            for task in tasks {
                answered += task.await.expect("no panic");
            }
        };
        let ends = async {
            tokio::time::sleep(at_most).await;
            turns.over.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = all => {}
            () = ends => {}
        }
        Load { answered, took: began.elapsed() }
    })
}

/// Whose turn it is.
struct Turns {
    over: AtomicBool,
    taken: AtomicU64,
    posts: u64,
    phones: u64,
}

impl Turns {
    /// The number of the next phone that posts.
    fn next(&self) -> Option<u64> {
        let turn = self.taken.fetch_add(1, Ordering::Relaxed);
        (turn < self.posts && !self.over.load(Ordering::Relaxed)).then(|| turn % self.phones)
    }
}

async fn post(mut stream: TcpStream, turns: Arc<Turns>) -> u64 {
    let (mut answered, mut buffer) = (0, vec![0; 4096]);
    while let Some(number) = turns.next() {
        stream.write_all(request(number).as_bytes()).await.expect("it takes what it reads");
        let mut filled = 0;
        while !is_whole(&buffer[..filled]) {
            let read = stream.read(&mut buffer[filled..]).await.expect("it answers");
            assert!(read > 0, "it keeps the connection");
            filled += read;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..filled]));
        answered += 1;
    }
    answered
}

/// A location as the Android app posts it.
fn request(number: u64) -> String {
    let body = body(number);
    format!(
        "POST /pub HTTP/1.1\r\nHost: wayglass.example\r\nUser-Agent: Owntracks-Android/gms/420509001\r\n\
         X-Limit-U: bench\r\nX-Limit-D: phone{number}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Its body.
pub(crate) fn body(number: u64) -> String {
    let second = SECOND.fetch_add(1, Ordering::Relaxed);
    let (tst, lat) = (BEGAN_S + second, 47.0 + (second % 100_000) as f64 * 1e-5);
    format!(
        r#"{{"_type":"location","topic":"owntracks/bench/phone{number}","tid":"aa","tst":{tst},"lat":{lat:.6},"lon":15.4,"acc":12,"alt":350,"vel":31,"cog":271,"batt":71,"bs":1,"conn":"m","m":2}}"#
    )
}

/// True once the head and as much as it declares are there.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    // Nearly always all of it is there, and small.
    let Some(head) = bytes.windows(4).rposition(|four| four == b"\r\n\r\n") else { return false };
    let text = std::str::from_utf8(&bytes[..head]).expect("a head is ASCII");
    let declared = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    bytes.len() >= head + 4 + declared.unwrap_or(0)
}
