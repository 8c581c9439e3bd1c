//! Waiting for a condition.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks.
const POLL: Duration = Duration::from_millis(10);

/// Looks until `condition` gives something, at most `limit` long.
///
/// # Errors
/// It did not come true in time.
pub fn wait_for<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = condition() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("{what} did not come true within {} s", limit.as_secs());
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_named() {
        let error = wait_for("peace", Duration::from_millis(20), || None::<()>).expect_err("it never comes");
        assert!(error.to_string().contains("peace"), "{error}");
        let mut looks = 0;
        let found = wait_for("three", Duration::from_secs(5), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found.expect("it came"), 3);
    }
}
