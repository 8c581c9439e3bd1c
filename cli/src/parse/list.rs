//! Lists whose separator can be escaped with a backslash.

/// Splits at `separator`; a backslash before it makes it part of the text, two backslashes are one.
#[must_use]
pub fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("there is always a part");
        match c {
            '\\' if chars.peek().is_some_and(|&next| next == separator || next == '\\') => part.extend(chars.next()),
            c if c == separator => parts.push(String::new()),
            c => part.push(c),
        }
    }
    parts
}

/// The reverse of [`split_escaped`].
#[must_use]
pub fn join_escaped<'a>(parts: impl IntoIterator<Item = &'a str>, separator: char) -> String {
    let escape = |part: &str| part.replace('\\', "\\\\").replace(separator, &format!("\\{separator}"));
    parts.into_iter().map(escape).collect::<Vec<_>>().join(&separator.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(split_escaped("a,b", ','), ["a", "b"]);
        assert_eq!(split_escaped(r"a\,b,c", ','), ["a,b", "c"]);
        assert_eq!(split_escaped(r"a\\,b", ','), [r"a\", "b"]);
        assert_eq!(split_escaped(r"a\b", ','), [r"a\b"]);
        assert_eq!(split_escaped("", ','), [""]);
        let parts = ["a,b", r"c\d", ""];
        assert_eq!(split_escaped(&join_escaped(parts, ','), ','), parts);
    }
}
