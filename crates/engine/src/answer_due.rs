//! The right to answer.

/// The client's command waits for its one answer. The code that gives the answer consumes this, so there is no second
/// one.
#[derive(Debug)]
#[must_use]
pub struct AnswerDue(());

impl AnswerDue {
    /// A command arrived that waits for an answer.
    pub fn of_command() -> Self {
        Self(())
    }

    /// The answer is given.
    pub fn given(self) {
        let Self(()) = self;
    }
}
