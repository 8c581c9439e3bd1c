//! The only place of the agent that starts programs.
//!
//! A program gets the environment that is written here and nothing else, a process group of its own, no terminal, and a
//! deadline: then its whole group is asked to end (SIGTERM) and, after a grace, ended (SIGKILL). Dropping the future
//! that waits for a program kills its group too, so that a call that was given up leaves nothing behind.

mod group;
mod output;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gannet_daemon::world::World;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use group::Group;
use output::{Capture, pump};

pub use group::{Leftover, Started};

/// The search path of everything that is started (Ganeti: `HOOKS_PATH`).
pub const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";
/// How long a program may take when nothing else is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Between the request to end and the end by force.
const GRACE: Duration = Duration::from_secs(5);
/// How much output is kept, in bytes; the rest is read and dropped, so that the program does not block.
const DEFAULT_OUTPUT_LIMIT: usize = 1 << 20;
/// After the program's own end, how long output of what it left running is still read.
const DRAIN: Duration = Duration::from_secs(2);
/// How much of the output an error quotes, in bytes, from its end.
const TAIL: usize = 2048;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is missing, not executable, or the system has no room for a process.
    #[error("cannot run {command}")]
    Spawn {
        command: String,
        #[source]
        source: io::Error,
    },
    /// It ended by itself, with another status than 0.
    #[error("{command} exited with exit code {status}: {stderr}")]
    Exit { command: String, status: i32, stderr: String },
    /// It was still running at its deadline, and was killed with all it had started.
    #[error("{command} was killed: it ran longer than {} s", timeout.as_secs_f64().ceil())]
    Timeout { command: String, timeout: Duration },
    /// A signal ended it.
    #[error("{command} was ended by signal {signal}: {stderr}")]
    Killed { command: String, signal: i32, stderr: String },
    /// Its input could not be given or its output not be read.
    #[error("lost the connection to {command}")]
    Pipe {
        command: String,
        #[source]
        source: io::Error,
    },
}

/// How a program ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status; 0 is success.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Whether it ended well.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Status(0)
    }
}

impl std::fmt::Display for Exit {
    /// Ganeti's words for it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exited with exit code {status}"),
            Self::Signal(signal) => write!(f, "terminated by signal {signal}"),
        }
    }
}

/// What a program left: its end and its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub exit: Exit,
    /// Standard output, or both when they were combined.
    pub stdout: Vec<u8>,
    /// Empty when combined.
    pub stderr: Vec<u8>,
    /// There was more output than is kept.
    pub truncated: bool,
}

impl Output {
    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

enum Input {
    Null,
    Bytes(Vec<u8>),
    File(File),
}

/// A program to be run.
pub struct Program {
    program: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    input: Input,
    stdout: Option<File>,
    timeout: Duration,
    limit: usize,
    combined: bool,
}

impl Program {
    /// `program` with [`PATH`] and the C locale as its whole environment, `/` as its directory and nothing to read.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let env = [("PATH", PATH), ("LC_ALL", "C")].map(|(name, value)| (name.into(), value.into()));
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: env.into(),
            cwd: "/".into(),
            input: Input::Null,
            stdout: None,
            timeout: DEFAULT_TIMEOUT,
            limit: DEFAULT_OUTPUT_LIMIT,
            combined: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Exactly these variables and no others, not even `PATH`.
    #[must_use]
    pub fn only_env<N: AsRef<OsStr>, V: AsRef<OsStr>>(mut self, env: impl IntoIterator<Item = (N, V)>) -> Self {
        self.env = env.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned())).collect();
        self
    }

    /// The directory it starts in.
    #[must_use]
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = directory.into();
        self
    }

    /// What it reads.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// The file it reads.
    #[must_use]
    pub fn stdin_file(mut self, file: File) -> Self {
        self.input = Input::File(file);
        self
    }

    /// The file that gets its standard output; only standard error is captured or streamed then.
    #[must_use]
    pub fn stdout_file(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    /// How long it may take altogether.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes of each output are kept.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Both outputs in one, in the order they were written.
    #[must_use]
    pub fn combined(mut self) -> Self {
        self.combined = true;
        self
    }

    /// Runs it; any other end than exit code 0 is an error that quotes the end of its output.
    ///
    /// # Errors
    /// Every variant of [`Error`].
    pub async fn output(self) -> Result<Output, Error> {
        let command = self.command_name();
        let output = self.finish().await?;
        let stderr = || tail(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
        match output.exit {
            Exit::Status(0) => Ok(output),
            Exit::Status(status) => Err(Error::Exit { command, status, stderr: stderr() }),
            Exit::Signal(signal) => Err(Error::Killed { command, signal, stderr: stderr() }),
        }
    }

    /// Runs it and says how it ended, well or not.
    ///
    /// # Errors
    /// `Spawn`, `Timeout`, `Pipe`.
    pub async fn finish(mut self) -> Result<Output, Error> {
        if let Some(world) = gannet_daemon::world::get() {
            return self.finish_in(world).await;
        }
        let (mut out, mut err) = (Capture::new(self.limit), Capture::new(self.limit));
        let (deadline, timeout) = (Instant::now() + self.timeout, self.timeout);
        let mut started = self.spawn()?;
        let (first, second) = (started.first.take(), started.second.take());
        let reading = async { tokio::join!(pump(first, &mut out), pump(second, &mut err)) };
        let exit = started.wait(reading, deadline, timeout).await?;
        Ok(Output { exit, truncated: out.truncated || err.truncated, stdout: out.bytes, stderr: err.bytes })
    }

    /// Nothing is started in a simulated world.
    async fn finish_in(self, world: &dyn World) -> Result<Output, Error> {
        let (command, timeout) = (self.command_name(), self.timeout);
        let running = world.program(self.program, self.args);
        match tokio::time::timeout(timeout, running).await {
            Ok(Ok((status, stdout))) => Ok(Output { exit: Exit::Status(status), stdout, stderr: Vec::new(), truncated: false }),
            Ok(Err(source)) => Err(Error::Spawn { command, source }),
            Err(_) => Err(Error::Timeout { command, timeout }),
        }
    }

    /// Starts it with both outputs in one; [`Running::next`] gives them as they come.
    ///
    /// # Errors
    /// `Spawn`.
    pub fn start(mut self) -> Result<Running, Error> {
        self.combined = true;
        let (deadline, timeout) = (Instant::now() + self.timeout, self.timeout);
        Ok(Running { started: self.spawn()?, deadline, timeout, ended: None })
    }

    /// For messages: the program without its arguments, which may hold what nobody else should read.
    fn command_name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
    fn spawn(&mut self) -> Result<StartedProgram, Error> {
        let name = self.command_name();
        let failed = |source| Error::Spawn { command: name.clone(), source };
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env).current_dir(&self.cwd).process_group(0).kill_on_drop(true);
        let stdin = match &self.input {
            Input::Null => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(file) => file.try_clone().map_err(failed)?.into(),
        };
        let (first, writer) = new_pipe().map_err(failed)?;
        let second = if let Some(file) = &self.stdout {
            command.stdout(file.try_clone().map_err(failed)?).stderr(writer);
            None
        } else if self.combined {
            command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
            None
        } else {
            let (second, errors) = new_pipe().map_err(failed)?;
            command.stdout(writer).stderr(errors);
            Some(second)
        };
        let mut child = command.stdin(stdin).spawn().map_err(failed)?;
        drop(command); // closes our copies of the writing ends, so that reading sees the end
        if let Input::Bytes(bytes) = std::mem::replace(&mut self.input, Input::Null)
            && let Some(mut stdin) = child.stdin.take()
        {
            // A program that does not read to the end is no error; its exit tells what it thinks.
            tokio::spawn(async move { stdin.write_all(&bytes).await });
        }
        Ok(StartedProgram { group: Group::new(child.id()), child, name, first: Some(first), second })
    }
}

/// Starts this very program with other arguments, as a process that lives on without this one: nothing waits for it or kills it,
/// and it keeps this one's environment, but for what a service manager and a test have put there for this one alone. In a simulated
/// world nothing is started.
///
/// # Errors
/// `Spawn`.
#[allow(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
pub fn detach(args: &[&str]) -> Result<(), Error> {
    let failed = |source| Error::Spawn { command: "gannet-noded".to_owned(), source };
    if gannet_daemon::world::get().is_some() {
        return Err(failed(io::ErrorKind::Unsupported.into()));
    }
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(args).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", gannet_daemon::fault::VARIABLE] {
        command.env_remove(name);
    }
    command.spawn().map(drop).map_err(failed)
}

fn new_pipe() -> io::Result<(pipe::Receiver, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((pipe::Receiver::from_owned_fd(reader.into())?, writer))
}

struct StartedProgram {
    child: Child,
    group: Group,
    name: String,
    first: Option<pipe::Receiver>,
    second: Option<pipe::Receiver>,
}

impl StartedProgram {
    /// Waits for the end while `reading` goes on. What still holds the output open after the end is read for [`DRAIN`].
    async fn wait(&mut self, reading: impl Future, deadline: Instant, timeout: Duration) -> Result<Exit, Error> {
        tokio::pin!(reading);
        let mut read = false;
        loop {
            tokio::select! {
                exit = self.child.wait() => {
                    let exit = self.ended(exit)?;
                    if !read {
                        let _ = tokio::time::timeout(DRAIN, &mut reading).await;
                    }
                    return Ok(exit);
                }
                _ = &mut reading, if !read => read = true,
                () = tokio::time::sleep_until(deadline) => {
                    self.kill().await;
                    return Err(Error::Timeout { command: self.name.clone(), timeout });
                }
            }
        }
    }

    fn ended(&mut self, status: io::Result<std::process::ExitStatus>) -> Result<Exit, Error> {
        use std::os::unix::process::ExitStatusExt;
        self.group.disarm();
        let status = status.map_err(|source| Error::Pipe { command: self.name.clone(), source })?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Status(code),
            (None, signal) => Exit::Signal(signal.unwrap_or_default()),
        })
    }

    /// Ends the whole group: politely, then by force.
    async fn kill(&mut self) {
        self.group.terminate();
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.group.kill();
        // SIGKILL cannot be refused; only a process stuck in the kernel would not end, and nobody can wait for that
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.group.disarm();
    }
}

/// A program whose output is read as it comes. Dropping it kills the whole group.
pub struct Running {
    started: StartedProgram,
    deadline: Instant,
    timeout: Duration,
    /// It has ended like this; its output is read until then.
    ended: Option<(Exit, Instant)>,
}

/// What a running program gives next.
#[derive(Debug)]
pub enum Event {
    /// Some output, never empty.
    Data(Vec<u8>),
    /// It ended.
    End(Exit),
}

impl Running {
    /// Who it is, to find it again after a restart of the agent.
    #[must_use]
    pub fn identity(&self) -> Option<Started> {
        self.started.group.identity()
    }

    /// The next output, or the end. May be dropped and called again without loss.
    ///
    /// # Errors
    /// `Timeout` after it was killed at its deadline, `Pipe`.
    pub async fn next(&mut self) -> Result<Event, Error> {
        let mut buffer = vec![0_u8; 16 << 10];
        loop {
            let (Some(pipe), started) = (self.started.first.as_mut(), &mut self.started.child) else {
                return self.end().await;
            };
            // what a background process still writes after the program's end is not waited for
            let until = self.ended.map_or(self.deadline, |(_, drained)| drained);
            tokio::select! {
                biased;
                read = tokio::io::AsyncReadExt::read(pipe, &mut buffer) => match read {
                    Ok(0) => self.started.first = None,
                    Ok(count) => {
                        buffer.truncate(count);
                        return Ok(Event::Data(buffer));
                    }
                    Err(source) => return Err(Error::Pipe { command: self.started.name.clone(), source }),
                },
                exit = started.wait(), if self.ended.is_none() => {
                    self.ended = Some((self.started.ended(exit)?, Instant::now() + DRAIN));
                }
                () = tokio::time::sleep_until(until) => {
                    self.started.first = None;
                    if self.ended.is_none() {
                        self.kill().await;
                        return Err(Error::Timeout { command: self.started.name.clone(), timeout: self.timeout });
                    }
                }
            }
        }
    }

    async fn end(&mut self) -> Result<Event, Error> {
        if let Some((exit, _)) = self.ended {
            return Ok(Event::End(exit));
        }
        let exit = self.started.wait(std::future::ready(()), self.deadline, self.timeout).await?;
        self.ended = Some((exit, Instant::now()));
        Ok(Event::End(exit))
    }

    /// Ends it with all it has started.
    pub async fn kill(&mut self) {
        self.started.kill().await;
    }
}

/// The end of an output, for messages.
#[must_use]
pub fn tail(output: &[u8]) -> String {
    let from = output.len().saturating_sub(TAIL);
    String::from_utf8_lossy(&output[from..]).trim().to_owned()
}

#[cfg(test)]
mod tests;
