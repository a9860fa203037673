//! A whole backend in a temporary folder on free ports, and far ends that speak to it over real sockets.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use egui_kittest::Harness;
use wayglass::{
    backend::{
        Access, Backend, Https, Limits, ListenAt, ReceiverStatus, Setup, bounds::Bounds, logfile::LogFile,
        watch::Passing,
    },
    model::{Clock, Policy, Protocol, Timestamp},
};

/// The number of colours in the picture, which is kept as PNG where `WAYGLASS_PICTURES` names a folder, for people to look at.
pub fn picture<S>(harness: &mut Harness<'_, S>, name: &str) -> usize {
    let picture = harness.render().expect("a renderer");
    if let Some(folder) = std::env::var_os("WAYGLASS_PICTURES") {
        picture.save(std::path::Path::new(&folder).join(name)).expect("a folder to write to");
    }
    picture.pixels().map(|p| p.0).collect::<HashSet<_>>().len()
}

/// Longest wait for something that must happen.
pub const SOON: Duration = Duration::from_secs(20);

/// A clock that a test sets.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Moment>>);

/// What a clock says in milliseconds, and of these it slept so many.
#[derive(Clone, Copy)]
struct Moment {
    ms: i64,
    asleep_ms: i64,
    /// How often somebody asked how much time passed.
    looks: u64,
}

thread_local! {
    /// What this thread read last, by the addresses of the clocks. Whoever asks for the time of day, and then for how much of it passed, is told both
    /// of one moment: a clock that is set in between would else count as sleep.
    static READ: RefCell<HashMap<usize, Moment>> = RefCell::default();
}

impl TestClock {
    pub fn at(text: &str) -> Self {
        let at: Timestamp = text.parse().expect("an RFC 3339 time");
        Self(Arc::new(Mutex::new(Moment { ms: at.as_millisecond(), asleep_ms: 0, looks: 0 })))
    }

    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || {
            let now = *clock.0.lock().expect("nobody panics with it");
            READ.with_borrow_mut(|read| read.insert(clock.address(), now));
            Timestamp::from_millisecond(now.ms).expect("a time within range")
        })
    }

    pub fn advance(&self, by: Duration) {
        self.0.lock().expect("nobody panics with it").ms += millis(by);
    }

    /// The computer sleeps for so long.
    pub fn sleep(&self, by: Duration) {
        let mut now = self.0.lock().expect("nobody panics with it");
        now.ms += millis(by);
        now.asleep_ms += millis(by);
    }

    /// Without its sleep; when this thread asked [`TestClock::clock`] last.
    pub fn passing(&self) -> Passing {
        let clock = self.clone();
        Passing::new(move || {
            let mut now = clock.0.lock().expect("nobody panics with it");
            now.looks += 1;
            let at = READ.with_borrow(|read| read.get(&clock.address()).copied()).unwrap_or(*now);
            Duration::from_millis((at.ms - at.asleep_ms).unsigned_abs())
        })
    }

    /// Waits until the watch begins to look once more, by what the clock says now: it asks how much time passed, first of all.
    pub fn wait_for_look(&self) {
        let looks = || self.0.lock().expect("nobody panics with it").looks;
        let (before, end) = (looks(), Instant::now() + SOON);
        while looks() == before {
            assert!(Instant::now() < end, "nobody looks");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

fn millis(of: Duration) -> i64 {
    i64::try_from(of.as_millis()).expect("a short time")
}

/// A running backend; its folder goes with it.
pub struct Station {
    backend: Option<Backend>,
    pub gt06: SocketAddr,
    pub owntracks: SocketAddr,
    pub folder: tempfile::TempDir,
    woken: mpsc::Receiver<()>,
}

impl Station {
    pub fn start(policy: Policy) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), policy)
    }

    /// With HTTPS and the credentials and key of all.
    pub fn start_secure(folder: tempfile::TempDir, policy: Policy, access: Access, https: Https) -> Self {
        let clock = TestClock::at("2026-11-21T12:00:00Z");
        Self::start_as(folder, policy, (clock.clock(), clock.passing()), Limits::default(), (access, https))
    }

    pub fn start_in(folder: tempfile::TempDir, policy: Policy) -> Self {
        Self::start_by(folder, policy, TestClock::at("2026-11-21T12:00:00Z").clock())
    }

    /// By a clock that the test keeps.
    pub fn start_at(clock: &TestClock, policy: Policy) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::start_as(folder, policy, (clock.clock(), clock.passing()), Limits::default(), Default::default())
    }

    /// In a folder of before, by a clock that the test keeps.
    pub fn start_again(folder: tempfile::TempDir, clock: &TestClock) -> Self {
        Self::start_as(folder, Policy::Adopt, (clock.clock(), clock.passing()), Limits::default(), Default::default())
    }

    /// By any clock.
    pub fn start_by_clock(clock: Clock, policy: Policy) -> Self {
        Self::start_by(tempfile::tempdir().expect("a temporary folder"), policy, clock)
    }

    /// By the system's clock, for far ends that have no other.
    pub fn start_live(policy: Policy) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the program at the far end asks the system, too")]
        let now = Timestamp::now;
        Self::start_by(tempfile::tempdir().expect("a temporary folder"), policy, Arc::new(now))
    }

    /// With other bounds on its peers.
    pub fn start_with(policy: Policy, limits: Limits) -> Self {
        let clock = TestClock::at("2026-11-21T12:00:00Z").clock();
        Self::start_bounded(tempfile::tempdir().expect("a temporary folder"), policy, clock, limits)
    }

    fn start_by(folder: tempfile::TempDir, policy: Policy, clock: Clock) -> Self {
        Self::start_bounded(folder, policy, clock, Limits::default())
    }

    fn start_bounded(folder: tempfile::TempDir, policy: Policy, clock: Clock, limits: Limits) -> Self {
        let passing = {
            let clock = Arc::clone(&clock);
            Passing::new(move || Duration::from_millis(clock().as_millisecond().unsigned_abs()))
        };
        Self::start_as(folder, policy, (clock, passing), limits, Default::default())
    }

    fn start_as(
        folder: tempfile::TempDir,
        policy: Policy,
        (clock, passing): (Clock, Passing),
        limits: Limits,
        (access, https): (Access, Https),
    ) -> Self {
        let free: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let setup = Setup {
            data_dir: folder.path().to_owned(),
            listen: Protocol::ALL.map(|p| (p, ListenAt::Address(free))).to_vec(),
            taps: Vec::new(),
            policy,
            limits: Bounds { ingest: limits, ..Bounds::default() },
            settings: None,
            log: LogFile::default(),
            passing: Some(passing),
            access,
            https,
            addresses: None,
            keep: wayglass::model::Keep::default(),
        };
        let (wake, woken) = mpsc::sync_channel(1);
        let wake = Arc::new(move || {
            wake.try_send(()).ok();
        });
        let backend = Backend::start(setup, clock, wake).expect("the backend starts");
        backend.wait_settled();
        let bound = |protocol| {
            let line = backend.receivers().into_iter().find(|l| l.protocol == protocol).expect("a receiver a protocol");
            match line.status {
                ReceiverStatus::Listening(at) => at,
                other => panic!("{protocol} does not listen: {other:?}"),
            }
        };
        let (gt06, owntracks) = (bound(Protocol::Gt06), bound(Protocol::OwnTracks));
        Self { backend: Some(backend), gt06, owntracks, folder, woken }
    }

    pub fn backend(&self) -> &Backend {
        self.backend.as_ref().expect("it runs until it is stopped")
    }

    /// A look into the file as any SQLite client has it.
    pub fn sql<T: rusqlite::types::FromSql>(&self, query: &str) -> T {
        sql(self.folder.path(), query)
    }

    /// Waits, woken by commits, until `done` holds.
    pub fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + SOON;
        while !done(self) {
            assert!(Instant::now() < end, "still not: {what}");
            self.woken.recv_timeout(Duration::from_millis(50)).ok();
        }
    }

    /// Stops it in order and gives the folder back.
    pub fn stop(mut self) -> tempfile::TempDir {
        self.backend.take().expect("it runs").stop(Duration::from_secs(5));
        self.folder
    }
}

/// One value out of the file in `folder`.
pub fn sql<T: rusqlite::types::FromSql>(folder: &std::path::Path, query: &str) -> T {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(folder.join("wayglass.db"), flags).expect("the store opens");
    file.busy_timeout(SOON).expect("a time-out");
    file.query_row(query, [], |row| row.get(0)).unwrap_or_else(|e| panic!("{query}: {e}"))
}

/// The first line that a program says and that is wanted, if it comes in time; `None` as well where the program ends. What it says later is read and dropped,
/// so that it is never held up.
pub fn line_of(said: impl Read + Send + 'static, wanted: impl Fn(&str) -> bool + Send + 'static) -> Option<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        if let Some(line) = lines.find(|line| wanted(line)) {
            tell.send(line).ok();
        }
        drop(tell);
        lines.for_each(drop);
    });
    told.recv_timeout(2 * SOON).ok()
}

/// A port that the system gives to nobody else for as long as this is kept. Nobody listens there, until somebody asks for it by its number.
pub struct Port(tokio::net::TcpSocket);

impl Port {
    pub fn keep() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        // Whoever listens says this, too; then one that does not listen is not in the way. Who asks for any free port is given another.
        #[cfg(unix)]
        socket.set_reuseaddr(true).expect("a socket option");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        Self(socket)
    }

    pub fn at(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }
}

/// A GT06 tracker: raw bytes out, whatever comes back.
pub struct Tracker(TcpStream);

impl Tracker {
    pub fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("the receiver accepts");
        stream.set_nodelay(true).expect("a socket option");
        stream.set_read_timeout(Some(SOON)).expect("a time-out");
        Self(stream)
    }

    pub fn send(&mut self, hex: &str) {
        self.0.write_all(&bytes(hex)).expect("the receiver reads");
    }

    /// Exactly as many bytes as `hex` has, and equal to it.
    pub fn expect(&mut self, hex: &str) {
        let mut got = vec![0; bytes(hex).len()];
        self.0.read_exact(&mut got).unwrap_or_else(|e| panic!("no answer {hex}: {e}"));
        assert_eq!(wayglass::wire::hex(&got), hex.to_lowercase());
    }

    /// Reads until these bytes came; others may come before them.
    pub fn expect_after(&mut self, hex: &str) {
        let (wanted, mut got) = (bytes(hex), Vec::new());
        while !got.ends_with(&wanted) {
            let mut next = [0];
            self.0.read_exact(&mut next).unwrap_or_else(|e| panic!("no answer {hex}: {e}"));
            got.extend(next);
        }
    }

    /// The far end closes without another byte.
    pub fn expect_closed(&mut self) {
        let mut rest = Vec::new();
        // A reset is a close, too.
        self.0.read_to_end(&mut rest).ok();
        assert!(rest.is_empty(), "nothing more was expected, {} came", wayglass::wire::hex(&rest));
    }
}

/// Bytes of hex digits; spaces are no matter.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "an odd number of digits in {hex}");
    let pair = |p: &[u8]| u8::from_str_radix(std::str::from_utf8(p).expect("ASCII"), 16).expect("hex digits");
    digits.chunks(2).map(pair).collect()
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One request on a connection of its own; `head` holds further lines, each ended by CRLF.
pub fn http(to: SocketAddr, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).expect("the receiver accepts");
    stream.set_read_timeout(Some(SOON)).expect("a time-out");
    let start = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{head}");
    write!(stream, "{start}Content-Length: {}\r\n\r\n", body.len()).expect("the receiver reads");
    // An early answer may close the way for the rest.
    stream.write_all(body).ok();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok();
    let text = String::from_utf8_lossy(&text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// Posts an OwnTracks message.
pub fn post(to: SocketAddr, body: &str) -> Answer {
    http(to, "POST", "/pub", "Content-Type: application/json\r\n", body.as_bytes())
}
