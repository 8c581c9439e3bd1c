//! `OP_INSTANCE_CREATE`: adds an instance. A request becomes a draft (pure), the draft gets nodes (placement), the whole is
//! checked against the nodes, and the plan is carried out in steps of which each can be taken back.

pub(super) mod addresses;
mod checks;
pub(super) mod disks;
mod draft;
pub(super) mod names;
pub(super) mod nics;
mod params;
mod placement;
mod steps;

use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Instance, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{InstanceCreate, InstanceCreateMode};
use gannet_proto::node::{DiskAssembleRequest, DiskCreateRequest, DiskWipeRequest, FileStorageDir, InstanceStartRequest, OsScriptRequest};
use serde::{Deserialize, Serialize};

use draft::Draft;
pub(super) use draft::draft;
pub(super) use placement::wanted;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, os_limit, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// How long the OS scripts may take, in seconds: writing an image to slow storage takes hours, a script that hangs must end.
const OS_TIMEOUT_S: u32 = 4 * 3600;

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    name: String,
    primary: NodeUuid,
    /// The job's result: names of the primary node and the secondary ones.
    node_names: Vec<String>,
    dir: Option<FileStorageDir>,
    create: Vec<DiskCreateRequest>,
    wipe: Vec<DiskWipeRequest>,
    assemble: Vec<DiskAssembleRequest>,
    install: Option<OsScriptRequest>,
    start: Option<InstanceStartRequest>,
    /// The disks, and the instance as not started.
    add: Changes,
    /// The instance as started.
    started: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceCreate {
    type Plan = Plan;
    type Output = Vec<String>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Undo;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        placement::locks(config, self)
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let address = names::check(self, held).await?;
        let draft = draft(held.config(), self, address.as_deref(), held.now())?;
        names::check_free(held.config(), &draft.instance.name)?;
        draft.warnings.iter().for_each(|text| held.log().warn(text));
        let nodes = placement::choose(self, held, &draft).await?;
        Box::pin(plan(self, held, draft, &nodes)).await
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    fn dry_run_result(plan: &Plan) -> serde_json::Value {
        serde_json::json!(plan.node_names)
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Vec<String>, Failure> {
        steps::run(plan, job).await
    }
}

async fn plan(op: &InstanceCreate, held: &Held<'_>, mut draft: Draft, nodes: &[NodeUuid]) -> Result<Plan, Refusal> {
    let config = held.config();
    // A placement names one node at least.
    let primary = nodes.first().ok_or_else(|| Refusal::invalid("No primary node was chosen"))?;
    draft.instance.primary_node = primary.clone();
    addresses::assign(held, &mut draft)?;
    nics::check_on_group(config, op, &mut draft.instance)?;
    let dir = disks::directory(config, draft.template, op.file_storage_dir.as_deref(), &draft.instance.name)?;
    let disks = disks::objects(&draft, dir.as_deref(), held.now());
    draft.instance.disks = disks.iter().map(|disk| disk.uuid.clone()).collect();
    draft.instance.disks_active = !disks.is_empty();
    let refs: Vec<&gannet_core::config::Disk> = disks.iter().collect();
    let message = spec::instance_with(config, &draft.instance, &refs);
    let mut os_message = message.clone();
    os_message.osparams_secret = draft.secrets.clone().into_iter().collect();
    Box::pin(checks::run(op, held, &draft, &disks, &os_message)).await?;

    let name = draft.instance.name.to_string();
    let has_disks = !disks.is_empty();
    let add = disks.iter().fold(Changes::none(), |changes, disk| changes.add(&Object::Disk(Arc::new(disk.clone()))));
    let up = Instance { admin_state: AdminState::Up, disks_active: true, ..draft.instance.clone() };
    let used = draft.install || draft.start;
    Ok(Plan {
        primary: primary.clone(),
        node_names: nodes.iter().map(|node| spec::node_name(config, node)).collect(),
        dir: dir.map(|path| FileStorageDir { path }),
        create: message.disks.iter().map(|disk| disks::create_request(disk, &name)).collect(),
        wipe: if config.cluster().prealloc_wipe_disks { disks::wipe_requests(&message.disks) } else { Vec::new() },
        assemble: if used { message.disks.iter().map(|disk| disks::assemble_request(disk, &name)).collect() } else { Vec::new() },
        install: (draft.install && has_disks).then(|| OsScriptRequest {
            instance: Some(os_message),
            reinstall: false,
            debug_level: held.common().debug_level.and_then(|level| level.try_into().ok()).unwrap_or(0),
            timeout_s: os_limit::seconds(OS_TIMEOUT_S),
        }),
        start: draft.start.then(|| InstanceStartRequest { instance: Some(message.clone()), paused: false }),
        hooks: hooks(config, op, &draft, &refs),
        add: add.add(&Object::Instance(Arc::new(draft.instance))),
        started: Changes::none().update(held.state(), &Object::Instance(Arc::new(up))),
        name,
    })
}

/// On the master and the nodes of the instance. Its state is the start flag here, and disks are told without their place
/// (`parity/hooks.json`: instance-add).
fn hooks(config: &Config, op: &InstanceCreate, draft: &Draft, disks: &[&gannet_core::config::Disk]) -> Hooks {
    let mut env = hook_env::env_with(config, &draft.instance, disks);
    env.retain(|name, _| !name.starts_with("INSTANCE_DISK") || !["_DEV_TYPE", "_DRIVER", "_ID"].iter().any(|end| name.ends_with(end)));
    env.insert("INSTANCE_STATUS".to_owned(), hook_env::flag(draft.start));
    env.insert("INSTANCE_DISK_TEMPLATE".to_owned(), draft.template.as_str().to_owned());
    env.insert("ADD_MODE".to_owned(), InstanceCreateMode::as_str(op.mode).to_owned());
    let nodes: std::collections::BTreeSet<NodeUuid> =
        [config.cluster().master_node.clone(), draft.instance.primary_node.clone()].into_iter().collect();
    Hooks {
        path: "instance-add".to_owned(),
        object_type: "INSTANCE".to_owned(),
        pre_nodes: nodes.clone(),
        post_nodes: nodes,
        env,
        ..Hooks::default()
    }
}
