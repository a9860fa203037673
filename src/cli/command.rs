//! `wayglass command`: a command to a tracker through the instance that runs, and the receipt of it.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{Site, WrongWords, devices};
use crate::{
    backend::wait_for_command,
    model::{COMMAND_EXPIRES_S, Command, CommandState, Device, NewCommand, library, library::Danger},
    store,
};

/// Send a command to a tracker through the running instance, and print the receipt.
///
/// A tracker that is not connected gets it when it calls, until it expires. The exit status is 1 only where it was refused, failed or expired:
/// the receipt says whether it was sent and what was answered.
#[derive(Debug, Args)]
pub(super) struct CommandArgs {
    /// Identity (the 15 digits) or name of the tracker.
    #[arg(value_name = "DEVICE")]
    device: String,
    /// The text as the tracker knows it, such as `WHERE#`.
    #[arg(value_name = "TEXT")]
    text: String,
    /// How long to wait for the answer, in seconds; 0 only queues it.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: u64,
    /// How long it may wait for the tracker to connect, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = COMMAND_EXPIRES_S, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    expires: u64,
    /// The tracker's identity or name once more; without it, a terminal asks. Needed to cut the fuel, to erase settings (`FACTORY#`) and to change
    /// where the tracker connects (`SERVER`, `APN`, `DNS`).
    #[arg(long, value_name = "DEVICE")]
    confirm: Option<String>,
    /// Cut the fuel although the vehicle moves or may be moving.
    #[arg(long)]
    force: bool,
    /// Print the receipt as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// Queues the command, waits, prints.
pub(super) fn run(args: &CommandArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let data_dir = site.data_dir()?;
    if !store::in_use(&data_dir) {
        bail!("no Wayglass receives into {}, so nothing would send the command; start it first", data_dir.display());
    }
    let store = devices::beside(&data_dir, site)?;
    let device = devices::find(&store, &args.device)?;
    if let Some(danger) = library::danger(&args.text)
        && !args.confirm.as_deref().is_some_and(|word| names(&device, word))
    {
        confirm(args, &device, danger)?;
    }
    let created = (site.clock)();
    let expires = created.saturating_add(Duration::from_secs(args.expires))?;
    let asked = NewCommand { device: device.id, text: args.text.clone(), created, expires, forced: args.force };
    let queued = store.writer().queue_command(asked).wait()?;
    let command = wait_for_command(&store, queued, Duration::from_secs(args.wait))?;
    store.close();
    if args.json {
        writeln!(out, "{}", receipt_json(&command, &device))?;
    }
    match receipt(&command, &device) {
        Ok(_) if args.json => {}
        Ok(receipt) => writeln!(out, "{receipt}")?,
        Err(failure) => bail!("{failure}"),
    }
    out.flush()?;
    Ok(())
}

/// A word typed by a person: what does harm is no slip of the finger.
fn confirm(args: &CommandArgs, device: &Device, danger: Danger) -> Result<()> {
    let identity = &device.identity;
    let consequence = danger.consequence();
    if args.confirm.is_some() || !io::stdin().is_terminal() {
        let text = format!("{} {consequence}. Confirm it with --confirm {identity}", args.text);
        return Err(WrongWords(text).into());
    }
    write!(io::stderr(), "This {consequence}. Type {} to confirm: ", devices::plain(device.label()))?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    if names(device, &typed) {
        return Ok(());
    }
    bail!("not confirmed, so nothing was sent")
}

fn names(device: &Device, word: &str) -> bool {
    let word = word.trim();
    word == device.identity.as_str() || device.name.as_deref().is_some_and(|name| name.trim() == word)
}

fn receipt_json(command: &Command, device: &Device) -> serde_json::Value {
    json!({
        "id": command.id.0,
        "device": device.identity.as_str(),
        "text": command.text,
        "state": command.state.as_str(),
        "created": command.created.to_string(),
        "expires": command.expires.to_string(),
        "sent": command.sent.map(|at| at.to_string()),
        "answered": command.answered.map(|at| at.to_string()),
        "delay_ms": command.delay_ms(),
        "answer": command.answer,
        "guessed": command.guessed,
        "waits": command.waits,
    })
}

/// The receipt in a sentence; of one that is not sent and never will be, an error.
fn receipt(command: &Command, device: &Device) -> Result<String, String> {
    let to = devices::plain(device.label());
    let text = devices::plain(&command.text);
    Ok(match command.state {
        CommandState::Queued => {
            let why = command.waits.as_deref().unwrap_or("it is not connected");
            format!("{text} waits for {to} until {}: {why}", command.expires)
        }
        CommandState::Sent => format!("{text} was sent to {to}; no answer yet"),
        CommandState::Answered => {
            let answer = command.answer.as_deref().unwrap_or_default();
            let delay = command.delay_ms().unwrap_or_default();
            let guess = if command.guessed { ", a guess: it names no command" } else { "" };
            format!("{to} answered after {}.{:03} s{guess}: {}", delay / 1000, delay % 1000, devices::plain(answer))
        }
        CommandState::Expired => {
            let why = command.waits.as_deref().unwrap_or("it did not connect");
            return Err(format!("{text} was not sent to {to} in time: {why}"));
        }
        CommandState::Failed => {
            let why = command.answer.as_deref().unwrap_or_default();
            return Err(format!("{text} was not sent to {to}: {why}"));
        }
    })
}
