//! Pretend trackers over real sockets: each logs in, sends positions, and waits for their acknowledgements.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::{sleep, sleep_until},
};
use wayglass::{
    geo::LatLon,
    model::{Fix, Timestamp},
    wire::gt06::encode::{self, Start},
};

use crate::wave;

/// Length of an acknowledgement.
const ACK_BYTES: usize = 10;

/// Devices that were sent for so far, so that every load has devices and moments of its own.
static NEXT_SECOND: AtomicU64 = AtomicU64::new(0);

/// A fleet that is logged in.
pub(crate) struct Trackers {
    runtime: Runtime,
    lines: Vec<Line>,
    /// Whose turn it is in the next wave.
    turn: usize,
}

/// One tracker's connection.
struct Line {
    stream: TcpStream,
    /// What it must be answered, and what of that has come.
    wanted: Vec<u8>,
    answers: Vec<u8>,
    /// Seconds that its next fix lies after the first one.
    second: u64,
    serial: u16,
}

/// When a race is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    Time(Duration),
    Fixes(u64),
}

/// What a load came to.
pub(crate) struct Load {
    pub(crate) acknowledged: u64,
    pub(crate) took: Duration,
    /// Of each acknowledgement, in milliseconds, in order of size; empty where it was not measured.
    pub(crate) waits_ms: Vec<f64>,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.acknowledged as f64 / self.took.as_secs_f64()
    }

    /// So much of all waits was no longer than this, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let at = (self.waits_ms.len() as f64 * share) as usize;
        self.waits_ms.get(at.min(self.waits_ms.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

impl Trackers {
    /// Connects so many trackers, and logs them in.
    pub(crate) fn connect(to: SocketAddr, count: usize) -> Self {
        // One thread: the other processors are for what is measured.
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let lines = runtime.block_on(async {
            let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(log_in(to, n))).collect();
            let mut lines = Vec::with_capacity(count);
            for task in tasks {
                lines.push(task.await.expect("no panic"));
            }
            // Whose turn it is has nothing to do with whose rows lie side by side in the file.
            (0..count).for_each(|n| lines.swap(n, n * 7919 % count));
            lines
        });
        Self { runtime, lines, turn: 0 }
    }

    /// Every tracker sends as fast as it is answered, `in_flight` positions at once, until the goal is reached.
    pub(crate) fn race(&mut self, in_flight: usize, goal: Goal) -> Load {
        let left = Arc::new(AtomicI64::new(match goal {
            Goal::Time(_) => i64::MAX,
            Goal::Fixes(count) => count.cast_signed(),
        }));
        let work = |mut line: Line| {
            let left = Arc::clone(&left);
            async move {
                let mut acknowledged = 0;
                while left.fetch_sub(in_flight as i64, Ordering::Relaxed) > 0 {
                    line.exchange(in_flight).await;
                    acknowledged += in_flight as u64;
                }
                (line, acknowledged, Vec::new())
            }
        };
        let over = async {
            if let Goal::Time(runs) = goal {
                sleep(runs).await;
                left.store(0, Ordering::Relaxed);
            }
        };
        self.run(work, || over)
    }

    /// So many trackers send a position each, and once all have their acknowledgement it is the turn of the next: what arrives together, and what
    /// this costs here, is the same however many trackers there are. None waits awake, see [`wave`].
    pub(crate) fn race_in_waves(&mut self, at_once: usize, fixes: u64) -> Load {
        let Self { runtime, lines, turn } = self;
        runtime.block_on(async {
            let (began, mut acknowledged) = (Instant::now(), 0);
            while acknowledged < fixes {
                let (before, after) = lines.split_at_mut(*turn);
                let mut wave: Vec<_> = after.iter_mut().chain(before).take(at_once).collect();
                let count = wave.len();
                for line in &mut wave {
                    line.send(1).await;
                }
                wave::answered(wave, Line::is_answered).await;
                acknowledged += count as u64;
                *turn = (*turn + count) % lines.len();
            }
            Load { acknowledged, took: began.elapsed(), waits_ms: Vec::new() }
        })
    }

    /// Every tracker sends one position each `interval`, whatever the others do.
    pub(crate) fn drip(&mut self, interval: Duration, rounds: u32) -> Load {
        let began = tokio::time::Instant::now() + Duration::from_millis(200);
        let (count, mut number) = (self.lines.len() as u32, 0);
        self.run(
            |mut line| {
                let first = began + interval * number / count;
                number += 1;
                async move {
                    let mut waits = Vec::with_capacity(rounds as usize);
                    for round in 0..rounds {
                        sleep_until(first + interval * round).await;
                        let sent = Instant::now();
                        line.exchange(1).await;
                        waits.push(sent.elapsed().as_secs_f64() * 1e3);
                    }
                    (line, rounds.into(), waits)
                }
            },
            || async {},
        )
    }

    fn run<W, S>(&mut self, mut work: impl FnMut(Line) -> W, until: impl FnOnce() -> S) -> Load
    where
        W: Future<Output = (Line, u64, Vec<f64>)> + Send + 'static,
        S: Future<Output = ()>,
    {
        let lines = std::mem::take(&mut self.lines);
        let (lines, load) = self.runtime.block_on(async {
            let began = Instant::now();
            let tasks: Vec<_> = lines.into_iter().map(|line| tokio::spawn(work(line))).collect();
            until().await;
            let mut load = Load { acknowledged: 0, took: Duration::ZERO, waits_ms: Vec::new() };
            let mut lines = Vec::with_capacity(tasks.len());
            for task in tasks {
                let (line, acknowledged, waits) = task.await.expect("no panic");
                load.acknowledged += acknowledged;
                load.waits_ms.extend(waits);
                lines.push(line);
            }
            load.took = began.elapsed();
            (lines, load)
        });
        self.lines = lines;
        let Load { mut waits_ms, acknowledged, took } = load;
        waits_ms.sort_by(f64::total_cmp);
        Load { acknowledged, took, waits_ms }
    }
}

/// The IMEI of a tracker.
pub(crate) fn imei(number: usize) -> String {
    format!("{:015}", 358_000_000_000_000_u64 + number as u64)
}

async fn log_in(to: SocketAddr, number: usize) -> Line {
    let stream = loop {
        match TcpStream::connect(to).await {
            Ok(stream) => break stream,
            // Ten thousand at once are more than the system queues.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    };
    stream.set_nodelay(true).expect("a socket");
    let second = NEXT_SECOND.fetch_add(0, Ordering::Relaxed);
    let mut line = Line { stream, wanted: Vec::new(), answers: Vec::new(), second, serial: 1 };
    line.stream.write_all(&encode::login(&imei(number), 1)).await.expect("it listens");
    let mut answer = [0; ACK_BYTES];
    line.stream.read_exact(&mut answer).await.expect("it answers a login");
    line
}

impl Line {
    /// Sends so many positions in one go, and waits for every acknowledgement.
    async fn exchange(&mut self, count: usize) {
        self.send(count).await;
        self.receive().await;
    }

    /// Sends so many positions in one go.
    async fn send(&mut self, count: usize) {
        let mut frames = Vec::with_capacity(count * 40);
        self.wanted.clear();
        self.answers.clear();
        for _ in 0..count {
            self.serial = self.serial.wrapping_add(1);
            self.second += 1;
            frames.extend(encode::position_22(&fix(self.second), true, self.serial));
            self.wanted.extend(encode::acknowledge(Start::Short, 0x22, self.serial));
        }
        self.stream.write_all(&frames).await.expect("it takes what it reads");
        NEXT_SECOND.fetch_max(self.second, Ordering::Relaxed);
    }

    /// Waits for every acknowledgement of what was sent.
    async fn receive(&mut self) {
        self.answers.resize(self.wanted.len(), 0);
        self.stream.read_exact(&mut self.answers).await.expect("it acknowledges what it took");
        self.check();
    }

    /// Reads what has come, without waiting. True once every acknowledgement is there.
    fn is_answered(&mut self) -> bool {
        let filled = self.answers.len();
        self.answers.resize(self.wanted.len(), 0);
        let read = match self.stream.try_read(&mut self.answers[filled..]) {
            Ok(read) => {
                assert!(read > 0, "it keeps the connection");
                read
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("it acknowledges what it took: {error}"),
        };
        self.answers.truncate(filled + read);
        let all = self.answers.len() == self.wanted.len();
        if all {
            self.check();
        }
        all
    }

    fn check(&self) {
        assert!(self.answers == self.wanted, "each acknowledgement carries the serial of its frame, in order");
    }
}

/// Where a tracker is after so many seconds of a drive that began three weeks ago.
fn fix(second: u64) -> Fix {
    static BEGAN: std::sync::LazyLock<i64> = std::sync::LazyLock::new(|| Timestamp::now().as_second() - 21 * 86_400);
    Fix {
        at: Timestamp::from_second(*BEGAN + second.cast_signed()).expect("within this century"),
        place: LatLon::new(47.0 + (second % 100_000) as f64 * 1e-5, 15.4).expect("on the globe"),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(61.0),
        course_deg: Some(271.0),
        satellites: Some(9),
        accuracy_m: None,
    }
}
