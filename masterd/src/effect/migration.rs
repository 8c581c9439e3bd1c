//! Live migration.

use gannet_proto::node::{
    InstanceRef, MigrationPrepareReply, MigrationPrepareRequest, MigrationProgress, MigrationRunRequest, MigrationSettleReply,
    MigrationSettleRequest,
};

use super::{Done, effect};

effect! {
    /// On the target: makes ready to receive. Undo: drops what has arrived; the guest goes on at the source.
    MigrationPrepare(MigrationPrepareRequest) -> MigrationPrepareReply, "migration-prepare",
    describe(effect) { format!("prepare for the arrival of instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, _log) { node.migration_prepare(effect.0.clone()).await.map(Done::Changed) }
    undo(effect, node, _reply) {
        let Some(instance) = &effect.0.instance else { return Ok(()) };
        let instance = InstanceRef { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() };
        node.migration_settle(MigrationSettleRequest { instance: Some(instance), drop_incoming: true, timeout_s: 60 }).await.map(|_| ())
    }
}

effect! {
    /// On the source: the migration itself. How it ended is in the reply, also when it did not work: the caller settles both
    /// sides and then knows where the guest is.
    MigrationRun(MigrationRunRequest) -> MigrationProgress, "migration-run",
    repeats(false)
    describe(effect) { format!("migrate instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, log) {
        let mut told = 0;
        let last = node
            .migration_run(effect.0.clone(), |progress| {
                let percent = (progress.transferred_bytes * 100).checked_div(progress.total_bytes).unwrap_or(0).min(100);
                if percent >= told + 10 && !progress.finished {
                    told = percent;
                    log.info(format!("* memory transfer progress: {percent} %"));
                }
            })
            .await?;
        Ok(Done::Changed(last))
    }
    undo(effect, node, _reply) {
        let Some(instance) = &effect.0.instance else { return Ok(()) };
        let instance = InstanceRef { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() };
        node.migration_settle(MigrationSettleRequest { instance: Some(instance), drop_incoming: false, timeout_s: 60 }).await.map(|_| ())
    }
}

effect! {
    /// On either side: waits until no job is left, and says whether the guest is there.
    MigrationSettle(MigrationSettleRequest) -> MigrationSettleReply, "migration-settle",
    describe(effect) { format!("find out where instance {} runs", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, _log) { node.migration_settle(effect.0.clone()).await.map(Done::Changed) }
    undo(_effect, _node, _reply) { Ok(()) }
}
