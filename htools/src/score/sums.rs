//! The score of a scope in which one or two nodes change, by the reference's update formula, whose rounding differs from a new
//! sum. The reference uses it for pairs of nodes in an allocation, and nowhere else.

use super::component::Source;
use super::row::lane::{self, LOCATION, N1, RESERVED, TAGS};
use super::row::{LANES, Row, SPREADS};
use super::{COMPONENTS, Stats};
use crate::state::real;

/// The sums that a score follows from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// Number of online nodes.
    count: f64,
    sum: Row,
    variance: Row,
    offline_all: f64,
    offline_primary: f64,
    /// Uses of (location, exclusion tag) pairs beyond the first of each.
    pairs: f64,
}

/// What the change of one online node's row does to sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    difference: Row,
    /// Differences of the squares.
    squares: Row,
}

impl Change {
    /// From one row to another.
    #[must_use]
    pub fn new(old: &Row, new: &Row) -> Self {
        let mut change = Self { difference: [0.0; LANES], squares: [0.0; LANES] };
        for lane in 0..LANES {
            change.difference[lane] = new[lane] - old[lane];
            change.squares[lane] = new[lane] * new[lane] - old[lane] * old[lane];
        }
        change
    }
}

impl Change {
    /// Its bits: equal ones have equal effects, to the last bit.
    #[must_use]
    pub fn bits(&self) -> [u64; 2 * LANES] {
        let mut bits = [0; 2 * LANES];
        let numbers = self.difference.iter().chain(&self.squares);
        bits.iter_mut().zip(numbers).for_each(|(bits, number)| *bits = number.to_bits());
        bits
    }
}

/// Lanes that a secondary instance changes, besides the N+1 count.
const BY_SECOND: [usize; 6] = [lane::DISK, lane::RESERVED, lane::DISK_LOAD, lane::SPINDLES, lane::EVENTUAL_DISK, lane::EVENTUAL_SPINDLES];

/// A [`Change`] of those lanes only that a secondary instance changes: little to look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SecondChange {
    difference: [f64; BY_SECOND.len()],
    squares: [f64; BY_SECOND.len()],
    n1: f64,
}

impl SecondChange {
    /// `None`: other lanes change, too.
    pub(crate) fn new(change: &Change) -> Option<Self> {
        let expected = |lane: usize| lane == N1 || BY_SECOND.contains(&lane);
        let others = (0..LANES).filter(|lane| !expected(*lane));
        let alike = others.into_iter().all(|lane| change.difference[lane] == 0.0 && change.squares[lane] == 0.0);
        alike.then(|| Self {
            difference: BY_SECOND.map(|lane| change.difference[lane]),
            squares: BY_SECOND.map(|lane| change.squares[lane]),
            n1: change.difference[N1],
        })
    }
}

/// Sums with the roots that they have when nothing changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooted {
    pub(crate) sums: Sums,
    roots: [f64; SPREADS],
}

impl Rooted {
    pub(crate) fn new(sums: Sums) -> Self {
        // By way of a change of nothing, which does to numbers that are not finite what every change does.
        let still = sums.after(&Change { difference: [0.0; LANES], squares: [0.0; LANES] });
        let mut roots = [0.0; SPREADS];
        for (root, variance) in roots.iter_mut().zip(still.variance) {
            *root = variance.sqrt();
        }
        Self { sums, roots }
    }

    /// `self.sums.after(change).score()`, to the last bit.
    #[inline]
    pub(crate) fn score_after(&self, change: &SecondChange) -> f64 {
        let sums = &self.sums;
        if sums.count <= 0.0 {
            return 0.0;
        }
        let squared_count = sums.count * sums.count;
        let mut changed = [0.0; BY_SECOND.len()];
        for at in 0..BY_SECOND.len() {
            let (lane, d, q) = (BY_SECOND[at], change.difference[at], change.squares[at]);
            let total = (sums.count * q - 2.0 * sums.sum[lane] * d) - d * d;
            changed[at] = (sums.variance[lane] + total / squared_count).max(0.0).sqrt();
        }
        let mut spreads = self.roots;
        for (lane, root) in BY_SECOND.into_iter().zip(changed) {
            spreads[lane] = root;
        }
        weighted(|source| match source {
            Source::Spread(lane) => spreads[lane],
            Source::N1 => sums.sum[N1] + change.n1,
            Source::Reserved => sums.sum[RESERVED] + change.difference[1],
            other => sums.count_of(other),
        })
    }
}

/// The weighted sum of the components, in their order.
#[inline]
fn weighted(value: impl Fn(Source) -> f64) -> f64 {
    COMPONENTS.iter().fold(0.0, |sum, component| sum + component.weight * value(component.source))
}

impl From<&Stats> for Sums {
    fn from(stats: &Stats) -> Self {
        let pairs = real(stats.pairs.values().map(|count| count - 1).sum());
        Self {
            count: stats.count,
            sum: stats.sum,
            variance: stats.variance,
            offline_all: stats.offline_all,
            offline_primary: stats.offline_primary,
            pairs,
        }
    }
}

impl Sums {
    /// Its bits: equal ones have equal scores, also after equal changes.
    #[must_use]
    pub fn bits(&self) -> [u64; 2 * LANES + 4] {
        let mut bits = [0; 2 * LANES + 4];
        let rest = [self.count, self.offline_all, self.offline_primary, self.pairs];
        let numbers = self.sum.iter().chain(&self.variance).chain(&rest);
        bits.iter_mut().zip(numbers).for_each(|(bits, number)| *bits = number.to_bits());
        bits
    }

    /// With one online node changed.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut new = *self;
        let squared_count = self.count * self.count;
        for lane in 0..SPREADS {
            let (d, q) = (change.difference[lane], change.squares[lane]);
            let total = (self.count * q - 2.0 * self.sum[lane] * d) - d * d;
            new.variance[lane] = (self.variance[lane] + total / squared_count).max(0.0);
        }
        for lane in 0..LANES {
            new.sum[lane] = self.sum[lane] + change.difference[lane];
        }
        new
    }

    /// With primaries and secondaries that came to an offline node.
    #[must_use]
    pub fn after_offline(&self, primaries: i64, secondaries: i64) -> Self {
        Self {
            offline_all: self.offline_all + real(primaries + secondaries),
            offline_primary: self.offline_primary + real(primaries),
            ..*self
        }
    }

    /// With more uses of (location, exclusion tag) pairs beyond the first.
    #[must_use]
    pub fn after_pairs(&self, excess: i64) -> Self {
        Self { pairs: self.pairs + real(excess), ..*self }
    }

    /// With a change of locations on an online node, on top of what [`Self::after`] made of `before`.
    #[must_use]
    pub fn with_location(&self, before: &Self, old: f64, new: f64) -> Self {
        let mut sums = *self;
        sums.sum[LOCATION] = before.sum[LOCATION] + (new - old);
        sums
    }

    /// The score; 0 when no node is online.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.count <= 0.0 {
            return 0.0;
        }
        let mut spreads = [0.0; SPREADS];
        for (spread, variance) in spreads.iter_mut().zip(self.variance) {
            *spread = variance.sqrt();
        }
        weighted(|source| match source {
            Source::Spread(lane) => spreads[lane],
            other => self.count_of(other),
        })
    }

    /// A component that is no spread.
    fn count_of(&self, source: Source) -> f64 {
        match source {
            Source::Spread(lane) => self.variance[lane].sqrt(),
            Source::N1 => self.sum[N1],
            Source::Tags => self.sum[TAGS],
            Source::Location => self.sum[LOCATION],
            Source::Reserved => self.sum[RESERVED],
            Source::OfflineAll => self.offline_all,
            Source::OfflinePrimary => self.offline_primary,
            Source::Pairs => self.pairs,
        }
    }
}
