//! `wayglass profile`: what no frame of a tracker says, and what its clock is off by. Works beside a running instance.

use std::io::Write;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{
    Site, devices,
    progress::{Progress, count},
};
use crate::{
    backend::{clock_advice, rederive_due},
    model::{ClockAdvice, Device, Profile, Protocol},
    store,
};

/// Show or change what no frame of a tracker says: its model, its clock. Its history follows, read again from the stored packets.
#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    /// Identity (the 15 digits) or name of the tracker.
    #[arg(value_name = "DEVICE")]
    device: String,
    /// Model name, which chooses alarm table and voltage reading; `none` goes back to what the documents say.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Zone that its clock runs in, as `+08:00` or `-3:30`, in every frame; `login` goes back to what its login says.
    #[arg(long, value_name = "ZONE", value_parser = zone, allow_hyphen_values = true)]
    zone: Option<ClockIs>,
    /// The same in seconds that its clock is ahead of UTC, for what is no zone.
    #[arg(long, value_name = "SECONDS", conflicts_with = "zone", allow_hyphen_values = true)]
    offset: Option<i32>,
    /// Take the clock doctor's proposal, where it has one.
    #[arg(long, conflicts_with_all = ["zone", "offset"])]
    mend_clock: bool,
    /// Whether commands carry the two language bytes, which some firmware asks for.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    command_language: Option<bool>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub(super) json: bool,
}

/// What a person says about a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClockIs {
    AsTheLoginSays,
    /// Seconds ahead of UTC.
    Ahead(i32),
}

/// How the history follows a change.
enum History {
    Unchanged,
    /// Another process receives into this folder, and reads it again.
    Elsewhere,
    Read(store::Rederived),
}

/// Shows a profile, and changes what the words say.
pub(super) fn run(args: &ProfileArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let data_dir = site.data_dir()?;
    let store = devices::beside(&data_dir, site)?;
    let device = devices::find(&store, &args.device)?;
    if device.protocol != Protocol::Gt06 {
        bail!("{} is a phone, which says everything itself: there is no profile to change", args.device);
    }
    let advice = clock_advice(&store.reader(), device.id).wait()?;
    let profile = changed(args, &device.profile, advice.as_ref())?;
    let mut history = History::Unchanged;
    if profile != device.profile && store.writer().set_profile(device.id, profile.clone()).wait()?.is_some() {
        history = if store::in_use(&data_dir) {
            History::Elsewhere
        } else {
            let mut progress = Progress::new(site.quiet);
            progress.tell("reading its packets again …");
            let done = rederive_due(&store)?;
            drop(progress);
            done.into_iter()
                .find(|(id, _)| *id == device.id)
                .map_or(History::Elsewhere, |(_, done)| History::Read(done))
        };
    }
    // What it says of the clock as it was is no advice for the clock as it is.
    let advice = advice.filter(|_| profile.clock_offset_s == device.profile.clock_offset_s);
    store.close();
    let device = Device { profile, ..device };
    if args.json {
        as_json(&device, advice.as_ref(), &history, out)?;
    } else {
        lines(&device, advice.as_ref(), &history, out)?;
    }
    out.flush()?;
    Ok(())
}

/// The profile with what the words change.
fn changed(args: &ProfileArgs, before: &Profile, advice: Option<&ClockAdvice>) -> Result<Profile> {
    let mut profile = before.clone();
    if let Some(model) = &args.model {
        let model = model.trim();
        profile.model = (!model.is_empty() && !model.eq_ignore_ascii_case("none")).then(|| model.to_owned());
    }
    match args.zone.or(args.offset.map(ClockIs::Ahead)) {
        Some(ClockIs::AsTheLoginSays) => profile.clock_offset_s = None,
        Some(ClockIs::Ahead(seconds)) => profile.clock_offset_s = Some(seconds),
        None => {}
    }
    if args.mend_clock {
        let Some(advice) = advice else {
            bail!(
                "the clock doctor proposes nothing: the times of {} are right, or its live frames do not agree",
                args.device
            );
        };
        profile.clock_offset_s = Some(advice.offset_s);
    }
    if let Some(language) = args.command_language {
        profile.command_language = language;
    }
    Ok(profile)
}

fn lines(device: &Device, advice: Option<&ClockAdvice>, history: &History, out: &mut dyn Write) -> std::io::Result<()> {
    let Profile { model, clock_offset_s, command_language, .. } = &device.profile;
    writeln!(out, "{}", devices::plain(device.label()))?;
    writeln!(out, "  model     {}", model.as_deref().map_or("as the documents".to_owned(), devices::plain))?;
    let clock = clock_offset_s.map_or("as its login says".to_owned(), |seconds| format!("UTC{}", zone_text(seconds)));
    writeln!(out, "  clock     {clock}")?;
    writeln!(out, "  commands  {} language bytes", if *command_language { "with" } else { "without" })?;
    if let Some(advice) = advice {
        let ClockAdvice { offset_s, error_s, samples, agreeing, examples } = advice;
        let direction = if *error_s > 0 { "ahead" } else { "behind" };
        writeln!(
            out,
            "  its times are {} {direction}: {agreeing} of {} say that its clock runs at UTC{}; `--mend-clock` corrects it",
            span(error_s.unsigned_abs()),
            count(*samples as u64, "live frame"),
            zone_text(*offset_s)
        )?;
        for example in examples {
            writeln!(out, "    arrived {}  now {}  then {}", example.received, example.before, example.after)?;
        }
    }
    match history {
        History::Unchanged => Ok(()),
        History::Elsewhere => writeln!(out, "  the running instance reads its packets again"),
        History::Read(done) => {
            let (packets, positions) = (count(done.packets, "packet"), count(done.positions, "position"));
            let unread = match done.unread {
                0 => String::new(),
                n => format!("; {} as they were, for their packets are no longer kept", count(n, "position")),
            };
            writeln!(out, "  {packets} read again: {positions}, {} of them changed{unread}", done.changed)
        }
    }
}

fn as_json(device: &Device, advice: Option<&ClockAdvice>, history: &History, out: &mut dyn Write) -> Result<()> {
    let moment = |at: crate::model::Timestamp| at.to_string();
    let advice = advice.map(|advice| {
        let examples = advice.examples.iter();
        json!({
            "offset_s": advice.offset_s, "error_s": advice.error_s, "samples": advice.samples, "agreeing": advice.agreeing,
            "examples": examples.map(|e| json!({
                "received": moment(e.received), "before": moment(e.before), "after": moment(e.after),
            })).collect::<Vec<_>>(),
        })
    });
    let reread = match history {
        History::Unchanged => json!(null),
        History::Elsewhere => json!("running"),
        History::Read(done) => {
            json!({"packets": done.packets, "positions": done.positions, "changed": done.changed, "unread": done.unread})
        }
    };
    let identity = device.identity.as_str();
    let value = json!({"identity": identity, "profile": device.profile, "clock_advice": advice, "reread": reread});
    serde_json::to_writer(&mut *out, &value)?;
    writeln!(out)?;
    Ok(())
}

/// `+08:00`, `-3:30`, `0`, or `login`.
fn zone(text: &str) -> Result<ClockIs, String> {
    let wrong = || format!("{text:?} is no zone; write +08:00, -03:30, utc or login");
    match text.to_ascii_lowercase().as_str() {
        "login" => return Ok(ClockIs::AsTheLoginSays),
        "utc" | "0" | "z" => return Ok(ClockIs::Ahead(0)),
        _ => {}
    }
    let (west, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').ok_or_else(wrong)?),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let part = |digits: &str, most: i32| {
        let fits = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|n| fits && *n <= most).ok_or_else(wrong)
    };
    let seconds = part(hours, 14)? * 3600 + part(minutes, 59)? * 60;
    Ok(ClockIs::Ahead(if west { -seconds } else { seconds }))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it is `yes` or `no`".to_owned()),
    }
}

/// `+08:00`; whatever is no zone of the earth as seconds.
fn zone_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let ahead = seconds.unsigned_abs();
    if ahead > 14 * 3600 || !ahead.is_multiple_of(60) {
        return format!("{sign}{ahead} s");
    }
    format!("{sign}{:02}:{:02}", ahead / 3600, ahead / 60 % 60)
}

/// A span as a person says it: `5:45 h`, `12 min`, `3 days`.
fn span(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60),
        _ => count(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_and_written() {
        for (text, seconds) in [("+08:00", 28_800), ("-3:30", -12_600), ("+5", 18_000), ("utc", 0), ("0", 0)] {
            assert_eq!(zone(text), Ok(ClockIs::Ahead(seconds)), "{text}");
        }
        assert_eq!(zone("login"), Ok(ClockIs::AsTheLoginSays));
        for wrong in ["8", "+15:00", "+08:60", "+-8", "east", "", "+", "+1:2:3"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
        for (seconds, text) in [(28_800, "+08:00"), (-12_600, "-03:30"), (0, "+00:00"), (-619_315_200, "-619315200 s")]
        {
            assert_eq!(zone_text(seconds), text);
        }
        for (seconds, text) in [(540, "9 min"), (20_700, "5:45 h"), (864_000, "10 days")] {
            assert_eq!(span(seconds), text);
        }
    }
}
