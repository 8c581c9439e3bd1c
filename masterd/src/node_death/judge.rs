//! Whether a node is dead. Pure.

use std::time::Duration;

use gannet_core::auto_failover::Times;
use serde::{Deserialize, Serialize};

/// What makes it certain that nothing runs there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fence {
    /// Its power is off: the out-of-band program said so.
    Power,
    /// Its lease is over: it has ended what it guards itself.
    Lease,
}

impl std::fmt::Display for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Power => "its power was switched off",
            Self::Lease => "its lease has ended",
        })
    }
}

/// How far the out-of-band program has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Power {
    /// The node has no such program.
    None,
    /// Not asked yet.
    On,
    /// It is being asked.
    Asked,
    /// It said that the power is off.
    Off,
    /// It failed, and why.
    Failed(String),
}

/// What there is to know of a node.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Without a word for so long.
    pub(super) silent: Duration,
    /// The cluster's times.
    pub(super) times: Times,
    /// Running instances with automatic failover are there by the configuration.
    pub(super) hosts: bool,
    /// The store has it that the node guards some of them.
    pub(super) guards: bool,
    /// Its lease is over, or will be.
    pub(super) over_in: Duration,
    /// Out of band.
    pub(super) power: Power,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// It does not answer; some more time decides.
    Wait,
    /// Switch it off.
    SwitchOff,
    /// It is dead.
    Dead(Fence),
    /// It may be dead, and nobody can know: nothing may be started elsewhere.
    Unfenced(String),
}

/// What follows from `view`.
pub(super) fn judge(view: &View) -> Verdict {
    if view.silent < view.times.dead_after || !view.hosts {
        return Verdict::Fine;
    }
    match &view.power {
        Power::On => return Verdict::SwitchOff,
        // It has a limit; power that is off for certain is worth the wait.
        Power::Asked => return Verdict::Wait,
        Power::Off => return Verdict::Dead(Fence::Power),
        Power::None | Power::Failed(_) => {}
    }
    if view.guards {
        return if view.over_in.is_zero() { Verdict::Dead(Fence::Lease) } else { Verdict::Wait };
    }
    let why = match &view.power {
        Power::Failed(error) => format!("its power could not be switched off ({error})"),
        _ => "it has no out-of-band program (node parameter oob_program)".to_owned(),
    };
    Verdict::Unfenced(format!("it had no lease for them, and {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(silent: u64, over_in: u64) -> View {
        View {
            silent: Duration::from_secs(silent),
            times: Times { dead_after: Duration::from_secs(30), lease: Duration::from_secs(30) },
            hosts: true,
            guards: true,
            over_in: Duration::from_secs(over_in),
            power: Power::None,
        }
    }

    #[test]
    fn silence_and_the_end_of_the_lease_are_both_needed() {
        assert_eq!(judge(&view(29, 0)), Verdict::Fine);
        assert_eq!(judge(&view(31, 1)), Verdict::Wait);
        assert_eq!(judge(&view(31, 0)), Verdict::Dead(Fence::Lease));
        assert_eq!(judge(&View { hosts: false, ..view(300, 0) }), Verdict::Fine, "there is nobody to care for: Ganeti's way");
    }

    #[test]
    fn power_comes_first_and_the_lease_is_left_when_it_fails() {
        let with = |power| judge(&View { power, ..view(31, 0) });
        assert_eq!(with(Power::On), Verdict::SwitchOff);
        assert_eq!(with(Power::Asked), Verdict::Wait);
        assert_eq!(with(Power::Off), Verdict::Dead(Fence::Power));
        assert_eq!(with(Power::Failed("no route".to_owned())), Verdict::Dead(Fence::Lease));
        let early = View { power: Power::On, ..view(10, 0) };
        assert_eq!(judge(&early), Verdict::Fine, "nobody switches a machine off that has only just gone silent");
    }

    #[test]
    fn without_a_fence_nothing_is_started_and_the_reason_is_told() {
        let Verdict::Unfenced(why) = judge(&View { guards: false, ..view(300, 0) }) else { panic!("fenced by nothing") };
        assert!(why.contains("no out-of-band program"), "{why}");
        let failed = View { guards: false, power: Power::Failed("no route".to_owned()), ..view(300, 0) };
        let Verdict::Unfenced(why) = judge(&failed) else { panic!("fenced by a failure") };
        assert!(why.contains("no route"), "{why}");
    }
}
