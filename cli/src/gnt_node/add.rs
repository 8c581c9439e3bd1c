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
    let mut token = Token::read(&answer)?;
    if context.args.flag("force-join") {
        token.command.push_str(" --force");
    }
    if context.args.flag("ssh") {
        over_ssh(context, &name, &token)?;
    } else {
        tell(context, &name, &token);
    }
    let job = joined(context, &name, &token)?;
    wait::follow(context, job)?;
    context.io.line(format_args!("Node {name} is part of the cluster."));
    Ok(SUCCESS)
}

struct Token {
    id: String,
    text: String,
    command: String,
    expires: f64,
}

impl Token {
    fn read(answer: &Value) -> Result<Self, Failure> {
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let token = text("token");
        if token.is_empty() {
            return Err(Failure::Refused("The master's answer has no token".into()));
        }
        let command = Some(text("command")).filter(|command| !command.is_empty()).unwrap_or_else(|| format!("gannet-noded join {token}"));
        let id = Some(text("id")).filter(|id| !id.is_empty()).unwrap_or_else(|| token.clone());
        Ok(Self { id, text: token, command, expires: answer.get("expires").and_then(Value::as_f64).unwrap_or_default() })
    }
}

/// The opcode that the token leads to, but for the node's name.
fn options(context: &Context<'_>) -> Result<Value, Failure> {
    let args = &context.args;
    let parameters = json!({
        "node_name": context.name(),
        "readd": args.flag("readd"),
        "node_setup": !args.flag("no-node-setup"),
        "group": args.text("node-group"),
        "secondary_ip": args.text("secondary-ip"),
        "master_capable": args.yes_no("master-capable"),
        "vm_capable": args.yes_no("vm-capable"),
        "ndparams": args.dict("node-parameters"),
        "hv_state": groups_of_params(args, "hypervisor-state")?,
        "disk_state": groups_of_params(args, "disk-state")?,
    });
    let opcode = context.opcode("OP_NODE_ADD", parameters)?;
    let mut options = serde_json::to_value(&opcode).map_err(|error| Failure::invalid(error.to_string()))?;
    if let Some(options) = options.as_object_mut() {
        // The token says which node, and what it is for.
        options.remove("OP_ID");
        options.remove("node_name");
    }
    Ok(options)
}

fn tell(context: &mut Context<'_>, name: &str, token: &Token) {
    if context.args.flag("no-ssh-key-check") {
        context.io.note("--no-ssh-key-check has no effect without --ssh: nothing connects to the node.");
    }
    context.io.note(format_args!("Run this as root on {name}, before {}:", time::date_time(token.expires)));
    context.io.line(format_args!("  {}", token.command));
    context.io.flush();
    context.io.note("Waiting for the node...");
}

/// The token goes through standard input, so that no list of processes shows it.
fn over_ssh(context: &mut Context<'_>, name: &str, token: &Token) -> Result<(), Failure> {
    use std::io::Write as _;

    let checking = if context.args.flag("no-ssh-key-check") { "no" } else { "ask" };
    context.io.note(format_args!("Running gannet-noded join on {name} over SSH..."));
    let mut child = Command::new("ssh")
        .args(["-oConnectTimeout=10", &format!("-oStrictHostKeyChecking={checking}"), &format!("root@{name}"), "gannet-noded", "join", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::io("cannot run ssh", error))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{}", token.text).map_err(|error| Failure::io(format!("ssh to {name}"), error))?;
    }
    let status = child.wait().map_err(|error| Failure::io(format!("ssh to {name}"), error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::NodeSetup(format!("gannet-noded join on {name} over SSH failed ({status}); what it said stands above"))),
    }
}

/// Waits until the node has used the token; gives the job that adds it.
fn joined(context: &mut Context<'_>, name: &str, token: &Token) -> Result<JobId, Failure> {
    loop {
        let status = context.call(Method::JoinStatus, &json!([token.id]))?;
        if let Some(job) = status.get("job").filter(|job| !job.is_null()) {
            return serde_json::from_value(job.clone()).map_err(|_| Failure::Refused(format!("The master answered with the job id {job}")));
        }
        match status.get("state").and_then(Value::as_str) {
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
