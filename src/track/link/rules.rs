//! The table of symptoms: what is seen, what it looks like, what to do.

use super::{Link, Series, Symptom};

/// More often than once in so many seconds nobody logs in who is well.
const OFTEN_S: f64 = 15.0 * 60.0;
/// Carriers forget connections that rest for longer.
const RARE_HEARTBEAT_S: f64 = 10.0 * 60.0;
/// Fewer of something prove nothing.
const FEW: u64 = 3;
/// Trackers wait some seconds for an answer, then they begin anew.
const SLOW_MS: f64 = 2_000.0;
/// From here on a clock is wrong, not a packet slow.
const WRONG_CLOCK_S: u64 = 120;
/// Zones of the world differ by whole quarters of an hour.
const QUARTER_S: u64 = 900;

/// A row of the table. Of rules with one topic only the first that fits is told.
struct Rule {
    topic: &'static str,
    key: &'static str,
    seen: fn(&Link) -> Option<String>,
    looks_like: &'static str,
    advice: &'static str,
}

const TABLE: &[Rule] = &[
    Rule {
        topic: "login",
        key: "restarts",
        seen: restarts,
        looks_like: "Wayglass being restarted, not its link",
        advice: "see in the log why it stops",
    },
    Rule {
        topic: "login",
        key: "closed-here",
        seen: not_stored,
        looks_like: "trouble of this receiver, not its link",
        advice: "look at its health (F9, `wayglass doctor`)",
    },
    Rule {
        topic: "login",
        key: "refused",
        seen: refused,
        looks_like: "what it sends or a setting here, not its link",
        advice: "look at its last packets, and at policy, limits and taps in the settings",
    },
    Rule {
        topic: "login",
        key: "server-closes",
        seen: server_closes,
        looks_like: "something that server does not take",
        advice: "see in its conversation what was sent last, and look into the log of that server",
    },
    Rule {
        topic: "login",
        key: "only-logins",
        seen: only_logins,
        looks_like: "it does not take the answer",
        advice: "see whether another program or proxy answers on the way, and set its dialect in its profile",
    },
    Rule {
        topic: "login",
        key: "too-silent",
        seen: too_silent,
        looks_like: "pauses that are longer than this receiver waits",
        advice: "shorten the heartbeat, or raise `silence` in the settings",
    },
    Rule {
        topic: "login",
        key: "tracker-closes",
        seen: tracker_closes,
        looks_like: "a setting of the tracker: it sleeps, or hangs up between its reports",
        advice: "no harm where that is meant; else see its sleep and reporting modes",
    },
    Rule {
        topic: "login",
        key: "left-open",
        seen: left_open,
        looks_like: "weak coverage, a tracker that restarts, or a line that was forgotten on the way",
        advice: "look at signal and supply; where both are good, shorten the heartbeat",
    },
    Rule {
        topic: "login",
        key: "nat-time-out",
        seen: nat,
        looks_like: "a carrier's NAT time-out",
        advice: "shorten the heartbeat",
    },
    Rule {
        topic: "login",
        key: "restless",
        seen: restless,
        looks_like: "weak coverage, or a supply that fails",
        advice: "look at signal and voltage, then at antenna and wiring",
    },
    Rule {
        topic: "heartbeat",
        key: "rare-heartbeat",
        seen: rare_heartbeat,
        looks_like: "a connection that a carrier may cut unseen",
        advice: "set its heartbeat to 3 to 5 minutes",
    },
    Rule {
        topic: "lost",
        key: "lost-frames",
        seen: lost,
        looks_like: "weak coverage, or a memory that ran over while it was offline",
        advice: "see where it was when frames were lost",
    },
    Rule {
        topic: "answer",
        key: "slow-answers",
        seen: slow,
        looks_like: "a slow line or server: trackers give up after some seconds and send again",
        advice: "answer from a machine nearer to it",
    },
    Rule {
        topic: "cells",
        key: "cells-only",
        seen: cells,
        looks_like: "it is indoors, or its antenna is covered",
        advice: "mount it with its antenna to the sky",
    },
    Rule {
        topic: "signal",
        key: "weak-signal",
        seen: weak,
        looks_like: "poor coverage",
        advice: "try another place in the vehicle, or another carrier",
    },
    Rule {
        topic: "volts",
        key: "low-voltage",
        seen: low_volts,
        looks_like: "a weak battery, or a wire that comes loose",
        advice: "measure the supply at the device",
    },
    Rule {
        topic: "clock",
        key: "wrong-zone",
        seen: zone,
        looks_like: "a time zone set in the device",
        advice: "set the device to UTC, or take the clock doctor's offset in its profile",
    },
    Rule {
        topic: "clock",
        key: "wrong-clock",
        seen: clock,
        looks_like: "a clock that was never set, or packets that wait in the device",
        advice: "let it see satellites for some minutes, and see whether it sends late",
    },
];

/// Reads the table.
pub(super) fn read(link: &Link) -> Vec<Symptom> {
    let mut told: Vec<&str> = Vec::new();
    let mut symptoms = Vec::new();
    for rule in TABLE {
        if told.contains(&rule.topic) {
            continue;
        }
        if let Some(seen) = (rule.seen)(link) {
            told.push(rule.topic);
            symptoms.push(Symptom { key: rule.key, seen, looks_like: rule.looks_like, advice: rule.advice });
        }
    }
    symptoms
}

/// How often it logs in, where that is too often.
fn often(link: &Link) -> Option<f64> {
    link.login_every_s.filter(|every| link.logins >= FEW && *every <= OFTEN_S)
}

/// How often it logs in, where that is too often and mostly what so many of its connections ended by.
fn often_by(link: &Link, n: u64) -> Option<String> {
    often(link).filter(|_| link.ends.mostly(n, link.logins)).map(span)
}

fn restarts(link: &Link) -> Option<String> {
    let every = often_by(link, link.ends.stopped)?;
    Some(format!("logs in again every {every} because Wayglass was stopped ({} times)", link.ends.stopped))
}

fn not_stored(link: &Link) -> Option<String> {
    closed_here(link, link.ends.not_stored)
}

fn refused(link: &Link) -> Option<String> {
    closed_here(link, link.ends.refused)
}

fn closed_here(link: &Link, n: u64) -> Option<String> {
    let every = often_by(link, n)?;
    let why = link.ends.why.as_deref().unwrap_or_default();
    Some(format!("logs in again every {every} because we close its connections ({why})"))
}

fn server_closes(link: &Link) -> Option<String> {
    let every = often_by(link, link.ends.by_server)?;
    Some(format!("logs in again every {every} because the other server closes its connections"))
}

fn too_silent(link: &Link) -> Option<String> {
    let every = often_by(link, link.ends.silent)?;
    Some(format!("logs in again every {every} because we close its connections, which are silent for too long"))
}

fn tracker_closes(link: &Link) -> Option<String> {
    let every = often_by(link, link.ends.by_device)?;
    Some(format!("logs in again every {every} after it closed its connection in order"))
}

fn left_open(link: &Link) -> Option<String> {
    let every = often_by(link, link.ends.replaced)?;
    Some(format!("logs in again every {every} while its connection before is still open here, which we close then"))
}

fn only_logins(link: &Link) -> Option<String> {
    let every = often(link).filter(|_| link.packets == link.logins)?;
    Some(format!("logs in again every {} and says nothing else", span(every)))
}

fn nat(link: &Link) -> Option<String> {
    let every = often(link)?;
    // A heartbeat that comes between two logins kept nothing open.
    let heartbeat = link.heartbeat_every_s.filter(|_| link.heartbeats > link.logins);
    heartbeat.is_none_or(|heartbeat| heartbeat >= every * 0.8).then(|| format!("logs in again every {}", span(every)))
}

fn restless(link: &Link) -> Option<String> {
    let (every, heartbeat) = (often(link)?, link.heartbeat_every_s?);
    Some(format!("logs in again every {} although it sends heartbeats every {}", span(every), span(heartbeat)))
}

fn rare_heartbeat(link: &Link) -> Option<String> {
    let every = link.heartbeat_every_s.filter(|every| link.heartbeats >= FEW && *every > RARE_HEARTBEAT_S)?;
    Some(format!("sends heartbeats only every {}", span(every)))
}

fn lost(link: &Link) -> Option<String> {
    let share = link.lost_share().filter(|share| link.lost >= FEW && *share >= 0.01)?;
    Some(format!("{} of its frames never arrived ({:.0} of 100)", link.lost, share * 100.0))
}

fn slow(link: &Link) -> Option<String> {
    let ms = link.answer_ms.filter(|ms| link.answers >= FEW && *ms > SLOW_MS)?;
    Some(format!("half of the answers to it take more than {:.1} s", ms / 1_000.0))
}

fn cells(link: &Link) -> Option<String> {
    let share = link.cell_only_share().filter(|share| link.cell_only >= FEW && *share >= 0.3)?;
    Some(format!("{:.0} of 100 of its places come from cells or Wi-Fi alone", share * 100.0))
}

fn weak(link: &Link) -> Option<String> {
    let signal = median(&link.signal).filter(|_| link.signal.len() as u64 >= FEW)?;
    // Bars of four. What counts otherwise, by tens, is another scale.
    let bars = link.signal.iter().all(|(_, bars)| (0.0..=4.0).contains(bars));
    (bars && signal <= 1.0).then(|| format!("its signal is {signal:.0} of 4 most of the time"))
}

fn low_volts(link: &Link) -> Option<String> {
    /// What a supply has that is well, up to where it is one of these, and below which it is weak.
    const SUPPLIES: [(f32, f32, f32); 3] = [(3.0, 5.0, 3.6), (9.0, 16.0, 11.5), (18.0, 32.0, 23.0)];
    let usual = median(&link.volts).filter(|_| link.volts.len() as u64 >= FEW)?;
    let (.., weak) = SUPPLIES.into_iter().find(|(from, to, _)| (*from..=*to).contains(&usual))?;
    let least = link.volts.iter().map(|(_, volts)| *volts).fold(f32::INFINITY, f32::min);
    (least < weak).then(|| format!("its voltage fell to {least:.1} V"))
}

fn zone(link: &Link) -> Option<String> {
    let ahead = link.clock_ahead_s?;
    let off = ahead.unsigned_abs();
    let near = off % QUARTER_S <= WRONG_CLOCK_S || off % QUARTER_S >= QUARTER_S - WRONG_CLOCK_S;
    (near && off >= QUARTER_S - WRONG_CLOCK_S).then(|| clock_text(ahead))
}

fn clock(link: &Link) -> Option<String> {
    link.clock_ahead_s.filter(|ahead| ahead.unsigned_abs() >= WRONG_CLOCK_S).map(clock_text)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a clock that is off are far below 2^53")]
fn clock_text(ahead_s: i64) -> String {
    let way = if ahead_s < 0 { "behind" } else { "ahead" };
    format!("its clock is {} {way}", span(ahead_s.unsigned_abs() as f64))
}

fn median(series: &Series) -> Option<f32> {
    let mut values: Vec<f32> = series.iter().map(|(_, value)| *value).collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// `40 seconds`, `3 minutes`, `8 hours`.
fn span(seconds: f64) -> String {
    let (n, unit) = match seconds {
        s if s < 90.0 => (s, "second"),
        s if s < 5_400.0 => (s / 60.0, "minute"),
        s => (s / 3_600.0, "hour"),
    };
    let n = if unit == "hour" { (n * 10.0).round() / 10.0 } else { n.round() };
    format!("{n} {unit}{}", if (n - 1.0).abs() < 0.05 { "" } else { "s" })
}

impl Link {
    /// What was measured, for a person: a word and its value.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let every = |s: Option<f64>| s.map(|s| format!(", every {}", span(s))).unwrap_or_default();
        let per_hour = self.logins_again_per_hour().filter(|_| self.logins > 1);
        let per_hour = per_hour.map(|n| format!(" ({n:.1} again an hour)")).unwrap_or_default();
        let ends = |series: &Series, unit: &str| {
            let values = || series.iter().map(|(_, value)| *value);
            let (least, most) = (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
            values().next_back().map(|last| format!("{last}{unit} ({least} to {most})"))
        };
        let some = |n: u64, text: String| (n > 0).then_some(text);
        let percent = |share: Option<f64>| share.map_or(0.0, |share| share * 100.0);
        let lines = [
            ("Packets", some(self.packets, self.packets.to_string())),
            ("Lost frames", some(self.lost, format!("{} ({:.1} %)", self.lost, percent(self.lost_share())))),
            ("Logins", some(self.logins, format!("{}{}{per_hour}", self.logins, every(self.login_every_s)))),
            ("Closed", self.ends.line()),
            ("Heartbeats", some(self.heartbeats, format!("{}{}", self.heartbeats, every(self.heartbeat_every_s)))),
            (
                "Answers",
                self.answer_ms
                    .zip(self.slowest_answer_ms)
                    .map(|(ms, slowest)| format!("{ms:.0} ms, {slowest} at most")),
            ),
            ("Signal", ends(&self.signal, "")),
            ("Voltage", ends(&self.volts, " V")),
            (
                "Cells only",
                some(self.places, format!("{:.0} % of {} places", percent(self.cell_only_share()), self.places)),
            ),
            (
                "Clock",
                self.clock_ahead_s
                    .map(|ahead| if ahead.unsigned_abs() < 30 { "right".to_owned() } else { clock_text(ahead) }),
            ),
        ];
        lines.into_iter().filter_map(|(label, text)| Some((label, text?))).collect()
    }
}
