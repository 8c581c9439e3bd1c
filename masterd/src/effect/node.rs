//! Whole nodes.

use gannet_proto::node::{LeaveClusterRequest, TestDelayRequest};

use super::{Done, effect};

effect! {
    /// Makes the node forget the cluster. Not taken back: it can join again.
    LeaveCluster(LeaveClusterRequest) -> (), "leave-cluster",
    // An agent that has left is not there to say so.
    repeats(false)
    describe(_effect) { "make the node leave the cluster".to_owned() }
    run(effect, node, _log) {
        node.leave_cluster(effect.0).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Waits on the node.
    TestDelay(TestDelayRequest) -> (), "test-delay",
    describe(effect) { format!("wait {} s", effect.0.duration_s) }
    run(effect, node, _log) {
        node.test_delay(effect.0).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}
