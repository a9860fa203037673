//! Statistics as they are asked for: of everything by SQL, of what is listed a part at a time.

use super::{AGAIN_S, Span, Tab};
use crate::{
    backend::{
        Backend, Error, Pending,
        talk::{self, Counting, Statistics},
    },
    model::Timestamp,
    ui::{
        Data, View,
        filter::{Asked, Known, Sieve},
    },
};

/// What a count was asked over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    span: Span,
    /// Under a filter, or everything.
    listed: Option<Asked>,
}

/// What is being counted.
#[derive(Default)]
pub(super) struct Asking {
    all: Option<Pending<Statistics>>,
    listed: Option<(Sieve, Pending<Counting>)>,
    /// What was asked for last, when, and how many packets there were.
    counted: Option<(Question, Timestamp, u64)>,
    /// What is shown has an answer to another question.
    fresh: bool,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        self.all.is_some() || self.listed.is_some()
    }

    /// Asks for what is shown, and takes what was answered. `listed`: what the list is filtered by, where it is by something.
    pub(super) fn look(
        &mut self,
        backend: &Backend,
        data: &mut Data,
        (view, now): (&View, Timestamp),
        listed: Option<Sieve>,
    ) {
        self.take(backend, data);
        if view.talk.tab != Some(Tab::Statistics) || !view.open.dock {
            return;
        }
        data.talk.listed = listed.as_ref().map(|sieve| described(data, &sieve.asked));
        let listed = listed.filter(|_| view.talk.listed);
        let question = Question { span: view.talk.span, listed: listed.as_ref().map(|sieve| sieve.asked.clone()) };
        let stored = data.stored_packets();
        let (other, stale) = self.counted.as_ref().map_or((true, true), |(asked, at, n)| {
            (*asked != question, *n != stored && now.duration_since(*at).as_secs().abs() >= AGAIN_S)
        });
        if !other && (!stale || self.waiting()) {
            return;
        }
        self.fresh = other;
        let span = talk::Span { back: question.span.back(), now };
        (self.all, self.listed) = (None, None);
        match listed {
            Some(sieve) => {
                let begun = backend.begin_counting(span, sieve.filter.clone(), sieve.now);
                self.listed = Some((sieve, begun));
            }
            None => self.all = Some(backend.statistics(span)),
        }
        if other {
            data.talk.statistics = None;
        }
        data.talk.counting = None;
        self.counted = Some((question, now, stored));
    }

    fn take(&mut self, backend: &Backend, data: &mut Data) {
        if let Some(answer) = self.all.as_mut().and_then(Pending::poll) {
            self.all = None;
            take_over(data, answer, |told| told);
        }
        let Some((_, pending)) = &mut self.listed else { return };
        let Some(answer) = pending.poll() else { return };
        let Some((sieve, _)) = self.listed.take() else { return };
        match answer {
            Ok(counting) if !counting.done() => {
                if self.fresh && counting.looked.0 > 0 {
                    // Where nothing is shown yet, what there is so far.
                    data.talk.statistics = Some(counting.told.clone());
                    data.talk.counting = Some(counting.looked);
                }
                let (known, of) = (Known::of(data), sieve.clone());
                let pending = backend.go_on_counting(counting, move |row, answered| known.admits(&of, row, answered));
                self.listed = Some((sieve, pending));
            }
            answer => {
                data.talk.counting = None;
                take_over(data, answer, |counting| counting.told);
            }
        }
    }
}

fn take_over<T>(data: &mut Data, answer: Result<T, Error>, told: impl FnOnce(T) -> Statistics) {
    match answer {
        Ok(answer) => data.talk.statistics = Some(told(answer)),
        Err(error) => data.trouble = Some(error.to_string()),
    }
}

/// What the list is filtered by, in words.
fn described(data: &Data, asked: &Asked) -> String {
    let text = Some(asked.text.clone()).filter(|text| !text.is_empty());
    let problems = asked.problems.then(|| "problems only".to_owned());
    let device = asked.device.map(|device| format!("only {}", data.label(device)));
    [text, problems, device].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
