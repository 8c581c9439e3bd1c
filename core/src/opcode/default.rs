//! Defaults of parameters that are not the default of their type.

/// How long a guest may take to shut down before it is killed, in seconds (Ganeti: DEFAULT_SHUTDOWN_TIMEOUT).
pub const SHUTDOWN_TIMEOUT_S: u64 = 120;
/// How long an out-of-band command may take, in seconds (Ganeti: OOB_TIMEOUT).
pub const OOB_TIMEOUT_S: i64 = 60;
/// Pause between powering on two nodes, in seconds (Ganeti: OOB_POWER_DELAY).
pub const OOB_POWER_DELAY_S: f64 = 2.0;
/// No compression of data on its way (Ganeti: IEC_NONE).
pub const NO_COMPRESSION: &str = "none";

pub(super) fn yes() -> bool {
    true
}

pub(super) fn one() -> u64 {
    1
}

pub(super) fn shutdown_timeout() -> u64 {
    SHUTDOWN_TIMEOUT_S
}

pub(super) fn oob_timeout() -> i64 {
    OOB_TIMEOUT_S
}

pub(super) fn oob_power_delay() -> f64 {
    OOB_POWER_DELAY_S
}

pub(super) fn no_compression() -> String {
    NO_COMPRESSION.to_owned()
}
