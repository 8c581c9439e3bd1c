//! Numbers for equal things, and scores by such numbers.
//!
//! Equal nodes with equal instances are the rule in clusters, so most pairs have a score that another pair has to the last bit.

use std::collections::HashMap;

/// Tables are kept for so many primary nodes that differ; the others share one, which is emptied for each of them. So the memory
/// does not grow with the number of pairs.
const KEPT: usize = 64;

/// Numbers for things, by their bits.
#[derive(Debug, Default)]
pub(super) struct Alike(HashMap<Vec<u64>, usize>);

impl Alike {
    /// The number of a thing with these bits.
    pub(super) fn class(&mut self, bits: &[u64]) -> usize {
        if let Some(class) = self.0.get(bits) {
            return *class;
        }
        let class = self.0.len();
        self.0.insert(bits.to_vec(), class);
        class
    }

    /// How many differ.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Per class of primary nodes: scores by the class of the secondary node; NaN where it is not known.
#[derive(Debug)]
pub(super) struct Tables {
    size: usize,
    kept: Vec<Vec<f64>>,
    shared: Vec<f64>,
}

impl Tables {
    pub(super) fn new(seconds: usize) -> Self {
        Self { size: seconds, kept: Vec::new(), shared: Vec::new() }
    }

    /// The table of a class of primary nodes. Classes are numbered as they come.
    pub(super) fn of(&mut self, class: usize) -> &mut [f64] {
        let empty = || vec![f64::NAN; self.size];
        if class < KEPT {
            while self.kept.len() <= class {
                self.kept.push(empty());
            }
            return &mut self.kept[class];
        }
        self.shared.clear();
        self.shared.resize(self.size, f64::NAN);
        &mut self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_many_classes_begin_empty() {
        let mut tables = Tables::new(2);
        tables.of(0)[1] = 1.0;
        assert_eq!(tables.of(0)[1].to_bits(), 1.0_f64.to_bits());
        tables.of(KEPT)[1] = 2.0;
        assert!(tables.of(KEPT + 1)[1].is_nan() && tables.of(0)[0].is_nan());
    }

    #[test]
    fn equal_bits_have_one_number() {
        let mut alike = Alike::default();
        let classes = [[1, 2], [1, 3], [1, 2]].map(|bits| alike.class(&bits));
        assert_eq!((classes, alike.count()), ([0, 1, 0], 2));
    }
}
