//! `gnt-cluster recover`, and `gnt-cluster master-failover --no-voting`: when the majority of the master candidates is lost for
//! good, the cluster goes on with the copy of the state that this node has.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gannet_core::luxi::{Client, Method, Origin};
use serde_json::json;

use crate::confirm;
use crate::context::{Context, Outcome};
use crate::daemon_util::{self, DAEMONS, Daemon};
use crate::exit::{CONFIRMATION, FAILURE, Failure, SUCCESS};

/// Daemons that are stopped meanwhile, in the order of their start.
const STOPPED: [&str; 2] = ["gannet-confd", "gannet-masterd"];
/// Until the master daemon here answers.
const ACTIVE_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
const POLL: Duration = Duration::from_millis(100);

const EXPLAINED: &str = "\
The cluster goes on with this copy alone.
- What the lost candidates had acknowledged and this copy lacks is lost: the last jobs and changes of the configuration.
- The other candidates are cut off. One that comes back is refused by this one and by all nodes that this one has reached, and gets
  a new copy. Do this only when they are gone for good, or kept from starting: where they run and cannot be reached from here, they
  may command nodes that cannot be reached from here either.
- Guests are not touched. Mark the lost nodes afterwards: gnt-node modify --offline=yes NODE.";

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let paths = context.env.paths();
    if !paths.confd_dir().join("identity.json").exists() {
        if !paths.ssconf("master_node").exists() {
            return Err(Failure::NotCluster);
        }
        let own = context.env.node_name();
        return Err(Failure::invalid(format!("This node ({own}) has no copy of the cluster's state: run this on a master candidate")));
    }
    confd(context, &["recover", "--look"])?;
    context.io.line(EXPLAINED);
    if !context.args.flag("yes-do-it") && !confirm::yes(context.io, "Continue with this copy?") {
        return Ok(CONFIRMATION);
    }
    for daemon in daemons().rev() {
        daemon_util::stop(daemon, context.env).map_err(|error| Failure::Refused(format!("Nothing was changed: {error}")))?;
    }
    let recovered = confd(context, &["recover"]);
    let mut started = Ok(());
    for daemon in daemons() {
        started = started.and(daemon_util::start(daemon, context.env));
    }
    recovered?;
    if let Err(error) = started {
        context.io.note(format_args!("This node's copy is the only one now, but: {error}"));
        return Ok(FAILURE);
    }
    wait_for_master(context)
}

fn daemons() -> impl DoubleEndedIterator<Item = &'static Daemon> {
    DAEMONS.iter().filter(|daemon| STOPPED.contains(&daemon.name))
}

/// Runs gannet-confd, which says itself what is wrong.
fn confd(context: &mut Context<'_>, words: &[&str]) -> Result<(), Failure> {
    let program = context.env.program("gannet-confd");
    let run = |error| Failure::io(format!("cannot run {} recover", program.display()), error);
    let ended = Command::new(&program).args(words).stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(run)?;
    for line in String::from_utf8_lossy(&ended.stdout).lines() {
        context.io.line(line);
    }
    context.io.flush();
    match ended.status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Silent(u8::try_from(code).unwrap_or(FAILURE))),
        None => Err(Failure::Refused("gannet-confd recover was killed".into())),
    }
}

fn wait_for_master(context: &mut Context<'_>) -> Outcome {
    let socket = context.env.paths().query_socket();
    let deadline = Instant::now() + ACTIVE_LIMIT;
    while Instant::now() < deadline {
        let is_master = |mut client: Client| {
            // A standby answers too, and says that it is none.
            client.call(Method::QueryClusterInfo, &json!([])).is_ok() && client.origin().is_none_or(Origin::is_master)
        };
        if Client::connect(&socket).is_ok_and(is_master) {
            context.io.line(format_args!("{} is the master now.", context.env.node_name()));
            return Ok(SUCCESS);
        }
        std::thread::sleep(POLL);
    }
    let log = context.env.paths().log_dir();
    Err(Failure::Refused(format!(
        "This node's copy is the only one now, but its master daemon does not answer yet; its log is in {}",
        log.display()
    )))
}
