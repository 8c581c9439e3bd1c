//! Lines that programs read: a name, an equals sign, a value that a shell takes as one word.

use super::{Failure, Io};

/// Writes one line. The name is made of `prefix` and `key`.
pub(super) fn print(io: &mut Io<'_>, prefix: &str, key: &str, value: &str) -> Result<(), Failure> {
    let plain = value.chars().all(|letter| letter.is_alphanumeric() || letter == '.');
    let quote = if plain { "" } else { "'" };
    io.say(&format!("{prefix}_{}={quote}{value}{quote}\n", key.to_uppercase()))
}
