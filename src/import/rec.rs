//! The log of OwnTracks Recorder, one message a line: `2017-06-15T06:37:31Z⇥*⇥{…}`. Also OwnTracks messages alone, one a line.
//!
//! Messages are read by what reads them live, so a position is the same one, whichever way it came.

use std::{io::Read, path::Path};

use super::{
    Ground, Mark, Record,
    sink::{Halt, Sink},
    source::Source,
    values::shown,
};
use crate::{
    model::{Identity, Severity, Timestamp},
    wire::owntracks,
};

/// True for a line of Recorder's.
pub(super) fn is_line(line: &[u8]) -> bool {
    parts(line).is_some()
}

/// When Recorder got it, and the message.
fn parts(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let mut columns = line.splitn(3, |b| *b == b'\t');
    let at = std::str::from_utf8(columns.next()?).ok()?.trim().parse().ok()?;
    let (_, message) = (columns.next()?, columns.next()?);
    Some((at, message.trim_ascii()))
}

/// Reads a log.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>, ground: &Ground) -> Result<(), Halt> {
    source.skip_bom()?;
    let folder = by_folder(&ground.path);
    let mut line = Vec::new();
    while let Some(at) = source.line(&mut line)? {
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match (parts(text), text.first()) {
            (Some((received, message)), _) => message_at(at, message, Some(received), folder.as_deref(), sink, ground)?,
            (None, Some(b'{' | b'[')) => message_at(at, text, None, folder.as_deref(), sink, ground)?,
            (None, _) => {
                let what = shown(&String::from_utf8_lossy(text));
                sink.reject(at, format!("no line of Recorder's: {what}"))?;
            }
        }
    }
    Ok(())
}

fn message_at(
    at: Mark,
    message: &[u8],
    received: Option<Timestamp>,
    folder: Option<&str>,
    sink: &mut Sink<'_>,
    ground: &Ground,
) -> Result<(), Halt> {
    let told = owntracks::dissect(message, received.unwrap_or(ground.now));
    let timed = received.is_some() || message.windows(5).any(|w| w == b"\"tst\"");
    let generic = |name: &str| Identity::new(name).is_none_or(|identity| owntracks::is_generic(&identity));
    let identity = told.device.filter(|name| !generic(name)).or_else(|| folder.map(str::to_owned));
    let mut none = true;
    for report in told.reports.into_iter().filter(|report| report.fix.is_some() && timed) {
        none = false;
        let track = sink.track(at, None, identity.as_deref())?;
        sink.record(Record { track, at, received, report })?;
    }
    if none {
        let problem = told.problems.iter().find(|p| p.severity >= Severity::Warn).map(|p| p.text.clone());
        let why = match problem {
            _ if !timed => "no time".to_owned(),
            Some(text) => format!("no position in it: {text}"),
            None => format!("no position in it, but {:?}", told.kind),
        };
        sink.reject(at, why)?;
    }
    Ok(())
}

/// Recorder keeps `rec/USER/DEVICE/2017-06.rec`.
fn by_folder(path: &Path) -> Option<String> {
    let mut up = path.ancestors().skip(1).map(|folder| folder.file_name().and_then(|name| name.to_str()));
    let (device, user, rec) = (up.next()??, up.next()??, up.next()??);
    (rec == "rec").then(|| format!("owntracks/{user}/{device}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_name_user_and_device() {
        let named = |path: &str| by_folder(Path::new(path));
        assert_eq!(named("/var/spool/store/rec/jane/iphone/2017-06.rec").as_deref(), Some("owntracks/jane/iphone"));
        for path in ["2017-06.rec", "/tmp/jane/iphone/2017-06.rec", ""] {
            assert_eq!(named(path), None, "{path}");
        }
    }
}
