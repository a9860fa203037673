//! The command line: words into calls, failures into one clear line and an exit status (contract.md §1).

pub mod decode;
pub mod serve;

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::{
    backend::{Access, Limits, ListenAt, Setup},
    model::{Clock, Policy, Protocol},
};

/// Opens the window with this set-up and returns when it is closed. Handed in from `main`, because the command line knows no window.
pub type Desktop = fn(Setup, &Clock) -> Result<()>;

/// Receives from OwnTracks phones and GT06 trackers, keeps every byte, shows them on a map, and explains what they said.
#[derive(Debug, Parser)]
#[command(name = "wayglass", version, about)]
struct Cli {
    /// Folder that holds the database and everything received.
    #[arg(long, value_name = "DIR", global = true, env = "WAYGLASS_DATA_DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    call: Option<Call>,
}

#[derive(Debug, Subcommand)]
enum Call {
    /// Open the console; its receivers run inside it.
    Desktop(Listen),
    /// Run the same receivers and store without a window.
    Serve(Listen),
}

#[derive(Debug, Args, Default)]
struct Listen {
    /// Where GT06 trackers connect: address and port, or `off`; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_GT06", value_parser = listen_at)]
    gt06: Option<ListenAt>,
    /// Where OwnTracks phones post: address and port, or `off`; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", env = "WAYGLASS_OWNTRACKS", value_parser = listen_at)]
    owntracks: Option<ListenAt>,
    /// What happens to unknown senders: ask, adopt or strict.
    #[arg(long, env = "WAYGLASS_POLICY", value_parser = policy)]
    policy: Option<Policy>,
}

fn listen_at(text: &str) -> Result<ListenAt, String> {
    if text == "off" {
        return Ok(ListenAt::Off);
    }
    text.parse().map(ListenAt::Address).map_err(|_| format!("{text} is not an address with a port, nor `off`"))
}

fn policy(text: &str) -> Result<Policy, String> {
    Policy::parse(text).ok_or_else(|| "it is ask, adopt or strict".to_owned())
}

/// Carries out one call. `args` begin with the program's name.
pub fn run(args: impl Iterator<Item = OsString>, clock: &Clock, desktop: Desktop) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match carry_out(cli, clock, desktop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wayglass: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(cli: Cli, clock: &Clock, desktop: Desktop) -> Result<()> {
    let data_dir = cli.data_dir.unwrap_or_else(|| PathBuf::from("wayglass-data"));
    match cli.call.unwrap_or(Call::Desktop(Listen::default())) {
        Call::Desktop(listen) => desktop(setup(&listen, data_dir), clock),
        Call::Serve(listen) => serve::run(setup(&listen, data_dir), clock.clone(), &mut std::io::stdout()),
    }
}

fn setup(listen: &Listen, data_dir: PathBuf) -> Setup {
    let default = |p: Protocol| ListenAt::Address(SocketAddr::from(([127, 0, 0, 1], p.default_port())));
    let at = |p: Protocol| match p {
        Protocol::Gt06 => listen.gt06,
        Protocol::OwnTracks => listen.owntracks,
    };
    Setup {
        data_dir,
        listen: Protocol::ALL.map(|p| (p, at(p).unwrap_or_else(|| default(p)))).to_vec(),
        policy: listen.policy.unwrap_or_default(),
        limits: Limits::default(),
        access: Access::default(),
    }
}
