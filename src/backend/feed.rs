//! The stream of facts for one subscriber.

use crate::{model::Fact, store::Facts};

/// The stream of facts for one subscriber: bounded; who falls behind hears [`Fact::Missed`] and reads again.
pub struct Feed(Facts);

impl Feed {
    pub(super) fn new(facts: Facts) -> Self {
        Self(facts)
    }

    /// The next fact, if there is one; never waits.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, not the end")]
    pub fn next(&mut self) -> Option<Fact> {
        self.0.next()
    }
}
