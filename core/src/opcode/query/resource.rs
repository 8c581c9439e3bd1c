//! What can be queried.

use crate::param::closed_set;

closed_set! {
    /// A resource that queries can be made for.
    pub enum QueryResource ("query resource") {
        /// The cluster itself.
        Cluster = "cluster",
        /// Exports of instances.
        Export = "export",
        /// External storage providers.
        ExtStorage = "extstorage",
        /// Job filter rules.
        Filter = "filter",
        /// Node groups.
        Group = "group",
        /// Instances.
        Instance = "instance",
        /// Jobs.
        Job = "job",
        /// Locks.
        Lock = "lock",
        /// Networks.
        Network = "network",
        /// Nodes.
        Node = "node",
        /// OS definitions.
        Os = "os",
    }
}
