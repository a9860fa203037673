//! What the health of an instance says in sentences, for `doctor` and the head of the panel: what is well, and what is not with its cure.

use super::{
    doctor::Finding,
    health::{Count, Health, Limit, Receiver, ReceiverState, Tapped},
};
use crate::model::{MishapKind, Timestamp, bytes_text, size_text};

/// Less left on the disk than this is worth a word, and less than that is trouble.
const LITTLE_BYTES: u64 = 1 << 30;
const HARDLY_BYTES: u64 = 64 << 20;
/// From this part of a bound on it is near.
const NEAR: f64 = 0.8;
/// What happened longer ago is told, but is no reason to worry.
const RECENT_S: i64 = 60 * 60;
/// A commit that takes longer holds devices up.
const SLOW_US: u64 = 500_000;

impl Health {
    /// Everything in sentences, what is well too.
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.receivers.iter().map(receiver).collect();
        findings.extend(self.taps.iter().flat_map(|tap| tapped(tap, now)));
        findings.push(self.rates());
        findings.extend(self.store(now));
        findings.extend(disk(self.disk_free_bytes, self.database_bytes + self.log_bytes));
        for kind in MishapKind::ALL {
            findings.extend(self.counts_of(kind, now));
        }
        findings.extend(self.limits.iter().filter_map(near));
        findings.extend(self.clock_finding());
        findings
    }

    fn rates(&self) -> Finding {
        let rate =
            |by_second: &[u32], of: &str| format!("{:.1} {of}/s {}", self.per_second(by_second), sparkline(by_second));
        let (packets, positions) =
            (rate(&self.packets_by_second, "packets"), rate(&self.positions_by_second, "new positions"));
        Finding::ok("rates", format!("{packets}, {positions} over the last minute"))
    }

    fn store(&self, now: Timestamp) -> Vec<Finding> {
        const TOPIC: &str = "store";
        let mut findings = Vec::new();
        if let Some(failure) = &self.failure {
            let (text, n) = (&failure.text, failure.batches);
            findings.push(if failure.lasts {
                let lasted = ago(now.duration_since(failure.began).as_secs().max(0));
                Finding::trouble(
                    TOPIC,
                    format!("nothing has been stored for {lasted}: {text} ({n} attempts failed)"),
                    "make room on the disk, or close the program that holds the database; devices keep what is not answered",
                )
            } else {
                let before = ago(now.duration_since(failure.at).as_secs().max(0));
                let text = format!("it writes, but could not {before} ago: {text}");
                if now.duration_since(failure.at).as_secs() < RECENT_S {
                    Finding::note(TOPIC, text, "the log in the data folder says when it began and ended")
                } else {
                    Finding::ok(TOPIC, text)
                }
            });
        }
        let queue = &self.queue;
        let waiting = format!(
            "{} writes wait with {} of {}",
            queue.writes,
            bytes_text(queue.bytes),
            size_text(queue.bound_bytes)
        );
        let commits = match (self.commits.p50_us, self.commits.p99_us) {
            (Some(p50), Some(p99)) => {
                format!(
                    "of the last {} commits half took up to {}, 99 of 100 up to {}",
                    self.commits.count,
                    ms_text(p50),
                    ms_text(p99)
                )
            }
            _ => "nothing was committed in the last minutes".to_owned(),
        };
        let slow = self.commits.p50_us.is_some_and(|p50| p50 > SLOW_US);
        let text = format!("{waiting}; {commits}");
        findings.push(if slow {
            Finding::note(TOPIC, text, "the disk is slow or busy; put the data folder on a faster one with --data-dir")
        } else {
            Finding::ok(TOPIC, text)
        });
        findings
    }

    fn counts_of(&self, kind: MishapKind, now: Timestamp) -> Option<Finding> {
        let said: Vec<String> = self.counted(kind).map(|count| counted(count, now)).collect();
        // The quarantine keeps no times.
        let recent = |count: &Count| match count.last {
            Some(last) => now.duration_since(last).as_secs() < RECENT_S,
            None => count.since_start > 0,
        };
        let recent = self.counted(kind).any(recent);
        let topic = kind.title().to_lowercase();
        if said.is_empty() {
            return None;
        }
        Some(match kind {
            MishapKind::NotKept | MishapKind::Bound if recent => Finding::note(
                topic,
                said.join("; "),
                "raise the limit under [limits] in the settings, or find out who sends so much",
            ),
            MishapKind::NotKept | MishapKind::Bound | MishapKind::Refused | MishapKind::Closed => {
                Finding::ok(topic, said.join("; "))
            }
        })
    }

    fn clock_finding(&self) -> Option<Finding> {
        let clocks = &self.clocks;
        if clocks.devices == 0 {
            return None;
        }
        let worst = clocks.worst.iter().map(|clock| format!("{} {}", clock.name, clock_text(clock.ahead_s)));
        let worst = worst.collect::<Vec<_>>().join(", ");
        Some(if clocks.ahead + clocks.behind == 0 {
            Finding::ok("device clocks", format!("the times of {} devices fit those of arrival", clocks.devices))
        } else {
            Finding::note(
                "device clocks",
                format!("of {} devices {} ahead and {} behind: {worst}", clocks.devices, clocks.ahead, clocks.behind),
                "open a device's profile and take the clock doctor's offset; one that is behind may send what it measured before",
            )
        })
    }
}

fn receiver(receiver: &Receiver) -> Finding {
    let Receiver { name, state, address, trouble, connections, most_connections } = receiver;
    let topic = format!("{name} receiver");
    let at = address.as_deref().unwrap_or("nowhere");
    match state {
        ReceiverState::Off => Finding::ok(topic, "off"),
        ReceiverState::Starting => Finding::ok(topic, format!("starting on {at}")),
        ReceiverState::Listening => {
            Finding::ok(topic, format!("listens on {at} with {connections} of {most_connections} connections"))
        }
        ReceiverState::Waiting => Finding::trouble(
            topic,
            format!("cannot listen on {at}: {}", trouble.as_deref().unwrap_or("unknown reason")),
            "stop the program that has the port, or choose another one",
        ),
    }
}

/// A tap: its port, what goes through it, the server behind it, and what is not in the store.
fn tapped(tap: &Tapped, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![receiver(&tap.receiver)];
    let name = tap.receiver.name.as_str();
    let (heard, answered) = (bytes_text(tap.heard_bytes), bytes_text(tap.answered_bytes));
    let packets = format!("{} packets in the last minute, {} since the start", tap.packets_in_a_minute, tap.packets);
    findings.push(Finding::ok(
        name,
        match &tap.to {
            Some(to) => format!("passes on to {to}: {packets}; {heard} of trackers, {answered} of the server"),
            None => format!("takes a copy and never answers: {packets}; {heard}"),
        },
    ));
    if let (Some(to), Some(false), Some(dialled)) = (&tap.to, tap.reached, tap.dialled) {
        let before = ago(now.duration_since(dialled).as_secs().max(0));
        let why = tap.trouble.as_deref().unwrap_or("unknown reason");
        findings.push(Finding::trouble(
            format!("{name} server"),
            format!("{to} was not reached {before} ago: {why}"),
            "see that it runs and that name and port are right; trackers are closed meanwhile, and call again",
        ));
    }
    if tap.not_recorded_bytes > 0 {
        findings.push(Finding::note(
            format!("{name} record"),
            format!("{} went through and are not in the store", bytes_text(tap.not_recorded_bytes)),
            "see above whether the store could not take it, or whether something else than trackers speaks there",
        ));
    }
    findings
}

/// What the disk of the data folder has left.
pub(super) fn disk(free_bytes: Option<u64>, used_bytes: u64) -> Option<Finding> {
    const TOPIC: &str = "disk";
    let free = free_bytes?;
    let used = if used_bytes > 0 { format!("; the store takes {}", bytes_text(used_bytes)) } else { String::new() };
    let text = format!("{} left{used}", bytes_text(free));
    let cure = "make room, keep packets for a shorter time, or move the data folder to a larger disk with --data-dir";
    Some(if free < HARDLY_BYTES {
        Finding::trouble(TOPIC, text, cure)
    } else if free < LITTLE_BYTES {
        Finding::note(TOPIC, text, cure)
    } else {
        Finding::ok(TOPIC, text)
    })
}

fn near(limit: &Limit) -> Option<Finding> {
    let share = limit.share()?;
    (share >= NEAR).then(|| {
        let (title, used, text) = (&limit.title, limit.used_text.as_deref().unwrap_or_default(), &limit.text);
        Finding::note(
            "limits",
            format!("{title}: {used} of {text} in use"),
            format!("raise `{}` in the settings where that is too little", limit.key),
        )
    })
}

fn counted(count: &Count, now: Timestamp) -> String {
    let Count { title, since_start, ever, last, .. } = count;
    let before = if ever > since_start { format!(", {ever} ever") } else { String::new() };
    match last {
        Some(last) => {
            let seconds = now.duration_since(*last).as_secs().max(0);
            format!("{title}: {since_start} (last {} ago{before})", ago(seconds))
        }
        None => format!("{title}: {since_start} (since the start{before})"),
    }
}

/// `40 s`, `12 min`, `3 h`, `9 days`.
fn ago(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `8 h ahead`, `20 min behind`.
pub fn clock_text(ahead_s: i64) -> String {
    let word = if ahead_s > 0 { "ahead" } else { "behind" };
    format!("{} {word}", ago(ahead_s.saturating_abs()))
}

/// Microseconds as milliseconds with as many digits as tell something.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn ms_text(us: u64) -> String {
    let ms = us as f64 / 1000.0;
    if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Three seconds a sign, from nothing to the most of the minute.
fn sparkline(by_second: &[u32]) -> String {
    const SIGNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let sums: Vec<u64> = by_second.chunks(3).map(|chunk| chunk.iter().map(|n| u64::from(*n)).sum()).collect();
    let most = sums.iter().copied().max().unwrap_or_default().max(1);
    let sign = |sum: &u64| {
        let step = usize::try_from((sum * 7).div_ceil(most)).unwrap_or_default();
        SIGNS.get(step).copied().unwrap_or('█')
    };
    sums.iter().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_a_line_of_twenty_signs() {
        let mut by_second = vec![0; 60];
        assert_eq!(sparkline(&by_second), "▁".repeat(20));
        by_second[59] = 700;
        by_second[56] = 100;
        assert_eq!(sparkline(&by_second), format!("{}▂█", "▁".repeat(18)));
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_said() {
        use crate::backend::doctor::Level;
        for (free, level) in [(1 << 40, Level::Ok), (500 << 20, Level::Note), (3 << 20, Level::Trouble)] {
            assert_eq!(disk(Some(free), 0).map(|finding| finding.level), Some(level), "{free}");
        }
        assert_eq!(disk(None, 0), None);
    }
}
