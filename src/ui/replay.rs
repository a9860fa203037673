//! A capture that is sent again: what the window knows of it while it goes, and how it ended.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use super::Data;
use crate::{
    backend::{
        Backend,
        capture::CaptureSource,
        replay::{Odd, ReplayJob, Replaying, Speed, Tale, Target, Whole},
    },
    model::Protocol,
};

/// What a click may ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplayAction {
    /// Ask the system for a file; one to begin beside.
    Browse(PathBuf),
    Start(Box<Start>),
    Stop,
}

/// What is to be sent, and whereto.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    pub job: ReplayJob,
    /// To a receiver of ours.
    pub own: bool,
}

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Replay {
    /// The capture that is shown.
    pub shown: Option<CaptureSource>,
    /// Where our own receivers listen, as they are reached from here; read where the sheet is open.
    pub own: Vec<(Protocol, SocketAddr)>,
    pub going: Option<Going>,
    pub ended: Option<Ended>,
}

/// One that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Going {
    pub name: String,
    pub tale: Arc<Tale>,
    /// `None` until it is counted.
    pub whole: Option<Whole>,
    pub speed: Speed,
    /// It sends nothing more, and waits for answers.
    pub stopping: bool,
}

impl Going {
    /// How far it is, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a part of a bar")]
    pub fn part(&self) -> f32 {
        let records = self.whole.map_or(0, |whole| whole.records).max(1);
        (self.tale.taken as f32 / records as f32).min(1.0)
    }

    /// Seconds that it takes still, where that is as long as it was then.
    pub fn left_s(&self) -> Option<f64> {
        let Speed::Times(times) = self.speed else { return None };
        let (_, last) = self.whole?.span?;
        Some(last.duration_since(self.tale.at?).as_secs_f64().max(0.0) / times)
    }
}

/// How one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub name: String,
    /// In one line.
    pub text: String,
    /// What was odd about answers.
    pub odd: Vec<Odd>,
    /// Something was sent, and nothing stood in its way.
    pub well: bool,
}

/// What is being asked. One for all sources: it goes on while another is shown.
#[derive(Default)]
pub(super) struct Asking {
    going: Option<(Replaying, ReplayJob)>,
    ended: Option<Ended>,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        self.going.is_some()
    }

    /// Begins, where none is under way.
    pub(super) fn start(&mut self, backend: &Backend, Start { job, own }: Start) {
        if self.going.is_none() {
            self.ended = None;
            self.going = Some((backend.replay(job.clone(), own), job));
        }
    }

    pub(super) fn stop(&self) {
        self.going.iter().for_each(|(replaying, _)| replaying.stop());
    }

    /// Takes over how far it is; gives back how it ended, once.
    pub(super) fn look(&mut self, data: &mut Data) -> Option<Ended> {
        let answer = self.going.as_mut().and_then(|(replaying, _)| replaying.ended());
        let ended = answer.and_then(|answer| {
            let (_, ReplayJob { source, to, .. }) = self.going.take()?;
            let name = source.name();
            Some(match answer.map_err(|error| error.to_string()).and_then(|told| told.map_err(|e| e.to_string())) {
                Ok(tale) => told(name, tale, &to),
                Err(text) => Ended { name, text, odd: Vec::new(), well: false },
            })
        });
        if ended.is_some() {
            self.ended.clone_from(&ended);
        }
        data.replay.going = self.going.as_ref().map(|(replaying, job)| Going {
            name: job.source.name(),
            tale: replaying.tale(),
            whole: replaying.whole(),
            speed: job.speed,
            stopping: replaying.stopping(),
        });
        if data.replay.ended != self.ended {
            data.replay.ended.clone_from(&self.ended);
        }
        ended
    }
}

fn told(name: String, tale: Tale, to: &Target) -> Ended {
    let (nothing, text) = (tale.nothing(to), tale.summary());
    let text = nothing.map_or(text, |why| format!("nothing was sent: {why}"));
    Ended { name, text, odd: tale.odd, well: nothing.is_none() }
}
