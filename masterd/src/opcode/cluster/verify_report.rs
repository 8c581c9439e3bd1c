//! How a verification tells what it finds: Ganeti's sections, line formats and error codes. Pure.

use std::collections::BTreeSet;

use gannet_core::opcode::VerifyCode;

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
