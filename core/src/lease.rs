//! The arithmetic of leases: how long a node may run instances with automatic failover without hearing from a master, and when a
//! master may be certain that it does not run them any more. Pure: whoever calls it has the clocks.
//!
//! **The promise.** Let `b` be a *stamp*: a reading of the node's own clock that the node has put into an answer. A master that
//! has received this answer (at `a` on its own clock, so after the node read `b`) may send it back as a grant of length `L`. Then
//!
//! - the node has ended these instances when *its* clock shows `b + L`; it begins [`STOP_MARGIN`] earlier;
//! - the master takes them for ended when *its* clock shows `a + over_after(L)`.
//!
//! In true time the node reads `b` before the master's clock shows `a`, however long the answer was under way. How long the grant
//! was under way does not matter either: the node counts from `b`, not from the moment at which it hears the grant, so a late one
//! is only a short one. What is left is the speed of the two clocks. If neither deviates from true time by more than [`DRIFT`],
//! the node's `L` lasts at most `L / (1 - DRIFT)` and the master's `over_after(L)` at least `over_after(L) / (1 + DRIFT)`; the
//! first is smaller than the second (`L * 1.0102 < L * 1.0148`), so the node is done before the master begins.
//!
//! **A change of masters.** A master grants only stamps that it had *before* it began to ask for a proof of its lead, and only when
//! the proof has come. So when the next leader is elected, every stamp that was or ever will be granted by an earlier one is older
//! than this election; grants that are still under way, or still in the hands of a master that stands still, are no exception. A
//! new master therefore waits `over_after(L)` from its own beginning, where `L` is the longest lease that any master may have
//! granted: it knows nothing of the earlier ones, and needs to know nothing.

use std::time::Duration;

/// How much faster or slower than true time a clock may run, in thousandths. Quartz does some 0.05, a clock that is being
/// corrected 0.5, a bad virtual one a few.
pub const DRIFT: u32 = 10;
/// How long before the end of its lease a node begins to end instances: for asking, killing, and looking again.
pub const STOP_MARGIN: Duration = Duration::from_secs(3);
/// How often a master renews a lease.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);
/// The shortest lease: a few renewals may be lost, and the margin must fit in.
pub const SHORTEST: Duration = Duration::from_secs(10);
/// The longest one.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// When a node begins to end its instances, on the clock of `stamp`.
#[must_use]
pub fn stops_at(stamp: Duration, lease: Duration) -> Duration {
    stamp + lease.saturating_sub(STOP_MARGIN)
}

/// How long after it had the stamp a master takes the lease for over, on its own clock.
#[must_use]
pub fn over_after(lease: Duration) -> Duration {
    // (1 + 0.01) / (1 - 0.01) is 1.0202; the rest is for rounding and for readers.
    lease + lease / 40
}

#[cfg(test)]
mod tests {
    use super::*;

    /// True time from the reading of the stamp to the end, for a clock that is `thousandths` too fast.
    fn true_seconds(shown: Duration, thousandths: i32) -> f64 {
        shown.as_secs_f64() / (1.0 + f64::from(thousandths) / 1000.0)
    }

    #[test]
    fn the_node_ends_first_whatever_the_clocks_do() {
        let drift = i32::try_from(DRIFT).unwrap();
        for lease in [SHORTEST, Duration::from_secs(30), LONGEST] {
            for (node, master) in [(-drift, drift), (drift, -drift), (0, 0), (-drift, -drift), (drift, drift)] {
                let ended = true_seconds(lease, node);
                let taken_for_over = true_seconds(over_after(lease), master);
                assert!(ended < taken_for_over, "{lease:?}: {node} {master}: {ended} {taken_for_over}");
            }
        }
    }

    #[test]
    fn a_clock_beyond_the_bound_would_break_the_promise() {
        let lease = Duration::from_secs(30);
        assert!(true_seconds(lease, -30) > true_seconds(over_after(lease), 30), "the bound is not there for nothing");
    }

    #[test]
    fn the_margin_fits_into_the_shortest_lease() {
        assert!(stops_at(Duration::ZERO, SHORTEST) > RENEW_EVERY * 3, "three renewals in a row may be lost");
    }
}
