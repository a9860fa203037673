//! `wayglass phone`: pair phones and say what each may and must do. All of it works beside a running instance.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};

use super::{
    Site,
    devices::{beside, find, shown},
    progress::count,
};
use crate::{
    backend::{self, ListenAt, config, lan_addresses, pairing, write_private},
    model::{Identity, NewCommand, PhoneCommand, Protocol, Timestamp},
    store::{Error, Store, phones, query},
};

/// How long a command waits for a phone.
const COMMAND_WAITS: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Pair OwnTracks phones, and say what each may and must do; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct PhoneArgs {
    #[command(subcommand)]
    call: PhoneCall,
}

#[derive(Debug, Subcommand)]
enum PhoneCall {
    /// Make a phone and print what to type into it, its link and its QR code.
    Add(Add),
    /// Set or remove a password; it is read from standard input unless it is removed.
    Password(Password),
    /// Set or remove the key that a phone encrypts with, read from standard input; opens what was kept.
    Key(Key),
    /// Say that a sender is the same phone as another device, which gets everything of it.
    SameAs(SameAs),
    /// Take an attached name away from a phone, with everything that came in under it: two devices again.
    Part(Part),
    /// Say that one phone is told where another is.
    See(See),
    /// Queue a command for a phone's next message: reportLocation, status, waypoints, setConfiguration {…} …
    Tell(Tell),
}

#[derive(Debug, Args)]
struct Add {
    /// What the app calls user name.
    user: String,
    /// What the app calls device id.
    device: String,
    /// What to call it here.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// Two characters for maps [default: of user and device]
    #[arg(long)]
    tid: Option<String>,
    /// Needs no password; without this a fresh one is made.
    #[arg(long)]
    open: bool,
    /// Encrypts; a fresh key is made.
    #[arg(long)]
    encrypt: bool,
    /// Address that the phone posts to [default: of the settings and this machine]
    #[arg(long)]
    url: Option<String>,
    /// Write the settings file for the app here, too.
    #[arg(long, value_name = "FILE")]
    otrc: Option<std::path::PathBuf>,
}

#[derive(Debug, Args)]
struct Password {
    /// The user that signs in.
    user: String,
    /// For this device alone: its identity or name; without it for every device of the user.
    #[arg(long, value_name = "IDENTITY")]
    device: Option<String>,
    #[arg(long)]
    remove: bool,
}

#[derive(Debug, Args)]
struct Key {
    /// The phone: its identity or name.
    identity: String,
    #[arg(long)]
    remove: bool,
}

#[derive(Debug, Args)]
struct SameAs {
    /// The sender that is to be no device of its own.
    identity: String,
    /// The device that gets everything.
    device: String,
}

#[derive(Debug, Args)]
struct Part {
    /// The phone that has both.
    device: String,
    /// The name to take away from it.
    name: String,
}

#[derive(Debug, Args)]
struct See {
    viewer: String,
    seen: String,
    /// No longer.
    #[arg(long)]
    stop: bool,
}

#[derive(Debug, Args)]
struct Tell {
    identity: String,
    /// The command.
    #[arg(required = true)]
    text: Vec<String>,
}

/// Carries one of them out.
pub(super) fn run(args: PhoneArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = beside(&site.data_dir()?, site)?;
    let done = match args.call {
        PhoneCall::Add(args) => add(args, site, &store, out),
        PhoneCall::Password(args) => password(&args, &store, out),
        PhoneCall::Key(args) => key(&args, &store, out),
        PhoneCall::SameAs(args) => same_as(&args, &store, out),
        PhoneCall::Part(args) => part(&args, &store, out),
        PhoneCall::See(args) => see(&args, &store, out),
        PhoneCall::Tell(args) => tell(&args, site, &store, out),
    };
    store.close();
    done?;
    out.flush()?;
    Ok(())
}

fn add(args: Add, site: &Site, store: &Store, out: &mut dyn Write) -> Result<()> {
    let Add { user, device, name, tid, open, encrypt, url, otrc } = args;
    let mut phone = pairing::NewPhone::suggested(&user, &device);
    phone.name = name;
    phone.tid = tid.unwrap_or(phone.tid);
    if open {
        phone.password = None;
    }
    if encrypt {
        // As good as a password, and as long as a key counts.
        phone.key = pairing::fresh_secret();
    }
    let made = pairing::add(&store.writer(), phone.clone())?;
    let Some(url) = url.or_else(|| address(site)) else {
        bail!("no receiver is set up for phones; give the address with --url")
    };
    let setup = pairing::setup_for(&phone, &url);
    writeln!(out, "phone     {}", shown(&made.identity))?;
    let mut line = |what: &str, value: &str| writeln!(out, "{what:9} {value}");
    line("mode", "HTTP")?;
    line("URL", &setup.url)?;
    line("user", &setup.user)?;
    line("password", phone.password.as_deref().unwrap_or("none, and authentication off"))?;
    line("device", &setup.device)?;
    line("tid", &setup.tid)?;
    line("key", phone.key.as_deref().unwrap_or("none"))?;
    line("link", &setup.link)?;
    for warning in &setup.warnings {
        line("note", warning)?;
    }
    if let Some(path) = otrc {
        // It holds the password and the key.
        write_private(&path, setup.otrc.as_bytes()).map_err(|e| anyhow!("cannot write {}: {e}", path.display()))?;
    }
    // Its colours are a terminal's.
    if let Some(picture) = pairing::qr(&setup.link).filter(|_| io::stdout().is_terminal()) {
        print(&picture, out)?;
    }
    Ok(())
}

/// Where the settings say that phones post; HTTPS where it is on.
fn address(site: &Site) -> Option<String> {
    let http = site.config.owntracks.unwrap_or_else(|| config::default_address(Protocol::OwnTracks));
    [("https", site.config.https.unwrap_or(ListenAt::Off)), ("http", http)].into_iter().find_map(|(scheme, at)| {
        let ListenAt::Address(at) = at else { return None };
        let ip = if at.ip().is_unspecified() { *lan_addresses().first()? } else { at.ip() };
        Some(format!("{scheme}://{}/pub", std::net::SocketAddr::new(ip, at.port())))
    })
}

/// Two rows of dots a line, dark on light whatever the terminal's colours are.
fn print(picture: &pairing::QrPicture, out: &mut dyn Write) -> io::Result<()> {
    const QUIET: usize = 4;
    let full = picture.side + 2 * QUIET;
    let is_dark = |row: usize, column: usize| {
        let inside = |n: usize| n.checked_sub(QUIET).filter(|n| *n < picture.side);
        let dot = inside(row).zip(inside(column)).map(|(row, column)| row * picture.side + column);
        dot.and_then(|dot| picture.dark.get(dot)).copied().unwrap_or(false)
    };
    for row in (0..full).step_by(2) {
        let line: String = (0..full)
            .map(|column| match (is_dark(row, column), is_dark(row + 1, column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        writeln!(out, "\u{1b}[30;107m{line}\u{1b}[0m")?;
    }
    Ok(())
}

fn password(args: &Password, store: &Store, out: &mut dyn Write) -> Result<()> {
    let device = args.device.as_deref().map(|word| find(store, word)).transpose()?;
    let secret = if args.remove { None } else { Some(secret_line()?) };
    pairing::set_password(&store.writer(), &args.user, device.as_ref().map(|d| d.id), secret.as_deref())?;
    let whose = device.map_or_else(|| format!("every device of {}", args.user), |d| shown(&d.identity));
    let what = if args.remove { "removed" } else { "set" };
    writeln!(out, "password {what} for {whose}")?;
    Ok(())
}

fn key(args: &Key, store: &Store, out: &mut dyn Write) -> Result<()> {
    let device = find(store, &args.identity)?;
    let secret = if args.remove { None } else { Some(secret_line()?) };
    let outcome = pairing::set_key(&store.writer(), &store.reader(), device.id, secret)?;
    if args.remove {
        writeln!(out, "key removed for {}", shown(&device.identity))?;
    } else {
        let pairing::KeyOutcome { opened, closed } = outcome;
        writeln!(out, "key set for {}: opened {}", shown(&device.identity), count(opened, "kept message"))?;
        if closed > 0 {
            writeln!(out, "it does not fit {}, which stay closed", count(closed, "kept message"))?;
        }
    }
    Ok(())
}

/// One line of standard input, so that no secret stands in a list of processes.
fn secret_line() -> Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        bail!("nothing came on standard input; the secret is its first line");
    }
    Ok(secret.to_owned())
}

fn same_as(args: &SameAs, store: &Store, out: &mut dyn Write) -> Result<()> {
    let to = find(store, &args.device)?;
    match find(store, &args.identity) {
        Ok(from) => {
            let moved = store.writer().same_as(from.id, to.id).wait()?;
            let (from, to) = (shown(&from.identity), shown(&to.identity));
            writeln!(out, "{from} is {to} from now on: {} came over", count(moved, "position"))?;
        }
        Err(Error::NoSuchDevice(_)) => {
            let name = Identity::new(args.identity.clone()).ok_or_else(|| anyhow!("that is no name of a sender"))?;
            store.writer().set_alias(to.id, name.clone(), true).wait()?;
            writeln!(out, "{} is {} when it calls", shown(&name), shown(&to.identity))?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn part(args: &Part, store: &Store, out: &mut dyn Write) -> Result<()> {
    let from = find(store, &args.device)?;
    let name = Identity::new(args.name.clone()).ok_or_else(|| anyhow!("that is no name of a sender"))?;
    let moved = backend::part::part(&store.writer(), &store.reader(), from.id, &name)?;
    writeln!(out, "{} is a device of its own again: {} went back", shown(&name), count(moved, "position"))?;
    Ok(())
}

fn see(args: &See, store: &Store, out: &mut dyn Write) -> Result<()> {
    let (viewer, seen) = (find(store, &args.viewer)?, find(store, &args.seen)?);
    store.writer().set_sees(viewer.id, seen.id, !args.stop).wait()?;
    let list = store.reader().read(phones::list).wait()?;
    let told = list.iter().find(|row| row.device == viewer.id).map_or(0, |row| row.sees.len());
    writeln!(out, "{} is told about {}", shown(&viewer.identity), count(told as u64, "other"))?;
    Ok(())
}

fn tell(args: &Tell, site: &Site, store: &Store, out: &mut dyn Write) -> Result<()> {
    let device = find(store, &args.identity)?;
    let command = PhoneCommand::parse(&args.text.join(" ")).map_err(|why| anyhow!(why))?;
    let now = (site.clock)();
    let expires = now.checked_add(COMMAND_WAITS).unwrap_or(Timestamp::MAX);
    let asked = NewCommand { device: device.id, text: command.to_string(), created: now, expires, forced: false };
    let queued = store.writer().queue_command(asked).wait()?;
    let waiting = store.reader().read(move |db| query::queued_commands(db, device.id, now)).wait()?.len();
    writeln!(out, "command {} waits for the next message of {}", queued.id.0, shown(&device.identity))?;
    if waiting > 1 {
        writeln!(out, "{} wait in all", count(waiting as u64, "command"))?;
    }
    Ok(())
}
