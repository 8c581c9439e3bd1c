//! `gnt-node add NAME`: lets a node join the cluster.
//!
//! The master gives a token that expires; the node runs one command with it, and the master adds the node by a normal job. With
//! `--ssh` this program runs the command on the node itself.

use std::process::{Command, Stdio};
use std::time::Duration;

use gannet_core::id::JobId;
use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::{groups_of_params, time, wait};

/// How often the master is asked whether the node has joined.
const POLL: Duration = Duration::from_millis(300);

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let name = context.name();
    let options = options(context)?;
    let answer = context.call(Method::CreateJoinToken, &json!([name, options]))?;
    let token = Token::read(&answer)?;
    if context.args.flag("verbose") {
        context.io.note(format_args!("Token {} is for {}.", token.id, token.node));
    }
    if context.args.flag("ssh") {
        over_ssh(context, &token)?;
    } else {
        tell(context, &token);
    }
    if let Some(job) = joined(context, &token)? {
        wait::follow(context, job)?;
    }
    context.io.line(format_args!("Node {} is part of the cluster.", token.node));
    Ok(SUCCESS)
}

struct Token {
    /// By which the master knows it.
    id: String,
    /// The node's full name.
    node: String,
    /// What the node must know.
    secret: String,
    expires: f64,
}

impl Token {
    fn read(answer: &Value) -> Result<Self, Failure> {
        let text = |key: &str| {
            let text = answer.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| Failure::Refused(format!("The master's answer has no {key}")))
        };
        let expires = answer.get("expires").and_then(Value::as_f64).unwrap_or_default();
        Ok(Self { id: text("id")?, node: text("node")?, secret: text("token")?, expires })
    }
}

/// The parameters of the `OP_NODE_ADD` that follows, without the name.
fn options(context: &Context<'_>) -> Result<Value, Failure> {
    let args = &context.args;
    let parameters = json!({
        "node_name": context.name(),
        "readd": args.flag("readd"),
        // Joining by the token has set the node up; the job has nothing to do over SSH, with or without --no-node-setup.
        "node_setup": false,
        "group": args.text("node-group"),
        "secondary_ip": args.text("secondary-ip"),
        "master_capable": args.yes_no("master-capable"),
        "vm_capable": args.yes_no("vm-capable"),
        "ndparams": args.dict("node-parameters"),
        "hv_state": groups_of_params(args, "hypervisor-state")?,
        "disk_state": groups_of_params(args, "disk-state")?,
    });
    let op = context.opcode("OP_NODE_ADD", parameters)?;
    let mut options = serde_json::to_value(op).map_err(|error| Failure::invalid(error.to_string()))?;
    if let Some(options) = options.as_object_mut() {
        options.remove("OP_ID");
        options.remove("node_name");
    }
    Ok(options)
}

/// What comes after the token on the node's command line: a node of another cluster must be told twice.
fn force(context: &Context<'_>) -> &'static str {
    if context.args.flag("force-join") { " --force" } else { "" }
}

fn tell(context: &mut Context<'_>, token: &Token) {
    if context.args.flag("no-ssh-key-check") {
        context.io.note("--no-ssh-key-check has no effect without --ssh: nothing connects to the node.");
    }
    let force = force(context);
    context.io.note(format_args!("Run this as root on {}, before {}:", token.node, time::date_time(token.expires)));
    context.io.line(format_args!("  gannet-noded join {}{force}", token.secret));
    context.io.flush();
    context.io.note("Waiting for the node...");
}

/// The token goes through standard input, so that no list of processes on this machine shows it.
fn over_ssh(context: &mut Context<'_>, token: &Token) -> Result<(), Failure> {
    use std::io::Write as _;

    let failed = |error| Failure::io(format!("ssh to {}", token.node), error);
    let checking = if context.args.flag("no-ssh-key-check") { "no" } else { "ask" };
    let remote = format!("read -r token && exec gannet-noded join \"$token\"{}", force(context));
    context.io.note(format_args!("Running gannet-noded join on {} over SSH...", token.node));
    let mut child = Command::new("ssh")
        .args(["-oConnectTimeout=10", "-oServerAliveInterval=10", &format!("-oStrictHostKeyChecking={checking}")])
        .args([&format!("root@{}", token.node), &remote])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::io("cannot run ssh", error))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{}", token.secret).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    match status.success() {
        true => Ok(()),
        false => {
            Err(Failure::NodeSetup(format!("gannet-noded join on {} over SSH failed ({status}); what it said stands above", token.node)))
        }
    }
}

/// Waits until the node has used the token; gives the job that adds it, or `None` when it was added already.
fn joined(context: &mut Context<'_>, token: &Token) -> Result<Option<JobId>, Failure> {
    let name = &token.node;
    loop {
        let status = context.call(Method::JoinStatus, &json!([token.id]))?;
        if let Some(job) = status.get("job").filter(|job| !job.is_null()) {
            let job = serde_json::from_value(job.clone()).map_err(|_| Failure::Refused(format!("{job} is no job id")))?;
            return Ok(Some(job));
        }
        match status.get("state").and_then(Value::as_str) {
            Some("submitted") => return Ok(None),
            Some("expired") => {
                return Err(Failure::NodeSetup(format!(
                    "Node {name} did not join in time, and the token is void. Run `gnt-node add {name}` again for a new one."
                )));
            }
            Some("failed") => {
                let reason = status.get("error").and_then(Value::as_str).unwrap_or("the master's log tells why");
                return Err(Failure::NodeSetup(format!("Node {name} could not join: {reason}")));
            }
            _ => std::thread::sleep(POLL),
        }
    }
}
