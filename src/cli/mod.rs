//! The command line: words into calls, failures into one clear line and an exit status (contract.md §1).
//!
//! One file a subcommand, thin over `backend`. Exit status: 0 done, 1 it failed, 2 the call's words are off.

mod backup;
mod command;
mod compact;
pub mod decode;
mod devices;
mod doctor;
mod events;
mod export;
mod import;
mod keep;
mod limits;
mod link;
mod log;
mod moment;
mod packets;
mod phone;
mod place;
mod plain;
mod profile;
mod progress;
mod repair;
mod replay;
pub mod serve;
mod simulate;
mod trips;
mod words;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, error::ErrorKind};

use plain::Plain;

use crate::{
    backend::{
        ListenAt, Setup,
        config::{self, Config},
        logfile::LogFile,
        taps::{self, TapWord},
    },
    model::{Clock, Policy},
};

/// Opens the window with this set-up, and these files in it, and returns when it is closed. Handed in from `main`, because the command line knows no window.
pub type Desktop = fn(Setup, Vec<PathBuf>, &Clock) -> Result<()>;

/// Receives from OwnTracks phones and GT06 trackers, keeps every byte, shows them on a map, and explains what they said.
///
/// Without a command it opens the console, as `wayglass desktop` does.
#[derive(Debug, Parser)]
#[command(name = "wayglass", version, about, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    call: Option<Call>,
}

/// What every call takes.
#[derive(Debug, Args)]
struct Common {
    /// Folder that holds the database and everything received [default: the platform's data folder]
    #[arg(long, value_name = "DIR", global = true, env = "WAYGLASS_DATA_DIR", display_order = 100)]
    data_dir: Option<PathBuf>,
    /// Settings file [default: config.toml in the platform's settings folder]
    #[arg(long, value_name = "FILE", global = true, env = "WAYGLASS_CONFIG", display_order = 101)]
    config: Option<PathBuf>,
    /// Say more on standard error; twice for even more.
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 102)]
    verbose: u8,
    /// Say nothing but errors, and show no progress.
    #[arg(short, long, global = true, display_order = 103)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Call {
    /// Open the console; its receivers run inside it.
    Desktop(DesktopArgs),
    /// Run the same receivers and store without a window.
    Serve(Listen),
    Decode(decode::DecodeArgs),
    Export(export::ExportArgs),
    Packets(packets::PacketsArgs),
    Report(packets::ReportArgs),
    Import(import::ImportArgs),
    Trips(trips::TripsArgs),
    Link(link::LinkArgs),
    Devices(devices::DevicesArgs),
    Adopt(devices::AdoptArgs),
    Ignore(devices::IgnoreArgs),
    Phone(phone::PhoneArgs),
    Events(events::EventsArgs),
    Place(place::PlaceArgs),
    Command(command::CommandArgs),
    Profile(profile::ProfileArgs),
    Simulate(simulate::SimulateArgs),
    Replay(replay::ReplayArgs),
    Backup(backup::BackupArgs),
    Compact(compact::CompactArgs),
    Repair(repair::RepairArgs),
    Doctor(doctor::DoctorArgs),
    Limits(limits::LimitsArgs),
}

/// What the console begins with.
#[derive(Debug, Args)]
struct DesktopArgs {
    #[command(flatten)]
    listen: Listen,
    /// Files to open in the window: a map (`.pmtiles`, `.mbtiles`) is shown, anything else is looked at to be imported
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Where to listen, and whom to take.
#[derive(Debug, Args)]
struct Listen {
    /// Where GT06 trackers connect: address and port, or `off`; port 0 picks a free one [default: 127.0.0.1:5023]
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_GT06", value_parser = config::listen_at)]
    gt06: Option<ListenAt>,
    /// Where OwnTracks phones post: address and port, or `off`; port 0 picks a free one [default: 127.0.0.1:5144]
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_OWNTRACKS", value_parser = config::listen_at)]
    owntracks: Option<ListenAt>,
    /// Where phones post over HTTPS, beside the plain port: address and port, or `off` [default: off]
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_HTTPS", value_parser = config::listen_at)]
    https: Option<ListenAt>,
    /// Certificate for HTTPS, a PEM file with the chain; without one the program makes its own
    #[arg(long, value_name = "FILE", env = "WAYGLASS_HTTPS_CERTIFICATE", requires = "https_key")]
    https_certificate: Option<PathBuf>,
    /// Key of that certificate, a PEM file
    #[arg(long, value_name = "FILE", env = "WAYGLASS_HTTPS_KEY", requires = "https_certificate")]
    https_key: Option<PathBuf>,
    /// Listens there for trackers and passes each on to another server, unchanged both ways, and keeps what is said; may be given several
    /// times, or `off` [default: the settings]
    #[arg(long, value_name = "[NAME=]ADDR=HOST:PORT", env = "WAYGLASS_TAP", value_delimiter = ',', value_parser = taps::pass_word)]
    tap: Vec<TapWord>,
    /// Listens there for a copy of what trackers tell another server (Traccar's `server.forward`), and never answers; may be given several times
    #[arg(long, value_name = "[NAME=]ADDR", env = "WAYGLASS_COPY", value_delimiter = ',', value_parser = taps::copy_word)]
    copy: Vec<TapWord>,
    /// Where other programs ask; this version has no API yet, so only `off` is accepted [default: off]
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_API", value_parser = config::listen_at)]
    api: Option<ListenAt>,
    /// What happens to unknown senders: kept and asked about, adopted at once, or refused [default: ask]
    #[arg(long, env = "WAYGLASS_POLICY", value_parser = words::policy())]
    policy: Option<Policy>,
    /// How long a tracker may say nothing before its connection is closed, as `15 min` or `90 s`; a number alone is seconds [default: 15 min]
    #[arg(long, value_name = "TIME", env = "WAYGLASS_SILENCE", value_parser = config::silence)]
    silence: Option<std::time::Duration>,
    #[command(flatten)]
    keep: keep::KeepArgs,
}

/// What a call works with.
struct Site {
    /// Flags, environment and settings file together.
    config: Config,
    settings: Option<PathBuf>,
    clock: Clock,
    quiet: bool,
}

/// Words that are off in a way that only shows when the call is carried out: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongWords(String);

/// Carries out one call. `args` begin with the program's name.
pub fn run(args: impl Iterator<Item = OsString>, clock: &Clock, desktop: Desktop) -> ExitCode {
    let cli = match parse(args.collect()) {
        Ok(cli) => cli,
        Err(error) => {
            // Where even this cannot be printed there is nobody to tell.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match carry_out(cli, clock, desktop) {
        Ok(code) => code,
        // `wayglass devices | head` has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<WrongWords>() {
            Ok(WrongWords(text)) => {
                Cli::command().error(ErrorKind::ValueValidation, text).print().ok();
                ExitCode::from(2)
            }
            Err(error) => {
                writeln!(io::stderr(), "wayglass: {}", plain::line(&one_line(&error))).ok();
                ExitCode::FAILURE
            }
        },
    }
}

/// Without a command it is `desktop`, with what the environment says for that.
fn parse(mut args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let cli = Cli::try_parse_from(&args)?;
    if cli.call.is_some() {
        return Ok(cli);
    }
    args.push("desktop".into());
    Cli::try_parse_from(args)
}

/// An error and its causes, without those that it tells already.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(|cause| cause.to_string().replace('\n', " ")) {
        if !text.contains(&cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{colon}{cause}");
        }
    }
    text
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn carry_out(cli: Cli, clock: &Clock, desktop: Desktop) -> Result<ExitCode> {
    let Cli { common, call } = cli;
    let log = |file: Option<&LogFile>| log::start(common.verbose, common.quiet, file);
    let call = call.expect("parse puts desktop where nothing was said");
    if !matches!(call, Call::Desktop(_) | Call::Serve(_)) {
        log(None);
    }
    // Not locked: an export writes from the thread that reads the store.
    let out = &mut Plain::new(io::stdout(), call.prints_json());
    let site = || Site::new(&common, clock);
    match call {
        // Their log has its level in the settings.
        Call::Desktop(DesktopArgs { listen, files }) => {
            if let Some(missing) = files.iter().find(|file| !file.is_file()) {
                anyhow::bail!("{}: there is no such file", missing.display());
            }
            let setup = listen.setup(site()?)?;
            log(Some(&setup.log));
            desktop(setup, files, clock)?;
        }
        Call::Serve(listen) => {
            let setup = listen.setup(site()?)?;
            log(Some(&setup.log));
            serve::run(setup, clock.clone(), out)?;
        }
        // Needs neither settings nor store, so no mistake in them keeps it from working.
        Call::Decode(args) => {
            let (out, err) = (&mut Plain::new(io::stdout().lock(), args.json), &mut Plain::new(io::stderr(), false));
            match decode::run(&args, clock, &mut io::stdin().lock(), out, err)? {
                decode::Ended::Done => {}
                decode::Ended::Failed => return Ok(ExitCode::FAILURE),
            }
        }
        Call::Export(args) => export::run(&args, &site()?)?,
        Call::Packets(args) => packets::run(&args, &site()?)?,
        Call::Report(args) => packets::report(&args, &site()?)?,
        Call::Import(args) => import::run(&args, &site()?, out)?,
        Call::Trips(args) => trips::run(&args, &site()?, out)?,
        Call::Link(args) => link::run(&args, &site()?, out)?,
        Call::Devices(args) => devices::list(&args, &site()?, out)?,
        Call::Adopt(args) => devices::adopt(&args, &site()?, out)?,
        Call::Ignore(args) => devices::ignore(&args, &site()?, out)?,
        Call::Phone(args) => phone::run(args, &site()?, out)?,
        Call::Events(args) => events::run(&args, &site()?, out)?,
        Call::Place(args) => place::run(&args, &site()?, out)?,
        Call::Command(args) => command::run(&args, &site()?, out)?,
        Call::Profile(args) => profile::run(&args, &site()?, out)?,
        Call::Simulate(args) => simulate::run(&args, &site()?, out)?,
        Call::Replay(args) => replay::run(args, &site()?, out)?,
        Call::Backup(args) => backup::run(args, &site()?, out)?,
        Call::Repair(args) => repair::run(&args, &site()?, out)?,
        Call::Compact(args) => compact::run(&args, &site()?, out)?,
        Call::Limits(args) => limits::run(&args, &site()?, out)?,
        // It examines the settings itself.
        Call::Doctor(args) => return doctor::run(&args, &common, clock, out),
    }
    Ok(ExitCode::SUCCESS)
}

impl Call {
    /// What it prints is for other programs.
    fn prints_json(&self) -> bool {
        match self {
            Self::Serve(_) => true,
            Self::Decode(args) => args.json,
            Self::Trips(args) => args.json,
            Self::Link(args) => args.json,
            Self::Devices(args) => args.json,
            Self::Import(args) => args.json,
            Self::Command(args) => args.json,
            Self::Profile(args) => args.json,
            Self::Doctor(args) => args.json,
            Self::Events(args) => args.json,
            Self::Place(args) => args.call.prints_json(),
            Self::Limits(args) => args.json,
            Self::Desktop(_)
            | Self::Export(_)
            | Self::Packets(_)
            | Self::Report(_)
            | Self::Adopt(_)
            | Self::Ignore(_)
            | Self::Phone(_)
            | Self::Simulate(_)
            | Self::Replay(_)
            | Self::Compact(_)
            | Self::Backup(_)
            | Self::Repair(_) => false,
        }
    }
}

impl Common {
    /// The settings file. `None` where the system names no home folder.
    fn settings(&self) -> Option<PathBuf> {
        self.config.clone().or_else(config::default_path)
    }

    /// Flags and environment, over the settings file.
    fn config(&self) -> Result<Config> {
        let file = match (&self.config, self.settings()) {
            (Some(named), _) => Config::load(named)?,
            (None, Some(path)) => Config::load_if_there(&path)?,
            (None, None) => Config::default(),
        };
        Ok(Config { data_dir: self.data_dir.clone(), ..Config::default() }.or(file))
    }
}

impl Site {
    fn new(common: &Common, clock: &Clock) -> Result<Self> {
        Ok(Self { config: common.config()?, settings: common.settings(), clock: clock.clone(), quiet: common.quiet })
    }

    fn data_dir(&self) -> Result<PathBuf> {
        Ok(self.config.data_folder()?)
    }
}

impl Listen {
    fn setup(self, site: Site) -> Result<Setup> {
        let Self { gt06, owntracks, https, https_certificate, https_key, api, policy, silence, keep, .. } = self;
        let keep = keep.set();
        let taps = taps::of_words(self.tap.into_iter().chain(self.copy).collect()).map_err(WrongWords)?;
        let flags = Config { gt06, owntracks, https, https_certificate, https_key, api, policy, ..Config::default() };
        let config = Config { silence, keep, taps, ..flags }.or(site.config);
        if let Some(ListenAt::Address(at)) = config.api {
            bail!("cannot listen for other programs on {at}: this version has no API yet; give --api off");
        }
        Ok(config.setup(site.settings)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_fit_together() {
        Cli::command().debug_assert();
    }
}
