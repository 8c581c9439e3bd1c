//! How xtask talks: plain sentences on stderr, data on stdout. Colour only on a terminal and never the only carrier.

use std::io::{IsTerminal, Write};

/// Whether stderr is a terminal (bars and colour are for people only).
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// One line of talk. A closed stderr is no reason to stop.
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// The start of a section.
pub fn heading(text: impl AsRef<str>) {
    if is_terminal() {
        line(format!("\x1b[1m{}\x1b[0m", text.as_ref()));
    } else {
        line(text);
    }
}

/// Several lines, each indented by four blanks.
pub fn indented(text: &str) {
    for part in text.lines() {
        line(format!("    {part}"));
    }
}
