//! Undo: every step that can be taken back is kept as plain actions that say the opposite.
//!
//! [`inverse::of`] knows the opposite of an action by what is so before it is carried out. What can be taken back only once it is done (an
//! import, say) is pushed from where its answer is taken in: [`Undo::push`].

mod inverse;

use std::{collections::VecDeque, mem::Discriminant};

use super::Action;
use crate::model::DeviceId;

pub use inverse::of;

/// Steps that can be taken back. Beyond them the oldest is forgotten.
const MAX_STEPS: usize = 100;

/// Something that was done, and how it is taken back. Its actions say what shall be, never "the other way round": done twice, they do no harm.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was done, as a sentence without its full stop: `Ignored Van 7`.
    pub did: String,
    /// What taking it back does, in the same way: `Van 7 is a device again`.
    pub undoing: String,
    pub undo: Vec<Action>,
    /// Nothing where it cannot be done again.
    pub redo: Vec<Action>,
    /// The device that it is about, by which a refusal finds it.
    pub about: Option<DeviceId>,
    pub told: Told,
}

impl Step {
    /// What kind of step it is.
    pub fn kind(&self) -> Option<Discriminant<Action>> {
        self.undo.first().map(std::mem::discriminant)
    }
}

/// How the user learns that something was done and can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// At once, by a message with a button.
    AtOnce,
    /// By the message that tells what came of it: see [`Undo::newest`].
    WhenAnswered,
    /// Not at all: everybody sees it. Successive steps with the same key, about the same device, are one.
    Silently(Option<&'static str>),
}

/// Which way the newest step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Did,
    Back,
    Again,
}

/// What can be taken back, and what was.
#[derive(Default)]
pub struct Undo {
    done: VecDeque<Step>,
    undone: Vec<Step>,
    went: Option<Went>,
}

impl Undo {
    /// Something was done. What was taken back before cannot be done again.
    pub fn push(&mut self, step: Step) {
        self.undone.clear();
        let same = |key| {
            let is = |last: &Step| last.told == Told::Silently(Some(key)) && last.about == step.about;
            self.done.back().is_some_and(is)
        };
        if let Told::Silently(Some(key)) = step.told
            && self.went == Some(Went::Did)
            && same(key)
            && let Some(last) = self.done.back_mut()
        {
            last.redo = step.redo;
            return;
        }
        self.went = Some(Went::Did);
        self.done.push_back(step);
        if self.done.len() > MAX_STEPS {
            self.done.pop_front();
        }
    }

    /// Several things were done with one click: they are one step.
    pub fn push_all(&mut self, steps: Vec<Step>) {
        let more = steps.len().saturating_sub(1);
        let together = steps.into_iter().reduce(|mut all, mut next| {
            // The last one goes first.
            next.undo.append(&mut all.undo);
            all.undo = next.undo;
            all.redo.append(&mut next.redo);
            all
        });
        let Some(mut step) = together else { return };
        if more > 0 {
            step.did = format!("{} and {more} more", step.did);
            step.undoing = format!("{}, and so for {more} more", step.undoing);
            step.about = None;
        }
        self.push(step);
    }

    /// Takes the newest step back: what has to be done for it.
    pub fn back(&mut self) -> Option<Step> {
        let step = self.done.pop_back()?;
        self.undone.push(step.clone());
        self.went = Some(Went::Back);
        Some(step)
    }

    /// Does again what was taken back last.
    pub fn again(&mut self) -> Option<Step> {
        let step = self.undone.pop_if(|step| !step.redo.is_empty())?;
        self.done.push_back(step.clone());
        self.went = Some(Went::Again);
        Some(step)
    }

    /// The step that would be taken back now.
    pub fn newest(&self) -> Option<&Step> {
        self.done.back()
    }

    /// The step that would be done again now.
    pub fn next(&self) -> Option<&Step> {
        self.undone.last().filter(|step| !step.redo.is_empty())
    }

    /// True where taking back what was done to this device is the last that happened.
    pub fn just_undid(&self, device: Option<DeviceId>) -> bool {
        self.went == Some(Went::Back) && self.undone.last().is_some_and(|step| step.about == device)
    }

    /// What was wanted last for this device was refused: it is as it was before. True where that was a step of the newest kind.
    pub fn refused(&mut self, about: Option<DeviceId>) -> bool {
        let is = |step: Option<&Step>| step.is_some_and(|step| step.about == about);
        match self.went {
            Some(Went::Did) if is(self.done.back()) => drop(self.done.pop_back()),
            Some(Went::Back) if is(self.undone.last()) => self.done.extend(self.undone.pop()),
            Some(Went::Again) if is(self.done.back()) => self.undone.extend(self.done.pop_back()),
            _ => return false,
        }
        self.went = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, about: i64) -> Step {
        Step {
            did: format!("Did {name}"),
            undoing: format!("Undoes {name}"),
            undo: vec![Action::Rename(DeviceId(about), "before".to_owned())],
            redo: vec![Action::Rename(DeviceId(about), name.to_owned())],
            about: Some(DeviceId(about)),
            told: Told::AtOnce,
        }
    }

    fn undo_of(steps: &[Step]) -> Undo {
        let mut undo = Undo::default();
        steps.iter().cloned().for_each(|step| undo.push(step));
        undo
    }

    #[test]
    fn steps_go_back_and_forth_in_order() {
        let mut undo = undo_of(&[step("a", 1), step("b", 2)]);
        assert_eq!(undo.back().unwrap().did, "Did b");
        assert_eq!(undo.back().unwrap().did, "Did a");
        assert!(undo.back().is_none());
        assert_eq!(undo.again().unwrap().did, "Did a");
        assert_eq!(undo.next().unwrap().did, "Did b");
        undo.push(step("c", 3));
        assert!(undo.again().is_none(), "another way was taken");
        assert_eq!(undo.newest().unwrap().did, "Did c");
    }

    #[test]
    fn it_is_bounded() {
        let mut undo = Undo::default();
        (0..1_000).for_each(|n| undo.push(step("x", n)));
        assert_eq!(std::iter::from_fn(|| undo.back()).count(), MAX_STEPS);
    }

    #[test]
    fn what_was_refused_is_as_before() {
        let mut undo = undo_of(&[step("a", 1), step("b", 2)]);
        assert!(undo.refused(Some(DeviceId(2))));
        assert_eq!(undo.newest().unwrap().did, "Did a");
        undo.back();
        assert!(!undo.refused(Some(DeviceId(9))), "somebody else's");
        assert!(undo.refused(Some(DeviceId(1))), "it was not taken back");
        assert_eq!(undo.newest().unwrap().did, "Did a");
        undo.back();
        undo.again();
        assert!(undo.refused(Some(DeviceId(1))), "it was not done again");
        assert_eq!((undo.newest(), undo.next().unwrap().did.as_str()), (None, "Did a"));
    }

    #[test]
    fn one_click_is_one_step_and_goes_back_last_first() {
        let mut undo = Undo::default();
        undo.push_all(vec![step("a", 1), step("b", 2), step("c", 3)]);
        undo.push_all(Vec::new());
        let step = undo.back().unwrap();
        assert_eq!(step.did, "Did a and 2 more");
        let order = |actions: &[Action]| -> Vec<i64> {
            actions.iter().map(|a| if let Action::Rename(id, _) = a { id.0 } else { 0 }).collect()
        };
        assert_eq!((order(&step.undo), order(&step.redo)), (vec![3, 2, 1], vec![1, 2, 3]));
        assert!(undo.back().is_none());
    }

    #[test]
    fn typing_is_one_step_until_it_is_taken_back() {
        let typed = |text: &str| Step { told: Told::Silently(Some("credit")), ..step(text, 1) };
        let mut undo = undo_of(&[typed("a"), typed("ab")]);
        assert_eq!(undo.newest().unwrap().redo, typed("ab").redo);
        undo.back();
        assert!(undo.newest().is_none());
        undo.again();
        undo.push(typed("abc"));
        undo.back();
        assert!(undo.newest().is_some(), "a step of its own");
    }
}
