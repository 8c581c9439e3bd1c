//! The components of the score, as a table.

use super::number::fixed;
use super::table::{header, table};
use crate::score::{COMPONENTS, Stats, Weights};

/// Each component with its value and weight.
#[must_use]
pub fn components(prefix: &str, stats: &Stats, weights: &Weights) -> String {
    let rows: Vec<Vec<String>> = match stats.values() {
        None => Vec::new(),
        Some(values) => {
            let row = |((component, value), weight): ((&crate::score::Component, f64), f64)| {
                vec![component.name.to_owned(), fixed(value, 8), format!("x{}", fixed(weight, 2))]
            };
            COMPONENTS.iter().zip(values).zip(weights.0).map(row).collect()
        }
    };
    table(prefix, &header(&["Field", "Value", "Weight"]), &rows, &[false, true, true])
}
