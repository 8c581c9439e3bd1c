//! Sizes that shrink whenever nothing fits any more.

use std::collections::HashMap;

use super::room::{Found, Room};
use super::shrink::{shrink, shrink_below};
use super::{Filled, Question, Size};
use crate::allocate::Refusal;
use crate::fail::{FailCounts, FailMode};
use crate::instance::Instance;

/// Places instances like each of `instances` in turn, and smaller ones when no more of them fit.
///
/// # Errors
/// There is no node to try, or there is no end to it.
pub fn tiered(question: &Question<'_>, instances: &[Instance]) -> Result<Filled, Refusal> {
    let mut room = Room::new(question);
    let mut failures = None;
    for instance in instances {
        let limit = left(question.limit, room.count());
        if limit.is_some_and(|limit| limit <= 0) {
            break;
        }
        failures = Some(tiers(&mut room, instance, limit)?);
    }
    Ok(room.filled(failures))
}

/// A limit less what was placed. Ganeti does this at every tier, with all that was placed before (a known defect, which can end
/// the tiers too early).
fn left(limit: Option<i64>, count: usize) -> Option<i64> {
    limit.map(|limit| limit - i64::try_from(count).unwrap_or(i64::MAX))
}

/// A size of which no more fit.
struct Tier {
    instance: Instance,
    failures: FailCounts,
    /// What is left of the limit for smaller ones.
    left: Option<i64>,
}

impl Tier {
    /// Smaller ones may be placed.
    fn goes_on(&self) -> bool {
        self.left.is_none_or(|left| left > 0)
    }

    /// What stood in the way, the most frequent last; of equals in the order of the modes.
    fn reasons(&self) -> Vec<FailMode> {
        let mut modes = FailMode::ALL.to_vec();
        modes.sort_by_key(|mode| self.failures.get(*mode));
        modes
    }

    /// The next smaller size, by the most frequent reason.
    fn smaller(&self) -> Option<Instance> {
        shrink(&self.instance, *self.reasons().last()?)
    }
}

/// One size and those that follow from it. Small steps by what stands most in the way come first. If they lead nowhere, the
/// smallest of the sizes on the way from which one reason alone leads to something that fits is taken up there.
fn tiers(room: &mut Room<'_>, instance: &Instance, limit: Option<i64>) -> Result<FailCounts, Refusal> {
    let mut next = Tier { instance: instance.clone(), failures: FailCounts::default(), left: limit };
    let mut probes = Probes::default();
    loop {
        // Since the last size that fitted: each as it was tried, the largest first.
        let mut tried: Vec<Tier> = Vec::new();
        loop {
            let before = room.count();
            next.failures = room.fill(&next.instance, next.left)?;
            next.left = left(next.left, room.count());
            if room.count() > before {
                tried.clear();
                probes.clear();
            }
            let smaller = if next.goes_on() { next.smaller() } else { None };
            let following = smaller.map(|instance| Tier { instance, failures: FailCounts::default(), left: next.left });
            tried.push(next);
            match following {
                Some(following) => next = following,
                None => break,
            }
        }
        let first = tried.first().map(|tier| tier.failures).unwrap_or_default();
        match bigger_step(room, &mut probes, tried)? {
            Some(found) => next = found,
            None => return Ok(first),
        }
    }
}

/// The first size, from the smallest tried one up, from which shrinking by one reason leads to one that fits.
fn bigger_step(room: &mut Room<'_>, probes: &mut Probes, mut tried: Vec<Tier>) -> Result<Option<Tier>, Refusal> {
    while let Some(tier) = tried.pop() {
        if !tier.goes_on() {
            continue;
        }
        for reason in tier.reasons().into_iter().rev() {
            if let Some(instance) = probes.suffices(room, &tier.instance, reason)? {
                return Ok(Some(Tier { instance, failures: FailCounts::default(), left: tier.left }));
            }
        }
    }
    Ok(None)
}

/// What is known of sizes while nothing is placed, of those whose place would not be safe.
#[derive(Default)]
struct Probes(HashMap<Size, (Found, FailCounts)>);

impl Probes {
    fn clear(&mut self) {
        self.0.clear();
    }

    /// The first of the sizes, each smaller by `reason`, that fits, as long as the reason is met. (Ganeti: the smallest one, which
    /// cannot shrink any more, is never tried; a known defect, which the counts show.)
    fn suffices(&mut self, room: &mut Room<'_>, instance: &Instance, reason: FailMode) -> Result<Option<Instance>, Refusal> {
        let mut next = Some(instance.clone());
        while let Some(instance) = next {
            let Some(smaller) = shrink(&instance, reason) else { break };
            let (found, failures) = self.probe(room, &instance)?;
            if found == Found::Place {
                return Ok(Some(instance));
            }
            if failures.get(reason) == 0 {
                break;
            }
            next = if found == Found::Nothing { skip(room, &instance, reason) } else { Some(smaller) };
        }
        Ok(None)
    }

    fn probe(&mut self, room: &mut Room<'_>, instance: &Instance) -> Result<(Found, FailCounts), Refusal> {
        let size = Size::of(instance);
        if let Some(known) = self.0.get(&size) {
            return Ok(*known);
        }
        let found = room.probe(instance)?;
        if found.0 != Found::Nothing {
            self.0.insert(size, found);
        }
        Ok(found)
    }
}

/// The first smaller size that could fare otherwise than one that has no place.
fn skip(room: &Room<'_>, instance: &Instance, reason: FailMode) -> Option<Instance> {
    let (memory, disk) = room.least_alike(instance);
    shrink_below(instance, reason, if reason == FailMode::Memory { memory } else { disk })
}
