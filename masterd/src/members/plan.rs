//! Which member is changed next. Pure.

use std::collections::HashSet;

use gannet_confd::Member;
use gannet_core::id::NodeUuid;

/// More voters make writes dearer and elections no safer.
const MOST_VOTERS: usize = 5;
/// A learner that is so few entries behind can vote.
const NEAR: u64 = 1000;

/// A node that should be a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) id: u64,
    pub(super) node: NodeUuid,
    pub(super) name: String,
    pub(super) address: String,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It gets the state, and does not vote yet.
    Add(Candidate),
    /// It votes.
    Promote(Member),
    /// It does not vote any more.
    Demote(Member),
    /// It is none any more.
    Remove(Member),
}

impl Step {
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Promote(_) => "promote to voter",
            Self::Demote(_) => "demote to learner",
            Self::Remove(_) => "remove",
        }
    }

    pub(super) fn member(&self) -> (u64, &str) {
        match self {
            Self::Add(candidate) => (candidate.id, &candidate.name),
            Self::Promote(member) | Self::Demote(member) | Self::Remove(member) => (member.id, &member.name),
        }
    }
}

/// The number of a node's member: from its UUID, so that no other node ever gets it. The first master has number 1.
pub(super) fn member_id(uuid: &str) -> u64 {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    // 63 bits: some stores have no more. 0 and 1 are taken.
    (u64::from_str_radix(&digits, 16).unwrap_or_default() >> 1).max(2)
}

/// Voters that there should be: an odd number, since one more would only be one more that can fail.
pub(super) fn voters_wanted(candidates: usize) -> usize {
    let most = candidates.min(MOST_VOTERS);
    if most.is_multiple_of(2) { most.saturating_sub(1) } else { most }
}

/// The next step towards members that are the candidates. First the new ones, then those who vote, and only then is anybody
/// taken out, so that the group is never smaller than it must be. `failed`: members that are left alone for now.
pub(super) fn next(candidates: &[Candidate], members: &[Member], leader: u64, failed: &HashSet<u64>) -> Option<Step> {
    let known = |candidate: &Candidate| members.iter().find(|member| member.name == candidate.name);
    if let Some(new) = candidates.iter().find(|candidate| known(candidate).is_none() && !failed.contains(&candidate.id)) {
        return Some(Step::Add(new.clone()));
    }
    let is_candidate = |member: &&Member| candidates.iter().any(|candidate| candidate.name == member.name);
    let free = |member: &&Member| !failed.contains(&member.id);
    let voters = members.iter().filter(|member| member.voter).filter(is_candidate).count();
    let wanted = voters_wanted(candidates.len());
    if voters < wanted {
        let near = |member: &&Member| !member.voter && member.lag.is_some_and(|lag| lag <= NEAR);
        if let Some(learner) = members.iter().filter(is_candidate).filter(free).find(near) {
            return Some(Step::Promote(learner.clone()));
        }
    }
    if let Some(old) = members.iter().filter(free).find(|member| !is_candidate(member) && member.id != leader) {
        return Some(Step::Remove(old.clone()));
    }
    if voters > wanted {
        let mut dispensable = members.iter().filter(|member| member.voter && member.id != leader).filter(is_candidate).filter(free);
        return dispensable.next_back().map(|member| Step::Demote(member.clone()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(n: u64) -> Candidate {
        Candidate { id: n, node: format!("uuid{n}").as_str().into(), name: format!("node{n}"), address: String::new() }
    }

    fn member(n: u64, voter: bool) -> Member {
        Member { id: n, name: format!("node{n}"), address: String::new(), voter, lag: Some(0), term: Some(1) }
    }

    /// Carries out all steps, none of which fails; the verbs and the members at the end.
    fn settle(candidates: &[u64], mut members: Vec<Member>) -> (Vec<String>, Vec<Member>) {
        let candidates: Vec<Candidate> = candidates.iter().copied().map(candidate).collect();
        let mut steps = Vec::new();
        while let Some(step) = next(&candidates, &members, 1, &HashSet::new()) {
            let (id, name) = step.member();
            steps.push(format!("{} {name}", step.verb()));
            match &step {
                Step::Add(_) => members.push(member(id, false)),
                Step::Remove(_) => members.retain(|member| member.id != id),
                Step::Promote(_) | Step::Demote(_) => {
                    let at = members.iter().position(|member| member.id == id).expect("it is one");
                    members[at].voter = matches!(step, Step::Promote(_));
                }
            }
            assert!(steps.len() < 50, "{steps:?}");
        }
        (steps, members)
    }

    fn voters(members: &[Member]) -> Vec<u64> {
        members.iter().filter(|member| member.voter).map(|member| member.id).collect()
    }

    #[test]
    fn candidates_become_members_and_an_odd_number_votes() {
        let (steps, members) = settle(&[1, 2], vec![member(1, true)]);
        assert_eq!((steps, voters(&members)), (vec!["add node2".to_owned()], vec![1]), "two voters would be worse than one");
        let (_, members) = settle(&[1, 2, 3], members);
        assert_eq!(voters(&members), [1, 2, 3]);
        let (_, members) = settle(&[1, 2, 3, 4], members);
        assert_eq!((voters(&members), members.len()), (vec![1, 2, 3], 4));
        let (_, members) = settle(&[1, 2, 3, 4, 5, 6, 7], members);
        assert_eq!((voters(&members).len(), members.len()), (5, 7));
    }

    #[test]
    fn a_lost_voter_is_replaced_before_it_is_taken_out() {
        let all = vec![member(1, true), member(2, true), member(3, true), member(4, false)];
        let (steps, members) = settle(&[1, 3, 4], all);
        assert_eq!(steps, ["promote to voter node4", "remove node2"]);
        assert_eq!(voters(&members), [1, 3, 4]);
        let (steps, members) = settle(&[1, 3], members);
        assert_eq!(steps, ["remove node4", "demote to learner node3"]);
        assert_eq!((voters(&members), members.len()), (vec![1], 2));
    }

    #[test]
    fn one_that_fails_keeps_nobody_else() {
        let candidates = [candidate(1), candidate(2), candidate(3)];
        let step = next(&candidates, &[member(1, true)], 1, &HashSet::from([2]));
        assert_eq!(step, Some(Step::Add(candidate(3))));
        let far = Member { lag: Some(5000), ..member(2, false) };
        assert_eq!(next(&candidates[..3], &[member(1, true), far, member(3, true)], 1, &HashSet::new()), None, "it has not caught up yet");
    }

    #[test]
    fn numbers_are_those_of_the_node() {
        assert_eq!(member_id("00000000-0000-0000-0000-000000000000"), 2);
        assert_eq!(member_id("ffffffff-ffff-ffff-0000-000000000000"), u64::MAX >> 1);
        assert_ne!(member_id("00000001-0000-4000-8000-000000000001"), member_id("00000002-0000-4000-8000-000000000001"));
    }
}
