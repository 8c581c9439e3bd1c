//! Numbers as the Romans wrote them (`--roman`).

use gannet_core::query::format::python_str;
use serde_json::Value;

const DIGITS: [(u64, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// A number from 1 to 4999 as a numeral; anything else as it is.
#[must_use]
pub fn numeral(value: &Value) -> String {
    let Some(mut rest) = value.as_u64().filter(|number| (1..5000).contains(number)) else { return python_str(value) };
    let mut text = String::new();
    for (worth, digit) in DIGITS {
        while rest >= worth {
            text.push_str(digit);
            rest -= worth;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numerals() {
        assert_eq!(numeral(&json!(1994)), "MCMXCIV");
        assert_eq!(numeral(&json!(0)), "0");
        assert_eq!(numeral(&json!("x")), "x");
    }
}
