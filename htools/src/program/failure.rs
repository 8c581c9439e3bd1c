//! How a tool ends when it does not succeed.

use std::io;

use super::Io;

/// The end of a tool with a code that is not 0.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// Bad data or a refusal: `Error: …`, code 1.
    #[must_use]
    pub fn error(message: impl AsRef<str>) -> Self {
        Self { code: 1, text: format!("Error: {}\n", message.as_ref()) }
    }

    /// Only this text, code 1.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { code: 1, text: text.into() }
    }

    /// Nothing more to say, code 1.
    #[must_use]
    pub fn quiet() -> Self {
        Self::plain("")
    }

    /// Nothing more to say, and this code.
    #[must_use]
    pub fn with_code(code: u8) -> Self {
        Self { code, text: String::new() }
    }

    /// Output that cannot be written. A reader that has gone away knows that itself.
    #[must_use]
    pub fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::quiet() } else { Self::error(format!("cannot write the output: {error}")) }
    }

    /// Says it, and gives back the exit code.
    pub(super) fn report(&self, io: &mut Io<'_>) -> u8 {
        io.complain(&self.text);
        self.code
    }
}
