//! The blocking client of the command line tools: standard library only, so that they start quickly.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, Error, JobChange, MAX_MESSAGE, Method, Origin, decode_response, encode_request, take_message,
    take_origin,
};
use crate::id::JobId;

/// A connection to the master daemon. Requests are answered in order.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    socket: PathBuf,
    received: Vec<u8>,
    origin: Option<Origin>,
}

impl Client {
    /// Connects to the LUXI socket at `socket`; waits up to [`CONNECT_TIMEOUT_S`] while the server's queue is full.
    ///
    /// # Errors
    /// [`Error::NoMaster`], [`Error::Permission`], [`Error::Io`].
    pub fn connect(socket: &Path) -> Result<Self, Error> {
        let deadline = Instant::now() + Duration::from_secs(CONNECT_TIMEOUT_S);
        let name = || socket.display().to_string();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20))
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(Error::Permission { socket: name() }),
                Err(source) => return Err(Error::NoMaster { socket: name(), source }),
            }
        };
        stream.set_write_timeout(Some(Duration::from_secs(ANSWER_TIMEOUT_S))).map_err(Error::Io)?;
        Ok(Self { stream, socket: socket.to_owned(), received: Vec::new(), origin: None })
    }

    /// Where this client is connected to.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Calls `method`.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Remote`] when the daemon refused.
    pub fn call(&mut self, method: Method, args: &Value) -> Result<Value, Error> {
        self.call_within(method, args, ANSWER_TIMEOUT_S)
    }

    /// Calls `method` with another limit, in seconds.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_within(&mut self, method: Method, args: &Value, seconds: u64) -> Result<Value, Error> {
        let name = method.as_str();
        self.stream.write_all(&encode_request(name, args)).map_err(|error| broken(name, error))?;
        let mut message = self.read_message(name, seconds)?;
        self.origin = take_origin(&mut message)?;
        decode_response(&message)
    }

    /// Where the last answer came from; none: from the master, which is sure of itself.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Waits until one of `fields` of a job changes or its log grows, at most `timeout_s` seconds (the server's limit
    /// is [`super::WAIT_FOR_JOB_CHANGE_MAX_S`]).
    ///
    /// # Errors
    /// As [`Self::call`]; a `JobLost` error when there is no such job.
    pub fn wait_for_job_change(
        &mut self,
        job: JobId,
        fields: &[&str],
        previous: Option<&[Value]>,
        last_serial: Option<u64>,
        timeout_s: u64,
    ) -> Result<JobChange, Error> {
        let args = json!([job, fields, previous, last_serial, timeout_s]);
        JobChange::from_json(self.call_within(Method::WaitForJobChange, &args, timeout_s + ANSWER_TIMEOUT_S)?)
    }

    fn read_message(&mut self, method: &str, seconds: u64) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let timeout = || Error::Timeout { method: method.to_owned(), seconds };
        let mut chunk = vec![0; 64 << 10];
        let mut searched = 0;
        loop {
            if let Some(message) = take_message(&mut self.received, &mut searched) {
                return Ok(message);
            }
            if searched > MAX_MESSAGE {
                return Err(Error::Protocol(format!("an answer of more than {MAX_MESSAGE} bytes")));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(timeout());
            }
            self.stream.set_read_timeout(Some(left)).map_err(Error::Io)?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Error::Closed { method: method.to_owned() }),
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(timeout()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(method, error)),
            }
        }
    }
}

fn broken(method: &str, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => Error::Closed { method: method.to_owned() },
        _ => Error::Io(error),
    }
}
