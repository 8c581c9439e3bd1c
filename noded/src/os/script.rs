//! Running an OS script: its output goes to the caller as it comes and to a log file of its own.
//!
//! A script writes to the instance's disks, so never two at once: the caller holds the instance's lock, a caller that
//! goes away ends its script, and what an agent that was killed has left running is ended when the next agent starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_daemon::fault;
use gannet_proto::node::ScriptOutput;
use tokio::sync::mpsc;

use super::Error;
use super::env::Env;
use super::search::Os;
use crate::error::chain;
use crate::run::{Event, Exit, Leftover, Program, Running, Started};

/// Lines of output that an error quotes (Ganeti: 20).
const TAIL_LINES: usize = 20;
/// Bytes of output that are kept for these lines.
const TAIL_BYTES: usize = 8 << 10;
/// A caller that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run of a script.
pub struct Script {
    /// The definition.
    pub os: Os,
    /// The script's file name.
    pub file: &'static str,
    /// First part of the log's name, in Ganeti's words: `add`, `rename`, `import`, `export`.
    pub kind: &'static str,
    /// The instance, with `-DEVICE` or the like where several scripts of a kind run.
    pub log_subject: String,
    /// `NAME[+VARIANT]`, for the log's name.
    pub os_name: String,
    /// The instance, to find again what runs for it.
    pub instance: String,
    /// The whole environment.
    pub env: Env,
    /// Its parameters hold what only root may see.
    pub has_secrets: bool,
    /// What it reads.
    pub stdin: Option<File>,
    /// Where its standard output goes, when that is data.
    pub stdout: Option<File>,
    /// For the whole run.
    pub timeout: Duration,
}

impl Script {
    /// Runs it and streams what it says to `replies`. The last message is not sent but returned, so that the caller can
    /// still finish its own work; `None` when nobody listens any more (the script was ended then).
    pub async fn run(mut self, paths: &Paths, replies: &mpsc::Sender<ScriptOutput>) -> Option<ScriptOutput> {
        let state = State::new(paths, &self.instance);
        state.end_leftover();
        let (mut log, log_file) = match self.open_log(paths) {
            Ok(opened) => opened,
            Err(error) => return Some(failure(-1, &chain(&error), String::new())),
        };
        let mut running = match self.program().start() {
            Ok(running) => running,
            Err(error) => return Some(failure(-1, &format!("OS {} script failed: {}", self.file, chain(&error)), log_file)),
        };
        state.store(&running);
        fault::point("a running OS script");
        let mut tail = Vec::new();
        let end = loop {
            let event = tokio::select! {
                event = running.next() => event,
                () = replies.closed() => {
                    running.kill().await;
                    state.forget();
                    return None;
                }
            };
            match event {
                Ok(Event::Data(data)) => {
                    if let Err(error) = log.write_all(&data) {
                        tracing::warn!(log_file, %error, "cannot write the log of an OS script");
                    }
                    keep_tail(&mut tail, &data);
                    let message = ScriptOutput { data, log_file: log_file.clone(), ..ScriptOutput::default() };
                    if replies.send_timeout(message, PATIENCE).await.is_err() {
                        running.kill().await;
                        state.forget();
                        return None;
                    }
                }
                Ok(Event::End(exit)) => break Ok(exit),
                Err(error) => break Err(error),
            }
        };
        state.forget();
        fault::point("an OS script that has ended");
        Some(match end {
            Ok(Exit::Status(0)) => ScriptOutput { finished: true, log_file, ..ScriptOutput::default() },
            Ok(exit) => {
                failure(if let Exit::Status(status) = exit { status } else { -1 }, &self.reason(&exit.to_string(), &tail), log_file)
            }
            Err(error) => failure(-1, &self.reason(&chain(&error), &tail), log_file),
        })
    }

    /// Ganeti's sentence.
    fn reason(&self, how: &str, tail: &[u8]) -> String {
        let text = String::from_utf8_lossy(tail);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        format!("OS {} script failed ({how}), last lines in the log file:\n{last}", self.file)
    }

    /// The shell in between gives `export` the descriptor for the expected size; nobody reads that here.
    fn program(&mut self) -> Program {
        let path = self.os.dir.join(self.file);
        let program = match self.stdout.take() {
            Some(file) => Program::new("/bin/sh").args(["-c", "exec 3>/dev/null; exec \"$0\""]).arg(path).stdout_file(file),
            None => Program::new(path),
        };
        let program = program.only_env(&self.env).cwd(&self.os.dir).timeout(self.timeout);
        match self.stdin.take() {
            Some(file) => program.stdin_file(file),
            None => program,
        }
    }

    fn open_log(&self, paths: &Paths) -> Result<(File, String), Error> {
        let dir = paths.os_log_dir();
        let io = |path: &Path| {
            let path = path.to_owned();
            |source| Error::Io { action: "write", path, source }
        };
        fs::create_dir_all(&dir).map_err(io(&dir))?;
        let time = jiff::Zoned::now().strftime("%Y-%m-%d_%H_%M_%S").to_string();
        let base = format!("{}-{}-{}-{time}", self.kind, self.os_name, self.log_subject);
        let mode = if self.has_secrets { 0o600 } else { 0o640 };
        for attempt in 0_u32.. {
            let suffix = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let path = dir.join(format!("{base}{suffix}.log"));
            match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io(&path)(error)),
                Ok(file) => return Ok((file, path.to_string_lossy().into_owned())),
            }
        }
        unreachable!("a file name is free before all numbers are used up")
    }
}

/// Ends all scripts that an agent which was killed has left running: their callers are gone, and what they write could come
/// back after it was removed. To be called before this agent serves anybody.
pub fn end_leftovers(paths: &Paths) {
    for entry in fs::read_dir(State::dir(paths)).into_iter().flatten().flatten() {
        State { path: entry.path() }.end_leftover();
    }
}

/// What is remembered of a running script across a crash of the agent.
struct State {
    path: PathBuf,
}

impl State {
    fn new(paths: &Paths, instance: &str) -> Self {
        Self { path: State::dir(paths).join(format!("{instance}.json")) }
    }

    fn dir(paths: &Paths) -> PathBuf {
        paths.run_dir().join("gannet-os-scripts")
    }

    fn end_leftover(&self) {
        let Ok(text) = fs::read(&self.path) else { return };
        if let Ok(started) = serde_json::from_slice::<Started>(&text)
            && let Leftover::Killed(count) = started.kill_leftover()
        {
            tracing::warn!(file = %self.path.display(), count, "ended an OS script that an earlier agent had left running");
        }
        self.forget();
    }

    fn store(&self, running: &Running) {
        let stored = running.identity().map_or(Ok(()), |identity| {
            fs::create_dir_all(self.path.parent().unwrap_or(&self.path))?;
            fs::write(&self.path, serde_json::to_vec(&identity)?)
        });
        if let Err(error) = stored {
            tracing::warn!(file = %self.path.display(), %error, "cannot remember a running OS script");
        }
    }

    fn forget(&self) {
        let _ = fs::remove_file(&self.path); // one that stays is recognised as over by its process
    }
}

fn keep_tail(tail: &mut Vec<u8>, data: &[u8]) {
    tail.extend_from_slice(data);
    let surplus = tail.len().saturating_sub(TAIL_BYTES);
    tail.drain(..surplus);
}

fn failure(status: i32, error: &str, log_file: String) -> ScriptOutput {
    ScriptOutput { finished: true, status, error: error.to_owned(), log_file, ..ScriptOutput::default() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{sample, search};
    use super::*;
    use crate::storage::suite::Node;

    fn script(node: &Node, create: &str) -> Script {
        sample::os(&node.paths, "deb", create);
        Script {
            os: search::find(&node.paths, "deb").unwrap(),
            file: "create",
            kind: "add",
            log_subject: "web1".into(),
            os_name: "deb+a".into(),
            instance: "web1".into(),
            env: Env::from([("PATH".into(), crate::run::PATH.into()), ("OSP_PW".into(), "geheim".into())]),
            has_secrets: false,
            stdin: None,
            stdout: None,
            timeout: Duration::from_secs(30),
        }
    }

    /// Runs to the end; gives the output and the last message.
    async fn run(node: &Node, script: Script) -> (String, ScriptOutput) {
        let (replies, mut messages) = mpsc::channel(4);
        let (last, output) = tokio::join!(
            async {
                let last = script.run(&node.paths, &replies).await;
                drop(replies);
                last
            },
            async {
                let mut output = Vec::new();
                while let Some(message) = messages.recv().await {
                    output.extend(message.data);
                }
                String::from_utf8(output).unwrap()
            }
        );
        (output, last.unwrap())
    }

    #[tokio::test]
    async fn output_and_log() {
        let node = Node::new();
        let mut quiet = script(&node, "echo out; echo err >&2; pwd; env");
        quiet.has_secrets = true;
        let (output, last) = run(&node, quiet).await;
        assert!(last.finished && last.status == 0 && last.error.is_empty(), "{last:?}");
        assert!(output.starts_with("out\nerr\n") && output.contains("/srv/ganeti/os/deb\n") && !output.contains("HOME="), "{output}");
        assert_eq!(fs::read_to_string(&last.log_file).unwrap(), output);
        assert!(last.log_file.contains("/var/log/ganeti/os/add-deb+a-web1-20"));
        assert_eq!(fs::metadata(&last.log_file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_failing_script() {
        let node = Node::new();
        let (_, last) = run(&node, script(&node, "seq 1 30; exit 7")).await;
        assert_eq!((last.finished, last.status), (true, 7));
        let expected = format!(
            "OS create script failed (exited with exit code 7), last lines in the log file:\n{}",
            (11..=30).map(|n| n.to_string()).collect::<Vec<_>>().join("\n")
        );
        assert_eq!(last.error, expected);
    }

    #[tokio::test]
    async fn a_hanging_script_is_ended() {
        let node = Node::new();
        let mut hanging = script(&node, "echo going; sleep 1000 & wait");
        hanging.timeout = Duration::from_millis(200);
        let (_, last) = run(&node, hanging).await;
        assert!(last.status == -1 && last.error.contains("ran longer than") && last.error.ends_with("going"), "{}", last.error);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_ends_the_script() {
        let node = Node::new();
        let script = script(&node, "echo going; exec sleep 1000");
        let (replies, mut messages) = mpsc::channel(4);
        let (last, ()) = tokio::join!(script.run(&node.paths, &replies), async move {
            messages.recv().await.unwrap();
        });
        assert!(last.is_none());
        assert_eq!(fs::read_dir(node.paths.run_dir().join("gannet-os-scripts")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_script_of_a_killed_agent_is_ended_first() {
        let node = Node::new();
        let mut old = Program::new("/bin/sh").args(["-c", "echo up; sleep 1000"]).start().unwrap();
        old.next().await.unwrap();
        State::new(&node.paths, "web1").store(&old);
        let (_, last) = run(&node, script(&node, "exit 0")).await;
        assert_eq!(last.status, 0);
        assert!(matches!(old.next().await.unwrap(), Event::End(Exit::Signal(9))));
    }

    #[tokio::test]
    async fn data_in_and_out() {
        let node = Node::new();
        let (from, to) = (node.root.path().join("in"), node.root.path().join("out"));
        fs::write(&from, "data").unwrap();
        let mut export = script(&node, "cat; echo 4 >&3; echo note >&2");
        export.stdin = Some(File::open(&from).unwrap());
        export.stdout = Some(File::create(&to).unwrap());
        let (output, last) = run(&node, export).await;
        assert_eq!((output.as_str(), last.status, fs::read_to_string(&to).unwrap().as_str()), ("note\n", 0, "data"));
    }
}
