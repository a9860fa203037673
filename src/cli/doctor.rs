//! `wayglass doctor`: what would stop this machine from working, each with its cure.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Common, progress::Progress};
use crate::{
    backend::{
        config::Config,
        doctor::{Finding, Level, examine},
        keeping::until_stopped,
        soundness,
    },
    model::Clock,
};

/// Say what would stop this machine from working, each with its cure; exit status 1 where something would.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print one JSON array instead of lines.
    #[arg(long)]
    pub(super) json: bool,
    /// Read all of the database, too, and check it; takes as long as reading it does.
    #[arg(long)]
    check: bool,
}

/// Examines settings and machine.
pub(super) fn run(args: &DoctorArgs, common: &Common, clock: &Clock, out: &mut dyn Write) -> Result<ExitCode> {
    let mut findings = Vec::new();
    let config = common.config().unwrap_or_else(|error| {
        findings.push(Finding::trouble(
            "settings",
            error.to_string(),
            "correct that, or name another file with --config",
        ));
        // The rest is examined as if there were no file.
        Config { data_dir: common.data_dir.clone(), ..Config::default() }
    });
    let mut health = None;
    match config.setup(None) {
        Ok(setup) => {
            let (found, running) = examine(&setup, clock);
            findings.extend(found);
            health = running;
            if args.check {
                let mut progress = Progress::new(common.quiet);
                let dir = setup.data_dir;
                findings.push(until_stopped(
                    move |watch| soundness::check(&dir, watch),
                    |_| progress.tell("reading all of the database …"),
                )?);
            }
        }
        Err(error) => findings.push(Finding::trouble("data folder", error.to_string(), "say where with --data-dir")),
    }
    if args.json {
        let mut all: Vec<_> = findings
            .iter()
            .map(|Finding { topic, level, text, cure }| {
                json!({"topic": topic, "level": level.as_str(), "text": text, "cure": cure})
            })
            .collect();
        // One more finding, with all figures in it: scripts that read the others need not change.
        if let Some(health) = &health {
            let text = format!("as the running instance has it, process {}", health.pid);
            all.push(json!({"topic": "health", "level": "ok", "text": text, "cure": null, "health": health}));
        }
        serde_json::to_writer(&mut *out, &all)?;
        writeln!(out)?;
    } else {
        for Finding { topic, level, text, cure } in &findings {
            writeln!(out, "{:8}{topic}: {text}", level.as_str())?;
            if let Some(cure) = cure {
                writeln!(out, "{:8}→ {cure}", "")?;
            }
        }
    }
    out.flush()?;
    let trouble = findings.iter().any(|f| f.level == Level::Trouble);
    Ok(if trouble { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
