//! What the keeper knows, and what follows from it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use gannet_core::lease::stops_at;
use serde::{Deserialize, Serialize};

use super::message::{Guest, Stamp};

/// A renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// From when it counts.
    pub stamp: Stamp,
    /// How long.
    pub length: Duration,
}

/// Why a renewal was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The stamp is of an earlier boot: it means nothing on this clock.
    #[error("the stamp is of another boot of this machine")]
    OtherBoot,
    /// Such a stamp was never read here.
    #[error("the stamp lies in the future")]
    Future,
}

/// The lease and who lives by it; kept in a file, so that the next keeper goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    boot_id: String,
    /// Guests are ended from then on. `None`: there was never a lease.
    stops_at: Option<Duration>,
    /// By UUID.
    guarded: BTreeMap<String, Guest>,
}

impl Lease {
    /// No lease, nothing guarded.
    #[must_use]
    pub fn none(boot_id: &str) -> Self {
        Self { boot_id: boot_id.to_owned(), stops_at: None, guarded: BTreeMap::new() }
    }

    /// What an earlier keeper has left, if it was of this boot; guests do not survive a restart of the machine.
    #[must_use]
    pub fn resumed(stored: Option<Self>, boot_id: &str) -> Self {
        stored.filter(|stored| stored.boot_id == boot_id).unwrap_or_else(|| Self::none(boot_id))
    }

    /// Takes a renewal. One that was overtaken by a later one changes nothing: each of them is good for itself, since the master
    /// counts from the latest stamp that it has granted.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn grant(&mut self, grant: &Grant, now: Duration) -> Result<(), Unusable> {
        if grant.stamp.boot_id != self.boot_id {
            return Err(Unusable::OtherBoot);
        }
        if grant.stamp.at > now {
            return Err(Unusable::Future);
        }
        let new = stops_at(grant.stamp.at, grant.length);
        self.stops_at = Some(self.stops_at.map_or(new, |old| old.max(new)));
        Ok(())
    }

    /// Ends this guest in time from now on.
    pub fn guard(&mut self, guest: Guest) {
        self.guarded.insert(guest.uuid.clone(), guest);
    }

    /// Leaves this guest alone from now on.
    pub fn release(&mut self, uuid: &str) {
        self.guarded.remove(uuid);
    }

    /// Who is guarded.
    pub fn guarded(&self) -> impl Iterator<Item = &Guest> {
        self.guarded.values()
    }

    /// How long guests may go on; zero: they may not.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        self.stops_at.map_or(Duration::ZERO, |end| end.saturating_sub(now))
    }

    /// Whether guests may be started and may run.
    #[must_use]
    pub fn is_valid(&self, now: Duration) -> bool {
        !self.left(now).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::lease::{LONGEST, RENEW_EVERY, STOP_MARGIN, over_after};

    use super::super::clock::Clock;
    use super::super::clock::testing::Hand;
    use super::*;

    const LENGTH: Duration = Duration::from_secs(30);

    fn stamp(clock: &Hand) -> Stamp {
        Stamp { boot_id: clock.boot_id(), at: clock.now() }
    }

    fn guest(name: &str) -> Guest {
        Guest { name: name.to_owned(), uuid: format!("uuid-{name}"), hypervisor: "fake".to_owned() }
    }

    #[test]
    fn a_lease_counts_from_its_stamp_however_late_it_comes() {
        let clock = Hand::at(100);
        let mut lease = Lease::none("this boot");
        assert!(!lease.is_valid(clock.now()), "nobody has granted anything");
        let grant = Grant { stamp: stamp(&clock), length: LENGTH };
        clock.go(Duration::from_secs(20));
        lease.grant(&grant, clock.now()).unwrap();
        assert_eq!(lease.left(clock.now()), Duration::from_secs(7));
        clock.go(Duration::from_secs(7));
        assert!(!lease.is_valid(clock.now()));
        lease.grant(&grant, clock.now()).unwrap();
        assert!(!lease.is_valid(clock.now()), "a repetition is no renewal");
    }

    #[test]
    fn lost_and_overtaken_renewals_do_no_harm() {
        let clock = Hand::at(100);
        let mut lease = Lease::none("this boot");
        let first = Grant { stamp: stamp(&clock), length: LENGTH };
        clock.go(RENEW_EVERY);
        let second = Grant { stamp: stamp(&clock), length: LENGTH };
        clock.go(RENEW_EVERY);
        lease.grant(&second, clock.now()).unwrap();
        let left = lease.left(clock.now());
        lease.grant(&first, clock.now()).unwrap();
        assert_eq!(lease.left(clock.now()), left, "the later one counts");
    }

    #[test]
    fn stamps_that_were_not_read_here_are_refused() {
        let clock = Hand::at(100);
        let mut lease = Lease::none("this boot");
        let other = Grant { stamp: Stamp { boot_id: "another".to_owned(), at: Duration::ZERO }, length: LENGTH };
        assert_eq!(lease.grant(&other, clock.now()), Err(Unusable::OtherBoot));
        let future = Grant { stamp: Stamp { at: Duration::from_secs(101), ..stamp(&clock) }, length: LONGEST };
        assert_eq!(lease.grant(&future, clock.now()), Err(Unusable::Future));
        assert!(!lease.is_valid(clock.now()));
    }

    #[test]
    fn the_next_keeper_goes_on_and_a_reboot_begins_anew() {
        let mut lease = Lease::none("this boot");
        lease.guard(guest("web1"));
        lease
            .grant(
                &Grant { stamp: Stamp { boot_id: "this boot".to_owned(), at: Duration::from_secs(1) }, length: LENGTH },
                Duration::from_secs(2),
            )
            .unwrap();
        let text = serde_json::to_string(&lease).unwrap();
        let stored: Option<Lease> = serde_json::from_str(&text).ok();
        assert_eq!(Lease::resumed(stored.clone(), "this boot"), lease);
        assert_eq!(Lease::resumed(stored, "next boot"), Lease::none("next boot"));
        lease.release("uuid-web1");
        assert_eq!(lease.guarded().count(), 0);
    }

    /// Nodes and masters with clocks that drift, messages that are late, repeated or lost, and masters that follow each other: no
    /// master ever takes a lease for over while the node's guests may run. True time goes on in steps of 100 ms.
    #[test]
    fn no_schedule_lets_a_guest_run_after_its_lease() {
        let broken = |wait: fn(Duration) -> Duration, from_election: bool| (0..400).find(|seed| !schedule(*seed, wait, from_election));
        assert_eq!(broken(over_after, true), None);
        // And such schedules do find what is wrong.
        assert_ne!(broken(|lease| lease, true), None, "clocks that are not thought of");
        assert_ne!(broken(over_after, false), None, "a new master that does not wait");
    }

    /// Whether the promise was kept.
    fn schedule(seed: u64, wait: fn(Duration) -> Duration, from_election: bool) -> bool {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let speed = |thousandths: u64| (990 + thousandths) as f64 / 1000.0;
        let (node_speed, mut master_speed) = (speed(next(21)), speed(next(21)));
        let node_clock = |now: f64| Duration::from_secs_f64(1000.0 + now * node_speed);
        let mut lease = Lease::none("b");
        // What the acting master knows, in its own clock; it begins with waiting.
        let mut over = wait(LENGTH).as_secs_f64();
        let mut epoch_began = 0.0;
        let mut known: Option<(Stamp, f64)> = None;
        // Under way: (arrives at, stamp to grant); (arrives at, stamp).
        let mut grants: Vec<(f64, Option<Stamp>)> = Vec::new();
        let mut answers: Vec<(f64, Stamp)> = Vec::new();
        // Until then nothing that is sent arrives; what is under way already still does.
        let mut cut_until = 0.0;
        for tick in 0..3000 {
            let now = f64::from(tick) * 0.1;
            let own = |now: f64| (now - epoch_began) * master_speed;
            if next(300) == 0 {
                cut_until = now + 30.0 + next(40) as f64;
            }
            if tick % 20 == 0 && next(10) > 0 {
                let granted = known.as_ref().map(|(stamp, at)| {
                    over = over.max(at + wait(LENGTH).as_secs_f64());
                    stamp.clone()
                });
                // Some arrive late, twice, or never.
                for _ in 0..if now < cut_until { 0 } else { next(3) } {
                    let under_way = if next(4) == 0 { next(400) as f64 / 10.0 } else { 0.0 };
                    grants.push((now + under_way, granted.clone()));
                }
            }
            let arrived: Vec<Option<Stamp>> = grants.extract_if(.., |(at, _)| *at <= now).map(|(_, stamp)| stamp).collect();
            for stamp in arrived {
                if let Some(stamp) = stamp {
                    lease.grant(&Grant { stamp, length: LENGTH }, node_clock(now)).unwrap();
                }
                let under_way = if next(4) == 0 { next(60) as f64 / 10.0 } else { 0.0 };
                answers.push((now + under_way, Stamp { boot_id: "b".to_owned(), at: node_clock(now) }));
            }
            for (_, stamp) in answers.extract_if(.., |(at, _)| *at <= now) {
                if known.as_ref().is_none_or(|(old, _)| old.at < stamp.at) {
                    known = Some((stamp, own(now)));
                }
            }
            if own(now) >= over {
                // The margin is the node's to end its guests in.
                if stopped_for(&lease, node_clock(now)) < STOP_MARGIN - Duration::from_millis(1) {
                    return false;
                }
            }
            if next(300) == 0 {
                // Another master: it knows no stamps. Grants of the old one stay under way; answers to it reach nobody.
                let first = if from_election { wait(LENGTH).as_secs_f64() } else { 0.0 };
                (known, epoch_began, over) = (None, now, first);
                answers.clear();
                master_speed = speed(next(21));
            }
        }
        true
    }

    fn stopped_for(lease: &Lease, now: Duration) -> Duration {
        lease.stops_at.map_or(Duration::MAX, |end| now.saturating_sub(end))
    }
}
