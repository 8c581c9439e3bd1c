//! What can be said of a group and its members from outside, while the member itself does not run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::types::{Membership, NodeId, Peer, Vote};
use crate::error::Error;
use crate::status::Member;

/// What a member says when it is asked what it has.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) term: u64,
    /// Term and index of its last entry.
    pub(crate) last: (u64, u64),
}

/// The members of a group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) members: Vec<Member>,
    /// In each of these there must be a majority; more than one while members change.
    voters: Vec<BTreeSet<NodeId>>,
}

impl Group {
    /// From the library's own text.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let membership: Membership = serde_json::from_str(text).map_err(Error::unavailable)?;
        let voters = membership.get_joint_config().clone();
        let member = |(id, peer): (&NodeId, &Peer)| Member {
            id: *id,
            name: peer.name.clone(),
            address: peer.address.clone(),
            voter: voters.iter().any(|voters| voters.contains(id)),
            lag: None,
            term: None,
        };
        let members = membership.nodes().map(member).collect();
        Ok(Self { members, voters })
    }

    /// Whether these are enough to write.
    pub(crate) fn is_majority(&self, there: &BTreeSet<u64>) -> bool {
        self.voters.iter().all(|voters| 2 * voters.intersection(there).count() > voters.len())
    }
}

/// A group of one, and the vote with which it begins, as the library writes them.
pub(crate) fn alone(member: &Member, term: u64) -> Result<(String, String), Error> {
    let peer = Peer { name: member.name.clone(), address: member.address.clone() };
    let group = Membership::new(vec![BTreeSet::from([member.id])], BTreeMap::from([(member.id, peer)]));
    let text = |encoded: serde_json::Result<String>| encoded.map_err(Error::unavailable);
    Ok((text(serde_json::to_string(&group))?, text(serde_json::to_string(&Vote::new(term, member.id)))?))
}

/// The term of a vote, which is the highest that its member has seen.
pub(crate) fn term_of(vote: Option<&str>) -> Result<u64, Error> {
    let vote: Option<Vote> = vote.map(serde_json::from_str).transpose().map_err(Error::unavailable)?;
    Ok(vote.map_or(0, |vote| vote.leader_id.term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_each_configuration_is_needed() {
        let nodes: BTreeMap<u64, Peer> = (1..=4).map(|id| (id, Peer::default())).collect();
        let group = |voters: &[&[u64]]| {
            let voters = voters.iter().map(|ids| ids.iter().copied().collect()).collect();
            Group::parse(&serde_json::to_string(&Membership::new(voters, nodes.clone())).unwrap()).unwrap()
        };
        let three = group(&[&[1, 2, 3]]);
        assert!(three.is_majority(&[1, 3].into()) && !three.is_majority(&[1, 4].into()), "learners do not count");
        let changing = group(&[&[1, 2, 3], &[2, 3, 4]]);
        assert!(changing.is_majority(&[1, 2, 4].into()) && !changing.is_majority(&[1, 2].into()));
        assert!(!group(&[&[1]]).is_majority(&[2].into()), "a learner of two lost the only voter");
    }

    #[test]
    fn a_group_of_one() {
        let member = Member { id: 7, name: "node7".to_owned(), address: "192.0.2.7:1816".to_owned(), voter: false, lag: None, term: None };
        let (group, vote) = alone(&member, 99).unwrap();
        let group = Group::parse(&group).unwrap();
        assert!(group.is_majority(&[7].into()) && group.members == [Member { voter: true, ..member }]);
        assert_eq!(term_of(Some(&vote)).unwrap(), 99);
        assert!(term_of(Some("x")).is_err());
    }
}
