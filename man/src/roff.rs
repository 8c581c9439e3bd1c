//! The little of roff's `man` macros that the pages need.

/// Text as roff source, without its meaning as a request.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '\\' => out.push_str("\\e"),
            // Options must stay ASCII hyphens when they are copied from the page.
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '`' => out.push_str("\\(ga"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '.' if at == 0 => out.push_str("\\&."),
            '…' => out.push_str("..."),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    out
}

/// A page that is being written.
#[derive(Debug, Default)]
pub struct Roff(String);

impl Roff {
    /// The title line: `title("gnt-instance", 8, "Gannet 0.1.0")`.
    pub fn title(&mut self, name: &str, section: u8, source: &str) {
        // No date: the same source gives the same page.
        self.line(&format!(".TH \"{}\" {section} \"\" \"{}\" \"Gannet\"", escape(&name.to_uppercase()), escape(source)));
    }

    /// A section.
    pub fn section(&mut self, title: &str) {
        self.line(&format!(".SH \"{}\"", escape(title)));
    }

    /// A section within a section.
    pub fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS \"{}\"", escape(title)));
    }

    /// A paragraph of roff text.
    pub fn paragraph(&mut self, text: &str) {
        self.line(".PP");
        self.line(text);
    }

    /// A term and what it means, both roff text.
    pub fn definition(&mut self, term: &str, text: &str) {
        self.line(".TP");
        self.line(term);
        self.line(text);
    }

    /// An entry of a list, in roff text.
    pub fn bullet(&mut self, text: &str) {
        self.line(".IP \\(bu 2");
        self.line(text);
    }

    /// Lines that stay as they are.
    pub fn verbatim<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        self.line(".PP\n.RS 4\n.nf");
        lines.for_each(|line| self.line(&if line.is_empty() { "\\&".to_owned() } else { escape(line) }));
        self.line(".fi\n.RE");
    }

    /// Roff source as it is.
    pub fn raw(&mut self, source: &str) {
        self.0.push_str(source);
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// The whole source.
    #[must_use]
    pub fn into_source(self) -> String {
        self.0
    }
}

/// `text` in bold.
#[must_use]
pub fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escape(text))
}

/// `text` in italics.
#[must_use]
pub fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_request() {
        assert_eq!(escape(".x --all 'a' \\n"), "\\&.x \\-\\-all \\(aqa\\(aq \\en");
        assert_eq!(escape("a.b"), "a.b");
        assert_eq!(escape("→"), "\\[u2192]");
    }

    #[test]
    fn verbatim_lines_keep_their_place() {
        let mut page = Roff::default();
        page.verbatim([".a", "", "b"].into_iter());
        assert_eq!(page.into_source(), ".PP\n.RS 4\n.nf\n\\&.a\n\\&\nb\n.fi\n.RE\n");
    }
}
