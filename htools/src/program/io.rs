//! Where a tool reads and writes, so that tests can be the world.

use std::io::Write;

use super::Failure;

/// The world of a tool.
pub struct Io<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Talk.
    pub err: &'a mut dyn Write,
    /// How N+1 is judged at loading; other than by default only to compare with Ganeti 3.0.
    pub n1_rule: crate::state::N1Rule,
}

impl Io<'_> {
    /// Writes data.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(Failure::output)
    }

    /// Writes data that the reader should see at once.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn say_now(&mut self, text: &str) -> Result<(), Failure> {
        self.say(text)?;
        self.out.flush().map_err(Failure::output)
    }

    /// Writes talk. Where nobody hears it, nothing is lost.
    pub fn complain(&mut self, text: &str) {
        drop(self.err.write_all(text.as_bytes()));
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not text.
    pub fn read(&self, path: &str) -> Result<String, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        String::from_utf8(bytes).map_err(|error| {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{path}: line {line}: not text in UTF-8")
        })
    }

    /// Reads a file; `-` is the standard input.
    ///
    /// # Errors
    /// It cannot be read, or is not text.
    pub fn read_or_input(&self, path: &str) -> Result<String, String> {
        if path == "-" { std::io::read_to_string(std::io::stdin()).map_err(|error| format!("{path}: {error}")) } else { self.read(path) }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        std::fs::write(path, text).map_err(|error| Failure::error(format!("{path}: {error}")))
    }
}
