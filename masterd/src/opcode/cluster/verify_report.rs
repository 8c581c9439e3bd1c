//! How a verification tells what it finds: Ganeti's sections, line formats and error codes. Pure.

use std::collections::BTreeSet;

use gannet_core::opcode::{VerifyCode, VerifyScope};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::opcode) struct Finding {
    /// Its code.
    pub(in crate::opcode) code: VerifyCode,
    /// The node, instance or group; empty for the cluster.
    pub(in crate::opcode) item: String,
    /// What is wrong.
    pub(in crate::opcode) text: String,
    /// Told, but no failure.
    pub(in crate::opcode) is_warning: bool,
}

impl Finding {
    pub(in crate::opcode) fn error(code: VerifyCode, item: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, item: item.into(), text: text.into(), is_warning: false }
    }

    pub(in crate::opcode) fn warning(code: VerifyCode, item: impl Into<String>, text: impl Into<String>) -> Self {
        Self { is_warning: true, ..Self::error(code, item, text) }
    }
}

/// Every finding that there is among `codes`, about each thing that it can be about (Ganeti: `--debug-simulate-errors`).
pub(in crate::opcode) fn simulated(
    codes: impl Fn(VerifyCode) -> bool,
    nodes: &[String],
    instances: &[String],
    group: &str,
) -> Vec<Finding> {
    let items = |code: VerifyCode| match code.scope() {
        VerifyScope::Node => nodes.to_vec(),
        VerifyScope::Instance => instances.to_vec(),
        VerifyScope::Group => vec![group.to_owned()],
        VerifyScope::Cluster => vec![String::new()],
    };
    let meant = VerifyCode::ALL.iter().copied().filter(|code| codes(*code));
    meant.flat_map(|code| items(code).into_iter().map(move |item| Finding::error(code, item, "simulated error"))).collect()
}

/// Whether a finding is one of the whole configuration, which `OP_CLUSTER_VERIFY_CONFIG` looks for.
pub(in crate::opcode) fn is_of_config(code: VerifyCode) -> bool {
    code.as_str().starts_with("ECLUSTER")
}

/// How findings are written.
#[derive(Debug, Clone)]
pub(in crate::opcode) struct Style {
    /// In the form for programs: `ERROR:ENODENET:node:name:text`.
    pub(in crate::opcode) error_codes: bool,
    /// Told as warnings only.
    pub(in crate::opcode) ignore_errors: BTreeSet<VerifyCode>,
}

impl Style {
    /// The line of a finding, and whether the verification fails by it.
    pub(in crate::opcode) fn line(&self, finding: &Finding) -> (String, bool) {
        let is_warning = finding.is_warning || self.ignore_errors.contains(&finding.code);
        let level = if is_warning { "WARNING" } else { "ERROR" };
        let (kind, item, text) = (finding.code.scope(), &finding.item, &finding.text);
        let line = if self.error_codes {
            format!("  - {level}:{}:{kind}:{item}:{text}", finding.code)
        } else if item.is_empty() {
            format!("  - {level}: {kind}: {text}")
        } else {
            format!("  - {level}: {kind} {item}: {text}")
        };
        (line, !is_warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_can_be_simulated() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let of_config = simulated(is_of_config, &names(&["n1"]), &[], "");
        let of_group = simulated(|code| !is_of_config(code), &names(&["n1"]), &names(&["i1"]), "g1");
        assert_eq!(of_config.len() + of_group.len(), VerifyCode::ALL.len(), "each is found by one of the two");
        assert!(of_group.iter().all(|finding| ["n1", "i1", "g1"].contains(&finding.item.as_str())));
        let twice = simulated(|code| code == VerifyCode::NodeNet, &names(&["n1", "n2"]), &[], "g1");
        assert_eq!(twice.len(), 2);
    }

    #[test]
    fn lines_are_ganetis() {
        let finding = Finding::error(VerifyCode::NodeNet, "node1", "missing bridges: br0");
        let plain = Style { error_codes: false, ignore_errors: BTreeSet::new() };
        assert_eq!(plain.line(&finding), ("  - ERROR: node node1: missing bridges: br0".to_owned(), true));
        let codes = Style { error_codes: true, ignore_errors: BTreeSet::from([VerifyCode::NodeNet]) };
        assert_eq!(codes.line(&finding), ("  - WARNING:ENODENET:node:node1:missing bridges: br0".to_owned(), false));
        let cluster = Finding::warning(VerifyCode::ClusterCert, "", "old");
        assert_eq!(plain.line(&cluster), ("  - WARNING: cluster: old".to_owned(), false));
    }
}
