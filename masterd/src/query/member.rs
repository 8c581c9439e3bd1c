//! What master candidates are in the state's group: for `gnt-node list -o +store.role` and `gnt-cluster info`.

use std::collections::HashMap;

use gannet_confd::Status;
use gannet_core::config::Config;

use crate::master::Master;

/// The fields of nodes that come from here.
pub(crate) const FIELDS: [&str; 3] = ["store.lag", "store.role", "store.term"];

/// A member, for people and scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) voter: bool,
    /// `leader`, `voter`, `witness` (votes, and runs no instances), `learner`.
    pub(crate) role: &'static str,
    /// Term of the newest entry that it is known to have. Without: this node does not lead, and does not know.
    pub(crate) term: Option<u64>,
    /// Entries that it is behind.
    pub(crate) lag: Option<u64>,
}

/// The members that `status` tells of.
pub(crate) fn describe(status: Status, config: &Config) -> Vec<Described> {
    let Status { role: own, members, .. } = status;
    let runs_instances = |name: &str| config.nodes().find(|node| node.name.as_str() == name).is_none_or(|node| node.vm_capable);
    let describe = |member: gannet_confd::Member| {
        let leads = own.leader == Some(member.id);
        let role = match member.voter {
            _ if leads => "leader",
            false => "learner",
            true if runs_instances(&member.name) => "voter",
            true => "witness",
        };
        // The leader is never behind itself, and in its own term before anybody has seen an entry of it.
        let (term, lag) = if leads && own.is_leader() { (Some(own.term), Some(0)) } else { (member.term, member.lag) };
        Described { id: member.id, name: member.name, address: member.address, voter: member.voter, role, term, lag }
    };
    members.into_iter().map(describe).collect()
}

/// Members by the names of their nodes.
#[derive(Debug, Default)]
pub(crate) struct Members(HashMap<String, Described>);

impl Members {
    /// As the state store of this node sees them now; `None` when it does not answer.
    pub(crate) async fn ask(master: &Master, config: &Config) -> Option<Self> {
        match master.store().client().status().await {
            Ok(status) => Some(Self(describe(status, config).into_iter().map(|member| (member.name.clone(), member)).collect())),
            Err(error) => {
                tracing::warn!(%error, "the state store does not tell its members");
                None
            }
        }
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Described> {
        self.0.get(name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use gannet_confd::{Member, Role, RoleKind};

    use super::*;
    use crate::query::sample;

    /// A group of which `leader` is the leader, as the member with this id tells it; `voters` of the names vote.
    pub(crate) fn status(id: u64, leader: u64, names: &[&str], voters: usize) -> Status {
        let kind = if id == leader { RoleKind::Leader } else { RoleKind::Follower };
        let known = |value: u64| (id == leader).then_some(value);
        let member = |(at, name): (usize, &&str)| Member {
            id: at as u64 + 1,
            name: (*name).to_owned(),
            address: format!("192.0.2.{at}:1816"),
            voter: at < voters,
            lag: known(at as u64),
            term: known(6),
        };
        Status {
            role: Role { id, kind, term: 7, leader: Some(leader) },
            last_log: 10,
            applied: 10,
            snapshot: 0,
            log_bytes: 0,
            state_bytes: 0,
            silence: None,
            members: names.iter().enumerate().map(member).collect(),
        }
    }

    #[test]
    fn a_voter_that_runs_no_instances_is_a_witness() {
        let mut config = sample::config();
        let mut node = gannet_core::config::Node::clone(config.nodes().next().unwrap());
        node.vm_capable = false;
        let witness = node.name.to_string();
        config.put(gannet_core::config::Object::Node(std::sync::Arc::new(node)));
        let names = ["first", &witness, "third", "fourth"];
        let told = |status| describe(status, &config).into_iter().map(|member| (member.role, member.term, member.lag)).collect::<Vec<_>>();
        assert_eq!(
            told(status(1, 1, &names, 3)),
            [("leader", Some(7), Some(0)), ("witness", Some(6), Some(1)), ("voter", Some(6), Some(2)), ("learner", Some(6), Some(3))]
        );
        // Who does not lead does not know how far the others are.
        assert_eq!(
            told(status(2, 1, &names, 3)),
            [("leader", None, None), ("witness", None, None), ("voter", None, None), ("learner", None, None)]
        );
    }
}
