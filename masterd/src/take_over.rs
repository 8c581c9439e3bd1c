//! `gannet-masterd take-over`: makes this node's confd the leader, and waits until the master daemon here is active.

use std::time::Duration;

use anyhow::{Context, bail};
use gannet_confd::client::Client;
use gannet_core::luxi::{Method, Origin};
use gannet_core::paths::Paths;
use serde_json::json;
use tokio::time::Instant;

/// From the election to a master that answers.
const ACTIVE_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks.
const POLL: Duration = Duration::from_millis(20);

/// Runs to the end.
///
/// # Errors
/// This node is no voting master candidate, no majority follows it, or its master daemon does not become active.
pub async fn run(paths: &Paths) -> anyhow::Result<()> {
    let socket = paths.confd_socket();
    let client = Client::connect(&socket).await.with_context(|| {
        format!(
            "the state store of this node does not answer on {}: is this node a master candidate, and does gannet-confd run?",
            socket.display()
        )
    })?;
    client.take_lead().await?;
    let deadline = Instant::now() + ACTIVE_LIMIT;
    while Instant::now() < deadline {
        if answers(paths).await {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    bail!("this node leads, but its master daemon does not answer: is gannet-masterd running? Its log is in {}", paths.log_dir().display())
}

async fn answers(paths: &Paths) -> bool {
    let socket = paths.query_socket();
    let ask = move || {
        let mut client = gannet_core::luxi::Client::connect(&socket).ok()?;
        client.call(Method::QueryClusterInfo, &json!([])).ok()?;
        // A standby passes the question on.
        client.origin().is_none_or(Origin::is_master).then_some(())
    };
    tokio::task::spawn_blocking(ask).await.ok().flatten().is_some()
}
