//! The fields of a line.

/// Fields of a line, separated by `|`.
pub(super) struct Fields<'a>(Vec<&'a str>);

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self(line.split('|').collect())
    }

    /// Refuses a line with fewer than `count` fields.
    pub(super) fn at_least(&self, count: usize, kind: &str) -> Result<(), String> {
        if self.0.len() >= count {
            return Ok(());
        }
        Err(format!("Invalid/incomplete {kind} data: {} fields instead of {count} or more: '{}'", self.0.len(), self.0.join("|")))
    }

    /// A field; empty when there are fewer.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.or(at, "")
    }

    /// A field, or what stands for it when there are fewer.
    pub(super) fn or(&self, at: usize, default: &'a str) -> &'a str {
        self.0.get(at).copied().unwrap_or(default)
    }

    /// The elements of a field, separated by commas; an empty one has none.
    pub(super) fn list(&self, at: usize) -> Vec<String> {
        split(self.text(at), ',').into_iter().map(str::to_owned).collect()
    }

    /// `Y` or `N`.
    pub(super) fn yes_or_no(&self, at: usize, default: &'a str, what: impl Fn() -> String) -> Result<bool, String> {
        match self.or(at, default) {
            "Y" => Ok(true),
            "N" => Ok(false),
            other => Err(format!("{}: '{other}'", what())),
        }
    }
}

/// What a separator separates; of an empty text, nothing.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split(separator).collect() }
}
