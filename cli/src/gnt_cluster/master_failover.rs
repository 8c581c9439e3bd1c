//! `gnt-cluster master-failover`: makes this node the master. It is a transfer of the lead among the master candidates: jobs go on.

use std::process::Command;

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let paths = context.env.paths();
    let path = paths.ssconf("master_node");
    let old = match std::fs::read_to_string(&path) {
        Ok(name) => name.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Failure::NotCluster),
        Err(error) => return Err(Failure::io(format!("cannot read {}", path.display()), error)),
    };
    let own = context.env.node_name();
    if old == own {
        return Err(Failure::invalid(format!(
            "This command must be run on the node where you want the new master to be; {old} is already the master"
        )));
    }
    if !paths.confd_dir().join("identity.json").exists() {
        return Err(Failure::invalid(format!(
            "This node ({own}) has no copy of the cluster's state: it is no master candidate, or has not been one for long enough; \
             `gnt-node modify --master-candidate=yes {own}` on the master makes it one"
        )));
    }
    if context.args.flag("no-voting") {
        // For two nodes, of which one is dead: there is nobody to vote.
        return super::recover::run(context);
    }
    let program = context.env.program("gannet-masterd");
    context.io.flush();
    let ended = Command::new(&program).arg("take-over").status();
    match ended.map_err(|error| Failure::io(format!("cannot run {} take-over", program.display()), error))?.code() {
        Some(0) => Ok(SUCCESS),
        // It has said why.
        Some(code) => Err(Failure::Silent(u8::try_from(code).unwrap_or(FAILURE))),
        None => Err(Failure::Refused("gannet-masterd take-over was killed".into())),
    }
}
