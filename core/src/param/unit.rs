//! Sizes with a unit, as people write them.

/// Sizes are rounded up to a multiple of this many MiB, so that they fit LVM's extents (Ganeti does the same).
pub const GRANULARITY_MIB: u64 = 4;

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitParseError {
    /// Not a number followed by letters.
    #[error("Invalid format")]
    Format,
    /// Letters that are no unit.
    #[error("Unknown unit: {0}")]
    Unit(String),
    /// More than can be counted.
    #[error("Size out of range")]
    Range,
}

/// Reads `512`, `512M`, `4G`, `1.5 TiB`: the size in MiB, rounded up to a multiple of [`GRANULARITY_MIB`].
///
/// Without a unit the number is in MiB. Units are powers of 1024 and may be written `M`, `MB` or `MiB` in any case.
///
/// # Errors
/// The text is not of this form, or the size has no place in a `u64`.
pub fn parse_unit(text: &str) -> Result<u64, UnitParseError> {
    let text = text.trim_end_matches('\n');
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    if number.is_empty() || !unit.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(UnitParseError::Format);
    }
    let factor: f64 = match unit.to_ascii_lowercase().as_str() {
        "" | "m" | "mb" | "mib" => 1.0,
        "g" | "gb" | "gib" => 1024.0,
        "t" | "tb" | "tib" => 1024.0 * 1024.0,
        _ => return Err(UnitParseError::Unit(unit.to_owned())),
    };
    let mib = (number.parse::<f64>().map_err(|_| UnitParseError::Format)? * factor).ceil();
    // Above 2^53 a float no longer counts every MiB; no storage is that large.
    if mib > 9e15 {
        return Err(UnitParseError::Range);
    }
    Ok((mib as u64).next_multiple_of(GRANULARITY_MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(parse_unit(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn sizes() {
        check("512", Some(512));
        check("512M", Some(512));
        check("4G", Some(4096));
        check("4 gib", Some(4096));
        check("1.5TB", Some(1_572_864));
        check("1", Some(4));
        check("5m", Some(8));
        check("0.5g", Some(512));
        check("0", Some(0));
        check("", None);
        check("-1", None);
        check("1.2.3", None);
        check("4K", None);
        check("4 G 1", None);
        check("99999999999999999999T", None);
    }
}
