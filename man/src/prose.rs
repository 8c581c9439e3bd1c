//! Hand-written text: a little Markdown, as roff.
//!
//! Understood are `## SECTION`, `### part`, paragraphs, lists (`- entry`), verbatim lines (indented by four), definitions
//! (a line with the term, then `: text`), `**bold**`, `*italic*` and `` `literal` ``. Anything else is a mistake, since it
//! would look like nothing on the page.

use anyhow::{Result, bail, ensure};

use crate::roff::{Roff, bold, escape, italic};

/// Adds the text to a page. A line `{{NAME}}` calls `generated` with the name.
///
/// # Errors
/// Something that is not understood, with its text.
pub fn add(page: &mut Roff, text: &str, mut generated: impl FnMut(&mut Roff, &str) -> Result<()>) -> Result<()> {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
        } else if let Some(title) = line.strip_prefix("## ") {
            page.section(title);
        } else if let Some(title) = line.strip_prefix("### ") {
            page.subsection(title);
        } else if let Some(name) = line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}")) {
            generated(page, name)?;
        } else if let Some(first) = line.strip_prefix("    ") {
            let mut all = vec![first];
            // An empty line ends the block unless it goes on after it.
            while let Some(next) = lines.next_if(|next| next.starts_with("    ") || next.is_empty()) {
                all.push(next.get(4..).unwrap_or_default());
            }
            while all.last().is_some_and(|line| line.is_empty()) {
                all.pop();
            }
            page.verbatim(all.into_iter());
        } else if let Some(entry) = line.strip_prefix("- ") {
            page.bullet(&inline(&join(entry, &mut lines, 2))?);
        } else if lines.peek().is_some_and(|next| next.starts_with(": ")) {
            let first = lines.next().unwrap_or_default();
            page.definition(&inline(line)?, &inline(&join(&first[2..], &mut lines, 2))?);
        } else {
            ensure!(!line.starts_with(['#', '|', '>', ' ', '<']), "not understood: {line}");
            page.paragraph(&inline(&join(line, &mut lines, 0))?);
        }
    }
    Ok(())
}

/// The rest of a paragraph: lines that are indented by exactly `indent`.
fn join<'a>(first: &str, lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>, indent: usize) -> String {
    let mut text = first.trim().to_owned();
    let belongs = |line: &&str| {
        let begun = line.len() - line.trim_start().len();
        !line.trim().is_empty()
            && begun == indent
            && !(indent == 0 && (line.starts_with("- ") || line.starts_with("{{") || line.starts_with('#')))
    };
    while let Some(line) = lines.next_if(belongs) {
        text.push(' ');
        text.push_str(line.trim());
    }
    text
}

/// Text with `**bold**`, `*italic*` and literals.
///
/// # Errors
/// A mark that is not closed.
pub fn inline(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`']) {
        out.push_str(&plain(&rest[..at], out.is_empty()));
        let tail = &rest[at..];
        let (mark, style): (&str, fn(&str) -> String) = match () {
            () if tail.starts_with("**") => ("**", bold),
            () if tail.starts_with('*') => ("*", italic),
            () => ("`", bold),
        };
        let Some(end) = tail[mark.len()..].find(mark) else { bail!("a {mark} is not closed in: {text}") };
        out.push_str(&style(&tail[mark.len()..mark.len() + end]));
        rest = &tail[mark.len() * 2 + end..];
    }
    out.push_str(&plain(rest, out.is_empty()));
    Ok(out)
}

/// A dot is a request only at the beginning of a line.
fn plain(text: &str, begins_line: bool) -> String {
    let escaped = escape(text);
    if begins_line { escaped } else { escaped.strip_prefix("\\&").map_or(escaped.clone(), str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut page = Roff::default();
        add(&mut page, text, |page, name| {
            page.raw(&format!("<{name}>\n"));
            Ok(())
        })
        .unwrap();
        assert_eq!(page.into_source(), expected);
    }

    #[test]
    fn blocks() {
        check("## FILES\n\nOne\ntwo.\n", ".SH \"FILES\"\n.PP\nOne two.\n");
        check("- a\n  b\n- c\n", ".IP \\(bu 2\na b\n.IP \\(bu 2\nc\n");
        check("`x`\n: what\n  it is\n", ".TP\n\\fBx\\fR\nwhat it is\n");
        check("    a\n\n    b\n\nc\n", ".PP\n.RS 4\n.nf\na\n\\&\nb\n.fi\n.RE\n.PP\nc\n");
        check("{{options}}\n", "<options>\n");
    }

    #[test]
    fn marks() {
        assert_eq!(inline("a `-f` *b*.").unwrap(), "a \\fB\\-f\\fR \\fIb\\fR.");
        assert!(inline("a `b").is_err());
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for bad in ["| a |", "# a", "> a", "  a"] {
            assert!(add(&mut Roff::default(), bad, |_, _| Ok(())).is_err(), "{bad}");
        }
    }
}
