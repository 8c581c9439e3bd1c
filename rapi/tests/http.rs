//! HTTP, TLS, rights and limits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Lab, NOBODY, READER, Setup, WRITER, certificate, files};
use gannet_rapi::api::MAX_BODY;
use gannet_rapi::route::{Access, Route, Verb};
use gannet_rapi::server::Limits;
use http_body_util::Full;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::Put => "PUT",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    }
}

/// Every method of every resource, with every kind of user.
#[tokio::test]
async fn rights() {
    for required in [false, true] {
        let lab = Lab::with(Setup { require_authentication: required, ..Setup::default() }).await;
        let mut client = lab.connect().await;
        for route in Route::all() {
            let path = route.uri.replace("{job_id}", "9").replace("{disk_index}", "0").replace(['{', '}'], "");
            for endpoint in route.endpoints {
                for (who, reads, writes) in [
                    (None, false, false),
                    (Some(NOBODY), false, false),
                    (Some(READER), true, false),
                    (Some(WRITER), true, true),
                    (Some("writer:wrong"), false, false),
                ] {
                    let allowed = match endpoint.access {
                        Access::Public => who != Some("writer:wrong") && (who.is_some() || !required),
                        Access::Read => reads,
                        Access::Write => writes,
                    };
                    let reply = client.send(method(endpoint.verb), &path, who, None).await;
                    let expected = if who.is_none() || who == Some("writer:wrong") { 401 } else { 403 };
                    let refused = matches!(reply.status, 401 | 403).then_some(reply.status);
                    assert_eq!(refused, (!allowed).then_some(expected), "{:?} {path} {who:?}", endpoint.verb);
                    assert_eq!(reply.headers.get("www-authenticate").is_some(), reply.status == 401);
                }
            }
        }
        let unauthorized = client.send("PUT", "/2/modify", None, None).await;
        assert_eq!(unauthorized.headers["www-authenticate"], "Basic realm=\"Ganeti Remote API\"");
        assert_eq!(
            unauthorized.json(),
            json!({"code": 401, "message": "Unauthorized", "explain": "No permission -- see authorization schemes"})
        );
    }
}

#[tokio::test]
async fn wrong_methods() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    for route in Route::all() {
        let path = route.uri.replace("{job_id}", "9").replace("{disk_index}", "0").replace(['{', '}'], "");
        for verb in [Verb::Get, Verb::Put, Verb::Post, Verb::Delete] {
            if route.endpoint(verb).is_none() {
                assert_eq!(client.send(method(verb), &path, Some(WRITER), None).await.status, 501, "{verb:?} {path}");
            }
        }
    }
    for other in ["PATCH", "OPTIONS"] {
        let reply = client.send(other, "/2/info", Some(WRITER), None).await;
        assert_eq!(
            (reply.status, reply.json()["message"].clone()),
            (501, json!(format!("Method {other} is unsupported for path /2/info")))
        );
    }
}

#[tokio::test]
async fn bodies() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    for (content_type, body, status) in [
        (Some("application/json"), "{}", 200),
        (Some("application/json; charset=utf-8"), "{}", 200),
        (Some("Application/JSON"), "{}\n", 200),
        (Some("application/json"), "{", 400),
        (Some("application/json"), "{} {}", 400),
        (Some("application/json"), "\u{fffd}", 400),
        (Some("text/plain"), "{}", 415),
        (None, "{}", 415),
        (None, "", 200),
        (Some("text/plain"), "", 200),
    ] {
        let mut request =
            http::Request::put("/2/redistribute-config").header("host", "x").header("authorization", "Basic d3JpdGVyOnNlY3JldA==");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let reply = client.raw(request.body(Full::from(body)).unwrap()).await;
        assert_eq!(reply.status, status, "{content_type:?} {body:?}");
    }
    let nested = "[".repeat(100_000);
    assert_eq!(client.send("PUT", "/2/redistribute-config", Some(WRITER), Some(&nested)).await.status, 400);
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let lab = Lab::start().await;
    let mut stream = lab.tls().await;
    let head = format!(
        "PUT /2/modify HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d3JpdGVyOnNlY3JldA==\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        MAX_BODY + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // it is refused by what it says of itself; the client need not have sent it
    stream.write_all(b"[1,").await.unwrap();
    let chunk = vec![b' '; 64 << 10];
    let mut answer = vec![0; 12];
    let (mut read, mut write) = tokio::io::split(stream);
    let sender = tokio::spawn(async move { while write.write_all(&chunk).await.is_ok() {} });
    read.read_exact(&mut answer).await.unwrap();
    sender.abort();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_request_without_host() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    let reply = client.raw(http::Request::get("/version").body(Full::<Bytes>::default()).unwrap()).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn heads_that_are_too_large_or_nonsense() {
    let lab = Lab::start().await;
    for head in [format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)), "nonsense\r\n\r\n".to_owned()] {
        let mut stream = lab.tls().await;
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(lab.get("/version").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept() {
    let lab = Lab::start().await;
    let mut client = lab.connect().await;
    for _ in 0..100 {
        assert_eq!(client.send("GET", "/version", None, None).await.status, 200);
        assert_eq!(client.send("PUT", "/2/modify", None, None).await.status, 401);
    }
}

#[tokio::test]
async fn silent_clients_are_sent_away() {
    let limits = Limits { handshake: Duration::from_millis(200), head: Duration::from_millis(200), ..Limits::default() };
    let lab = Lab::with(Setup { limits, ..Setup::default() }).await;
    let mut without_tls = tokio::net::TcpStream::connect(lab.address).await.unwrap();
    assert_eq!(without_tls.read(&mut [0]).await.unwrap_or(0), 0);
    let mut half = lab.tls().await;
    half.write_all(b"GET /version HTTP/1.1\r\nHo").await.unwrap();
    let mut answer = Vec::new();
    let _ = half.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&answer));
    let mut silent = lab.tls().await;
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    let mut done = lab.tls().await;
    done.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = done.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "a kept connection ends too");
}

#[tokio::test]
async fn more_connections_wait() {
    let lab = Lab::with(Setup { limits: Limits { connections: 1, ..Limits::default() }, ..Setup::default() }).await;
    let first = lab.connect().await;
    let second = lab.get("/version");
    tokio::pin!(second);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut second).await.is_err());
    drop(first);
    assert_eq!(second.await.status, 200);
}

#[tokio::test]
async fn a_new_certificate() {
    let lab = Lab::start().await;
    let other = lab.directory.path().join("other.pem");
    certificate(&other, "localhost");
    assert!(lab.tls_with(&other).await.is_err());
    lab.security.replace(files(&other).load().unwrap());
    assert!(lab.tls_with(&other).await.is_ok());
}

#[test]
fn certificates_that_cannot_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rapi.pem");
    assert!(files(&path).load().is_err());
    std::fs::write(&path, "nonsense").unwrap();
    assert!(files(&path).load().is_err());
    certificate(&path, "a");
    assert!(files(&path).load().is_ok());
    let other = directory.path().join("other.pem");
    certificate(&other, "b");
    let mixed = gannet_rapi::tls::Files { cert: path, key: other, chain: None };
    assert!(mixed.load().unwrap_err().to_string().contains("other.pem"));
}

#[tokio::test]
async fn running_requests_end_before_the_server() {
    let mut lab = Lab::start().await;
    let mut client = lab.connect().await;
    assert_eq!(client.send("GET", "/version", None, None).await.status, 200);
    lab.stop();
    // the kept connection is closed, and no other is accepted
    while client.sender.ready().await.is_ok() {
        tokio::task::yield_now().await;
    }
    while tokio::net::TcpStream::connect(lab.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Also when every place is taken, and by a client that waits for a job.
#[tokio::test]
async fn a_full_server_ends_within_its_time() {
    let never = |_: &str, _: &serde_json::Value| Ok(json!("never"));
    let limits = Limits { connections: 1, ending: Duration::from_millis(200), ..Limits::default() };
    let mut lab = Lab::with(Setup { limits, answers: std::sync::Arc::new(never), ..Setup::default() }).await;
    let mut client = lab.connect().await;
    let waiting = tokio::spawn(async move { client.send("GET", "/2/info", None, None).await.status });
    while lab.asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    lab.stop();
    tokio::time::timeout(Duration::from_secs(10), lab.ended()).await.unwrap();
    waiting.abort();
}
