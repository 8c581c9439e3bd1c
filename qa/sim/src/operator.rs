//! What operators' commands do: LUXI calls to whoever is the master.

use std::path::PathBuf;
use std::time::Duration;

use gannet_core::luxi::{AsyncClient, Error, Method};
use serde_json::{Value, json};

/// Between two tries to find the master.
const RETRY: Duration = Duration::from_millis(100);
/// An answer that takes longer does not come.
const ANSWER: Duration = Duration::from_secs(15);
/// Between two looks at a job.
const LOOK: Duration = Duration::from_millis(100);

/// One who types commands, on whichever node answers.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    sockets: Vec<PathBuf>,
    first: usize,
}

/// What became of a call.
pub(crate) enum Answer {
    Said(Value),
    /// The daemon refused.
    Refused(String),
    /// Nobody took the call, or nobody knows: the connection broke.
    Unknown,
}

impl Operator {
    pub(crate) fn new(sockets: Vec<PathBuf>) -> Self {
        Self { sockets, first: 0 }
    }

    /// One try at each node, from the one that answered last.
    pub(crate) async fn call(&mut self, method: Method, args: &Value) -> Answer {
        for _ in 0..self.sockets.len() {
            let exchange = async {
                let mut client = AsyncClient::connect(&self.sockets[self.first]).await?;
                client.call(method, args).await
            };
            match tokio::time::timeout(ANSWER, exchange).await {
                Ok(Ok(value)) => return Answer::Said(value),
                Ok(Err(Error::Remote(error))) => return Answer::Refused(error.to_string()),
                Ok(Err(Error::NoMaster { .. })) => {}
                Ok(Err(_)) | Err(_) => {
                    self.first = (self.first + 1) % self.sockets.len();
                    return Answer::Unknown;
                }
            }
            self.first = (self.first + 1) % self.sockets.len();
        }
        tokio::time::sleep(RETRY).await;
        Answer::Unknown
    }

    /// Asks until somebody answers.
    pub(crate) async fn ask(&mut self, method: Method, args: &Value) -> Result<Value, String> {
        loop {
            match self.call(method, args).await {
                Answer::Said(value) => return Ok(value),
                Answer::Refused(why) => return Err(why),
                Answer::Unknown => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Submits a job; `None` when nobody knows whether it was taken.
    pub(crate) async fn submit(&mut self, opcodes: &[Value]) -> Option<Result<u64, String>> {
        match self.call(Method::SubmitJob, &json!([opcodes])).await {
            Answer::Said(id) => Some(number(&id).ok_or_else(|| format!("{id} is no job"))),
            Answer::Refused(why) => Some(Err(why)),
            Answer::Unknown => None,
        }
    }

    /// A job's status, or none if nobody answers or knows it.
    pub(crate) async fn status(&mut self, job: u64) -> Option<String> {
        let Answer::Said(rows) = self.call(Method::QueryJobs, &json!([[job], ["status"]])).await else { return None };
        rows[0][0].as_str().map(str::to_owned)
    }

    /// Waits until a job has ended.
    pub(crate) async fn wait(&mut self, job: u64) -> String {
        loop {
            if let Some(status) = self.status(job).await
                && is_final(&status)
            {
                return status;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs one opcode, whatever it takes; only where nothing is broken.
    pub(crate) async fn run(&mut self, opcode: Value) -> Result<Value, String> {
        let job = loop {
            if let Some(taken) = self.submit(std::slice::from_ref(&opcode)).await {
                break taken?;
            }
        };
        let status = self.wait(job).await;
        let rows = self.ask(Method::QueryJobs, &json!([[job], ["opresult", "oplog"]])).await?;
        match status.as_str() {
            "success" => Ok(rows[0][0][0].clone()),
            _ => Err(format!("job {job} ({}): {status}: {}", opcode["OP_ID"], rows[0])),
        }
    }
}

pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn is_final(status: &str) -> bool {
    matches!(status, "success" | "error" | "canceled")
}
