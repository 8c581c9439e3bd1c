//! Hooks: scripts of the operator that run before and after operations (parity: `hooks.json`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::{HookResult, HooksRunRequest};
use tokio::time::Instant;

use crate::run::{Error, Output, Program};

/// For all scripts of one call, when the caller names no time (Ganeti: `RPC_TMO_NORMAL`).
const TIMEOUT: Duration = Duration::from_secs(900);
/// Output kept of one script, in bytes: it goes into messages of a job.
const OUTPUT_LIMIT: usize = 64 << 10;

/// Results in Ganeti's numbers.
const SKIPPED: u32 = 0;
const FAILED: u32 = 1;
const SUCCEEDED: u32 = 2;

/// A request that names no hooks.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Runs the hooks of one path and phase in the order of their names, one after the other, all of them: also when one
/// fails. No directory means no hooks.
///
/// # Errors
/// When the path or the phase is none.
pub async fn run(paths: &Paths, request: &HooksRunRequest) -> Result<Vec<HookResult>, Invalid> {
    if !matches!(request.phase.as_str(), "pre" | "post") {
        return Err(Invalid(format!("Unknown hooks phase '{}'", request.phase)));
    }
    if request.path.is_empty() || !request.path.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Err(Invalid(format!("'{}' is not a hooks path", request.path)));
    }
    let subdir = format!("{}-{}.d", request.path, request.phase);
    let dir = paths.hooks_dir().join(&subdir);
    let timeout = if request.timeout_s == 0 { TIMEOUT } else { Duration::from_secs(request.timeout_s.into()) };
    let deadline = Instant::now() + timeout;
    let mut results = Vec::new();
    for name in names(&dir) {
        let (status, output) =
            if may_run(&dir, &name) { run_one(&dir.join(&name), request, deadline).await } else { (SKIPPED, String::new()) };
        results.push(HookResult { script: format!("{subdir}/{name}"), status, output });
    }
    Ok(results)
}

/// Visible entries, in byte order.
fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// The rules of run-parts: a plain name (`^[a-zA-Z0-9_-]+$`), a file, executable.
fn may_run(dir: &Path, name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    plain && fs::metadata(dir.join(name)).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

async fn run_one(script: &Path, request: &HooksRunRequest, deadline: Instant) -> (u32, String) {
    let rest = deadline.saturating_duration_since(Instant::now());
    let program = Program::new(script).only_env(&request.env).timeout(rest).combined().output_limit(OUTPUT_LIMIT);
    match program.finish().await {
        Ok(output) => (if output.exit.success() { SUCCEEDED } else { FAILED }, said(&output)),
        Err(error @ Error::Spawn { .. }) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            (FAILED, format!("Hook script execution error: {error}: {cause}"))
        }
        Err(error) => (FAILED, format!("Hook script execution error: {error}")),
    }
}

fn said(output: &Output) -> String {
    output.text().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sample::script;
    use crate::storage::suite::Node;

    fn request(phase: &str, timeout_s: u32) -> HooksRunRequest {
        let env = [("GANETI_X".to_owned(), "1".to_owned()), ("PATH".to_owned(), crate::run::PATH.to_owned())].into();
        HooksRunRequest { path: "instance-start".into(), phase: phase.into(), env, timeout_s }
    }

    fn dir(node: &Node, name: &str) -> std::path::PathBuf {
        let dir = node.paths.hooks_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[tokio::test]
    async fn order_rules_and_results() {
        let node = Node::new();
        let dir = dir(&node, "instance-start-pre.d");
        script(&dir.join("20-fail"), "echo no; echo err >&2; exit 1");
        script(&dir.join("10-ok"), "/usr/bin/env | grep -v '^_=\\|^PWD=\\|^SHLVL=' | sort");
        script(&dir.join("30-late"), "exit 0");
        script(&dir.join("has.dot"), "exit 0");
        script(&dir.join(".hidden"), "exit 0");
        fs::write(dir.join("40-text"), "").unwrap();
        fs::write(dir.join("50-broken"), "no interpreter\n").unwrap();
        fs::set_permissions(dir.join("50-broken"), fs::Permissions::from_mode(0o755)).unwrap();
        let results = run(&node.paths, &request("pre", 0)).await.unwrap();
        let rows: Vec<_> = results.iter().map(|r| (r.script.as_str(), r.status, r.output.split(':').next().unwrap())).collect();
        let env = format!("GANETI_X=1\nPATH={}", crate::run::PATH);
        let first = env.split(':').next().unwrap();
        assert_eq!(
            rows,
            [
                ("instance-start-pre.d/10-ok", 2, first),
                ("instance-start-pre.d/20-fail", 1, "no\nerr"),
                ("instance-start-pre.d/30-late", 2, ""),
                ("instance-start-pre.d/40-text", 0, ""),
                ("instance-start-pre.d/50-broken", 1, "Hook script execution error"),
                ("instance-start-pre.d/has.dot", 0, ""),
            ]
        );
        assert_eq!(results[0].output, env);
        assert!(run(&node.paths, &request("post", 0)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_hanging_hook_is_ended() {
        let node = Node::new();
        script(&dir(&node, "instance-start-post.d").join("hang"), "sleep 1000");
        let results = run(&node.paths, &request("post", 1)).await.unwrap();
        assert_eq!(results[0].status, FAILED);
        assert!(results[0].output.contains("ran longer than 1 s"), "{}", results[0].output);
    }

    #[tokio::test]
    async fn odd_requests() {
        let node = Node::new();
        assert!(run(&node.paths, &request("during", 0)).await.is_err());
        assert!(run(&node.paths, &HooksRunRequest { path: "../x".into(), ..request("pre", 0) }).await.is_err());
    }
}
