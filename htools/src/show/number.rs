//! Real numbers as the reference prints them.
//!
//! It takes the shortest decimal digits that mean the number and rounds *these*, half to even, instead of rounding the number
//! itself as C does. Now and then the last digit differs.

/// Digits of a number and where its point is: `0.d1d2d3… × 10^exponent`. Zero is the digit 0 with exponent 0.
fn digits(number: f64) -> (Vec<u8>, i32) {
    if number == 0.0 {
        return (vec![0], 0);
    }
    let text = format!("{:e}", number.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    (digits, exponent.parse::<i32>().unwrap_or(0) + 1)
}

/// The first `count` digits, rounded; a digit more in front when the rounding overflows.
fn rounded(digits: &[u8], count: usize) -> (bool, Vec<u8>) {
    let mut kept: Vec<u8> = digits.iter().copied().chain(std::iter::repeat(0)).take(count).collect();
    let rest = digits.get(count..).unwrap_or_default();
    let before_is_even = kept.last().is_none_or(|digit| digit % 2 == 0);
    let up = match rest.split_first() {
        None => false,
        Some((5, tail)) if tail.iter().all(|digit| *digit == 0) => !before_is_even,
        Some((first, _)) => *first >= 5,
    };
    if !up {
        return (false, kept);
    }
    for digit in kept.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return (false, kept);
        }
        *digit = 0;
    }
    kept.insert(0, 1);
    (true, kept)
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

fn special(number: f64) -> Option<String> {
    match (number.is_nan(), number.is_infinite(), number < 0.0) {
        (true, ..) => Some("NaN".to_owned()),
        (_, true, false) => Some("Infinity".to_owned()),
        (_, true, true) => Some("-Infinity".to_owned()),
        _ => None,
    }
}

fn sign(number: f64) -> &'static str {
    if number.is_sign_negative() { "-" } else { "" }
}

/// With `decimals` digits after the point (`%.8f`).
#[must_use]
pub fn fixed(number: f64, decimals: usize) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    let (mut digits, mut exponent) = digits(number);
    if exponent < 0 {
        let zeros = usize::try_from(-exponent).unwrap_or(0);
        digits.splice(0..0, std::iter::repeat_n(0, zeros));
        exponent = 0;
    }
    let whole = usize::try_from(exponent).unwrap_or(0);
    let (overflow, digits) = rounded(&digits, whole + decimals);
    let (before, after) = digits.split_at(whole + usize::from(overflow));
    let before = if before.is_empty() { "0".to_owned() } else { text(before) };
    let point = if after.is_empty() { "" } else { "." };
    format!("{}{before}{point}{}", sign(number), text(after))
}

/// With `decimals` digits after the point, in powers of ten below 0.1 and from 10^7 up (`%.6g`).
#[must_use]
pub fn general(number: f64, decimals: usize) -> String {
    if number != 0.0 && (number.abs() < 0.1 || number.abs() >= 1e7) { exponential(number, decimals) } else { fixed(number, decimals) }
}

fn exponential(number: f64, decimals: usize) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    let (digits, exponent) = digits(number);
    let (overflow, rounded) = rounded(&digits, decimals.max(1) + 1);
    let exponent = exponent - 1 + i32::from(overflow);
    let shown = if overflow { &rounded[..rounded.len() - 1] } else { &rounded[..] };
    format!("{}{}.{}e{exponent}", sign(number), text(&shown[..1]), text(&shown[1..]))
}

/// In the shortest form (`show`): with a decimal from 0.1 to 10^7, else in powers of ten.
#[must_use]
pub fn shortest(number: f64) -> String {
    if let Some(text) = special(number) {
        return text;
    }
    if number == 0.0 || (0.1..1e7).contains(&number.abs()) {
        return plain(number);
    }
    let (digits, exponent) = digits(number);
    let after = if digits.len() > 1 { text(&digits[1..]) } else { "0".to_owned() };
    format!("{}{}.{after}e{}", sign(number), text(&digits[..1]), exponent - 1)
}

/// In the shortest form, never in powers of ten (`%f` without a precision).
#[must_use]
pub fn plain(number: f64) -> String {
    special(number).unwrap_or_else(|| {
        let text = format!("{number}");
        if text.contains('.') { text } else { format!("{text}.0") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_digits_are_rounded_half_to_even() {
        assert_eq!(fixed(0.123_456_785, 8), "0.12345678");
        assert_eq!(fixed(0.123_456_775, 8), "0.12345678");
        assert_eq!(fixed(0.5, 0), "0");
        assert_eq!(fixed(1.5, 0), "2");
        assert_eq!(fixed(9.999_999_999, 8), "10.00000000");
        assert_eq!(fixed(0.0, 8), "0.00000000");
        assert_eq!(fixed(0.000_000_004, 8), "0.00000000");
        assert_eq!(fixed(16384.0, 0), "16384");
        assert_eq!(fixed(-0.05, 1), "-0.0");
        assert_eq!(fixed(f64::NAN, 8), "NaN");
    }

    #[test]
    fn powers_of_ten_begin_below_a_tenth() {
        assert_eq!(general(0.0, 6), "0.000000");
        assert_eq!(general(0.25, 6), "0.250000");
        assert_eq!(general(0.05, 6), "5.000000e-2");
        assert_eq!(general(1e-9, 6), "1.000000e-9");
        assert_eq!(shortest(1.0), "1.0");
        assert_eq!(shortest(0.01), "1.0e-2");
        assert_eq!(shortest(12_345_678.0), "1.2345678e7");
        assert_eq!(plain(0.01), "0.01");
        assert_eq!(plain(2.0), "2.0");
    }
}
