//! `30m`, `4h`, `1w`.

/// Seconds of a time span: a number with one of the units s, m, h, d, w; seconds without.
///
/// # Errors
/// It is no time span.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let invalid = || format!("Invalid time specification '{text}' (a number and one of s, m, h, d, w)");
    let (number, factor) = match text.char_indices().last().ok_or("Empty time specification passed")? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        (at, 'd') => (&text[..at], 86_400),
        (at, 'w') => (&text[..at], 604_800),
        _ => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| invalid())?;
    number.checked_mul(factor).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("30m"), Ok(1800));
        assert_eq!(parse_duration("1w"), Ok(604_800));
        assert_eq!(parse_duration("90"), Ok(90));
        for bad in ["", "m", "1y", "-1h", "99999999999999999999w", "é"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
