//! What can have tags.

use crate::param::closed_set;

closed_set! {
    /// What can have tags.
    pub enum TagKind ("tag kind") {
        /// The cluster; it has no name in tag opcodes.
        Cluster = "cluster",
        /// An instance.
        Instance = "instance",
        /// A network.
        Network = "network",
        /// A node.
        Node = "node",
        /// A node group.
        NodeGroup = "nodegroup",
    }
}
