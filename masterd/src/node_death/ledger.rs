//! What the master knows of one node and its lease. Pure; times are those of the master's own clock, since this master began.
//!
//! Why the end that is reckoned here is late enough, whatever is lost, delayed or granted by earlier masters: `gannet_core::lease`.

use std::collections::BTreeSet;
use std::time::Duration;

use gannet_core::lease::over_after;
use gannet_proto::node::{ClockStamp, LeaseReply};

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    /// When it was last heard; the beginning of the watch before that.
    reached: Duration,
    /// The newest stamp, and when it was had.
    stamp: Option<(ClockStamp, Duration)>,
    /// Instances that it guards may run until then.
    over: Duration,
    /// Until then, a lease of the length that the store has noted for it may be in force.
    noted_until: Duration,
    /// Whether it had a lease when it was last heard.
    pub(super) has_lease: bool,
    /// What it guards; `None`: it has not told this master yet.
    pub(super) guarded: Option<BTreeSet<String>>,
    /// Why it can have no lease.
    pub(super) trouble: String,
}

impl Ledger {
    /// At the beginning: earlier masters may have granted leases of up to `longest` until now.
    pub(super) fn new(now: Duration, longest: Duration) -> Self {
        let over = now + over_after(longest);
        Self { reached: now, stamp: None, over, noted_until: over, has_lease: false, guarded: None, trouble: String::new() }
    }

    /// The stamp that may be granted now: one that was had before the proof of the lead was begun. From here on the lease counts as
    /// granted, whether the grant arrives or not. `noted`: the length that the store has noted.
    pub(super) fn grant(&mut self, proof_began: Duration, length: Duration, noted: Duration) -> Option<ClockStamp> {
        let (stamp, had) = self.stamp.as_ref().filter(|(_, had)| *had <= proof_began)?;
        let over = *had + over_after(length);
        self.over = self.over.max(over);
        if length >= noted {
            self.noted_until = self.noted_until.max(over);
        }
        Some(stamp.clone())
    }

    /// The node has answered.
    pub(super) fn heard(&mut self, now: Duration, reply: LeaseReply) {
        self.reached = now;
        if let Some(stamp) = reply.stamp {
            self.stamp = Some((stamp, now));
        }
        self.has_lease = reply.left_ms > 0;
        self.guarded = Some(reply.guarded.into_iter().collect());
        self.trouble = reply.trouble;
    }

    /// How long it has said nothing.
    pub(super) fn silent_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.reached)
    }

    /// Whether what it guards has certainly ended, unless it has been granted more.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        now >= self.over
    }

    /// When that will be so.
    pub(super) fn over_in(&self, now: Duration) -> Duration {
        self.over.saturating_sub(now)
    }

    /// Whether the store may forget that there was a longer lease.
    pub(super) fn may_shorten(&self, now: Duration) -> bool {
        now >= self.noted_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(30);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn answer(nanos: u64) -> LeaseReply {
        LeaseReply { stamp: Some(ClockStamp { boot_id: "b".to_owned(), nanos }), left_ms: 1, ..LeaseReply::default() }
    }

    #[test]
    fn a_new_master_waits_for_the_leases_of_the_old_one() {
        let ledger = Ledger::new(s(0), LENGTH);
        assert!(!ledger.is_over(s(30)) && ledger.is_over(s(31)));
        assert_eq!(ledger.silent_for(s(5)), s(5), "nor does it know when the node was heard last");
    }

    #[test]
    fn only_stamps_from_before_the_proof_are_granted() {
        let mut ledger = Ledger::new(s(0), LENGTH);
        assert_eq!(ledger.grant(s(1), LENGTH, LENGTH), None, "there is none");
        ledger.heard(s(10), answer(7));
        assert_eq!(ledger.grant(s(9), LENGTH, LENGTH), None, "another master may have been elected in between");
        assert_eq!(ledger.grant(s(10), LENGTH, LENGTH).map(|stamp| stamp.nanos), Some(7));
        assert!(!ledger.is_over(s(40)) && ledger.is_over(s(41)), "it counts from when the stamp was had");
    }

    #[test]
    fn a_grant_that_was_lost_counts() {
        let mut ledger = Ledger::new(s(0), LENGTH);
        ledger.heard(s(10), answer(7));
        let _ = ledger.grant(s(20), LENGTH, LENGTH);
        assert!(!ledger.is_over(s(40)), "nobody knows whether it arrived");
        // Sent again and again, it does not last longer.
        for at in 21..60 {
            let _ = ledger.grant(s(at), LENGTH, LENGTH);
        }
        assert!(ledger.is_over(s(41)));
    }

    #[test]
    fn a_longer_lease_is_remembered_until_it_is_over() {
        let mut ledger = Ledger::new(s(0), s(60));
        ledger.heard(s(10), answer(7));
        let _ = ledger.grant(s(10), s(60), s(60));
        ledger.heard(s(20), answer(8));
        let _ = ledger.grant(s(20), s(10), s(60));
        assert!(!ledger.is_over(s(70)), "the longer one is still good");
        assert!(!ledger.may_shorten(s(70)) && ledger.may_shorten(s(72)));
    }
}
