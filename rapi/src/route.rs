//! The table of resources: URI patterns, methods, rights, and what each does.

use std::pin::Pin;
use std::sync::Arc;

use crate::api::Api;
use crate::body::Body;
use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::resource;
use crate::submit::Submit;

/// One URI and its methods.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The pattern as the contract writes it: `/2/instances/{instance_name}`.
    pub uri: &'static str,
    /// Its name in reason trails: `gnt:library:rlib2:CLASS`.
    pub class: &'static str,
    pub endpoints: &'static [Endpoint],
}

/// One method of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    pub verb: Verb,
    pub access: Access,
    pub(crate) action: Action,
}

/// The HTTP methods that resources have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, unless authentication is required of all.
    Public,
    /// Users with the option `read` or `write`.
    Read,
    /// Users with the option `write`.
    Write,
}

/// The future of a body.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Result<Body, ApiError>> + Send>>;

/// What a method does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// Always the same answer.
    Constant(&'static str),
    /// Asks the master; equal questions share an answer.
    Read(fn(&Call) -> Result<Query, ApiError>),
    /// Submits a job of one opcode; answers its number.
    Submit(Submit),
    /// Something of its own.
    Custom(fn(Arc<Api>, Call) -> Pending),
}

impl Verb {
    /// The method of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "GET" => Some(Self::Get),
            "PUT" => Some(Self::Put),
            "POST" => Some(Self::Post),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl Endpoint {
    /// A GET for everybody.
    pub(crate) const fn read(query: fn(&Call) -> Result<Query, ApiError>) -> Self {
        Self { verb: Verb::Get, access: Access::Public, action: Action::Read(query) }
    }

    /// A GET for everybody whose answer never changes.
    pub(crate) const fn constant(body: &'static str) -> Self {
        Self { verb: Verb::Get, access: Access::Public, action: Action::Constant(body) }
    }

    /// A method that submits a job, for writers.
    pub(crate) const fn submit(verb: Verb, submit: Submit) -> Self {
        Self { verb, access: Access::Write, action: Action::Submit(submit) }
    }

    /// A method with code of its own, for writers.
    pub(crate) const fn custom(verb: Verb, run: fn(Arc<Api>, Call) -> Pending) -> Self {
        Self { verb, access: Access::Write, action: Action::Custom(run) }
    }

    /// The same for others.
    pub(crate) const fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The opcode that it submits, when it is exactly one.
    #[must_use]
    pub fn op_id(&self) -> Option<&'static str> {
        match &self.action {
            Action::Submit(submit) => Some(submit.op_id()),
            Action::Constant(_) | Action::Read(_) | Action::Custom(_) => None,
        }
    }
}

impl Route {
    /// All resources.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        resource::ALL.iter().flat_map(|family| family.iter())
    }

    /// The resource at `path`, and the path's variables.
    #[must_use]
    pub fn find(path: &str) -> Option<(&'static Self, Vec<(&'static str, String)>)> {
        Self::all().find_map(|route| Some((route, route.matches(path)?)))
    }

    /// The method `verb` of this resource.
    #[must_use]
    pub fn endpoint(&self, verb: Verb) -> Option<&'static Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.verb == verb)
    }

    fn matches(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut vars = Vec::new();
        let mut given = path.split('/');
        for part in self.uri.split('/') {
            let value = given.next()?;
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None if part == value => {}
                Some(name) if is_value(name, value) => vars.push((name, value.to_owned())),
                _ => return None,
            }
        }
        given.next().is_none().then_some(vars)
    }
}

/// What may stand for a variable in a path: digits for numbers, `[\w.-]+` for names. Nothing is percent-decoded.
fn is_value(name: &str, value: &str) -> bool {
    let allowed: fn(u8) -> bool = match name {
        "job_id" | "disk_index" => |byte| byte.is_ascii_digit(),
        _ => |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
    };
    !value.is_empty() && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<(&str, &[&str])>) {
        let found = Route::find(path);
        let found = found.as_ref().map(|(route, vars)| (route.uri, vars.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>()));
        assert_eq!(found, expected.map(|(uri, vars)| (uri, vars.to_vec())), "{path}");
    }

    #[test]
    fn paths() {
        check("/", Some(("/", &[])));
        check("/2", Some(("/2", &[])));
        check(
            "/2/instances/web-1.example.com/disk/0/grow",
            Some(("/2/instances/{instance_name}/disk/{disk_index}/grow", &["web-1.example.com", "0"])),
        );
        check("/2/query/instance/fields", Some(("/2/query/{resource}/fields", &["instance"])));
        for unknown in [
            "",
            "/3",
            "/2/",
            "/2/instances/",
            "/2/instances/a%2fb",
            "/2/jobs/x",
            "/2/jobs/-1",
            "/2/nodes/a/b",
            "//2",
            "/2/instances/web1/disk/x/grow",
        ] {
            check(unknown, None);
        }
    }
}
