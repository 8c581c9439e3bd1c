//! What the environment says about the node.

use std::path::PathBuf;

use gannet_core::paths::Paths;

/// The part of the process's environment that matters.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `GANETI_ROOTDIR`: the virtual node's root.
    pub root: Option<PathBuf>,
    /// `GANETI_HOSTNAME`: the virtual node's name.
    pub host_name: Option<String>,
    /// `FORCE_LUXI_SOCKET`: `master`, `query` or a path.
    pub luxi_socket: Option<String>,
    /// Variables with default arguments, such as `GNT_INSTANCE_LIST`.
    pub default_args: Vec<(String, String)>,
    /// Whether to tell which options a command did not look at; for tests, and only in debug builds (`GANNET_TELL_UNREAD`).
    pub tell_unread: bool,
    /// Directory of the running program, to find the others.
    pub program_dir: Option<PathBuf>,
}

impl Environment {
    /// As the process has it.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |name| std::env::var(name).ok().filter(|text: &String| !text.is_empty());
        let default_args = ["GNT_INSTANCE_LIST", "GNT_NODE_LIST", "GNT_GROUP_LIST"];
        Self {
            root: text("GANETI_ROOTDIR").map(PathBuf::from),
            host_name: text("GANETI_HOSTNAME"),
            luxi_socket: text("FORCE_LUXI_SOCKET"),
            default_args: default_args.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect(),
            tell_unread: cfg!(debug_assertions) && text("GANNET_TELL_UNREAD").is_some(),
            program_dir: std::env::current_exe().ok().and_then(|path| path.canonicalize().ok()?.parent().map(PathBuf::from)),
        }
    }

    /// The node's paths.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::new(self.root.clone())
    }

    /// The LUXI socket to use.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        match self.luxi_socket.as_deref() {
            Some("master") => self.paths().master_socket(),
            None | Some("query") => self.paths().query_socket(),
            Some(path) => PathBuf::from(path),
        }
    }

    /// This node's name.
    #[must_use]
    pub fn node_name(&self) -> String {
        self.host_name
            .clone()
            .unwrap_or_else(|| nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
    }

    /// Words to put before the given ones, split as a shell would.
    #[must_use]
    pub fn arguments_for(&self, variable: &str) -> Vec<String> {
        self.default_args.iter().find(|(name, _)| name == variable).map(|(_, text)| shell_split(text)).unwrap_or_default()
    }

    /// Where one of Gannet's programs lies: beside this one, else found in `PATH`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        let beside = self.program_dir.as_ref().map(|dir| dir.join(name)).filter(|path| path.exists());
        let packaged = || Some(PathBuf::from("/usr/sbin").join(name)).filter(|path| path.exists());
        beside.or_else(packaged).unwrap_or_else(|| PathBuf::from(name))
    }
}

/// Splits at blanks; quotes and backslashes keep them.
fn shell_split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_by_a_shell() {
        assert_eq!(shell_split(" -o  name,os "), ["-o", "name,os"]);
        assert_eq!(shell_split(r#"--separator ' ' "a\"b" c\ d '' "#), ["--separator", " ", "a\"b", "c d", ""]);
    }

    #[test]
    fn the_socket_can_be_forced() {
        let mut environment = Environment { root: Some("/r".into()), ..Environment::default() };
        assert_eq!(environment.socket(), PathBuf::from("/r/run/ganeti/socket/ganeti-query"));
        environment.luxi_socket = Some("master".into());
        assert_eq!(environment.socket(), PathBuf::from("/r/run/ganeti/socket/ganeti-master"));
        environment.luxi_socket = Some("/x".into());
        assert_eq!(environment.socket(), PathBuf::from("/x"));
    }
}
