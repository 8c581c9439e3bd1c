//! How many requests a second one kept TLS connection gets, before a master that answers at once from memory: what the
//! remote API itself costs. `cargo run --release -p gannet-rapi --example speed -- [INSTANCES]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet_core::luxi::{Request, encode_success};
use gannet_rapi::api::Api;
use gannet_rapi::server::{self, Limits, Security};
use gannet_rapi::tls::Files;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// How long each resource is asked.
const ROUND: Duration = Duration::from_secs(3);

type Sender = SendRequest<Empty<bytes::Bytes>>;

fn main() {
    let instances: usize = std::env::args().nth(1).map_or(1000, |text| text.parse().expect("a number of instances"));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(at("rapi.pem"), made.signing_key.serialize_pem() + &made.cert.pem()).expect("a file");
    std::fs::write(at("users"), "u p write\n").expect("a file");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let socket = at("luxi");
    runtime(move || master(socket, instances));
    let (luxi, users, pem) = (at("luxi"), at("users"), at("rapi.pem"));
    runtime(move || serve(luxi, users, pem, port));
    let clients = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    clients.block_on(measure(at("rapi.pem"), port));
}

/// Runs on threads of its own, as the daemons do.
fn runtime<F: Future<Output = ()>>(run: impl FnOnce() -> F + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(run());
    });
}

async fn serve(luxi: PathBuf, users: PathBuf, pem: PathBuf, port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a listener");
    let config = Files { cert: pem.clone(), key: pem, chain: None }.load().expect("the certificate");
    let api = Arc::new(Api::new(luxi, users, false, 20));
    server::serve(api, listener, Security::new(Some(config)), Limits::default(), std::future::pending()).await;
}

async fn master(socket: PathBuf, instances: usize) {
    let cluster: Value = serde_json::from_str(include_str!("../tests/data/cluster.json")).expect("the data");
    let (info, sample) = (encode_success(&cluster["info"]), cluster["instance"][0].clone());
    let listener = UnixListener::bind(socket).expect("a socket");
    let bulk: Arc<tokio::sync::OnceCell<Vec<u8>>> = Arc::default();
    while let Ok((stream, _)) = listener.accept().await {
        let (info, sample, bulk) = (info.clone(), sample.clone(), bulk.clone());
        tokio::spawn(async move {
            let (read, mut write) = stream.into_split();
            let (mut read, mut message) = (BufReader::new(read), Vec::new());
            while read.read_until(3, &mut message).await.is_ok_and(|count| count > 0) {
                message.pop();
                let request: Request = serde_json::from_slice(&message).expect("a request");
                message.clear();
                let answer = match request.method.as_str() {
                    "QueryInstances" => bulk.get_or_init(|| async { rows(&sample, &request.args[1], instances) }).await,
                    _ => &info,
                };
                if write.write_all(answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn rows(sample: &Value, fields: &Value, instances: usize) -> Vec<u8> {
    let fields = fields.as_array().expect("fields");
    let row: Value = fields.iter().map(|field| sample[field.as_str().expect("a text")].clone()).collect();
    encode_success(&json!(vec![row; instances]))
}

async fn connect(pem: &std::path::Path, port: u16) -> Sender {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pem).expect("the certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(versions.with_root_certificates(roots).with_no_client_auth());
    let stream = loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    stream.set_nodelay(true).expect("no delay");
    let stream =
        tokio_rustls::TlsConnector::from(config).connect(ServerName::try_from("localhost").expect("a name"), stream).await.expect("TLS");
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(async move { drop(connection.await) });
    sender
}

async fn measure(pem: PathBuf, port: u16) {
    for path in ["/version", "/2/info", "/2/instances?bulk=1"] {
        for connections in [1, 8] {
            let mut tasks = Vec::new();
            for _ in 0..connections {
                tasks.push(tokio::spawn(ask(connect(&pem, port).await, path)));
            }
            let (mut count, mut size) = (0, 0);
            for task in tasks {
                let (asked, bytes) = task.await.expect("it ends");
                (count, size) = (count + asked, bytes);
            }
            println!("{path:22} {connections} connection(s): {:8.0} requests/s, {size} bytes each", f64::from(count) / ROUND.as_secs_f64());
        }
    }
}

async fn ask(mut sender: Sender, path: &'static str) -> (u32, usize) {
    let (end, mut count, mut size) = (Instant::now() + ROUND, 0, 0);
    while Instant::now() < end {
        sender.ready().await.expect("a connection");
        let request = http::Request::get(path).header("host", "localhost").body(Empty::new()).expect("a request");
        let response = sender.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        size = response.into_body().collect().await.expect("a body").to_bytes().len();
        count += 1;
    }
    (count, size)
}
