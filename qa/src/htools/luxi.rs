//! A master daemon that only pretends: it answers what the placement tools ask by LUXI, and writes down the jobs that it is given.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// What messages end with.
const END: u8 = 3;
/// The number of the first job.
const FIRST_JOB: usize = 1000;

/// What it knows. Objects are flat: field names of queries.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub groups: Vec<Value>,
    pub nodes: Vec<Value>,
    pub instances: Vec<Value>,
    pub info: Value,
    /// Jobs that do not just succeed.
    pub jobs: BTreeMap<u64, &'static str>,
}

/// A running one; its thread ends with the program.
#[derive(Debug)]
pub struct Master {
    pub socket: PathBuf,
    submitted: Arc<Mutex<Vec<Value>>>,
}

impl Master {
    /// Starts one.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(socket: &Path, world: World) -> Result<Self> {
        let listener = UnixListener::bind(socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
        let submitted = Arc::new(Mutex::new(Vec::new()));
        let (world, jobs) = (Arc::new(world), Arc::clone(&submitted));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (world, jobs) = (Arc::clone(&world), Arc::clone(&jobs));
                std::thread::spawn(move || drop(serve(stream, &world, &jobs)));
            }
        });
        Ok(Self { socket: socket.to_owned(), submitted })
    }

    /// All jobs that were submitted, as lists of opcodes.
    #[must_use]
    pub fn submitted(&self) -> Vec<Value> {
        self.submitted.lock().map(|jobs| jobs.clone()).unwrap_or_default()
    }
}

fn serve(mut stream: UnixStream, world: &World, jobs: &Mutex<Vec<Value>>) -> Result<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..read]);
        while let Some(end) = bytes.iter().position(|byte| *byte == END) {
            let request: Value = serde_json::from_slice(&bytes[..end])?;
            bytes.drain(..=end);
            let answer = match answer(&request, world, jobs) {
                Some(result) => json!({"success": true, "result": result}),
                None => json!({"success": false, "result": format!("not understood: {request}")}),
            };
            stream.write_all(answer.to_string().as_bytes())?;
            stream.write_all(&[END])?;
        }
    }
}

fn answer(request: &Value, world: &World, jobs: &Mutex<Vec<Value>>) -> Option<Value> {
    let args = &request["args"];
    match request["method"].as_str()? {
        "Query" => {
            let objects = match args[0].as_str()? {
                "group" => &world.groups,
                "node" => &world.nodes,
                "instance" => &world.instances,
                _ => return None,
            };
            Some(table(objects, args[1].as_array()?))
        }
        "QueryClusterInfo" => Some(world.info.clone()),
        "QueryJobs" => {
            let state = |id: &Value| json!([world.jobs.get(&id.as_u64().unwrap_or_default()).copied().unwrap_or("success")]);
            Some(args[0].as_array()?.iter().map(state).collect())
        }
        "SubmitManyJobs" => {
            let mut known = jobs.lock().ok()?;
            let mut take = |job: &Value| {
                known.push(job.clone());
                json!([true, FIRST_JOB + known.len()])
            };
            Some(args[0].as_array()?.iter().map(&mut take).collect())
        }
        _ => None,
    }
}

/// Objects as rows of `[status, value]`; 2: there is no value.
fn table(objects: &[Value], fields: &[Value]) -> Value {
    let cell = |object: &Value, field: &Value| match object.get(field.as_str().unwrap_or_default()) {
        Some(value) => json!([0, value]),
        None => json!([2, null]),
    };
    let rows: Vec<Value> = objects.iter().map(|object| fields.iter().map(|field| cell(object, field)).collect()).collect();
    let fields: Vec<Value> = fields.iter().map(|name| json!({"name": name, "title": name, "kind": "other", "doc": name})).collect();
    json!({"fields": fields, "data": rows})
}
