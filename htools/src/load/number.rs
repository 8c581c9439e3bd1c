//! Numbers in texts, as strict as the reference's reader, and bounded.

/// The largest quantity that is read, in whatever unit: 2^45 MiB are 32 exbibytes. Sums of more than a hundred thousand of
/// these still fit their type, and real numbers hold them exactly.
pub const LARGEST: i64 = 1 << 45;

/// A whole number between -[`LARGEST`] and [`LARGEST`].
///
/// # Errors
/// A sentence that names `what` and the text.
pub fn whole(what: &str, text: &str) -> Result<i64, String> {
    let number = digits(text).ok_or_else(|| format!("{what}: cannot parse string '{text}'"))?;
    match number.parse::<i64>() {
        // The smallest number has no absolute value of its type.
        Ok(number) if number.unsigned_abs() <= LARGEST.unsigned_abs() => Ok(number),
        _ => Err(format!("{what}: '{text}' is out of range, the limit is {LARGEST}")),
    }
}

/// A whole number from 0 to [`LARGEST`].
///
/// # Errors
/// A sentence that names `what` and the text.
pub fn count(what: &str, text: &str) -> Result<i64, String> {
    let number = whole(what, text)?;
    if number < 0 { Err(format!("{what}: '{text}' is negative")) } else { Ok(number) }
}

/// A real number of at most [`LARGEST`] in size; neither infinite nor NaN.
///
/// # Errors
/// A sentence that names `what` and the text.
pub fn real(what: &str, text: &str) -> Result<f64, String> {
    let trimmed = text.trim_start();
    let unsigned = trimmed.strip_prefix('-').unwrap_or(trimmed);
    // Digits on both sides of the point, as the reference wants them.
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let mut parts = mantissa.split('.');
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = parts.next().is_some_and(plain) && parts.next().is_none_or(plain) && parts.next().is_none();
    match trimmed.parse::<f64>() {
        Ok(number) if well_formed && number.abs() <= crate::state::real(LARGEST) => Ok(number),
        Ok(_) if well_formed => Err(format!("{what}: '{text}' is out of range, the limit is {LARGEST}")),
        _ => Err(format!("{what}: cannot parse string '{text}'")),
    }
}

/// A real number from 0 to [`LARGEST`].
///
/// # Errors
/// A sentence that names `what` and the text.
pub fn amount(what: &str, text: &str) -> Result<f64, String> {
    let number = real(what, text)?;
    if number < 0.0 { Err(format!("{what}: '{text}' is negative")) } else { Ok(number) }
}

/// A size with a unit, in MiB: none, `m`, `MiB`, `g`, `GiB`, `t`, `TiB`, and `M`, `MB`, `G`, `GB`, `T`, `TB` of thousands.
///
/// # Errors
/// A sentence that names `what` and the text.
pub fn size(what: &str, text: &str) -> Result<i64, String> {
    let trimmed = text.trim_start();
    let after_sign = trimmed.strip_prefix('-').unwrap_or(trimmed);
    let unit = after_sign.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let (digits, unit) = (&trimmed[..trimmed.len() - unit.len()], unit.trim_start_matches(' '));
    let number = count(what, digits).map_err(|_| format!("{what}: Can't parse string '{text}'"))?;
    // Numerator and denominator of one unit in MiB.
    let (up, down): (i128, i128) = match (unit, unit.to_uppercase().as_str()) {
        ("" | "m", _) | (_, "MIB") => (1, 1),
        ("g", _) | (_, "GIB") => (1024, 1),
        ("t", _) | (_, "TIB") => (1024 * 1024, 1),
        ("M", _) | (_, "MB") => (1_000_000, 1024 * 1024),
        ("G", _) | (_, "GB") => (1_000_000_000, 1024 * 1024),
        ("T", _) | (_, "TB") => (1_000_000_000_000, 1024 * 1024),
        _ => return Err(format!("{what}: Unknown unit '{unit}'")),
    };
    match i64::try_from(i128::from(number) * up / down) {
        Ok(size) if size <= LARGEST => Ok(size),
        _ => Err(format!("{what}: '{text}' is out of range, the limit is {LARGEST} MiB")),
    }
}

/// The text without leading blanks, if it is a whole number.
fn digits(text: &str) -> Option<&str> {
    let trimmed = text.trim_start();
    let unsigned = trimmed.strip_prefix('-').unwrap_or(trimmed);
    (!unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit())).then_some(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(whole("x", "12"), Ok(12));
        assert_eq!(whole("x", "-12"), Ok(-12));
        assert_eq!(whole("node1", "1x").unwrap_err(), "node1: cannot parse string '1x'");
        assert!(whole("x", "").is_err());
        assert!(whole("x", "99999999999999999999").unwrap_err().contains("out of range"));
        assert!(count("x", "-1").unwrap_err().contains("negative"));
        assert_eq!(real("x", "1.5e2"), Ok(150.0));
        for wrong in [".5", "5.", "NaN", "inf", "1e400", "", "1.2.3"] {
            assert!(real("x", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("x", "20g"), Ok(20 * 1024));
        assert_eq!(size("x", "20G"), Ok(19_073));
        assert_eq!(size("x", "1 TiB"), Ok(1024 * 1024));
        assert_eq!(size("x", "1M"), Ok(0));
        assert!(size("x", "1q").is_err());
        assert!(size("x", "g").is_err());
    }
}
