//! A fake master daemon, and a way to run `gnt` against it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use gannet_core::error::WireError;
use gannet_core::luxi::{END_OF_MESSAGE, encode_failure, encode_success};
use serde_json::{Value, json};

/// What a method answers.
type Answer = Result<Value, WireError>;
type Answers = BTreeMap<String, Vec<Answer>>;

/// A master daemon that answers from a list and remembers what it was asked.
pub(crate) struct Master {
    dir: tempfile::TempDir,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Output {
    /// All of it, for a snapshot.
    pub(crate) fn all(&self) -> String {
        format!("exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}", self.code, self.out, self.err)
    }
}

impl Master {
    /// A master on which every job succeeds at once with the result null.
    pub(crate) fn new() -> Self {
        let master = Self { dir: tempfile::tempdir().unwrap(), answers: Arc::default(), asked: Arc::default() };
        let listener = UnixListener::bind(master.dir.path().join("luxi")).unwrap();
        let (answers, asked) = (Arc::clone(&master.answers), Arc::clone(&master.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &asked));
            }
        });
        master.job(json!(null))
    }

    /// Answers a method with this; given again, the answers are used one after the other, the last one for ever.
    pub(crate) fn answer(self, method: &str, answer: Value) -> Self {
        self.answers.lock().unwrap().entry(method.to_owned()).or_default().push(Ok(answer));
        self
    }

    /// Refuses a method.
    pub(crate) fn refuse(self, method: &str, error: WireError) -> Self {
        self.answers.lock().unwrap().insert(method.to_owned(), vec![Err(error)]);
        self
    }

    /// Every job succeeds at once with this result of its only opcode.
    pub(crate) fn job(self, result: Value) -> Self {
        self.finished("success", result, json!([]))
    }

    /// Every job ends like this, with this log.
    pub(crate) fn finished(self, status: &str, result: Value, log: Value) -> Self {
        for method in ["SubmitJob", "SubmitManyJobs", "SubmitJobToDrainedQueue", "WaitForJobChange", "QueryJobs"] {
            self.answers.lock().unwrap().remove(method);
        }
        self.answer("SubmitJob", json!(42))
            .answer("SubmitJobToDrainedQueue", json!(42))
            .answer("SubmitManyJobs", json!([[true, 43], [true, 44], [true, 45]]))
            .answer("WaitForJobChange", json!([[status], log]))
            .answer("QueryJobs", json!([[[status], [result]]]))
    }

    /// What was asked of a method.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        self.asked.lock().unwrap().iter().filter(|(name, _)| name == method).map(|(_, args)| args.clone()).collect()
    }

    /// The node's virtual root.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command line, its words separated by blanks.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command line.
    pub(crate) fn run_words(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gnt"));
        command.arg0(words[0]).args(&words[1..]).stdin(Stdio::null());
        command.env("GANETI_ROOTDIR", self.root()).env("FORCE_LUXI_SOCKET", self.root().join("luxi"));
        command.env("TZ", "UTC").env("GANNET_TELL_UNREAD", "1").env("GANETI_HOSTNAME", "node1.example.com");
        for variable in ["GNT_INSTANCE_LIST", "GNT_NODE_LIST", "GNT_GROUP_LIST", "COLUMNS"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&self.root().display().to_string(), "ROOT");
        Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn serve(mut stream: UnixStream, answers: &Mutex<Answers>, asked: &Mutex<Vec<(String, Value)>>) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 65536];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
        while let Some(end) = bytes.iter().position(|&byte| byte == END_OF_MESSAGE) {
            let message: Vec<u8> = bytes.drain(..=end).collect();
            let request: Value = serde_json::from_slice(&message[..end]).unwrap();
            let method = request["method"].as_str().unwrap().to_owned();
            asked.lock().unwrap().push((method.clone(), request["args"].clone()));
            // A query can have an answer of its own by what it asks for.
            let fields: Vec<&str> = request["args"][1].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let special = format!("{method} {} {}", request["args"][0].as_str().unwrap_or_default(), fields.join(","));
            let mut answers = answers.lock().unwrap();
            let key = if answers.contains_key(&special) { special } else { method.clone() };
            let reply = match answers.get_mut(&key) {
                Some(list) if list.len() > 1 => list.remove(0),
                Some(list) => list[0].clone(),
                None => Err(WireError::new("GenericError", format!("the test has no answer for {method}"))),
            };
            drop(answers);
            let reply = match reply {
                Ok(value) => encode_success(&value),
                Err(error) => encode_failure(&error),
            };
            if stream.write_all(&reply).is_err() {
                return;
            }
        }
    }
}

/// A query's answer: fields as `(name, title, kind)`, rows of plain values.
pub(crate) fn response(fields: &[(&str, &str, &str)], rows: Value) -> Value {
    let fields: Vec<Value> = fields
        .iter()
        .map(|(name, title, kind)| json!({"name": name, "title": title, "kind": kind, "doc": format!("About {name}")}))
        .collect();
    let cell = |value: &Value| json!([0, value]);
    let data: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(cell).collect()).collect();
    json!({"fields": fields, "data": data})
}
