//! Who may: HTTP basic authentication against the users file.
//!
//! Passwords are kept as `MD5(user:realm:password)`, also those that the file has in clear, so that a check is one
//! hash and one comparison in constant time: less than what remembering verified credentials would cost.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::error::ApiError;
use crate::route::Access;

/// The realm, part of every `{HA1}` hash.
pub const REALM: &str = "Ganeti Remote API";

/// The users file, read anew when it changes.
#[derive(Debug)]
pub struct Users {
    path: PathBuf,
    read: Mutex<(Option<Stamp>, Arc<Table>)>,
}

/// What tells one state of the file from another: device, inode, size, change time.
type Stamp = (u64, u64, u64, i64, i64);

/// The users by name.
type Table = HashMap<String, User>;

#[derive(Clone, PartialEq)]
struct User {
    /// MD5 of `user:realm:password`; `None` when the file has something that no password matches.
    ha1: Option<[u8; 16]>,
    may_read: bool,
    may_write: bool,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("ha1", &"<redacted>").field("may_read", &self.may_read).field("may_write", &self.may_write).finish()
    }
}

impl Users {
    /// The users of the file at `path`. A file that is not there has none.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let users = Self { path, read: Mutex::default() };
        users.reload();
        users
    }

    /// Reads the file now, changed or not.
    pub fn reload(&self) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = (self.stamp(), Arc::new(self.load()));
    }

    /// Whether these credentials (the header `Authorization`) allow `access`. Credentials that are sent have to be
    /// right also where none are needed.
    ///
    /// # Errors
    /// 401 without credentials or with wrong ones, 403 when the user lacks the right.
    pub fn authorize(&self, header: Option<&[u8]>, access: Access, required: bool) -> Result<(), ApiError> {
        let Some(header) = header else {
            return if access == Access::Public && !required { Ok(()) } else { Err(unauthorized()) };
        };
        let (name, password) = credentials(header).ok_or_else(unauthorized)?;
        let table = self.current();
        let user = table.get(&name);
        let right = user.and_then(|user| user.ha1).unwrap_or_default();
        let given = hash(&name, &password);
        // an unknown user is compared with nothing, which takes as long
        let matches = bool::from(given.as_slice().ct_eq(&right));
        match user.filter(|user| matches && user.ha1.is_some()) {
            None => Err(unauthorized()),
            Some(user) if user.may(access) => Ok(()),
            Some(_) => Err(ApiError::new(StatusCode::FORBIDDEN, "")),
        }
    }

    /// The table as the file is now: one `stat` a request, and no change is missed.
    fn current(&self) -> Arc<Table> {
        let now = self.stamp();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != now {
            *read = (now, Arc::new(self.load()));
            tracing::info!(file = %self.path.display(), users = read.1.len(), "the users were read anew");
        }
        read.1.clone()
    }

    fn stamp(&self) -> Option<Stamp> {
        let meta = std::fs::metadata(&self.path).ok()?;
        Some((meta.dev(), meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))
    }

    fn load(&self) -> Table {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => parse(&text),
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "no users: everything that needs a right is refused");
                Table::new()
            }
        }
    }
}

impl User {
    fn may(&self, access: Access) -> bool {
        match access {
            Access::Public => true,
            Access::Read => self.may_read || self.may_write,
            Access::Write => self.may_write,
        }
    }
}

fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "")
}

/// User and password of a `Basic` header.
fn credentials(header: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn hash(name: &str, password: &str) -> [u8; 16] {
    Md5::digest(format!("{name}:{REALM}:{password}")).into()
}

/// Lines of `user password [option,option]`; empty lines and `#` comments.
fn parse(text: &str) -> Table {
    let mut table = Table::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let (Some(name), Some(password)) = (words.next(), words.next()) else {
            tracing::warn!(line = index + 1, "a line of the users file has no password and is left out");
            continue;
        };
        let options: String = words.collect();
        let has = |option: &str| options.split(',').any(|found| found == option);
        let ha1 = stored(name, password);
        if ha1.is_none() {
            tracing::warn!(line = index + 1, user = name, "the password of a user has an unknown form and matches nothing");
        }
        table.insert(name.to_owned(), User { ha1, may_read: has("read"), may_write: has("write") });
    }
    table
}

/// The hash for a password as the file has it.
fn stored(name: &str, password: &str) -> Option<[u8; 16]> {
    let Some((scheme, value)) = password.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Some(hash(name, password));
    };
    match scheme.to_ascii_uppercase().as_str() {
        "CLEARTEXT" => Some(hash(name, value)),
        "HA1" => from_hex(value),
        _ => None,
    }
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(u128::from_str_radix(text, 16).ok()?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    // the hash of "hashed:Ganeti Remote API:secret"
    const FILE: &str = "
# comment
plain   secret  write
clear {ClearText}secret read
hashed {ha1}HASH read, write
nothing secret
odd {ROT13}frperg write
alone
";

    fn users() -> (tempfile::TempDir, Users) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        let ha1: String = hash("hashed", "secret").iter().map(|byte| format!("{byte:02X}")).collect();
        std::fs::write(&path, FILE.replace("HASH", &ha1)).unwrap();
        (directory, Users::new(path))
    }

    fn basic(text: &str) -> Vec<u8> {
        format!("bAsIc {}", STANDARD.encode(text)).into_bytes()
    }

    #[test]
    fn the_hash_is_the_one_of_http_digests() {
        let hex: String = hash("rapi", "secret").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, HA1_OF_RAPI_SECRET);
    }
    // printf 'rapi:Ganeti Remote API:secret' | md5sum
    const HA1_OF_RAPI_SECRET: &str = "9cf5f3e6762b1255ef10e1c30cd8c5d5";

    #[test]
    fn rights() {
        let (_directory, users) = users();
        let status = |who: &str, access| users.authorize(Some(&basic(who)), access, false).map_err(|error| error.status.as_u16());
        for (who, read, write) in
            [("plain", Ok(()), Ok(())), ("clear", Ok(()), Err(403)), ("hashed", Ok(()), Ok(())), ("nothing", Err(403), Err(403))]
        {
            let good = format!("{who}:secret");
            assert_eq!(
                (status(&good, Access::Public), status(&good, Access::Read), status(&good, Access::Write)),
                (Ok(()), read, write),
                "{who}"
            );
            for access in [Access::Public, Access::Read, Access::Write] {
                assert_eq!(status(&format!("{who}:wrong"), access), Err(401), "{who}");
            }
        }
        for bad in ["odd:secret", "odd:frperg", "odd:", "alone:", "unknown:secret", "unknown:", "plain", "plain:"] {
            assert_eq!(status(bad, Access::Public), Err(401), "{bad}");
        }
    }

    #[test]
    fn without_credentials() {
        let (_directory, users) = users();
        let status = |access, required| users.authorize(None, access, required).map_err(|error| error.status.as_u16());
        assert_eq!((status(Access::Public, false), status(Access::Public, true)), (Ok(()), Err(401)));
        assert_eq!((status(Access::Read, false), status(Access::Write, false)), (Err(401), Err(401)));
        for header in [&b"Digest x"[..], b"Basic", b"Basic !!!", b"\xff\xff", b""] {
            assert_eq!(users.authorize(Some(header), Access::Public, false).map_err(|error| error.status.as_u16()), Err(401));
        }
    }

    #[test]
    fn a_changed_file_counts_at_once() {
        let (directory, users) = users();
        let plain = basic("plain:secret");
        assert!(users.authorize(Some(&plain), Access::Write, false).is_ok());
        std::fs::write(directory.path().join("users"), "plain secret read\n").unwrap();
        assert_eq!(users.authorize(Some(&plain), Access::Write, false).unwrap_err().status.as_u16(), 403);
        std::fs::remove_file(directory.path().join("users")).unwrap();
        assert_eq!(users.authorize(Some(&plain), Access::Public, false).unwrap_err().status.as_u16(), 401);
    }

    #[test]
    fn no_password_is_printed() {
        let (_directory, users) = users();
        assert!(!format!("{users:?}").contains("secret"));
    }
}
