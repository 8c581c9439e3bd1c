//! What each opcode does. One file per opcode, in the folder of its noun; its parameters are in `gannet_core::opcode`.

mod cluster;
mod group;
mod instance;
mod network;
mod node;
mod os;
mod query;
mod tags;
mod test;

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::opcode::Op;

use crate::job::{Finished, OpContext, OpError, drive};

/// Runs `op` through its phases. The match has no wild card: a new opcode does not build until it is decided here.
///
/// # Errors
/// [`OpError`].
pub async fn dispatch(context: &OpContext, op: &Op) -> Result<Finished, OpError> {
    match op {
        Op::ClusterActivateMasterIp(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterConfigQuery(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterDeactivateMasterIp(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterDestroy(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterPostInit(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterQuery(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterRedistConf(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterSetParams(unit) => Box::pin(drive(context, unit.as_ref())).await,
        Op::ClusterVerify(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterVerifyConfig(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterVerifyDisks(unit) => Box::pin(drive(context, unit)).await,
        Op::ClusterVerifyGroup(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupAdd(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupAssignNodes(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupRemove(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupRename(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupSetParams(unit) => Box::pin(drive(context, unit)).await,
        Op::GroupVerifyDisks(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceConsole(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceCreate(unit) => Box::pin(drive(context, &**unit)).await,
        Op::InstanceFailover(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceGrowDisk(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceQueryData(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceRecreateDisks(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceReinstall(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceSetParams(unit) => Box::pin(drive(context, &**unit)).await,
        Op::InstanceRename(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceMove(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceMigrate(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkAdd(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkConnect(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkDisconnect(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkRemove(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkRename(unit) => Box::pin(drive(context, unit)).await,
        Op::NetworkSetParams(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeAdd(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeEvacuate(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeMigrate(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeQueryStorage(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeQueryvols(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeRemove(unit) => Box::pin(drive(context, unit)).await,
        Op::NodeSetParams(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceActivateDisks(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceDeactivateDisks(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceMultiAlloc(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceReboot(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceRemove(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceShutdown(unit) => Box::pin(drive(context, unit)).await,
        Op::InstanceStartup(unit) => Box::pin(drive(context, unit)).await,
        Op::OsDiagnose(unit) => Box::pin(drive(context, unit)).await,
        Op::TagsGet(unit) => Box::pin(drive(context, unit)).await,
        Op::TagsSearch(unit) => Box::pin(drive(context, unit)).await,
        Op::TagsSet(unit) => Box::pin(drive(context, unit)).await,
        Op::TagsDel(unit) => Box::pin(drive(context, unit)).await,
        Op::Query(unit) => Box::pin(drive(context, unit)).await,
        Op::QueryFields(unit) => Box::pin(drive(context, unit)).await,
        Op::TestDelay(unit) => Box::pin(drive(context, unit)).await,
        Op::TestJqueue(unit) => Box::pin(test::announced(context, unit, drive(context, unit))).await,
        Op::TestOsParams(unit) => Box::pin(drive(context, unit)).await,
        // Ganeti has its parameters, too, and nothing that carries it out.
        Op::TestDummy(_) => Err(OpError::Failed(WireError::new("OpCodeUnknown", "Unknown opcode OP_TEST_DUMMY"))),
        other => Err(not_built(other)),
    }
}

/// An opcode that this version does not have; `docs/status.md` lists them.
fn not_built(op: &Op) -> OpError {
    let text = format!("{} is not available in this version of Gannet yet (see docs/status.md)", op.id());
    OpError::Failed(WireError::prereq(text, ErrorCode::Invalid))
}
