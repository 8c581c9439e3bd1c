//! Hooks: site scripts around operations (`parity/hooks.json`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;
use gannet_core::id::NodeUuid;
use gannet_core::name::NodeName;
use gannet_proto::node::{HookResult, HooksRunReply, HooksRunRequest};

use crate::job::OpContext;
use crate::node::NodeError;
use crate::refusal::Failure;
use crate::unit::Hooks;

/// The longest that the scripts of one phase may take on a node, in seconds.
const TIMEOUT_S: u32 = 300;
/// `HookResult::status` of a script that failed.
const FAILED: u32 = 1;
/// The hooks that run when the configuration has changed.
const CONFIG_UPDATE: &str = "config-update";

/// Runs the pre phase. A script that fails on any node that answers stops the operation.
///
/// # Errors
/// [`Failure::Hooks`] with each failed script, its node and its output.
pub async fn run_pre(context: &OpContext, hooks: &Hooks) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for (node, outcome) in run(context, hooks, "pre", &hooks.pre_nodes).await {
        match outcome {
            Ok(reply) => failed.extend(failures(&node, &reply)),
            Err(error) => context.log().warn(format!("Hooks were not run on node {node}: {error}")),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Hooks(format!("Hooks of {}-pre failed: {}", hooks.path, failed.join("; "))))
}

/// Runs the post phase. The operation has succeeded; failures are only told.
pub async fn run_post(context: &OpContext, hooks: &Hooks) {
    tell_post(context, hooks, environment(context, hooks, "post", true)).await;
}

async fn tell_post(context: &OpContext, hooks: &Hooks, env: HashMap<String, String>) {
    for (node, outcome) in call(context, hooks, "post", &hooks.post_nodes, env).await {
        match outcome {
            Ok(reply) => {
                failures(&node, &reply).iter().for_each(|text| context.log().warn(format!("Hooks of {}-post: {text}", hooks.path)))
            }
            Err(error) => context.log().warn(format!("Hooks were not run on node {node}: {error}")),
        }
    }
}

/// Whether scripts on this node want to know of changed configuration. Looked up here, where they would run, so that a cluster
/// without them pays nothing.
pub async fn tells_of_updates(context: &OpContext) -> bool {
    let dir = context.master.paths().hooks_dir().join(format!("{CONFIG_UPDATE}-post.d"));
    let any = move || std::fs::read_dir(dir).is_ok_and(|mut entries| matches!(entries.next(), Some(Ok(_))));
    gannet_daemon::work::blocking(any).await.unwrap_or_default()
}

/// Runs the scripts for changed configuration, on the master, with the operation's environment from before it. Failures are
/// only told.
pub async fn run_config_update(context: &OpContext, hooks: Option<&Hooks>) {
    let master = context.master.store().state().config.cluster().master_node.clone();
    let of_operation = hooks.cloned().unwrap_or_default();
    let hooks = Hooks { path: CONFIG_UPDATE.to_owned(), post_nodes: [master].into(), pre_nodes: BTreeSet::new(), ..of_operation };
    tell_post(context, &hooks, environment(context, &hooks, "post", false)).await;
}

/// The texts of the scripts that failed.
pub(crate) fn failures(node: &NodeName, reply: &HooksRunReply) -> Vec<String> {
    let failed = |result: &&HookResult| result.status == FAILED;
    reply.results.iter().filter(failed).map(|result| format!("script {} on node {node}: {}", result.script, result.output.trim())).collect()
}

/// Runs the scripts of one phase on `nodes`, and says what each node answered.
pub(crate) async fn run(
    context: &OpContext,
    hooks: &Hooks,
    phase: &str,
    nodes: &BTreeSet<NodeUuid>,
) -> Vec<(NodeName, Result<HooksRunReply, NodeError>)> {
    call(context, hooks, phase, nodes, environment(context, hooks, phase, phase == "post")).await
}

async fn call(
    context: &OpContext,
    hooks: &Hooks,
    phase: &str,
    nodes: &BTreeSet<NodeUuid>,
    env: HashMap<String, String>,
) -> Vec<(NodeName, Result<HooksRunReply, NodeError>)> {
    let state = context.master.store().state();
    let calls = nodes.iter().filter_map(|uuid| state.config.node(uuid)).filter(|node| !node.offline).map(|node| {
        let request = HooksRunRequest { path: hooks.path.clone(), phase: phase.to_owned(), env: env.clone(), timeout_s: TIMEOUT_S };
        async move {
            let outcome = match context.master.nodes().handle(node) {
                Ok(handle) => handle.hooks_run(request).await,
                Err(error) => Err(error),
            };
            (node.name.clone(), outcome)
        }
    });
    join_all(calls).await
}

/// The whole environment: what every hook has, and the operation's own with its prefix; `after`: also that of afterwards.
fn environment(context: &OpContext, hooks: &Hooks, phase: &str, after: bool) -> HashMap<String, String> {
    let state = context.master.store().state();
    let op_id = context.cell.read(|row| row.job.ops[context.op].input.op.id());
    let master = state.config.master().map(|node| node.name.to_string()).unwrap_or_default();
    let mut env: HashMap<String, String> = [
        ("PATH", "/sbin:/bin:/usr/sbin:/usr/bin".to_owned()),
        ("GANETI_HOOKS_VERSION", "2".to_owned()),
        ("GANETI_OP_CODE", op_id.to_owned()),
        ("GANETI_DATA_DIR", context.master.paths().data_dir().display().to_string()),
        ("GANETI_HOOKS_PHASE", phase.to_owned()),
        ("GANETI_HOOKS_PATH", hooks.path.clone()),
        ("GANETI_OBJECT_TYPE", hooks.object_type.clone()),
        ("GANETI_CLUSTER", state.config.cluster().cluster_name.clone()),
        ("GANETI_MASTER", master),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let prefixed = |prefix: &'static str, values: &BTreeMap<String, String>| -> Vec<(String, String)> {
        values.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone())).collect()
    };
    env.extend(prefixed("GANETI_", &hooks.env));
    if after {
        let after = if hooks.post_env.is_empty() { &hooks.env } else { &hooks.post_env };
        env.extend(prefixed("GANETI_POST_", after));
    }
    env
}
