//! Why a frame is read by its layout, for `decode --explain`.

use std::io::{self, Write};

use crate::{
    model::{Profile, Timestamp},
    wire::gt06::{
        State,
        variants::{Change, Other, variants},
    },
};

/// Changes that are listed of each reading.
const MOST_CHANGES: usize = 8;

/// Writes it below the listing of the frame.
pub(super) fn write(
    out: &mut dyn Write,
    bytes: &[u8],
    profile: &Profile,
    state: &State,
    now: Timestamp,
) -> io::Result<()> {
    let Some(told) = variants(bytes, profile, state, now) else {
        return writeln!(out, "  layout    none: it is no frame with a checksum");
    };
    writeln!(out, "  layout    {}", told.chosen)?;
    writeln!(out, "            {}", told.why)?;
    for Other { title, condition, fits, changes, problems } in &told.others {
        if !fits {
            writeln!(out, "    not     {title}: for {condition}")?;
            continue;
        }
        let doubts = if *problems > 0 { format!(", with {problems} problems") } else { String::new() };
        writeln!(out, "    fits    {title}: for {condition}; {}{doubts}", counted(changes.len()))?;
        list(out, changes)?;
    }
    for as_model in &told.models {
        writeln!(out, "    as {}: {}", as_model.models.join(", "), counted(as_model.changes.len()))?;
        list(out, &as_model.changes)?;
    }
    Ok(())
}

fn counted(n: usize) -> String {
    match n {
        0 => "reads the same".to_owned(),
        1 => "1 field differs".to_owned(),
        n => format!("{n} fields differ"),
    }
}

fn list(out: &mut dyn Write, changes: &[Change]) -> io::Result<()> {
    for change in changes.iter().take(MOST_CHANGES) {
        writeln!(out, "            {}", change.sentence())?;
    }
    if changes.len() > MOST_CHANGES {
        writeln!(out, "            and {} more", changes.len() - MOST_CHANGES)?;
    }
    Ok(())
}
