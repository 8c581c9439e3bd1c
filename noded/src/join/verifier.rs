//! Trust by fingerprint: a chain is good when its CA has the SHA-256 that the token names.

use std::fmt::Write;

use rcgen::{KeyPair, PublicKeyData};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// SHA-256 of a certificate's DER, in lower-case hex.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    Sha256::digest(certificate).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _strings_take_everything = write!(text, "{byte:02x}");
        text
    })
}

/// The only certificate of a PEM text.
pub(super) fn single(pem: &[u8]) -> Option<CertificateDer<'static>> {
    let mut found = CertificateDer::pem_slice_iter(pem);
    let certificate = found.next()?.ok()?;
    found.next().is_none().then_some(certificate)
}

/// Is `certificate` valid now, for a server, and signed by `ca`?
pub(super) fn signed_by(certificate: &CertificateDer<'_>, ca: &CertificateDer<'_>) -> Result<(), Error> {
    verify(certificate, ca, UnixTime::now())
}

fn verify(certificate: &CertificateDer<'_>, ca: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    let parsed = ParsedCertificate::try_from(certificate)?;
    verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], now, algorithms().all)
}

/// Does the certificate belong to this key?
pub(super) fn has_key(certificate: &CertificateDer<'_>, key: &KeyPair) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    ring::default_provider().signature_verification_algorithms
}

/// Accepts exactly the chains of the CA with this fingerprint, whatever the server's name.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) ca: String,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ca = intermediates.iter().find(|certificate| fingerprint(certificate) == self.ca);
        let ca = ca.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        verify(end_entity, ca, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}
