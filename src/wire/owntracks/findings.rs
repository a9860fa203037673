//! Gathers the problems of one body, and no more of them than anybody reads.

use std::ops::Range;

use crate::model::{Group, Problem, Severity};

/// A body of many bad messages must not turn into a list that is larger than itself.
const MOST: usize = 100;

/// The problems found so far, in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// How many were left out, and the worst of those.
    left_out: Option<(usize, Severity)>,
}

impl Findings {
    pub(super) fn note(&mut self, group: Group, span: &Range<usize>, text: impl Into<String>) {
        self.add(Severity::Note, group, span, text);
    }

    pub(super) fn warn(&mut self, group: Group, span: &Range<usize>, text: impl Into<String>) {
        self.add(Severity::Warn, group, span, text);
    }

    pub(super) fn error(&mut self, group: Group, span: &Range<usize>, text: impl Into<String>) {
        self.add(Severity::Error, group, span, text);
    }

    fn add(&mut self, severity: Severity, group: Group, span: &Range<usize>, text: impl Into<String>) {
        if self.problems.len() < MOST {
            self.problems.push(Problem { severity, group, text: text.into(), span: span.clone() });
        } else {
            let (count, worst) = self.left_out.unwrap_or((0, severity));
            self.left_out = Some((count + 1, worst.max(severity)));
        }
    }

    /// Everything found.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        if let Some((count, severity)) = self.left_out {
            let text = format!("{count} more problems of this body are not listed");
            self.problems.push(Problem { severity, group: Group::Json, text, span: 0..0 });
        }
        self.problems
    }
}
