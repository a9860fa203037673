//! Far ends that remember what they were answered: phones and trackers, each on a thread of its own, through every fault.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{audit::Ledger, process::pause};
use crate::support::SOON;

/// The time of a far end's first fix, in seconds; its n-th fix is n seconds later.
pub const FIRST_S: i64 = 1_700_000_000;
/// How long a far end waits for an answer before it dials again. Where nothing can be stored it is closed or refused long before.
const PATIENCE: Duration = SOON;
/// Fixes that a tracker sends before a heartbeat, whose answer stands for all of them.
const AT_ONCE: i64 = 8;

/// Where everybody calls; changes when the program comes back on another port.
#[derive(Clone)]
pub struct Targets(Arc<Mutex<(SocketAddr, SocketAddr)>>);

impl Targets {
    pub fn new(gt06: SocketAddr, owntracks: SocketAddr) -> Self {
        Self(Arc::new(Mutex::new((gt06, owntracks))))
    }

    pub fn set(&self, gt06: SocketAddr, owntracks: SocketAddr) {
        *self.0.lock().expect("whole") = (gt06, owntracks);
    }

    fn gt06(&self) -> SocketAddr {
        self.0.lock().expect("whole").0
    }

    fn owntracks(&self) -> SocketAddr {
        self.0.lock().expect("whole").1
    }
}

/// A few phones and trackers at work until they are stopped.
pub struct Fleet {
    pub targets: Targets,
    pub ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    refused: Arc<AtomicU64>,
}

impl Fleet {
    pub fn start(phones: usize, trackers: usize, gt06: SocketAddr, owntracks: SocketAddr) -> Self {
        let targets = Targets::new(gt06, owntracks);
        let (ledger, stop, refused) = (Arc::<Ledger>::default(), Arc::<AtomicBool>::default(), Arc::default());
        let mut threads = Vec::new();
        for number in 0..phones {
            let (targets, ledger, stop, refused) =
                (targets.clone(), Arc::clone(&ledger), Arc::clone(&stop), Arc::clone(&refused));
            threads.push(thread::spawn(move || phone(number, &targets, &ledger, &stop, &refused)));
        }
        for number in 0..trackers {
            let (targets, ledger, stop) = (targets.clone(), Arc::clone(&ledger), Arc::clone(&stop));
            threads.push(thread::spawn(move || tracker(number, &targets, &ledger, &stop)));
        }
        Self { targets, ledger, stop, threads, refused }
    }

    /// Answers other than 200 that phones were given, all of them 503.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Ends all far ends and says what they were answered.
    pub fn stop(self) -> Arc<Ledger> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a far end tells what is wrong");
        }
        self.ledger
    }
}

/// Sends one location after another, each again until it is answered with 200.
fn phone(number: usize, targets: &Targets, ledger: &Ledger, stop: &AtomicBool, refused: &AtomicU64) {
    let identity = format!("owntracks/fault/phone{number}");
    let mut line = None;
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let (lat, tst) = (f64::from(u32::try_from(n).expect("few")) / 1e5, FIRST_S + n);
        let body = format!(
            r#"{{"_type":"location","lat":{lat},"lon":{number}.5,"tst":{tst},"tid":"f{number}","topic":"{identity}"}}"#
        );
        match line.take().map_or_else(|| Phone::call(targets.owntracks()), Ok).and_then(|mut to: Phone| {
            let status = to.post(&body)?;
            Ok((to, status))
        }) {
            Ok((to, 200)) => {
                ledger.answered(&identity, n..=n);
                n += 1;
                line = Some(to);
            }
            Ok((to, status)) => {
                assert_eq!(status, 503, "a phone is refused only where nothing can be stored");
                refused.fetch_add(1, Ordering::Relaxed);
                pause(20);
                line = Some(to);
            }
            Err(_) => pause(20),
        }
    }
}

/// A connection of a phone that is kept.
pub struct Phone(BufReader<TcpStream>);

impl Phone {
    pub fn call(to: SocketAddr) -> io::Result<Self> {
        dial(to).map(|stream| Self(BufReader::new(stream)))
    }

    /// Waits until the far end closes, as it does without a word.
    pub fn hung_up(&mut self) -> bool {
        matches!(self.0.read_line(&mut String::new()), Ok(0))
    }

    /// The status of the answer to one message.
    pub fn post(&mut self, body: &str) -> io::Result<u16> {
        let head = "POST /pub HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            status = status.or_else(|| line.split(' ').nth(1)?.parse().ok());
            if let Some(n) = line.strip_prefix("content-length: ") {
                length = n.parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut self.0.by_ref().take(length), &mut io::sink())?;
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Sends fixes and heartbeats; an answered heartbeat stands for every fix before it. What was not answered is sent again.
fn tracker(number: usize, targets: &Targets, ledger: &Ledger, stop: &AtomicBool) {
    let imei = format!("86000000000{number:04}");
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut line) = Tracker::log_in(targets.gt06(), &imei) else {
            pause(20);
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            if line.report(next..next + AT_ONCE).is_err() {
                pause(20);
                break;
            }
            ledger.answered(&imei, next..=next + AT_ONCE - 1);
            next += AT_ONCE;
        }
    }
}

/// A connection of a tracker that has logged in.
pub struct Tracker {
    pub stream: TcpStream,
    serial: u16,
}

impl Tracker {
    pub fn log_in(to: SocketAddr, imei: &str) -> io::Result<Self> {
        let mut tracker = Self { stream: dial(to)?, serial: 1 };
        tracker.stream.write_all(&login(imei, 1))?;
        tracker.wait_for(0x01, 1)?;
        Ok(tracker)
    }

    /// A connection that somebody else has spoken over.
    pub fn over(stream: TcpStream) -> Self {
        Self { stream, serial: 1 }
    }

    /// Sends fixes of these numbers and a heartbeat, and waits for its answer.
    pub fn report(&mut self, fixes: std::ops::Range<i64>) -> io::Result<()> {
        self.report_these(&fixes.collect::<Vec<_>>())
    }

    /// As [`Tracker::report`], in this order.
    pub fn report_these(&mut self, fixes: &[i64]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for &n in fixes {
            self.serial = self.serial.wrapping_add(1);
            bytes.extend(fix(n, self.serial));
        }
        self.serial = self.serial.wrapping_add(1);
        bytes.extend(heartbeat(self.serial));
        self.stream.write_all(&bytes)?;
        self.wait_for(0x13, self.serial)
    }

    /// Reads answers until that of this type and serial.
    pub fn wait_for(&mut self, kind: u8, serial: u16) -> io::Result<()> {
        loop {
            let mut head = [0; 3];
            self.stream.read_exact(&mut head)?;
            let mut rest = vec![0; usize::from(head[2]) + 2];
            self.stream.read_exact(&mut rest)?;
            let at = rest.len().checked_sub(6).ok_or(io::ErrorKind::InvalidData)?;
            if rest[0] == kind && rest[at..at + 2] == serial.to_be_bytes() {
                return Ok(());
            }
        }
    }
}

pub fn dial(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A login of 15 digits (protocols/gt06.md §10).
pub fn login(imei: &str, serial: u16) -> Vec<u8> {
    let digits: Vec<u8> = format!("0{imei}").bytes().map(|b| b - b'0').collect();
    let packed: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    frame(0x01, &packed, serial)
}

pub fn heartbeat(serial: u16) -> Vec<u8> {
    frame(0x13, &[0x44, 6, 4, 0, 2], serial)
}

/// The n-th fix of a tracker: type 0x22, whose time, place and course count along.
pub fn fix(n: i64, serial: u16) -> Vec<u8> {
    let at = wayglass::model::Timestamp::from_second(FIRST_S + n).expect("a near moment");
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let mut body = vec![u8::try_from(at.year() - 2000).expect("this century")];
    body.extend([at.month(), at.day(), at.hour(), at.minute(), at.second()].map(i8::unsigned_abs));
    body.push(0xC9);
    let n = u32::try_from(n).expect("few");
    body.extend((90_000_000 + n * 18).to_be_bytes());
    body.extend(36_000_000_u32.to_be_bytes());
    body.push(60);
    body.extend((0x1400 | u16::try_from(n % 360).expect("small")).to_be_bytes());
    // Cell, ignition, upload mode, live.
    body.extend([0x00, 0xF6, 1, 0x03, 0xE9, 0x01, 0x11, 0x71, 1, 0, 0]);
    frame(0x22, &body, serial)
}

/// A frame with a short start, sealed by a checksum of this file's own making.
pub fn frame(kind: u8, body: &[u8], serial: u16) -> Vec<u8> {
    let mut sealed = vec![u8::try_from(body.len() + 5).expect("short"), kind];
    sealed.extend(body);
    sealed.extend(serial.to_be_bytes());
    sealed.extend(crc(&sealed).to_be_bytes());
    [&[0x78, 0x78], sealed.as_slice(), &[0x0D, 0x0A]].concat()
}

/// CRC-16/X-25, bit by bit.
fn crc(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(u16::MAX, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 })
    })
}
