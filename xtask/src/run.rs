//! The only place that waits for programs: each has a time limit, and what it leaves behind after the limit is ended.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{interrupt, process};

/// How often a running program is looked at. Short, since most of ours take a few milliseconds.
const POLL: Duration = Duration::from_millis(2);
/// How long output may still arrive after a program ended. A daemon that it started may keep the pipe open for ever.
const DRAIN: Duration = Duration::from_millis(300);

/// Runs a program to its end and returns what it printed. Standard input is empty.
///
/// # Errors
/// The program cannot be started, or did not end within `limit` (it and its descendants are killed then).
pub fn output(command: &mut Command, limit: Duration) -> Result<Output> {
    collect(command, limit, |_| {})
}

/// As [`output`], and hands each line to `on_line` when it arrives (from both streams).
pub fn streamed(command: &mut Command, limit: Duration, on_line: impl FnMut(&str)) -> Result<Output> {
    collect(command, limit, on_line)
}

/// Fails with the end of the program's output when it did not succeed.
pub fn check(what: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(12)..].join("\n    ");
    bail!("`{what}` ended with {}:\n    {tail}", status_text(output.status))
}

/// Runs a program that must succeed and returns its standard output.
pub fn text(command: &mut Command, limit: Duration) -> Result<String> {
    let what = describe(command);
    let output = output(command, limit)?;
    check(&what, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Replaces this process by the program; returns only when that fails.
pub fn become_program(command: &mut Command) -> anyhow::Error {
    let what = describe(command);
    anyhow::Error::new(command.exec()).context(format!("cannot run `{what}`"))
}

/// The command line, for messages.
pub fn describe(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(|w| w.to_string_lossy()).collect();
    words.join(" ")
}

/// "exit code 3" or "signal 9".
pub fn status_text(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

/// Polls until `probe` gives a value.
///
/// # Errors
/// Nothing after `limit`; the message names `what`.
pub fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what}: nothing within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
    End,
}

fn collect(command: &mut Command, limit: Duration, mut on_line: impl FnMut(&str)) -> Result<Output> {
    let what = describe(command);
    let spawning = interrupt::spawning();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{what}`"))?;
    drop(spawning);
    let (sender, pieces) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        pump(stdout, sender.clone(), Piece::Out);
    }
    if let Some(stderr) = child.stderr.take() {
        pump(stderr, sender, Piece::Err);
    }
    let mut gathered = Gathered::default();
    let deadline = Instant::now() + limit;
    let status = loop {
        while let Ok(piece) = pieces.try_recv() {
            gathered.take(piece, &mut on_line);
        }
        if let Some(status) = child.try_wait().with_context(|| format!("cannot wait for `{what}`"))? {
            break status;
        }
        if Instant::now() >= deadline {
            end(&mut child);
            bail!("`{what}` did not end within {} s and was killed; its last words: {}", limit.as_secs(), gathered.last_words());
        }
        std::thread::sleep(POLL);
    };
    let drained = Instant::now() + DRAIN;
    while gathered.ended < 2 {
        match pieces.recv_timeout(drained.saturating_duration_since(Instant::now())) {
            Ok(piece) => gathered.take(piece, &mut on_line),
            Err(_) => break,
        }
    }
    Ok(Output { status, stdout: gathered.stdout, stderr: gathered.stderr })
}

#[derive(Default)]
struct Gathered {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    ended: u8,
}

impl Gathered {
    fn take(&mut self, piece: Piece, on_line: &mut impl FnMut(&str)) {
        let (kept, line) = match piece {
            Piece::Out(line) => (&mut self.stdout, line),
            Piece::Err(line) => (&mut self.stderr, line),
            Piece::End => {
                self.ended += 1;
                return;
            }
        };
        on_line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        kept.extend_from_slice(&line);
    }

    fn last_words(&self) -> String {
        let all = if self.stderr.is_empty() { &self.stdout } else { &self.stderr };
        String::from_utf8_lossy(all).lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("none").to_owned()
    }
}

fn pump(stream: impl Read + Send + 'static, sender: mpsc::Sender<Piece>, wrap: fn(Vec<u8>) -> Piece) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) if sender.send(wrap(line)).is_err() => return,
                Ok(_) => {}
            }
        }
        let _ = sender.send(Piece::End);
    });
}

/// Ends a program that overran its limit, with what it started: `nsenter` and `sh` would leave their child running.
fn end(child: &mut Child) {
    for process in process::descendants(child.id().cast_signed()) {
        process.kill();
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_status_are_passed_on() {
        let output = output(&mut sh("echo out; echo err >&2; exit 3"), Duration::from_secs(10)).expect("sh runs");
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(status_text(output.status), "exit code 3");
        assert!(check("it", &output).is_err());
    }

    #[test]
    fn a_program_that_overruns_is_ended_with_its_children() {
        let error = output(&mut sh("sleep 600 & echo $!; wait"), Duration::from_millis(300)).expect_err("must be killed");
        let text = format!("{error:#}");
        assert!(text.contains("did not end within"), "{text}");
        let pid: i32 = text.rsplit(' ').next().and_then(|p| p.parse().ok()).expect("the pid is its last word");
        wait_for("the child to go", Duration::from_secs(5), || process::Identity::of(pid).is_none_or(|p| !p.is_running()).then_some(()))
            .expect("the grandchild is gone");
    }

    #[test]
    fn a_daemon_that_keeps_the_pipe_does_not_block() {
        let started = Instant::now();
        let output = output(&mut sh("sleep 5 & echo started"), Duration::from_secs(20)).expect("sh runs");
        assert_eq!(output.stdout, b"started\n");
        assert!(started.elapsed() < Duration::from_secs(4), "waited for the daemon");
    }
}
