//! What can go wrong, by what the caller can do about it.

use virt_sys as sys;

/// An error of this crate. `call` is libvirt's or this crate's name of the operation, `domain` the guest (empty when
/// the call is about the node).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer in time. The call may still take effect later unless `behind` is set, in which case it was never
    /// started: an earlier call of the same guest has not come back.
    #[error("libvirt: {call}{} gave no answer within {after_s} s{}", of(domain), waiting(*behind))]
    Timeout {
        call: &'static str,
        domain: String,
        after_s: u64,
        /// The earlier call that is still stuck, when this one never got its turn.
        behind: Option<&'static str>,
    },
    /// libvirt refused or failed; `code` is a `virErrorNumber`, `origin` a `virErrorDomain`.
    #[error("libvirt: {call}{} failed: {message} (error {code}, from {origin})", of(domain))]
    Libvirt { call: &'static str, domain: String, code: u32, origin: u32, message: String },
    /// The daemon cannot be reached (not running, wrong socket, no permission).
    #[error("cannot reach libvirt at {uri}: {message}")]
    Disconnected { uri: String, message: String },
    /// The guest did not give a device up in time. It still has it.
    #[error("guest {domain} did not release device {device} within {after_s} s")]
    NotReleased { domain: String, device: String, after_s: u64 },
    /// The caller's input was refused before libvirt saw it.
    #[error("invalid {what}: {reason}")]
    Invalid { what: String, reason: String },
    /// libvirt's answer was not understood.
    #[error("cannot understand libvirt's {what}: {reason}")]
    Parse { what: &'static str, reason: String },
    /// A worker thread could not be started or died.
    #[error("libvirt: {call}{}: {reason}", of(domain))]
    Worker { call: &'static str, domain: String, reason: String },
}

fn of(domain: &str) -> String {
    if domain.is_empty() { String::new() } else { format!(" for guest {domain}") }
}

fn waiting(behind: Option<&'static str>) -> String {
    behind.map_or(String::new(), |call| format!(" (not started: an earlier {call} is still stuck)"))
}

impl Error {
    pub(crate) fn libvirt(call: &'static str, domain: &str, error: &virt::error::Error) -> Self {
        Error::Libvirt {
            call,
            domain: domain.to_owned(),
            code: error.code().to_raw(),
            origin: error.domain().to_raw(),
            message: error.message().to_owned(),
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Error::Invalid { what: what.into(), reason: reason.into() }
    }

    /// libvirt's error number (`virErrorNumber`), if this came from libvirt.
    pub fn code(&self) -> Option<u32> {
        match self {
            Error::Libvirt { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// There is no domain of that name.
    pub fn is_no_domain(&self) -> bool {
        self.code() == Some(sys::VIR_ERR_NO_DOMAIN)
    }

    /// A domain of that name or UUID exists already, or is already running.
    pub fn is_exists(&self) -> bool {
        match self {
            Error::Libvirt { code, message, .. } => {
                *code == sys::VIR_ERR_DOM_EXIST
                    || (*code == sys::VIR_ERR_OPERATION_FAILED && message.contains("already exists"))
                    || (*code == sys::VIR_ERR_OPERATION_INVALID && message.contains("already running"))
            }
            _ => false,
        }
    }

    /// The operation does not fit the domain's state (most often: it is not running).
    pub fn is_wrong_state(&self) -> bool {
        self.code() == Some(sys::VIR_ERR_OPERATION_INVALID)
    }

    /// The driver or QEMU cannot do this at all.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self.code(),
            Some(
                sys::VIR_ERR_NO_SUPPORT
                    | sys::VIR_ERR_CONFIG_UNSUPPORTED
                    | sys::VIR_ERR_OPERATION_UNSUPPORTED
                    | sys::VIR_ERR_ARGUMENT_UNSUPPORTED
            )
        )
    }

    /// A job was aborted on request.
    pub fn is_aborted(&self) -> bool {
        self.code() == Some(sys::VIR_ERR_OPERATION_ABORTED)
    }

    /// Migration refused because the disks' cache mode or file system makes it unsafe.
    pub fn is_unsafe_migration(&self) -> bool {
        self.code() == Some(sys::VIR_ERR_MIGRATE_UNSAFE)
    }

    /// The XML was refused.
    pub fn is_bad_xml(&self) -> bool {
        matches!(self.code(), Some(sys::VIR_ERR_XML_ERROR | sys::VIR_ERR_XML_DETAIL | sys::VIR_ERR_XML_INVALID_SCHEMA))
    }

    /// Another job of this domain holds it (also `VIR_ERR_OPERATION_TIMEOUT`: waited for its turn in the daemon).
    pub fn is_busy(&self) -> bool {
        matches!(self.code(), Some(sys::VIR_ERR_OPERATION_TIMEOUT | sys::VIR_ERR_RESOURCE_BUSY))
    }

    /// The device is not there.
    pub fn is_no_device(&self) -> bool {
        self.code() == Some(sys::VIR_ERR_DEVICE_MISSING)
    }

    /// A deadline passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout { .. })
    }

    /// The daemon went away or cannot be reached; a read may be repeated, of a change nothing is known.
    pub fn is_disconnected(&self) -> bool {
        match self {
            Error::Disconnected { .. } => true,
            Error::Libvirt { code, origin, message, .. } => {
                matches!(*code, sys::VIR_ERR_NO_CONNECT | sys::VIR_ERR_INVALID_CONN)
                    || (*origin == sys::VIR_FROM_RPC
                        && (*code == sys::VIR_ERR_SYSTEM_ERROR
                            || (*code == sys::VIR_ERR_INTERNAL_ERROR
                                && (message.contains("connection closed") || message.contains("client socket is closed")))))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn libvirt(code: u32, origin: u32, message: &str) -> Error {
        Error::Libvirt { call: "create", domain: "web1".to_owned(), code, origin, message: message.to_owned() }
    }

    #[test]
    fn messages_name_guest_and_reason() {
        let stuck = Error::Timeout { call: "setMemory", domain: "web1".into(), after_s: 30, behind: Some("reboot") };
        assert_eq!(
            stuck.to_string(),
            "libvirt: setMemory for guest web1 gave no answer within 30 s (not started: an earlier reboot is still stuck)"
        );
        assert_eq!(libvirt(42, 10, "no domain").to_string(), "libvirt: create for guest web1 failed: no domain (error 42, from 10)");
    }

    #[test]
    fn kinds_are_told_apart() {
        assert!(libvirt(sys::VIR_ERR_NO_DOMAIN, 10, "").is_no_domain());
        assert!(libvirt(sys::VIR_ERR_OPERATION_FAILED, 20, "domain 'x' already exists with uuid y").is_exists());
        assert!(!libvirt(sys::VIR_ERR_OPERATION_FAILED, 20, "other").is_exists());
        assert!(libvirt(sys::VIR_ERR_SYSTEM_ERROR, sys::VIR_FROM_RPC, "Cannot write data: Broken pipe").is_disconnected());
        assert!(!libvirt(sys::VIR_ERR_SYSTEM_ERROR, sys::VIR_FROM_QEMU, "No such file").is_disconnected());
        assert!(libvirt(sys::VIR_ERR_MIGRATE_UNSAFE, 10, "").is_unsafe_migration());
    }
}
