//! `wayglass import`: brings the history of other programs in, shows what is in a file before, and takes it back.

mod capture;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{
    Site, WrongWords, devices,
    progress::{Progress, count},
};
use crate::{
    backend::{
        capture::is_capture,
        import::{Found, FoundTrack, ImportReport, Source, bring, look, new_device, take_back},
        keeping::until_stopped,
    },
    model::{Clock, Device, DeviceState, ImportBatch, ImportId, ImportInto, bytes_text},
    store::{self, Options, Reader, Stage, Store, Watch, query},
};

/// Rejected records that are listed for people; the rest is counted, and `--rejects` writes those that are kept.
const LISTED: usize = 20;

/// Bring history in: GPX, KML, KMZ, GeoJSON, CSV (Traccar's, ours, any with a header that says what it holds), OwnTracks Recorder's .rec. Or what devices sent: logs,
/// hex, our own JSON lines, pcap and pcapng, which become packets and all that follows of them.
///
/// A track goes to the device that the file names, where that is here; else say with --device, --new or --create where it goes. A position
/// that is here already is not stored twice. Each file is one batch, and --undo takes a batch back. Works beside a running instance.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ImportArgs {
    /// The files.
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "undo"])]
    files: Vec<PathBuf>,
    /// Identity or name of the device that everything goes to.
    #[arg(long, value_name = "ID", conflicts_with = "new")]
    device: Option<String>,
    /// Make a device of this name, and everything goes to it.
    #[arg(long, value_name = "NAME")]
    new: Option<String>,
    /// Make a device for each track whose device is not here.
    #[arg(long, conflicts_with_all = ["device", "new"])]
    create: bool,
    /// Only show what is in the files.
    #[arg(long)]
    dry_run: bool,
    /// The zone of times that name none, as Europe/Brussels [default: UTC]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Write the records that cannot be used into this file, with line and reason.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// List what was imported.
    #[arg(long, conflicts_with_all = ["files", "undo"])]
    list: bool,
    /// Take a batch back: remove every position that it brought.
    #[arg(long, value_name = "BATCH", conflicts_with = "files")]
    undo: Option<i64>,
    /// Print JSON: an object a file, or an array with --list.
    #[arg(long)]
    pub(super) json: bool,
}

/// Carries it out.
pub(super) fn run(args: &ImportArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let data_dir = site.data_dir()?;
    if args.list {
        return list(args, site, &data_dir, out);
    }
    if let Some(batch) = args.undo {
        return undo(ImportId(batch), args, site, &data_dir, out);
    }
    let zone = match &args.zone {
        Some(name) => TimeZone::get(name)
            .map_err(|_| WrongWords(format!("--zone {name:?} is no zone; write it as Europe/Brussels")))?,
        None => TimeZone::UTC,
    };
    let mut rejects = Rejects::open(args.rejects.as_deref())?;
    if args.dry_run {
        // What is not there yet has no devices.
        let store = Store::view(&data_dir, Clock::clone(&site.clock)).ok();
        let into = into_one(args, store.as_ref())?;
        for path in &args.files {
            if is_capture(path) {
                capture::show(path, &zone, args, store.as_ref(), site, out)?;
                continue;
            }
            let found = look_at(path, &zone, store.as_ref().map(Store::reader), into.as_ref(), site)?;
            rejects.write(&found)?;
            if args.json {
                writeln!(out, "{}", found_json(&found))?;
            } else {
                show(&found, into.as_ref(), out)?;
            }
        }
        rejects.flush()?;
        return Ok(out.flush()?);
    }
    let beside = store::in_use(&data_dir);
    let store = open(&data_dir, site)?;
    let into = into_one(args, Some(&store))?;
    let mut nothing = Vec::new();
    for path in &args.files {
        if is_capture(path) {
            capture::bring(path, &zone, args, &store, beside, site, out)?;
            continue;
        }
        let found = look_at(path, &zone, Some(store.reader()), into.as_ref(), site)?;
        rejects.write(&found)?;
        if !args.json {
            show(&found, into.as_ref(), &mut io::stderr())?;
        }
        let targets = targets(&found, into.as_ref(), args.create)?;
        if found.points == 0 {
            nothing.push(path.display().to_string());
            continue;
        }
        let report = bring_in(&store, &found, &targets, site)?;
        if args.json {
            writeln!(out, "{}", report_json(&found, &report))?;
        } else {
            writeln!(out, "{}", report_text(&report))?;
        }
        out.flush()?;
    }
    rejects.flush()?;
    store.close();
    if !nothing.is_empty() {
        bail!("there is no position in {}, so nothing came of it", nothing.join(", "));
    }
    Ok(())
}

/// The store to write into: ours alone, or beside the instance that has it.
fn open(data_dir: &Path, site: &Site) -> Result<Store> {
    if store::in_use(data_dir) {
        return Ok(devices::beside(data_dir, site)?);
    }
    Ok(Store::open(data_dir, Options::new(Clock::clone(&site.clock)))?)
}

/// Where everything goes, where that was said.
fn into_one(args: &ImportArgs, store: Option<&Store>) -> Result<Option<ImportInto>> {
    match (&args.device, &args.new, store) {
        (Some(word), _, Some(store)) => {
            let device = devices::find(store, word)?;
            if device.state != DeviceState::Adopted {
                bail!(
                    "{} is not adopted, so what goes to it would not be shown; `wayglass adopt {word}` first",
                    device.label()
                );
            }
            Ok(Some(ImportInto::Device(device.id)))
        }
        (Some(word), _, None) => Err(store::Error::NoSuchDevice(word.clone()).into()),
        (None, Some(name), _) => {
            let made = new_device(name, None);
            made.map(Some).ok_or_else(|| WrongWords(format!("--new {name:?} is no name for a device")).into())
        }
        (None, None, _) => Ok(None),
    }
}

fn look_at(
    path: &Path,
    zone: &TimeZone,
    reader: Option<Reader>,
    into: Option<&ImportInto>,
    site: &Site,
) -> Result<Found> {
    let source = Source { path: path.to_owned(), zone: zone.clone() };
    let device = match into {
        Some(ImportInto::Device(id)) => Some(*id),
        Some(ImportInto::New { .. }) | None => None,
    };
    let (now, mut progress) = ((site.clock)(), Progress::new(site.quiet));
    let looked = until_stopped(
        move |watch| look(reader.as_ref(), source, device, now, watch),
        |watch| progress.tell(&stage_text(watch, "looking")),
    )?;
    Ok(looked?)
}

fn bring_in(store: &Store, found: &Found, targets: &[Option<ImportInto>], site: &Site) -> Result<ImportReport> {
    let (writer, found, targets) = (store.writer(), found.clone(), targets.to_vec());
    let (now, mut progress) = ((site.clock)(), Progress::new(site.quiet));
    let brought = until_stopped(
        move |watch| bring(&writer, &found, &targets, now, watch),
        |watch| progress.tell(&stage_text(watch, "importing")),
    )?;
    Ok(brought?)
}

fn stage_text(watch: &Watch, what: &str) -> String {
    match watch.stage() {
        Stage::Bytes { done, total } => format!("{what}: {} of {} …", bytes_text(done), bytes_text(total)),
        Stage::Checking => format!("{what} …"),
    }
}

/// Where each track goes.
fn targets(found: &Found, into: Option<&ImportInto>, create: bool) -> Result<Vec<Option<ImportInto>>> {
    let mut unknown = Vec::new();
    let targets = found.tracks.iter().map(|track| match (into, &track.device) {
        (Some(into), _) => Some(into.clone()),
        (None, Some(device)) => Some(ImportInto::Device(device.id)),
        (None, None) if create => new_device(track.track.label(), track.track.identity.as_deref()),
        (None, None) => {
            unknown.push(devices::plain(track.track.label()));
            None
        }
    });
    let targets: Vec<_> = targets.collect();
    if unknown.is_empty() {
        return Ok(targets);
    }
    let named = unknown.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = unknown.len().checked_sub(5).filter(|n| *n > 0).map(|n| format!(" and {n} more")).unwrap_or_default();
    Err(anyhow!(
        "{}: no device here is {named}{more}; say --device ID or --new NAME for all of it, or --create for a device each; nothing was imported",
        found.source.path.display()
    ))
}

/// What is in a file, for people.
fn show(found: &Found, into: Option<&ImportInto>, out: &mut dyn Write) -> io::Result<()> {
    let Found { source, kind, tracks, points, rejected, rejects, notes, broken, .. } = found;
    let name = devices::plain(&source.path.display().to_string());
    let span = found.span().map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    let in_tracks = count(tracks.len() as u64, "track");
    writeln!(out, "{name}: {}, {} in {in_tracks}{span}", kind.title(), count(*points, "point"))?;
    for track in tracks.iter().take(LISTED) {
        writeln!(out, "  {}", track_text(track, into))?;
    }
    if tracks.len() > LISTED {
        writeln!(out, "  and {} more", count((tracks.len() - LISTED) as u64, "track"))?;
    }
    for note in notes {
        writeln!(out, "  note: {note}")?;
    }
    for reject in rejects.iter().take(LISTED) {
        writeln!(out, "  rejected: {}", devices::plain(&reject.to_string()))?;
    }
    if *rejected > LISTED as u64 {
        let more = rejected - LISTED as u64;
        writeln!(out, "  rejected: {more} more; --rejects FILE writes them down")?;
    }
    if let Some(broken) = broken {
        writeln!(out, "  the file is broken at {}; what stood before is good", devices::plain(&broken.to_string()))?;
    }
    Ok(())
}

fn track_text(found: &FoundTrack, into: Option<&ImportInto>) -> String {
    let label = devices::plain(found.track.label());
    let there = if found.duplicates > 0 { format!(", {} here already", found.duplicates) } else { String::new() };
    let to = match (into, &found.device) {
        (Some(ImportInto::New { name, identity, .. }), _) => {
            format!("a new device {}", devices::plain(name.as_deref().unwrap_or(identity.as_str())))
        }
        (_, Some(device)) => devices::plain(device.label()),
        (_, None) => "no device here".to_owned(),
    };
    format!("{label}: {}{there} → {to}", count(found.points, "point"))
}

fn report_text(report: &ImportReport) -> String {
    let ImportReport { batch, positions, duplicates, rejected, skipped, devices, .. } = report;
    let into = match devices.as_slice() {
        [one] => format!(" into {}", devices::plain(one.label())),
        [] => String::new(),
        many => format!(" into {}", count(many.len() as u64, "device")),
    };
    let more = [(*duplicates, "here already"), (*rejected, "rejected"), (*skipped, "left out")];
    let more: Vec<_> = more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} {what}")).collect();
    let back =
        if *positions > 0 { format!("; `wayglass import --undo {}` takes it back", batch.0) } else { String::new() };
    format!("{} imported{into}{}{back}", count(*positions, "new position"), more.concat())
}

fn found_json(found: &Found) -> Value {
    let Found { source, kind, tracks, points, rejected, rejects, notes, broken, .. } = found;
    let tracks: Vec<_> = tracks
        .iter()
        .map(|found| {
            json!({
                "name": found.track.name,
                "identity": found.track.identity,
                "points": found.points,
                "duplicates": found.duplicates,
                "first": found.first.map(|at| at.to_string()),
                "last": found.last.map(|at| at.to_string()),
                "device": found.device.as_ref().map(|device| device.identity.as_str()),
            })
        })
        .collect();
    let reject = |r: &crate::import::Reject| json!({"line": r.at.line, "byte": r.at.byte, "why": r.why});
    json!({
        "file": source.path.display().to_string(),
        "format": kind.as_str(),
        "points": points,
        "duplicates": found.duplicates(),
        "rejected": rejected,
        "tracks": tracks,
        "rejects": rejects.iter().map(reject).collect::<Vec<_>>(),
        "notes": notes,
        "broken": broken.as_ref().map(reject),
    })
}

fn report_json(found: &Found, report: &ImportReport) -> Value {
    let mut value = found_json(found);
    let ImportReport { batch, positions, duplicates, rejected, devices, .. } = report;
    let identities: Vec<_> = devices.iter().map(|device: &Device| device.identity.as_str()).collect();
    if let Some(object) = value.as_object_mut() {
        object.insert("batch".to_owned(), json!(batch.0));
        object.insert("imported".to_owned(), json!(positions));
        object.insert("duplicates".to_owned(), json!(duplicates));
        object.insert("rejected".to_owned(), json!(rejected));
        object.insert("devices".to_owned(), json!(identities));
    }
    value
}

fn list(args: &ImportArgs, site: &Site, data_dir: &Path, out: &mut dyn Write) -> Result<()> {
    let store = Store::view(data_dir, Clock::clone(&site.clock))?;
    let batches = store.reader().read(query::imports).wait()?;
    store.close();
    if args.json {
        let rows: Vec<_> = batches.iter().map(batch_json).collect();
        writeln!(out, "{}", Value::Array(rows))?;
    } else if batches.is_empty() {
        writeln!(out, "nothing was imported yet")?;
    } else {
        for batch in &batches {
            writeln!(out, "{}", batch_text(batch))?;
        }
    }
    Ok(out.flush()?)
}

fn batch_text(batch: &ImportBatch) -> String {
    let ImportBatch { id, file, format, began, ended, undone, positions, duplicates, rejected, .. } = batch;
    let state = match (undone, ended) {
        (Some(at), _) => format!(", taken back {at}"),
        (None, None) => ", under way or cut off".to_owned(),
        (None, Some(_)) => String::new(),
    };
    let new = count(*positions, "new position");
    let file = devices::plain(file);
    format!("{}  {began}  {format}  {new}, {duplicates} here already, {rejected} rejected  {file}{state}", id.0)
}

fn batch_json(batch: &ImportBatch) -> Value {
    let ImportBatch { id, file, format, counted_in, began, ended, undone, positions, duplicates, rejected } = batch;
    json!({
        "batch": id.0,
        "file": file,
        "format": format,
        "counted_in": counted_in.as_str(),
        "began": began.to_string(),
        "ended": ended.map(|at| at.to_string()),
        "undone": undone.map(|at| at.to_string()),
        "positions": positions,
        "duplicates": duplicates,
        "rejected": rejected,
    })
}

fn undo(batch: ImportId, args: &ImportArgs, site: &Site, data_dir: &Path, out: &mut dyn Write) -> Result<()> {
    let store = open(data_dir, site)?;
    let mut progress = Progress::new(site.quiet);
    progress.tell("taking it back …");
    let removed = take_back(&store.writer(), batch)?;
    drop(progress);
    store.close();
    if args.json {
        writeln!(out, "{}", json!({"batch": batch.0, "removed": removed}))?;
    } else {
        writeln!(out, "import {} taken back: {} removed", batch.0, count(removed, "position"))?;
    }
    Ok(out.flush()?)
}

/// Where rejected records are written down.
struct Rejects(Option<(PathBuf, csv::Writer<BufWriter<File>>)>);

impl Rejects {
    fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut rows = csv::Writer::from_writer(BufWriter::new(file));
        rows.write_record(["file", "line", "byte", "why"])?;
        Ok(Self(Some((path.to_owned(), rows))))
    }

    fn write(&mut self, found: &Found) -> Result<()> {
        let Some((_, rows)) = &mut self.0 else { return Ok(()) };
        let file = found.source.path.display().to_string();
        for reject in found.rejects.iter().chain(&found.broken) {
            rows.write_record([&file, &reject.at.line.to_string(), &reject.at.byte.to_string(), &reject.why])?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.0 {
            Some((path, rows)) => rows.flush().with_context(|| format!("cannot write {}", path.display())),
            None => Ok(()),
        }
    }
}
