//! Shell patterns for DNS names.

/// The regular expression of a pattern, exactly as Ganeti writes it.
///
/// `*` and `?` stop at dots, there are no ranges and no escapes, and the pattern may leave out trailing parts of the name: `web*`
/// matches `web1.example.com`.
#[must_use]
pub fn dns_name_glob(pattern: &str) -> String {
    let mut regex = String::from("^");
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str("[^.]*"),
            '?' => regex.push_str("[^.]"),
            c => {
                if is_special(c) {
                    regex.push('\\');
                }
                regex.push(c);
            }
        }
    }
    regex.push_str(r"(\..*)?$");
    regex
}

/// The characters Python's `re.escape` puts a backslash before; `*` and `?` do not get here.
fn is_special(c: char) -> bool {
    matches!(
        c,
        '(' | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '+'
            | '-'
            | '|'
            | '^'
            | '$'
            | '\\'
            | '.'
            | '&'
            | '~'
            | '#'
            | ' '
            | '\t'
            | '\n'
            | '\r'
            | '\x0b'
            | '\x0c'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::FilterRegex, *};

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        let regex = FilterRegex::new(dns_name_glob(pattern)).unwrap();
        assert_eq!(regex.is_match(name), expected, "{pattern} on {name}");
    }

    #[test]
    fn stars_stop_at_dots() {
        check("*.site", "web1.site", true);
        check("*.site", "web1.site.example.com", true);
        check("*.site", "a.web1.site", false);
        check("web?", "web1.example.com", true);
        check("web?", "web12", false);
        check("w.b", "wxb", false);
    }

    proptest! {
        #[test]
        fn every_pattern_is_a_regex(pattern in "[ -~\t\n\r\u{b}\u{c}é]{0,12}") {
            let regex = FilterRegex::new(dns_name_glob(&pattern)).unwrap();
            if !pattern.contains(['*', '?']) {
                prop_assert!(regex.is_match(&pattern));
            }
        }
    }
}
