//! `gnt-cluster init NAME`: makes this node the first one of a new cluster.
//!
//! The options become a description in JSON, which `gannet-masterd bootstrap` reads from its standard input: the settings of
//! [`super::settings`], and what only the beginning needs. Then the daemons are started.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::settings;
use crate::context::{Context, Outcome};
use crate::daemon_util::{self, DAEMONS};
use crate::exit::{FAILURE, Failure, SUCCESS};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let spec = spec(context)?;
    if context.env.paths().ssconf("master_node").exists() {
        return Err(Failure::invalid("Cluster is already initialised; `gnt-cluster getmaster` names its master"));
    }
    bootstrap(context, &spec)?;
    for daemon in DAEMONS {
        if let Err(error) = daemon_util::start(daemon, context.env) {
            context.io.note(format_args!("The cluster is made, but {} did not start: {error}", daemon.name));
            context.io.note(format_args!("`gnt daemon-util start {}` tries again.", daemon.name));
            return Ok(FAILURE);
        }
    }
    Ok(SUCCESS)
}

fn spec(context: &Context<'_>) -> Result<Value, Failure> {
    let args = &context.args;
    let mut spec = settings::from_options(args, Some(&default_policy()))?;
    let version = args.text("primary-ip-version").unwrap_or("4");
    if !["4", "6"].contains(&version) {
        return Err(Failure::invalid(format!("Invalid primary IP version '{version}' (4 or 6)")));
    }
    spec["cluster_name"] = json!(context.name());
    spec["secondary_ip"] = json!(args.text("secondary-ip"));
    spec["primary_ip_version"] = json!(version.parse::<u8>().unwrap_or(4));
    spec["modify_etc_hosts"] = json!(!args.flag("no-etc-hosts"));
    spec["modify_ssh_setup"] = json!(!args.flag("no-ssh-init"));
    spec["ssh_key_type"] = json!(args.text("ssh-key-type"));
    spec["ssh_key_bits"] = json!(args.int("ssh-key-bits"));
    // What is not given is left out: the master knows the defaults.
    if let Value::Object(spec) = &mut spec {
        spec.retain(|_, value| !value.is_null());
    }
    Ok(spec)
}

/// The built-in policy, whose single sizes `--specs-…` change.
fn default_policy() -> Value {
    use gannet_core::param::ipolicy::Spec;

    json!({"minmax": [{"min": Spec::DEFAULT_MIN, "max": Spec::DEFAULT_MAX}]})
}

fn bootstrap(context: &mut Context<'_>, spec: &Value) -> Result<(), Failure> {
    let program = context.env.program("gannet-masterd");
    let run = |error| Failure::io(format!("cannot run {} bootstrap", program.display()), error);
    context.io.flush();
    let mut child = Command::new(&program).arg("bootstrap").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(run)?;
    // What it says on standard output is for programs; Ganeti's command is silent. A program that ends early says why itself; its exit code counts, not the broken pipe.
    let _ = child.stdin.take().map(|mut input| input.write_all(spec.to_string().as_bytes()));
    match child.wait().map_err(run)?.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Silent(u8::try_from(code).unwrap_or(FAILURE))),
        None => Err(Failure::Refused("gannet-masterd bootstrap was killed".into())),
    }
}
