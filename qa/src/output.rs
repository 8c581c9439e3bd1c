//! Running a program with a deadline, and what it said.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// What a program said, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Output {
    /// The exit code; 128 + N after signal N, as shells say it.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or_default())
    }

    /// Both streams, for messages that may be on either.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The lines of the standard output, without blanks at their ends.
    #[must_use]
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().map(str::trim_end).collect()
    }

    /// Everything, for the message of a failed test.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "`{}` ended with {} after {:.1} s\nstdout:\n{}\nstderr:\n{}",
            self.command,
            self.code(),
            self.took.as_secs_f64(),
            self.stdout,
            self.stderr
        )
    }

    /// Itself, if the exit code is this one.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}", self.describe());
        self
    }

    /// Itself, if the program was successful.
    ///
    /// # Panics
    /// It was not.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "{}", self.describe());
        self
    }

    /// Itself, if the program failed with exit code 1 and said all of `words` (upper and lower case are the same).
    ///
    /// # Panics
    /// It did not fail, or said something else.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        assert_eq!(self.code(), 1, "{}", self.describe());
        self.says(words)
    }

    /// Itself, if it said all of `words`.
    ///
    /// # Panics
    /// It did not.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let text = self.text().to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "`{word}` was not said\n{}", self.describe());
        }
        self
    }
}

/// Runs a command to its end, at most `limit` long.
///
/// # Errors
/// It cannot be started, or did not end in time (it and its group are killed then).
pub fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    let line = describe(command);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run `{line}`"))?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let deadline = started + limit;
    let mut pause = Duration::from_micros(500);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= deadline {
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    };
    let took = started.elapsed();
    if status.is_none() {
        let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        let _ = child.wait();
    }
    let (stdout, stderr) = (joined(stdout), joined(stderr));
    match status {
        Some(status) => Ok(Output { command: line, status, stdout, stderr, took }),
        None => bail!("`{line}` did not end within {} s; it had said:\n{stdout}{stderr}", limit.as_secs()),
    }
}

fn reader(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read until an error is what there is to show.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn joined(thread: std::thread::JoinHandle<String>) -> String {
    thread.join().unwrap_or_default()
}

fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; sleep 60 & wait"]);
        let started = Instant::now();
        let error = run(&mut command, Duration::from_millis(200)).expect_err("it hangs");
        assert!(error.to_string().contains("begun"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
