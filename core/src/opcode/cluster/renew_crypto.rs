//! `OP_CLUSTER_RENEW_CRYPTO`: renews certificates and SSH keys of the nodes.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};
use crate::param::closed_set;

/// Parameters of `OP_CLUSTER_RENEW_CRYPTO`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRenewCrypto {
    /// Renew the certificates of the nodes.
    #[serde(default)]
    pub node_certificates: bool,
    /// Renew the SSH keys of the nodes.
    #[serde(default)]
    pub renew_ssh_keys: bool,
    /// Type of new SSH keys; `None` keeps the type.
    pub ssh_key_type: Option<SshKeyType>,
    /// Length of new SSH keys in bits; `None` keeps the length.
    #[serde(default, deserialize_with = "check::maybe_positive")]
    pub ssh_key_bits: Option<u64>,
    /// Say more.
    #[serde(default)]
    pub verbose: bool,
    /// Say everything.
    #[serde(default)]
    pub debug: bool,
}

impl Parameters for ClusterRenewCrypto {
    const OP_ID: &'static str = "OP_CLUSTER_RENEW_CRYPTO";
}

closed_set! {
    /// Type of an SSH key.
    pub enum SshKeyType ("SSH key type") {
        /// DSA, for old systems only.
        Dsa = "dsa",
        /// ECDSA.
        Ecdsa = "ecdsa",
        /// RSA.
        Rsa = "rsa",
    }
}
