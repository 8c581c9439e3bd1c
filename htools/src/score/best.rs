//! The best of several candidates.

use std::cmp::Ordering;

/// The candidate with the lowest score so far; of equals the last one, and of scores that are not numbers, too.
#[derive(Debug)]
pub(crate) struct Best<T>(Option<(f64, T)>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Best<T> {
    pub(crate) fn take(&mut self, score: f64, candidate: T) {
        if self.0.as_ref().is_none_or(|(old, _)| old.partial_cmp(&score) != Some(Ordering::Less)) {
            self.0 = Some((score, candidate));
        }
    }

    pub(crate) fn found(self) -> Option<T> {
        self.0.map(|(_, candidate)| candidate)
    }
}
