//! `wayglass link`: how the link of a device fares, and what that looks like. Works beside a running instance.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Site,
    devices::{find, plain, shown},
    moment,
};
use crate::{
    backend::read_link,
    model::{Clock, Device, TimeWindow},
    store::Store,
    track::link::{Ends, Link, Series, Symptom},
};

/// Where no span is given, so much before it was last heard is looked at.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(24);

/// Say how the link of a device fares: logins, heartbeats, lost frames, signal, clock, and what that looks like.
///
/// Without a span, the last 24 hours in which it was heard. Works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct LinkArgs {
    /// Identity or name of a device.
    #[arg(value_name = "DEVICE")]
    device: String,
    /// First moment: 2026-11-21T10:00:00Z, 2026-11-21, today, yesterday …
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Last moment, inclusive; a day counts whole
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// Tells how a link fares.
pub(super) fn run(args: &LinkArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let device = find(&store, &args.device)?;
    let window = if args.from.is_none() && args.to.is_none() {
        let from = device.last_heard.and_then(|last| last.checked_sub(USUAL_SPAN).ok());
        TimeWindow { from, to: None }
    } else {
        moment::window(args.from.as_deref(), args.to.as_deref(), (site.clock)(), &TimeZone::system())?
    };
    let link = read_link(&store.reader(), device.id, window, || true)?.unwrap_or_default();
    store.close();
    if args.json {
        serde_json::to_writer(&mut *out, &link_json(&device, &link))?;
        writeln!(out)?;
    } else {
        table(&device, &link, out)?;
    }
    out.flush()?;
    Ok(())
}

fn link_json(device: &Device, link: &Link) -> Value {
    let symptom = |s: &Symptom| {
        json!({
            "symptom": s.key, "seen": s.seen, "looks_like": s.looks_like, "advice": s.advice,
            "sentence": s.sentence(),
        })
    };
    let time = |ms: i64| crate::model::Timestamp::from_millisecond(ms).ok().map(|at| at.to_string());
    json!({
        "device": device.identity.as_str(),
        "name": device.name,
        "from": link.span_ms.and_then(|(from, _)| time(from)),
        "to": link.span_ms.and_then(|(_, to)| time(to)),
        "packets": link.packets,
        "lost_frames": link.lost,
        "logins": link.logins,
        "logins_again_per_hour": link.logins_again_per_hour().map(hundredths),
        "login_every_s": link.login_every_s,
        "ends": ends_json(&link.ends),
        "heartbeats": link.heartbeats,
        "heartbeat_every_s": link.heartbeat_every_s,
        "answers_timed": link.answers,
        "answer_ms": link.answer_ms,
        "slowest_answer_ms": link.slowest_answer_ms,
        "signal": ends(&link.signal),
        "volts": ends(&link.volts),
        "places": link.places,
        "cell_only": link.cell_only,
        "clock_ahead_s": link.clock_ahead_s,
        "whole": !link.cut,
        "symptoms": link.symptoms().iter().map(symptom).collect::<Vec<_>>(),
    })
}

fn ends_json(ends: &Ends) -> Value {
    let Ends { by_device, replaced, silent, stopped, by_server, not_stored, refused, why, broken } = ends;
    json!({
        "by_device": by_device, "replaced": replaced, "silent": silent, "stopped": stopped,
        "by_server": by_server, "not_stored": not_stored, "refused": refused, "why": why, "broken": broken,
    })
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Least, greatest and last of a value over time.
fn ends(series: &Series) -> Value {
    let values = || series.iter().map(|(_, value)| *value);
    let Some(last) = values().next_back() else { return Value::Null };
    let (low, high) = (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
    let round = |value: f32| hundredths(f64::from(value));
    json!({ "least": round(low), "most": round(high), "last": round(last), "values": series.len() })
}

fn table(device: &Device, link: &Link, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} ({})", plain(device.label()), shown(&device.identity))?;
    for (label, text) in link.lines() {
        writeln!(out, "  {label:<12} {text}")?;
    }
    let symptoms = link.symptoms();
    if link.packets == 0 {
        writeln!(out, "  nothing was heard in this span")?;
    } else if symptoms.is_empty() {
        writeln!(out, "  nothing looks wrong")?;
    }
    for symptom in symptoms {
        writeln!(out, "  ! {}", symptom.sentence())?;
    }
    if link.cut {
        writeln!(out, "  only the newest packets of this span were looked at; give a shorter one")?;
    }
    Ok(())
}
