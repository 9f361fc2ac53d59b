//! An answer on its way to a publisher. One that does not arrive is told to whoever made it, so that
//! the publisher's next try gets it again. Never holds the bytes.

use std::fmt;

use lead::Answer;

/// An answer, and who hears what became of it.
pub struct Delivery {
    /// What the publisher is told.
    pub answer: Answer,
    fate: Option<Box<dyn FnOnce(Fate) + Send>>,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was written to a connection that was still there.
    Arrived,
    /// Its connection was gone before.
    Lost,
}

impl Delivery {
    /// An answer whose fate matters to nobody.
    #[must_use]
    pub fn new(answer: Answer) -> Self {
        Self { answer, fate: None }
    }

    /// Tells `hear` what becomes of the answer.
    #[must_use]
    pub fn told(mut self, hear: impl FnOnce(Fate) + Send + 'static) -> Self {
        self.fate = Some(Box::new(hear));
        self
    }

    /// It was written to a connection that was still there.
    pub fn arrived(mut self) {
        if let Some(hear) = self.fate.take() {
            hear(Fate::Arrived);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(hear) = self.fate.take() {
            hear(Fate::Lost);
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delivery")
    }
}
