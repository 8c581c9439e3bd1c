//! Where a command reads from and writes to: data to standard output, talk to standard error.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};

/// The streams of one command.
pub struct Io {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Standard input.
    pub input: Box<dyn BufRead>,
    /// Where questions are answered; `None` without a terminal.
    pub answers: Option<Box<dyn BufRead>>,
    /// Whether people watch standard error.
    pub is_watched: bool,
}

impl Io {
    /// The process's own streams.
    #[must_use]
    pub fn standard() -> Self {
        let out: Box<dyn Write> = match std::io::stdout().is_terminal() {
            true => Box::new(std::io::stdout()),
            false => Box::new(std::io::BufWriter::with_capacity(64 << 10, std::io::stdout())),
        };
        let is_watched = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        Self {
            out,
            err: Box::new(std::io::stderr()),
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            answers: None,
            is_watched,
        }
    }

    /// Streams of a test.
    #[must_use]
    pub fn new(out: Box<dyn Write>, err: Box<dyn Write>, input: Box<dyn BufRead>) -> Self {
        Self { out, err, input, answers: None, is_watched: false }
    }

    /// A line of data.
    pub fn line(&mut self, text: impl Display) {
        gone_means_done(writeln!(self.out, "{text}"));
    }

    /// Data as it is.
    pub fn raw(&mut self, bytes: &[u8]) {
        gone_means_done(self.out.write_all(bytes));
    }

    /// A line of talk, after the data that came before it.
    pub fn note(&mut self, text: impl Display) {
        self.flush();
        gone_means_done(writeln!(self.err, "{text}"));
    }

    /// A question, without the end of the line.
    pub fn ask(&mut self, text: impl Display) {
        self.flush();
        gone_means_done(write!(self.err, "{text}"));
        gone_means_done(self.err.flush());
    }

    /// Shows the data so far.
    pub fn flush(&mut self) {
        gone_means_done(self.out.flush());
    }
}

impl std::fmt::Debug for Io {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io").field("is_watched", &self.is_watched).finish_non_exhaustive()
    }
}

/// Nobody reads any more (`gnt-instance list | head -1`): there is nothing left to do.
fn gone_means_done(result: std::io::Result<()>) {
    if result.is_err() {
        std::process::exit(i32::from(crate::exit::FAILURE));
    }
}
