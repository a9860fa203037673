//! `wayglass limits`: every bound, where it comes from, and how near the running instance is to it.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::Site;
use crate::backend::health::{Health, Limit, limits};

/// List every bound on what peers may take and what is kept, where it is set, and how near the running instance is to it.
///
/// They are set in the settings file, below a line `[limits]`, as `connections = 2000` or `queue = "128 MiB"`.
#[derive(Debug, Args)]
pub(super) struct LimitsArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints the bounds of the instance that runs, else those that the next start would have.
pub(super) fn run(args: &LimitsArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let setup = site.config.setup(None)?;
    let rows = match Health::beside(&setup.data_dir, &site.clock) {
        Some(health) => health.limits,
        None => limits(&setup.limits, None),
    };
    if args.json {
        serde_json::to_writer(&mut *out, &rows)?;
        writeln!(out)?;
    } else {
        let columns = ["KEY", "LIMIT", "IN USE", "REACHED", "FROM", "WHAT"].map(str::to_owned);
        let lines: Vec<_> = std::iter::once(columns).chain(rows.iter().map(cells)).collect();
        let width = |n: usize| lines.iter().map(|line| line[n].chars().count()).max().unwrap_or_default();
        let widths = [0, 1, 2, 3, 4].map(width);
        for line in &lines {
            for (cell, width) in line.iter().zip(widths) {
                write!(out, "{cell:width$}  ")?;
            }
            writeln!(out, "{}", line[5])?;
        }
    }
    out.flush()?;
    Ok(())
}

fn cells(limit: &Limit) -> [String; 6] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        limit.key.clone(),
        limit.text.clone(),
        or_dash(limit.used_text.clone()),
        or_dash(limit.reached.map(|n| n.to_string())),
        limit.source.clone(),
        limit.title.clone(),
    ]
}
