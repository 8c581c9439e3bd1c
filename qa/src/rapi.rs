//! A small HTTPS client: one connection, kept open.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gannet_core::paths::RAPI_PORT;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::Value;

use crate::Cluster;
use crate::cluster::Node;

const LIMIT: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&self.body)),
        }
    }
}

/// A connection to a cluster's RAPI, as its administrator.
#[derive(Debug)]
pub struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
    authorization: String,
    /// Read, but part of the next answer.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, trusting the certificate in the master's `rapi.pem` and no other.
    ///
    /// # Errors
    /// Nobody listens, or somebody else.
    pub fn open(cluster: &Cluster) -> Result<Self> {
        let host = cluster.rapi.url.trim_start_matches("https://");
        let tcp = TcpStream::connect(host).with_context(|| format!("nobody listens on {host}"))?;
        Self::over(tcp, host, &cluster.master().data_dir.join("rapi.pem"), &cluster.rapi.user, &cluster.rapi.password)
    }

    /// Connects to the RAPI of a node, which may be a standby.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn to(cluster: &Cluster, node: &Node) -> Result<Self> {
        let host = format!("{}:{RAPI_PORT}", node.ip);
        let tcp = TcpStream::connect(&host).with_context(|| format!("nobody listens on {host}"))?;
        Self::over(tcp, &host, &node.data_dir.join("rapi.pem"), &cluster.rapi.user, &cluster.rapi.password)
    }

    /// The same over a connection that is there, to `host` (`IP:PORT`), with its certificate in a file.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn over(tcp: TcpStream, host: &str, certificate: &Path, user: &str, password: &str) -> Result<Self> {
        let (name, _) = host.rsplit_once(':').with_context(|| format!("no port in {host}"))?;
        let own = CertificateDer::from_pem_file(certificate).with_context(|| format!("no certificate in {}", certificate.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Exactly { own, provider }))
            .with_no_client_auth();
        let server = ServerName::try_from(name.to_owned())?;
        tcp.set_read_timeout(Some(LIMIT))?;
        tcp.set_write_timeout(Some(LIMIT))?;
        tcp.set_nodelay(true)?;
        let stream = StreamOwned::new(ClientConnection::new(Arc::new(config), server)?, tcp);
        let authorization = base64(format!("{user}:{password}").as_bytes());
        Ok(Self { stream, host: host.to_owned(), authorization, buffer: Vec::new() })
    }

    /// `GET`.
    ///
    /// # Errors
    /// The connection broke.
    pub fn get(&mut self, path: &str) -> Result<Response> {
        self.request("GET", path, None)
    }

    /// A request with or without a JSON body.
    ///
    /// # Errors
    /// The connection broke.
    pub fn request(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Response> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n", self.host, self.authorization);
        if !body.is_empty() {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        } else if method != "GET" {
            head.push_str("Content-Length: 0\r\n");
        }
        self.stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
        self.stream.flush()?;
        self.response()
    }

    fn response(&mut self) -> Result<Response> {
        let end = self.read_until(|bytes| bytes.windows(4).position(|four| four == b"\r\n\r\n"))?;
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect())?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).with_context(|| format!("not HTTP: {head}"))?;
        let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let headers: Vec<(String, String)> = head.lines().filter_map(header).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
        let Some(length) = length else { bail!("an answer without a length: {head}") };
        self.read_until(|bytes| (bytes.len() >= length).then_some(length))?;
        Ok(Response { status, headers, body: self.buffer.drain(..length).collect() })
    }

    fn read_until(&mut self, complete: impl Fn(&[u8]) -> Option<usize>) -> Result<usize> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            if let Some(at) = complete(&self.buffer) {
                return Ok(at);
            }
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                bail!("the connection was closed in the middle of an answer");
            }
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }
}

/// Accepts one certificate: that which the cluster made for its RAPI.
#[derive(Debug)]
struct Exactly {
    own: CertificateDer<'static>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if end_entity.as_ref() == self.own.as_ref() {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("this is not the certificate of rapi.pem".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63]);
            text.push(if at <= three.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_all_lengths() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
