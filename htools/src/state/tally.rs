//! Counted sets: how often each tag is on a node.

/// Keys with their counts, sorted; nodes have few of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally<K>(Vec<(K, u32)>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord> Tally<K> {
    /// How often `key` was added and not removed.
    #[must_use]
    pub fn count(&self, key: K) -> u32 {
        self.find(key).map_or(0, |at| self.0[at].1)
    }

    /// Adds one of each of `keys`.
    pub fn add(&mut self, keys: impl IntoIterator<Item = K>) {
        for key in keys {
            match self.find(key) {
                Ok(at) => self.0[at].1 += 1,
                Err(at) => self.0.insert(at, (key, 1)),
            }
        }
    }

    /// Removes one of each of `keys`; those that are not there stay away.
    pub fn remove(&mut self, keys: impl IntoIterator<Item = K>) {
        for key in keys {
            if let Ok(at) = self.find(key) {
                if self.0[at].1 > 1 {
                    self.0[at].1 -= 1;
                } else {
                    self.0.remove(at);
                }
            }
        }
    }

    /// Uses beyond the first of each key.
    #[must_use]
    pub fn excess(&self) -> i64 {
        self.0.iter().map(|(_, count)| i64::from(*count) - 1).sum()
    }

    /// How much [`Self::excess`] grows by adding `keys`.
    #[must_use]
    pub fn excess_by_adding(&self, keys: &[K]) -> i64 {
        let meets = |at: usize| self.count(keys[at]) > 0 || keys[..at].contains(&keys[at]);
        (0..keys.len()).map(|at| i64::from(meets(at))).sum()
    }

    /// How much [`Self::excess`] shrinks by removing `keys`.
    #[must_use]
    pub fn excess_by_removing(&self, keys: &[K]) -> i64 {
        let before = |at: usize| keys[..at].iter().filter(|key| **key == keys[at]).count();
        let meets = |at: usize| self.count(keys[at]) as usize > before(at) + 1;
        (0..keys.len()).map(|at| i64::from(meets(at))).sum()
    }

    /// Whether any of `keys` is there.
    #[must_use]
    pub fn meets(&self, keys: &[K]) -> bool {
        keys.iter().any(|key| self.count(*key) > 0)
    }

    /// Keys and counts, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.0.iter().copied()
    }

    fn find(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn foretold_changes_of_the_excess_are_true(before in prop::collection::vec(0u32..4, 0..8), keys in prop::collection::vec(0u32..4, 0..5)) {
            let mut tally = Tally::default();
            tally.add(before);
            let (old, grows) = (tally.excess(), tally.excess_by_adding(&keys));
            tally.add(keys.clone());
            prop_assert_eq!(tally.excess(), old + grows);
            let shrinks = tally.excess_by_removing(&keys);
            tally.remove(keys);
            prop_assert_eq!((tally.excess(), shrinks), (old, grows));
        }
    }
}
