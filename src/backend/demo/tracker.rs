//! A pretend tracker: one TCP connection, login first, and a new connection when what must be answered is not.

use std::{
    collections::VecDeque,
    io::{self, Error, ErrorKind},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, Interval, timeout},
};

use super::{ANSWER_WITHIN, Drive, LAST_ANSWERS};
use crate::sim::{Message, Vehicle};

/// Answers that are waited for at once; more than a tracker ever has open.
const MOST_OPEN: usize = 64;

/// Drives a tracker, `after` a while for the first time, until the drive stops.
pub(super) async fn run(mut tracker: Vehicle, address: &str, after: Duration, drive: &Drive) {
    let mut attempt = 0;
    let mut ticks = drive.ticks(after);
    loop {
        match session(&mut tracker, address, &mut ticks, &mut attempt, drive).await {
            Ok(()) => return,
            Err(error) => drive.tally.broken(format!("{address}: {error}")),
        }
        if drive.back_off(&mut attempt).await.is_none() {
            return;
        }
    }
}

/// One connection. `Ok` when the drive stopped.
async fn session(
    tracker: &mut Vehicle,
    address: &str,
    ticks: &mut Interval,
    attempt: &mut u32,
    drive: &Drive,
) -> io::Result<()> {
    if drive.stop.is_cancelled() {
        return Ok(());
    }
    let stream = drive.connect(address).await?;
    let _open = drive.tally.connected();
    let mut talk = Talk { stream, buffer: Vec::new(), open: VecDeque::new(), asked: Vec::new(), drive };
    if let Some(login) = tracker.login() {
        talk.send(vec![login]).await?;
        talk.settle().await?;
    }
    *attempt = 0;
    loop {
        for frame in std::mem::take(&mut talk.asked) {
            if let Some(answer) = tracker.answer(&frame) {
                talk.send(vec![answer]).await?;
            }
        }
        tokio::select! {
            goes_on = drive.next_tick(ticks) => {
                if !goes_on {
                    return talk.leave().await;
                }
                talk.overdue()?;
                talk.send(tracker.report((drive.clock)())).await?;
                if tracker.arrived() {
                    return talk.leave().await;
                }
            }
            heard = talk.hear() => heard?,
        }
    }
}

/// The talk over one connection.
struct Talk<'a> {
    stream: TcpStream,
    /// Bytes that came and are no whole frame yet.
    buffer: Vec<u8>,
    /// What was sent and not answered, oldest first.
    open: VecDeque<(Instant, Message)>,
    /// Frames that answer nothing: commands, and addresses, which a pretend tracker lets pass.
    asked: Vec<Vec<u8>>,
    drive: &'a Drive,
}

impl Talk<'_> {
    async fn send(&mut self, messages: Vec<Message>) -> io::Result<()> {
        let bytes: Vec<u8> = messages.iter().flat_map(|m| m.bytes.iter().copied()).collect();
        timeout(ANSWER_WITHIN, self.stream.write_all(&bytes)).await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
        let now = Instant::now();
        for message in messages {
            self.drive.tally.sent();
            self.open.push_back((now, message));
        }
        while self.open.len() > MOST_OPEN {
            self.open.pop_front();
        }
        Ok(())
    }

    /// Reads once and matches the frames that are whole. Safe to drop while it waits.
    async fn hear(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the far end closed the connection"));
        }
        while let Some(frame) = cut_frame(&mut self.buffer)? {
            match self.open.iter().position(|(_, m)| m.answer == frame).and_then(|place| self.open.remove(place)) {
                Some((sent, _)) => self.drive.tally.answered(sent.elapsed()),
                None if self.asked.len() < MOST_OPEN => self.asked.push(frame),
                None => {}
            }
        }
        Ok(())
    }

    /// Waits for what must be answered.
    async fn settle(&mut self) -> io::Result<()> {
        let all = async {
            while self.open.iter().any(|(_, m)| m.must_answer) {
                self.hear().await?;
            }
            Ok(())
        };
        match timeout(ANSWER_WITHIN, all).await {
            Ok(settled) => settled,
            Err(_) => self.overdue(),
        }
    }

    /// Waits for what must be answered, says that nothing more comes, and hears the far end out: whoever closes over answers that
    /// he has not read resets the connection, and the far end loses what it had not read yet (RFC 1122 §4.2.2.13).
    async fn leave(mut self) -> io::Result<()> {
        self.settle().await?;
        self.stream.shutdown().await?;
        // It may keep its side open for as long as it likes.
        timeout(LAST_ANSWERS, async { while self.hear().await.is_ok() {} }).await.ok();
        Ok(())
    }

    /// An error when something that must be answered was not, in time.
    fn overdue(&mut self) -> io::Result<()> {
        let late = |(sent, m): &&(Instant, Message)| m.must_answer && sent.elapsed() >= ANSWER_WITHIN;
        if self.open.iter().find(late).is_some() {
            self.drive.tally.failed("no answer");
            return Err(Error::new(ErrorKind::TimedOut, "no answer to what must be answered"));
        }
        Ok(())
    }
}

/// Takes a whole frame off the front of what came.
fn cut_frame(buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let length = match *buffer.as_slice() {
        [0x78, 0x78, length, ..] => usize::from(length) + 5,
        [0x79, 0x79, high, low, ..] => usize::from(u16::from_be_bytes([high, low])) + 6,
        [] | [0x78 | 0x79] | [0x78, 0x78] | [0x79, 0x79] | [0x79, 0x79, _] => return Ok(None),
        _ => return Err(Error::new(ErrorKind::InvalidData, "the far end does not speak GT06")),
    };
    Ok((buffer.len() >= length).then(|| buffer.drain(..length).collect()))
}
