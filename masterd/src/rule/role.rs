//! Roles of nodes, and the pool of master candidates. Pure.

use std::sync::Arc;

use gannet_core::config::{Config, Node, Object};
use gannet_core::id::NodeUuid;

/// How the pool is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Candidates that there are.
    pub now: usize,
    /// Candidates that there should be: the wanted size, or as many as there can be.
    pub should: usize,
}

/// The pool, without the nodes of `except` (Ganeti: GetMasterCandidateStats).
#[must_use]
pub fn pool(config: &Config, except: &[&NodeUuid]) -> Pool {
    let counted = || config.nodes().filter(|node| !except.contains(&&node.uuid));
    let able = counted().filter(|node| !node.offline && !node.drained && node.master_capable).count();
    let now = counted().filter(|node| node.master_candidate).count();
    Pool { now, should: able.min(config.cluster().candidate_pool_size as usize) }
}

/// Whether a node that becomes available, and is not counted yet, should be a candidate (Ganeti: DecideSelfPromotion).
#[must_use]
pub fn promotes_itself(config: &Config, except: &[&NodeUuid]) -> bool {
    let pool = pool(config, except);
    pool.now < (pool.should + 1).min(config.cluster().candidate_pool_size as usize)
}

/// The nodes that have to become candidates to fill the pool, changed so; the nodes of `except` are left alone.
#[must_use]
pub fn promotions(config: &Config, except: &[&NodeUuid]) -> Vec<Arc<Node>> {
    let pool = pool(config, except);
    let fit = |node: &&Arc<Node>| {
        !node.master_candidate && !node.offline && !node.drained && node.master_capable && !except.contains(&&node.uuid)
    };
    let promote = |node: &Arc<Node>| Arc::new(Node { master_candidate: true, ..Node::clone(node) });
    config.nodes().filter(fit).take(pool.should.saturating_sub(pool.now)).map(promote).collect()
}

/// The configuration with `node` in place of its older state.
#[must_use]
pub fn with_node(config: &Config, node: &Node) -> Config {
    let mut config = config.clone();
    config.put(Object::Node(Arc::new(node.clone())));
    config
}

/// A truth as Ganeti writes it in results and environments.
#[must_use]
pub fn truth(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn sized(size: u32, candidates: &[u32]) -> Config {
        let mut config = sample::config();
        let mut cluster = gannet_core::config::Cluster::clone(config.cluster());
        cluster.candidate_pool_size = size;
        config.put(Object::Cluster(Arc::new(cluster)));
        (1..=3).fold(config, |config, n| with_node(&config, &Node { master_candidate: candidates.contains(&n), ..sample::node(n) }))
    }

    #[test]
    fn the_pool_is_as_large_as_wanted_or_as_possible() {
        assert_eq!(pool(&sized(10, &[1, 2]), &[]), Pool { now: 2, should: 3 });
        assert_eq!(pool(&sized(2, &[1, 2]), &[]), Pool { now: 2, should: 2 });
        let first = sample::node(1).uuid;
        assert_eq!(pool(&sized(10, &[1, 2]), &[&first]), Pool { now: 1, should: 2 });
        let offline = with_node(&sized(10, &[1]), &Node { offline: true, master_candidate: false, ..sample::node(3) });
        assert_eq!(pool(&offline, &[]), Pool { now: 1, should: 2 });
        assert_eq!(promotions(&offline, &[]).iter().map(|node| node.uuid.clone()).collect::<Vec<_>>(), [sample::node(2).uuid]);
    }

    #[test]
    fn a_new_node_fills_the_pool_only() {
        assert!(promotes_itself(&sized(10, &[1, 2, 3]), &[]));
        assert!(!promotes_itself(&sized(3, &[1, 2, 3]), &[]));
        assert!(!promotes_itself(&sized(1, &[1]), &[]));
        assert!(promotions(&sized(2, &[1, 2]), &[]).is_empty());
    }
}
