//! What is remembered of an instance between steps: how much its best moves gained, and how much more they can gain by now.
//!
//! A candidate whose nodes have not changed changes the sums of the columns by the same amounts as before; only the deviations that
//! these are measured against have moved. That bounds its gain, without looking at it again.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use super::frame::Frame;
use super::rank::{Lanes, Moment, WIDE};

/// Candidates that are known one by one.
const KEPT: usize = 12;

#[derive(Debug, Clone)]
pub(super) struct Memo {
    /// The moment whose sums the gains are measured against; `None`: nothing is known.
    pub moment: Option<usize>,
    /// What is common to the candidates of each kind, against that moment.
    pub frames: Vec<Frame>,
    /// Candidates with the largest gains: target, gain.
    kept: Vec<(usize, f64)>,
    /// No other candidate gains more than this.
    pub rest: f64,
    /// Per column the smallest and largest sum of squares that a candidate leaves, and how far it moves the sum.
    pub low: Lanes,
    pub high: Lanes,
    pub reach: Lanes,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            moment: None,
            frames: Vec::new(),
            kept: Vec::new(),
            rest: f64::NEG_INFINITY,
            low: [f64::INFINITY; WIDE],
            high: [0.0; WIDE],
            reach: [0.0; WIDE],
        }
    }
}

impl Memo {
    /// Forgets everything, to be filled anew at `moment`.
    pub(super) fn begin(&mut self, moment: usize) {
        let (mut kept, mut frames) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.frames));
        kept.clear();
        frames.clear();
        *self = Self { moment: Some(moment), kept, frames, ..Self::default() };
    }

    /// A possible candidate that gains more than [`Self::rest`].
    pub(super) fn keep(&mut self, target: usize, gain: f64) {
        if self.kept.len() < KEPT {
            return self.kept.push((target, gain));
        }
        let least = (0..KEPT).reduce(|a, b| if self.kept[b].1 < self.kept[a].1 { b } else { a });
        if let Some(least) = least {
            let out = if self.kept[least].1 < gain { std::mem::replace(&mut self.kept[least], (target, gain)).1 } else { gain };
            self.rest = self.rest.max(out);
        }
    }

    /// Candidates to a node that has changed are judged anew.
    pub(super) fn forget(&mut self, target: usize) {
        self.kept.retain(|(other, _)| *other != target);
    }

    /// The columns that a candidate leaves.
    pub(super) fn widen(&mut self, squares: &[f64], from: usize) {
        for (at, squares) in squares.iter().enumerate() {
            let at = at + from;
            self.low[at] = self.low[at].min(*squares);
            self.high[at] = self.high[at].max(*squares);
        }
    }

    /// No candidate gains more than this `now`. `count`: of nodes.
    pub(super) fn bound(&self, then: &Moment, now: &Moment) -> f64 {
        let best = self.kept.iter().fold(self.rest, |best, (_, gain)| best.max(*gain));
        if best == f64::NEG_INFINITY {
            return best;
        }
        // Per column the squares that the worst candidate leaves, then and now.
        let (mut left, mut shifted) = ([0.0; WIDE], [0.0; WIDE]);
        for at in 0..WIDE {
            // Moving a sum that has another mean by now changes the squares by a bit more or less.
            let shift = now.squares[at] - then.squares[at] - 2.0 * (now.mean[at] - then.mean[at]).abs() * self.reach[at];
            let (low, high) = (self.low[at], self.high[at]);
            let low = if low > -shift { low } else { -shift };
            let low = if low < high { low } else { high };
            left[at] = if shift < 0.0 { low } else { high };
            shifted[at] = if left[at] + shift > 0.0 { left[at] + shift } else { 0.0 };
        }
        let mut more = 0.0;
        for at in 0..WIDE {
            more += left[at].sqrt() - shifted[at].sqrt();
        }
        best + now.spread - then.spread + more
    }
}
