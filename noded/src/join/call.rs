//! The one call to the master.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gannet_daemon::net::{self, Stream};
use gannet_proto::MAX_MESSAGE;
use gannet_proto::join::join_client::JoinClient;
use gannet_proto::join::{JoinReply, JoinRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Code;
use tonic::transport::Endpoint;

use super::verifier::Pinned;
use super::{Error, Token};
use crate::peer::chain;

/// For the connection, TLS included.
const CONNECT: Duration = Duration::from_secs(15);
/// For the master's answer: it signs and writes its configuration.
const ANSWER: Duration = Duration::from_secs(60);

pub(super) async fn join(token: &Token, request: JoinRequest) -> Result<JoinReply, Error> {
    let connect = |reason: String| Error::Connect { master: token.master.clone(), reason };
    let config = client_config(&token.ca).map_err(|error| connect(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(config));
    let master = token.master.clone();
    let dial = tower::service_fn(move |_| {
        let (connector, master) = (connector.clone(), master.clone());
        async move { open(&connector, &master).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_shared(format!("http://{}", token.master)).map_err(|error| connect(chain(&error)))?;
    let channel = tokio::time::timeout(CONNECT, endpoint.timeout(ANSWER).connect_with_connector(dial))
        .await
        .map_err(|_| connect(format!("no answer within {} s", CONNECT.as_secs())))?
        .map_err(|error| connect(explain(&chain(&error))))?;
    let mut client = JoinClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
    let answer = client.join(request).await.map_err(|status| match status.code() {
        Code::Unavailable | Code::Unknown => connect(status.message().to_owned()),
        _ => Error::Refused { master: token.master.clone(), reason: status.message().to_owned() },
    })?;
    Ok(answer.into_inner())
}

fn client_config(ca: &str) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { ca: ca.to_owned() }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

async fn open(connector: &TlsConnector, master: &str) -> io::Result<TlsStream<Stream>> {
    let address: SocketAddr = master.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = net::connect(address).await?;
    connector.connect(ServerName::IpAddress(address.ip().into()), stream).await
}

fn explain(reason: &str) -> String {
    if reason.contains("UnknownIssuer") {
        return format!("it does not belong to the cluster of the token ({reason})");
    }
    reason.to_owned()
}
