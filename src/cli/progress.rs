//! One line on the terminal that says how far a long call has come.

use std::io::{self, IsTerminal, Write};

/// A line that is written over and over. Says nothing where standard error is no terminal.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    told: bool,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && io::stderr().is_terminal(), told: false }
    }

    /// Shows this instead of what was there.
    pub(super) fn tell(&mut self, text: &str) {
        if self.shown {
            self.told = true;
            // Back to the margin, clear to the end of the line. A terminal that went away is no reason to stop.
            write!(io::stderr(), "\r\x1b[K{text}").ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told {
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

/// A count with a word in the right number and thousands apart: `1,204 points`.
pub(super) fn count(n: u64, one: &str) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let plural = if n == 1 { "" } else { "s" };
    format!("{text} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        for (n, text) in [(0, "0 points"), (1, "1 point"), (999, "999 points"), (1_204, "1,204 points")] {
            assert_eq!(count(n, "point"), text);
        }
        assert_eq!(count(1_000_000, "point"), "1,000,000 points");
    }
}
