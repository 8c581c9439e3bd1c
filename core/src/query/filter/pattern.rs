//! The regular expression of a filter, compiled once.

use std::{fmt, hash};

use regex::{Regex, RegexBuilder};

/// How much memory a compiled expression may take. A name pattern takes a few KiB; this stops `(a{1000}){1000}`.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// How deep groups may be nested in an expression.
const MAX_NESTING: u32 = 100;

/// A regular expression that has been compiled. Two are equal if they are spelled the same.
///
/// Ganeti searches anywhere in the text, and `^` and `$` also match at line ends (the default of its engine). The engine here
/// has no look-around and no back-references, in exchange it needs linear time for any expression.
#[derive(Clone)]
pub struct FilterRegex {
    source: String,
    compiled: Regex,
}

/// An expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid regular expression '{expression}': {reason}")]
pub struct RegexError {
    pub expression: String,
    /// One line.
    pub reason: String,
}

impl FilterRegex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It is malformed, uses look-around or back-references, or is too large.
    pub fn new(source: impl Into<String>) -> Result<Self, RegexError> {
        let source = source.into();
        let built = RegexBuilder::new(&source).multi_line(true).size_limit(MAX_COMPILED_BYTES).nest_limit(MAX_NESTING).build();
        match built {
            Ok(compiled) => Ok(Self { source, compiled }),
            Err(error) => Err(RegexError { reason: reason(&error), expression: source }),
        }
    }

    /// The expression as it was written, flags included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether it matches anywhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

/// The library draws the expression over several lines; its last line says what is wrong.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl PartialEq for FilterRegex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for FilterRegex {}

impl hash::Hash for FilterRegex {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl fmt::Debug for FilterRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterRegex({:?})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_searches_anywhere() {
        assert!(FilterRegex::new("b").unwrap().is_match("abc"));
        assert!(!FilterRegex::new("^b").unwrap().is_match("abc"));
        assert!(FilterRegex::new("(?i)^ABC$").unwrap().is_match("abc"));
        assert!(FilterRegex::new("^b$").unwrap().is_match("a\nb\nc"));
    }

    #[test]
    fn the_usual_classes_and_escapes_are_there() {
        let regex = FilterRegex::new(r"(?is)^\w+\d\s\b[[:alpha:]]\-\/\_\#\&\~\ .$").unwrap();
        assert!(regex.is_match("WEB1 a-/_#&~ \n"));
    }

    #[test]
    fn a_bad_one_says_why() {
        let error = FilterRegex::new("a(").unwrap_err();
        assert_eq!(error.to_string(), "Invalid regular expression 'a(': unclosed group");
        let error = FilterRegex::new("(?=a)").unwrap_err();
        assert!(error.reason.contains("look-around"), "{error}");
    }

    #[test]
    fn a_huge_one_is_refused() {
        let error = FilterRegex::new("((a{500}){500}){500}").unwrap_err();
        assert!(error.reason.contains("size limit"), "{error}");
    }
}
