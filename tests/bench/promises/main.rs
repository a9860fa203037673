//! What we promise of speed, memory and start, measured in one run: `cargo bench --bench promises`.
//!
//! Every figure stands beside its limit; the exit status is 1 where one is missed. The program is a real `wayglass serve` in a process of its own, and
//! its peers are real sockets. Limits that compare are ratios within this run, since other machines are faster and this one is never quite idle.
//!
//! | words after `--` | measures |
//! |---|---|
//! | `quick` | the same in short: fewer connections, fewer rows |
//! | `gt06`, `owntracks`, `cost`, `memory`, `start` | only these parts |
//!
//! `WAYGLASS_BENCH_DIR` chooses the disk; the default is `target/tmp`, where the large history stays for the next run.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "figures for people, printed; numbers far below the bounds; a bench waits and has the real time"
)]

mod bare;
mod cost;
mod gt06;
mod history;
mod machine;
mod memory;
mod owntracks;
mod phone;
mod process;
mod start;
mod table;
mod tracker;
mod wave;

use std::process::ExitCode;

use machine::Machine;
use table::Table;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// The fleet: connections, devices.
    pub(crate) fleet: usize,
    /// Seconds that one load runs.
    pub(crate) seconds: u64,
    /// How often what is compared is measured, each with its counterpart beside it.
    pub(crate) rounds: usize,
    /// Positions in the large history, and in the two whose cost a row is compared.
    pub(crate) history: u64,
    pub(crate) rows: [u64; 2],
}

const FULL: Size = Size { fleet: 10_000, seconds: 6, rounds: 3, history: 10_000_000, rows: [100_000, 1_000_000] };
const QUICK: Size = Size { fleet: 1_000, seconds: 2, rounds: 1, history: 1_000_000, rows: [20_000, 200_000] };

type Part = (&'static str, fn(&mut Table, Size));

const PARTS: [Part; 5] = [
    ("gt06", gt06::measure),
    ("owntracks", owntracks::measure),
    ("cost", cost::measure),
    ("memory", memory::measure),
    ("start", start::measure),
];

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let known = |word: &String| word == "quick" || PARTS.iter().any(|(name, _)| name == word);
    if let Some(word) = words.iter().find(|word| !known(word)) {
        println!("`{word}` is no part; there are quick, gt06, owntracks, cost, memory, start");
        return ExitCode::from(2);
    }
    let size = if words.iter().any(|word| word == "quick") { QUICK } else { FULL };
    let all = !words.iter().any(|word| word != "quick");
    if let Err(error) = wayglass::backend::raise_open_files() {
        println!("the number of open files stays as it is: {error}");
    }
    let machine = Machine::look();
    println!("{machine}");
    let mut table = Table::default();
    for (name, measure) in PARTS {
        if all || words.iter().any(|word| word == name) {
            table.part(name, |table| measure(table, size));
        }
    }
    println!("\n{machine}\n{table}");
    if table.kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
