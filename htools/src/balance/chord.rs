//! What all targets of a frame gain at most, without a single root: a root lies above the chord between two points of it, and
//! how far the squares of a column can go is known beforehand.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::frame::Frame;
use super::rank::{Lanes, RESERVED, WIDE};
use super::table::Table;

/// The chords of a frame's columns. The reserved memory, which is in no proportion to anything, is left out.
///
/// With the change `d`, a target of unit `u` and column `c` leaves the squares `q - s²/n + 2d·uc + d²(1 - 1/n)·u² - 2sd/n·u`.
#[derive(Debug)]
pub(super) struct Chords {
    /// The part that all targets have.
    base: f64,
    moved: Lanes,
    /// Per unit, and per square of it; `None`: all nodes have the same units, which are in `base`.
    unit: Option<(Lanes, Lanes)>,
}

impl Chords {
    /// Of the first `lanes` columns of a frame, for nodes as they are now; with the numbers between which the squares lie.
    pub(super) fn new(frame: &Frame, table: &Table, lanes: usize) -> (Self, (Lanes, Lanes)) {
        let (span, per_node, none) = (&table.span, 1.0 / table.ranks.count, [0.0; WIDE]);
        let unit = (span.unit.0 != span.unit.1).then_some((none, none));
        let mut chords = Self { base: 0.0, moved: none, unit };
        let (mut lows, mut highs) = (none, none);
        for at in (0..lanes).filter(|at| *at != RESERVED) {
            let (by, sum) = (frame.delta[at], frame.sums[at]);
            let start = frame.squares[at] - sum * sum * per_node;
            let (moved, squared, once) = (2.0 * by, by * by * (1.0 - per_node), -2.0 * sum * by * per_node);
            let ends = |factor: f64, (low, high): (f64, f64)| {
                let (a, b) = (factor * low, factor * high);
                if a < b { (a, b) } else { (b, a) }
            };
            let (moved_low, moved_high) = ends(moved, (span.moved.0[at], span.moved.1[at]));
            let (unit_low, unit_high) = (span.unit.0[at], span.unit.1[at]);
            let (once_low, once_high) = ends(once, (unit_low, unit_high));
            // Units are not negative.
            let (twice_low, twice_high) = ends(squared, (unit_low * unit_low, unit_high * unit_high));
            // A little wider, for what is lost by rounding.
            let wider = 8.0 * f64::EPSILON * (frame.squares[at] + sum * sum * per_node + moved_high.abs() + moved_low.abs());
            let low = (start + moved_low + once_low + twice_low - wider).max(0.0);
            let high = (start + moved_high + once_high + twice_high + wider).max(low);
            let (low_root, high_root) = (low.sqrt(), high.sqrt());
            // The slope of the chord, without the difference of two numbers that may be alike.
            let slope = if high_root > 0.0 { 1.0 / (low_root + high_root) } else { 0.0 };
            chords.base += low_root + (start - low) * slope;
            (lows[at], highs[at]) = (low, high);
            chords.moved[at] = moved * slope;
            match &mut chords.unit {
                None => chords.base += slope * unit_high * (once + squared * unit_high),
                Some(unit) => (unit.0[at], unit.1[at]) = (once * slope, squared * slope),
            }
        }
        (chords, (lows, highs))
    }

    /// No target leaves less than this in the first `N` columns together. `at`: its place.
    #[inline]
    pub(super) fn least<const N: usize>(&self, table: &Table, at: usize) -> f64 {
        let (moved, units) = (&table.moved[at], &table.units[at]);
        let mut parts = [0.0; N];
        for lane in 0..N {
            parts[lane] = self.moved[lane] * moved[lane];
        }
        if let Some(unit) = &self.unit {
            for lane in 0..N {
                parts[lane] += units[lane] * (unit.0[lane] + unit.1[lane] * units[lane]);
            }
        }
        // Two sums side by side: the lanes of a register.
        let (mut even, mut odd) = (self.base, 0.0);
        for pair in parts.chunks_exact(2) {
            even += pair[0];
            odd += pair[1];
        }
        even + odd
    }
}
