//! Ganeti's "nice" order of names: groups of digits compare as numbers, so `node2` comes before `node10`.
//!
//! Ganeti: a name is cut into runs of ASCII digits and runs of anything else; a number sorts before a text.

use std::cmp::Ordering;

/// Compares two names. Names that differ only by leading zeros are equal, as in Ganeti, so sort with a stable sort.
#[must_use]
pub fn nice_cmp(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() && !right.is_empty() {
        let ((l, left_rest), (r, right_rest)) = (split_group(left), split_group(right));
        let order = compare_groups(l, r);
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.len().cmp(&right.len())
}

/// Sorts names in place.
pub fn nice_sort<S: AsRef<str>>(names: &mut [S]) {
    names.sort_by(|a, b| nice_cmp(a.as_ref(), b.as_ref()));
}

/// Sorts values in place by a name each of them has.
pub fn nice_sort_by_key<T>(values: &mut [T], name: impl Fn(&T) -> &str) {
    values.sort_by(|a, b| nice_cmp(name(a), name(b)));
}

/// Cuts the leading run of digits or of non-digits off a text that is not empty.
fn split_group(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

fn compare_groups(left: &str, right: &str) -> Ordering {
    let is_number = |group: &str| group.starts_with(|c: char| c.is_ascii_digit());
    match (is_number(left), is_number(right)) {
        (true, true) => compare_numbers(left, right),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.cmp(right),
    }
}

/// Compares numbers of any length without converting them.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[&str]) {
        let mut sorted = names.to_vec();
        nice_sort(&mut sorted);
        assert_eq!(sorted, expected);
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        check(&["a1", "a10", "a11", "a2"], &["a1", "a2", "a10", "a11"]);
        check(&["node10.site2", "node2.site10", "node2.site9"], &["node2.site9", "node2.site10", "node10.site2"]);
        check(&["b", "1", "", "a", "10", "2"], &["", "1", "2", "10", "a", "b"]);
        check(&["a", "a1", "aa", "a1a"], &["a", "a1", "a1a", "aa"]);
    }

    #[test]
    fn leading_zeros_do_not_count_and_keep_the_given_order() {
        check(&["a01", "a1", "a001", "a0"], &["a0", "a01", "a1", "a001"]);
    }

    #[test]
    fn numbers_longer_than_any_integer_are_fine() {
        check(
            &["a100000000000000000000000000000", "a99999999999999999999999999999"],
            &["a99999999999999999999999999999", "a100000000000000000000000000000"],
        );
    }

    #[test]
    fn values_sort_by_their_name() {
        let mut pairs = [("n10", 1), ("n9", 2)];
        nice_sort_by_key(&mut pairs, |p| p.0);
        assert_eq!(pairs, [("n9", 2), ("n10", 1)]);
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[a-b0-2é]{0,6}", b in "[a-b0-2é]{0,6}", c in "[a-b0-2é]{0,6}") {
            prop_assert_eq!(nice_cmp(&a, &b), nice_cmp(&b, &a).reverse());
            if nice_cmp(&a, &b).is_le() && nice_cmp(&b, &c).is_le() {
                prop_assert!(nice_cmp(&a, &c).is_le());
            }
        }
    }
}
