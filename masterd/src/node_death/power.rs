//! The out-of-band program (Ganeti: `oob_program`): switches a machine off that does not answer.
//!
//! It runs on the master node, as `PROGRAM COMMAND NODE`. `power-off` that ends well is not yet the end of the machine: baseboard
//! controllers only promise it. So `power-status` is asked until it says `{"powered": false}`.

use std::time::Duration;

use gannet_core::config::{Config, Node, ParamMap};
use gannet_core::param::fill;
use gannet_proto::node::CommandRunRequest;
use serde_json::Value;
use tokio::time::Instant;

use crate::master::Master;

/// For one run of the program, in seconds.
const LIMIT_S: u32 = 15;
/// For the machine to be off after that.
const OFF_LIMIT: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The node's program; empty when there is none.
pub(super) fn program(config: &Config, node: &Node) -> String {
    let none = ParamMap::new();
    let group = config.group(&node.group).map_or(&none, |group| &group.ndparams);
    fill::nd(&config.cluster().ndparams, group, &node.ndparams).oob_program().to_owned()
}

/// Switches `node` off, and waits until it is.
pub(super) async fn off(master: &Master, program: &str, node: &str) -> Result<(), String> {
    run(master, program, "power-off", node).await?;
    let deadline = Instant::now() + OFF_LIMIT;
    loop {
        if !is_powered(&run(master, program, "power-status", node).await?)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("{program} has accepted power-off, but power-status still says that the machine is on"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the program printed.
async fn run(master: &Master, program: &str, verb: &str, node: &str) -> Result<Vec<u8>, String> {
    let state = master.store().state();
    let handle = master.node(&state.config.cluster().master_node).map_err(|error| error.to_string())?;
    let command = format!("exec {} {verb} {}", quoted(program), quoted(node));
    let reply = handle.command_run(CommandRunRequest { command, timeout_s: LIMIT_S }).await.map_err(|error| error.to_string())?;
    if reply.status == 0 {
        return Ok(reply.output);
    }
    let said = String::from_utf8_lossy(&reply.output).trim().chars().take(200).collect::<String>();
    Err(format!("{program} {verb} ended with {}: {said}", reply.status))
}

/// One word of a shell's line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_powered(output: &[u8]) -> Result<bool, String> {
    let status: Option<Value> = serde_json::from_slice(output).ok();
    status
        .as_ref()
        .and_then(|status| status["powered"].as_bool())
        .ok_or_else(|| format!("power-status did not say whether the machine is on: {}", String::from_utf8_lossy(output).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_counts() {
        assert_eq!(is_powered(b"{\"powered\": false}\n"), Ok(false));
        assert_eq!(is_powered(b"{\"powered\": true}"), Ok(true));
        for unclear in ["", "off", "{}", "{\"powered\": \"no\"}"] {
            assert!(is_powered(unclear.as_bytes()).is_err(), "{unclear}");
        }
    }

    #[test]
    fn words_are_quoted() {
        assert_eq!(quoted("/usr/bin/it's"), r"'/usr/bin/it'\''s'");
    }
}
