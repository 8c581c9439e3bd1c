//! The cluster's own certificate authority: makes it, signs with it, tells fingerprints.

use std::fmt::Write;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gannet_core::quantity::Timestamp;
use gannet_proto::MASTER_COMMON_NAME;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// How long the authority's certificate is valid, in years.
const CA_YEARS: i64 = 20;
/// How long all others are.
const LEAF_YEARS: i64 = 10;
/// Certificates are valid from this long before they were made, in seconds: clocks of nodes differ.
const BACKDATED_S: i64 = 2 * 24 * 3600;
const DAY_S: i64 = 24 * 3600;

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The generator said no.
    #[error("cannot make a certificate for {name}: {source}")]
    Make {
        /// For whom.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// The authority's files do not fit together.
    #[error("the cluster's certificate authority cannot be used: {0}")]
    Authority(rcgen::Error),
    /// The request is not one, or its signature is wrong.
    #[error("the certificate request cannot be used: {0}")]
    Request(rcgen::Error),
    /// Not PEM, not a certificate.
    #[error("the certificate cannot be read: {0}")]
    Parse(String),
}

/// The authority of a cluster.
pub struct Authority {
    pem: String,
    key: KeyPair,
}

/// Who a certificate is for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Common name.
    pub name: &'a str,
    /// Further DNS names.
    pub names: &'a [&'a str],
    /// Addresses.
    pub addresses: &'a [IpAddr],
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Both ends of a connection (node daemons).
    Both,
    /// Clients only (the master role).
    Client,
    /// Servers only (RAPI).
    Server,
}

impl Authority {
    /// A new authority for `cluster`.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn create(cluster: &str, now: Timestamp) -> Result<Self, Error> {
        let make = |source| Error::Make { name: cluster.to_owned(), source };
        let key = KeyPair::generate().map_err(make)?;
        let mut params =
            params(Subject { name: &format!("Gannet CA of {cluster}"), names: &[], addresses: &[] }, now, CA_YEARS).map_err(make)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(make)?;
        Ok(Self { pem: certificate.pem(), key })
    }

    /// The authority in `ca.pem` and `ca.key`.
    ///
    /// # Errors
    /// [`Error::Authority`].
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let key = KeyPair::from_pem(key_pem).map_err(Error::Authority)?;
        Issuer::from_ca_cert_pem(certificate_pem, &key).map_err(Error::Authority)?;
        Ok(Self { pem: certificate_pem.to_owned(), key })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// Its key.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// A new certificate with its key: PEM of both.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn issue(&self, subject: Subject<'_>, purpose: Use, now: Timestamp) -> Result<String, Error> {
        let make = |source| Error::Make { name: subject.name.to_owned(), source };
        let key = KeyPair::generate().map_err(make)?;
        let certificate = self.leaf(subject, purpose, now, &key).map_err(make)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// The client certificate of the master role.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn issue_master(&self, now: Timestamp) -> Result<String, Error> {
        self.issue(Subject { name: MASTER_COMMON_NAME, names: &[], addresses: &[] }, Use::Client, now)
    }

    /// Signs a request. Only its key is taken; the names are `subject`'s.
    ///
    /// # Errors
    /// [`Error::Request`] when it is not a request, [`Error::Make`].
    pub fn sign(&self, request_pem: &str, subject: Subject<'_>, now: Timestamp) -> Result<String, Error> {
        let request = CertificateSigningRequestParams::from_pem(request_pem).map_err(Error::Request)?;
        let signed = self.leaf(subject, Use::Both, now, &request.public_key);
        signed.map(|certificate| certificate.pem()).map_err(|source| Error::Make { name: subject.name.to_owned(), source })
    }

    fn leaf(
        &self,
        subject: Subject<'_>,
        purpose: Use,
        now: Timestamp,
        key: &impl rcgen::PublicKeyData,
    ) -> Result<Certificate, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_pem(&self.pem, &self.key)?;
        let mut params = params(subject, now, LEAF_YEARS)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match purpose {
            Use::Both => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            Use::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Use::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        };
        params.signed_by(key, &issuer)
    }
}

/// SHA-256 of the first certificate in a PEM text, in lower-case hex.
///
/// # Errors
/// [`Error::Parse`].
pub fn fingerprint(pem: &str) -> Result<String, Error> {
    let digest = Sha256::digest(der(pem)?);
    Ok(hex(&digest))
}

/// Until when the first certificate in a PEM text is valid.
///
/// # Errors
/// [`Error::Parse`].
pub fn not_after(pem: &str) -> Result<Timestamp, Error> {
    let der = der(pem)?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| Error::Parse(error.to_string()))?;
    Ok(Timestamp::from_secs_f64(parsed.validity().not_after.timestamp() as f64))
}

/// Bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _a_string_takes_all = write!(text, "{byte:02x}");
        text
    })
}

fn der(pem: &str) -> Result<Vec<u8>, Error> {
    let body = pem.split_once("-----BEGIN CERTIFICATE-----").and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"));
    let (body, _) = body.ok_or_else(|| Error::Parse("no certificate in it".to_owned()))?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).map_err(|error| Error::Parse(error.to_string()))
}

fn params(subject: Subject<'_>, now: Timestamp, years: i64) -> Result<CertificateParams, rcgen::Error> {
    let dns = [subject.name].into_iter().chain(subject.names.iter().copied()).filter(|name| !name.contains(' '));
    let mut names: Vec<String> = dns.map(str::to_owned).collect();
    names.dedup();
    let mut params = CertificateParams::new(names)?;
    params.subject_alt_names.extend(subject.addresses.iter().copied().map(SanType::IpAddress));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject.name);
    let seconds = now.as_secs_f64() as i64;
    let ((year, month, day), (end_year, end_month, end_day)) = (ymd(seconds - BACKDATED_S), ymd(seconds + years * 365 * DAY_S));
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(end_year, end_month, end_day);
    Ok(params)
}

/// Year, month and day.
fn ymd(seconds: i64) -> (i32, u8, u8) {
    // Days to a date of the Gregorian calendar, in eras of 400 years that begin on 1 March (Hinnant, "civil_from_days").
    let days = seconds.div_euclid(DAY_S) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // In range: the clock is within what a time stamp in microseconds can hold.
    (i32::try_from(year).unwrap_or(2000), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_secs_f64(1_795_000_000.0)
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(ymd(0), (1970, 1, 1));
        assert_eq!(ymd(951_782_400), (2000, 2, 29));
        assert_eq!(ymd(1_709_251_199), (2024, 2, 29));
        assert_eq!(ymd(1_735_689_600), (2025, 1, 1));
    }

    #[test]
    fn a_node_certificate_has_name_and_address_and_the_authoritys_signature() {
        let authority = Authority::create("cluster.example.com", now()).expect("create");
        let again = Authority::load(authority.certificate_pem(), &authority.key_pem()).expect("load");
        let key = KeyPair::generate().expect("key");
        let request =
            CertificateParams::new(vec!["evil.example.com".to_owned()]).expect("params").serialize_request(&key).expect("request");
        let addresses = ["192.0.2.1".parse().expect("address")];
        let subject = Subject { name: "node1.example.com", names: &[], addresses: &addresses };
        let pem = again.sign(&request.pem().expect("pem"), subject, now()).expect("sign");
        let der = der(&pem).expect("der");
        let (_, parsed) = X509Certificate::from_der(&der).expect("parse");
        let names = parsed.subject_alternative_name().expect("readable").expect("there").value.general_names.len();
        assert_eq!((parsed.subject().to_string(), names), ("CN=node1.example.com".to_owned(), 2));
        let ca = der_of(authority.certificate_pem());
        let (_, ca) = X509Certificate::from_der(&ca).expect("parse");
        assert_eq!(parsed.issuer(), ca.subject());
        assert!(not_after(&pem).expect("date") > now());
        assert_eq!(fingerprint(&pem).expect("digest").len(), 64);
        assert!(again.sign("nonsense", subject, now()).is_err());
    }

    fn der_of(pem: &str) -> Vec<u8> {
        der(pem).expect("der")
    }
}
