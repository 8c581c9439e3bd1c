//! Ends a cluster whatever happens to the test: a small shell waits at the end of a pipe, and when this process says so or
//! is gone (end, panic, Ctrl-C, kill -9), it keeps the logs if asked to and stops the cluster.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::programs::Programs;
use crate::wait::wait_for;

/// Reads words until the pipe ends. A cluster that is still being started when its test dies is stopped with what it has.
const SCRIPT: &str = r#"
dir=$1 logs=$2 xtask=$3 keep=
while read -r word; do
    case $word in keep) keep=1 ;; stop) break ;; esac
done
if [ -n "$keep" ]; then
    mkdir -p "$logs"
    for node in "$dir"/node*; do
        mkdir -p "$logs/${node##*/}"
        cp -r "$node/var/log/ganeti/." "$logs/${node##*/}/" 2>/dev/null
    done
fi
exec "$xtask" demo --dir "$dir" stop >/dev/null
"#;

/// The watcher of one cluster.
#[derive(Debug)]
pub struct Reaper {
    child: Child,
    pipe: Mutex<Option<ChildStdin>>,
    logs: PathBuf,
}

impl Reaper {
    /// Starts watching; the cluster may be started after this.
    ///
    /// # Errors
    /// No shell.
    pub fn watch(programs: &Programs, dir: &Path, logs: &Path) -> Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "reaper"])
            .args([dir, logs, &programs.xtask])
            .env_remove(crate::cluster::MARK)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Not this process's own: whoever reads our output to its end must not wait for the reaper.
            .stderr(Stdio::null())
            // Away from the terminal's Ctrl-C.
            .process_group(0)
            .spawn()
            .context("cannot run sh")?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe: Mutex::new(pipe), logs: logs.to_owned() })
    }

    /// The logs are to be kept; says where.
    pub fn keep_logs(&self) -> &Path {
        self.say("keep");
        &self.logs
    }

    fn say(&self, word: &str) {
        if let Ok(mut pipe) = self.pipe.lock()
            && let Some(pipe) = pipe.as_mut()
        {
            // Without a reaper there is nobody to tell; the drop reports it.
            let _ = writeln!(pipe, "{word}");
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.say("stop");
        if let Ok(mut pipe) = self.pipe.lock() {
            pipe.take();
        }
        let child = &mut self.child;
        match wait_for("the end of the cluster", Duration::from_secs(60), || child.try_wait().ok().flatten()) {
            Ok(status) if status.success() => {}
            Ok(status) => eprintln!("the cluster was not stopped cleanly ({status})"),
            Err(error) => eprintln!("{error:#}"),
        }
    }
}
