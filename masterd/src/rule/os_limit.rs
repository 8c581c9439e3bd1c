//! How long the scripts of OS definitions may run.

/// A variable of the master daemon's environment: the longest that an OS script may run, in seconds.
const VARIABLE: &str = "GANNET_OS_SCRIPT_TIMEOUT";

/// The limit for one script, in seconds: `default`, or what the operator has set.
#[must_use]
pub fn seconds(default: u32) -> u32 {
    let Ok(text) = std::env::var(VARIABLE) else { return default };
    wanted(&text).unwrap_or_else(|| {
        tracing::warn!(text, default, "{VARIABLE} is not a number of seconds above 0; the default holds");
        default
    })
}

fn wanted(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_seconds_counts() {
        assert_eq!(wanted(" 90 "), Some(90));
        for odd in ["", "0", "-1", "1h"] {
            assert_eq!(wanted(odd), None, "{odd:?}");
        }
    }
}
