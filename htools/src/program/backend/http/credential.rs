//! Who asks: from a URL, or from `~/.netrc` (another file by the variable `NETRC`).

use std::path::PathBuf;

/// A user with a password. It does not print itself.
pub(super) struct Login {
    user: String,
    password: String,
}

impl Login {
    /// `user:password`, percent-encoded.
    pub(super) fn from_userinfo(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self { user: decoded(user), password: decoded(password) }
    }

    /// As the header needs it.
    pub(super) fn encoded(&self) -> String {
        base64(format!("{}:{}", self.user, self.password).as_bytes())
    }
}

/// What `~/.netrc` knows of `host`.
pub(super) fn find(host: &str) -> Result<Option<Login>, String> {
    let path = match std::env::var_os("NETRC") {
        Some(path) => PathBuf::from(path),
        None => match std::env::var_os("HOME") {
            Some(home) => PathBuf::from(home).join(".netrc"),
            None => return Ok(None),
        },
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(in_netrc(&text, host)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn in_netrc(text: &str, host: &str) -> Option<Login> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut here, mut user, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here {
                    break;
                }
                here = word == "default" || words.next() == Some(host);
            }
            "login" if here => user = words.next(),
            "password" if here => password = words.next(),
            _ => {}
        }
    }
    Some(Login { user: user?.to_owned(), password: password?.to_owned() })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let triple = |chunk: &[u8]| {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let letter = |place: usize| if place <= chunk.len() { char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]) } else { '=' };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    bytes.chunks(3).flat_map(triple).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netrc() {
        let text = "# other\nmachine a login x password y\nmachine b\n  login u\n  password p:w\n";
        assert_eq!(in_netrc(text, "b").map(|login| login.encoded()), Some(base64(b"u:p:w")));
        assert!(in_netrc(text, "c").is_none());
        assert!(in_netrc("default login u password p", "c").is_some());
    }

    #[test]
    fn userinfo_is_decoded() {
        assert_eq!(Login::from_userinfo("u:p%40w").encoded(), base64(b"u:p@w"));
        assert_eq!(base64(b"user:pass"), "dXNlcjpwYXNz");
        assert_eq!(base64(b"a"), "YQ==");
    }
}
