//! Pretend phones over real sockets: each posts a location, waits for its 200, and posts the next one over the same connection. They do as little
//! as they can, because they have the processors of what is measured.

use std::{
    io::ErrorKind,
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

use crate::wave;

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

/// Posts so many reports over so many connections as fast as they are answered, of more phones than that in turn.
pub(crate) fn fill(to: SocketAddr, connections: usize, phones: usize, posts: u64) {
    run(to, connections, phones, posts, Duration::from_mins(5));
}

fn run(to: SocketAddr, connections: usize, phones: usize, posts: u64, at_most: Duration) -> Load {
    let over = Arc::new(AtomicBool::new(false));
    let posts_of_each = posts / connections as u64;
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
        let lines = connect(to, connections).await;
        let began = Instant::now();
        let tasks: Vec<_> = (0..)
            .zip(lines)
            .map(|(number, mut line)| {
                let over = Arc::clone(&over);
                let phones = (number..phones as u64).step_by(connections).cycle();
                tokio::spawn(async move {
                    let mut answered = 0;
                    for phone in phones {
                        if answered >= posts_of_each || over.load(Ordering::Relaxed) {
                            break;
                        }
                        line.post(phone).await;
                        line.receive().await;
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        let ends = tokio::spawn(async move {
            tokio::time::sleep(at_most).await;
            over.store(true, Ordering::Relaxed);
        });
        let mut answered = 0;
        for task in tasks {
            answered += task.await.expect("no panic");
        }
        ends.abort();
        Load { answered, took: began.elapsed() }
    })
}

/// Posts so many reports over so many connections, of more phones than that in turn: one over each, and the next once all are answered. So what
/// arrives together is the same however many phones there are. None waits awake, see [`wave`].
pub(crate) fn take_turns(to: SocketAddr, connections: usize, phones: usize, posts: u64) -> Load {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
        let mut lines = connect(to, connections).await;
        let mut numbers = (0..phones as u64).cycle();
        let (began, mut answered) = (Instant::now(), 0);
        while answered < posts {
            let mut wave: Vec<_> = lines.iter_mut().take((posts - answered) as usize).collect();
            let count = wave.len();
            for line in &mut wave {
                line.post(numbers.next().expect("there are phones")).await;
            }
            wave::answered(wave, Line::is_answered).await;
            answered += count as u64;
        }
        Load { answered, took: began.elapsed() }
    })
}

/// A connection, what it posts, and what has come of the answer.
struct Line {
    stream: TcpStream,
    request: Request,
    buffer: Vec<u8>,
    filled: usize,
    /// Length of the answer before.
    usual: usize,
}

async fn connect(to: SocketAddr, connections: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(to).await.expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        lines.push(Line { stream, request: Request::new(0), buffer: vec![0; 4096], filled: 0, usual: 0 });
    }
    lines
}

impl Line {
    async fn post(&mut self, number: u64) {
        self.filled = 0;
        if self.request.number != number {
            self.request = Request::new(number);
        }
        self.stream.write_all(self.request.next()).await.expect("it takes what it reads");
    }

    /// Waits for the answer.
    async fn receive(&mut self) {
        loop {
            let read = self.stream.read(&mut self.buffer[self.filled..]).await.expect("it answers");
            if self.is_whole_with(read) {
                return;
            }
        }
    }

    /// Reads what has come, without waiting. True once the answer is there.
    fn is_answered(&mut self) -> bool {
        match self.stream.try_read(&mut self.buffer[self.filled..]) {
            Ok(read) => self.is_whole_with(read),
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("it answers: {error}"),
        }
    }

    fn is_whole_with(&mut self, read: usize) -> bool {
        assert!(read > 0, "it keeps the connection");
        self.filled += read;
        let answer = &self.buffer[..self.filled];
        let is_whole = self.filled == self.usual || is_whole(answer);
        assert!(!is_whole || answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
        if is_whole {
            self.usual = self.filled;
        }
        is_whole
    }
}

/// A location as the Android app posts it, of one phone, with its next moment and place each time.
struct Request {
    number: u64,
    bytes: Vec<u8>,
    /// Where its ten digits of `tst` begin, and the five behind the point of `lat`.
    tst: usize,
    lat: usize,
}

impl Request {
    fn new(number: u64) -> Self {
        let body = format!(
            r#"{{"_type":"location","topic":"owntracks/bench/phone{number}","tid":"aa","tst":0000000000,"lat":47.000000,"lon":15.4,"acc":12,"alt":350,"vel":31,"cog":271,"batt":71,"bs":1,"conn":"m","m":2}}"#
        );
        let text = format!(
            "POST /pub HTTP/1.1\r\nHost: wayglass.example\r\nUser-Agent: Owntracks-Android/gms/420509001\r\n\
             X-Limit-U: bench\r\nX-Limit-D: phone{number}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let behind = |what: &str| text.find(what).expect("it is there") + what.len();
        let (tst, lat) = (behind("\"tst\":"), behind("\"lat\":47."));
        Self { number, bytes: text.into_bytes(), tst, lat }
    }

    fn next(&mut self) -> &[u8] {
        let second = SECOND.fetch_add(1, Ordering::Relaxed);
        put_digits(&mut self.bytes[self.tst..self.tst + 10], BEGAN_S + second);
        put_digits(&mut self.bytes[self.lat..self.lat + 5], second % 100_000);
        &self.bytes
    }
}

fn put_digits(to: &mut [u8], mut number: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
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
