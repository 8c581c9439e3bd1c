//! A server of the remote API before a master daemon that answers from `data/cluster.json`.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::luxi::{Origin, Request, encode_failure, encode_success};
use gannet_rapi::api::Api;
use gannet_rapi::server::{self, Limits, Security};
use gannet_rapi::tls::Files;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the master answers to a call.
pub(crate) type Answers = dyn Fn(&str, &Value) -> Result<Value, WireError> + Send + Sync;

/// `user:password` of a user with all rights, of one that may read, of one without rights.
pub(crate) const WRITER: &str = "writer:secret";
pub(crate) const READER: &str = "reader:secret";
pub(crate) const NOBODY: &str = "nobody:secret";

pub(crate) struct Lab {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) security: Security,
    /// What the master was asked, in order.
    pub(crate) asked: Arc<Mutex<Vec<(String, Value)>>>,
    stop: Option<oneshot::Sender<()>>,
    server: tokio::task::JoinHandle<()>,
}

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

/// How a lab differs from the usual.
pub(crate) struct Setup {
    pub(crate) answers: Arc<Answers>,
    pub(crate) limits: Limits,
    pub(crate) require_authentication: bool,
    pub(crate) master: bool,
    /// What is said of each answer: the daemon is a standby, or a master without a majority.
    pub(crate) origin: Option<Origin>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { answers: Arc::new(recorded), limits: Limits::default(), require_authentication: false, master: true, origin: None }
    }
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        certificate(&at("rapi.pem"), "localhost");
        std::fs::write(at("users"), "writer secret write\nreader {cleartext}secret read\nnobody secret\n").unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        if setup.master {
            let listener = UnixListener::bind(at("luxi")).unwrap();
            tokio::spawn(master(listener, setup.answers, setup.origin, asked.clone()));
        }
        let security = Security::new(Some(files(&at("rapi.pem")).load().unwrap()));
        let api = Arc::new(Api::new(at("luxi"), at("users"), setup.require_authentication, 20));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server::serve(api, listener, security.clone(), setup.limits, async move { drop(stopped.await) }));
        Self { directory, address, security, asked, stop: Some(stop), server }
    }

    /// Asks the server to end.
    pub(crate) fn stop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
    }

    /// Done when the server has ended.
    pub(crate) async fn ended(&mut self) {
        (&mut self.server).await.unwrap();
    }

    /// The last call that the master got.
    pub(crate) fn last_call(&self) -> (String, Value) {
        self.asked.lock().unwrap().last().cloned().expect("the master was asked something")
    }

    /// The opcodes of the last job that was submitted.
    pub(crate) fn last_job(&self) -> Vec<Value> {
        let (method, args) = self.last_call();
        assert_eq!(method, "SubmitJob");
        args[0].as_array().unwrap().clone()
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        self.tls_with(&self.directory.path().join("rapi.pem")).await.unwrap()
    }

    pub(crate) async fn tls_with(&self, cert: &Path) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(cert).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub(crate) async fn connect(&self) -> Connection {
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(self.tls().await)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        Connection { sender }
    }

    /// A request of the user with all rights on a connection of its own.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { None } else { Some(body.to_string()) };
        self.connect().await.send(method, path, Some(WRITER), body.as_deref()).await
    }

    /// A GET without credentials.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.connect().await.send("GET", path, None, None).await
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn send(&mut self, method: &str, path: &str, who: Option<&str>, body: Option<&str>) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path).header(HOST, "localhost");
        if let Some(who) = who {
            use base64::Engine as _;
            request = request.header(AUTHORIZATION, format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(who)));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        self.raw(request.body(Full::from(body.unwrap_or_default().to_owned())).unwrap()).await
    }

    pub(crate) async fn raw(&mut self, request: http::Request<Full<Bytes>>) -> Reply {
        self.sender.ready().await.unwrap();
        let (head, body) = self.sender.send_request(request).await.unwrap().into_parts();
        Reply { status: head.status.as_u16(), headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }
}

pub(crate) fn files(path: &Path) -> Files {
    Files { cert: path.to_owned(), key: path.to_owned(), chain: None }
}

/// Writes a certificate that signs itself, and its key, as rapi.pem has them.
pub(crate) fn certificate(path: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path, made.signing_key.serialize_pem() + &made.cert.pem()).unwrap();
}

async fn master(listener: UnixListener, answers: Arc<Answers>, origin: Option<Origin>, asked: Arc<Mutex<Vec<(String, Value)>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(client(stream, answers.clone(), origin.clone(), asked.clone()));
    }
}

async fn client(stream: UnixStream, answers: Arc<Answers>, origin: Option<Origin>, asked: Arc<Mutex<Vec<(String, Value)>>>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut message = Vec::new();
    while read.read_until(3, &mut message).await.is_ok_and(|count| count > 0) {
        message.pop();
        let request: Request = serde_json::from_slice(&message).unwrap();
        asked.lock().unwrap().push((request.method.clone(), request.args.clone()));
        let answer = match answers(&request.method, &request.args) {
            Ok(Value::String(slow)) if slow == "never" => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                return;
            }
            Ok(result) => encode_success(&result),
            Err(error) => encode_failure(&error),
        };
        let answer = match &origin {
            None => answer,
            Some(origin) => [origin.prefix(), answer[1..].to_vec()].concat(),
        };
        if write.write_all(&answer).await.is_err() {
            return;
        }
        message.clear();
    }
}

pub(crate) fn cluster() -> &'static Value {
    static CLUSTER: std::sync::OnceLock<Value> = std::sync::OnceLock::new();
    CLUSTER.get_or_init(|| serde_json::from_str(include_str!("../data/cluster.json")).unwrap())
}

/// The master's answers as the data has them.
pub(crate) fn recorded(method: &str, args: &Value) -> Result<Value, WireError> {
    let rows = |kind: &str, key: &str| rows(kind, key, &args[0], &args[1]);
    match method {
        _ if args[2] == true && method.starts_with("Query") => Err(WireError::prereq("Sync queries are not allowed", ErrorCode::Invalid)),
        "QueryInstances" => rows("instance", "name"),
        "QueryNodes" => rows("node", "name"),
        "QueryGroups" => rows("group", "name"),
        "QueryNetworks" => rows("network", "name"),
        "QueryObjects" => {
            let key = if args[0] == "filter" { "uuid" } else { "name" };
            let fields = args[1].as_array().unwrap();
            let mut objects = self::rows(args[0].as_str().unwrap(), key, &json!([]), &args[1])?;
            for row in objects.as_array_mut().unwrap() {
                let cells =
                    fields.iter().zip(row.as_array().unwrap()).map(|(field, cell)| (field.as_str().unwrap().to_owned(), cell.clone()));
                *row = Value::Object(cells.collect());
                if let Some(maxmem) = row.pointer("/beparams/maxmem").cloned() {
                    row["beparams"]["memory"] = maxmem;
                }
            }
            Ok(objects)
        }
        "QueryFilters" => rows("filter", "uuid"),
        "QueryJobs" => jobs(&args[0], &args[1]),
        "QueryClusterInfo" => Ok(cluster()["info"].clone()),
        "QueryTags" if args[1] == "unknown" => Err(unknown("unknown")),
        "QueryTags" => Ok(json!(["prod", args[0], args[1]])),
        "Query" => Ok(json!({"fields": [{"name": "name"}], "data": [[[0, args[0]]]], "asked": args})),
        "QueryFields" => Ok(json!({"fields": [{"name": "name"}], "asked": args})),
        "SubmitJob" => Ok(json!(10)),
        "CancelJob" => Ok(json!([true, "Job 9 has been canceled"])),
        "WaitForJobChange" if args[2] == json!(["success"]) => Ok(json!("nochange")),
        "WaitForJobChange" if args[0] == 99 => Err(WireError::new("JobLost", "Job 99 lost")),
        "WaitForJobChange" => Ok(json!([["success"], [[1, [1_700_000_000, 5], "message", "done"]]])),
        "ReplaceFilter" => Ok(json!("8a0f7c70-0000-4000-8000-00000000000e")),
        "DeleteFilter" => Ok(Value::Null),
        other => Err(WireError::new("GenericError", format!("no answer to {other}"))),
    }
}

fn unknown(name: &str) -> WireError {
    WireError::prereq(format!("'{name}' not known"), ErrorCode::NoEntity)
}

fn rows(kind: &str, key: &str, names: &Value, fields: &Value) -> Result<Value, WireError> {
    let objects = cluster()[kind].as_array().unwrap();
    let names = names.as_array().cloned().unwrap_or_default();
    if let Some(name) = names.iter().find(|name| !objects.iter().any(|object| object[key] == **name)) {
        return Err(unknown(name.as_str().unwrap()));
    }
    let wanted = objects.iter().filter(|object| names.is_empty() || names.contains(&object[key]));
    Ok(wanted.map(|object| row(object, fields)).collect())
}

fn row(object: &Value, fields: &Value) -> Value {
    fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| object.get(field.as_str().unwrap()).unwrap_or_else(|| panic!("no data for {field}")).clone())
        .collect()
}

/// An unknown job is a row with its number only.
fn jobs(ids: &Value, fields: &Value) -> Result<Value, WireError> {
    let jobs = cluster()["job"].as_array().unwrap();
    let Some(ids) = ids.as_array() else { return Ok(jobs.iter().map(|job| row(job, fields)).collect()) };
    let found = ids.iter().map(|id| match jobs.iter().find(|job| job["id"] == *id) {
        Some(job) => row(job, fields),
        None => fields.as_array().unwrap().iter().map(|field| if field == "id" { id.clone() } else { Value::Null }).collect(),
    });
    Ok(found.collect())
}
