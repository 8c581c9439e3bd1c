//! Checking an OS name and its parameters, with the definition's own `verify` script.

use std::collections::HashMap;
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::{OsValidateRequest, ValidateReply};

use super::search::{self, Os};
use super::{Error, env, name, variant};
use crate::run::Program;

/// For `verify`, which only looks at its environment.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The checks that there are (Ganeti: `OS_VALIDATE_CALLS`).
const CHECKS: [&str; 1] = ["parameters"];

/// Says what is wrong with an OS and its parameters on this node; an OS that is not here is fine unless it is required.
pub async fn validate(paths: &Paths, request: &OsValidateRequest) -> ValidateReply {
    let problems = problems(paths, request).await.err().into_iter().collect();
    ValidateReply { problems, warnings: Vec::new() }
}

async fn problems(paths: &Paths, request: &OsValidateRequest) -> Result<(), String> {
    if let Some(unknown) = request.checks.iter().find(|check| !CHECKS.contains(&check.as_str())) {
        return Err(format!("Unknown checks required for OS {}: {unknown}", request.os));
    }
    let os = match search::find(paths, name(&request.os)) {
        Ok(os) => os,
        Err(Error::Invalid(problem)) => return Err(problem),
        Err(_) if !request.required => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !request.force_variant {
        check_variant(&os, &request.os)?;
    }
    if !os.has_parameters() {
        return Ok(());
    }
    if request.checks.iter().any(|check| check == "parameters") {
        check_parameters(&os, &request.osparams)?;
    }
    let env = env::core(&os, &request.os, &request.osparams, 0);
    let verify = Program::new(os.dir.join("verify")).args(&request.checks).only_env(env).cwd(&os.dir).timeout(TIMEOUT).combined();
    match verify.finish().await {
        Ok(output) if output.exit.success() => Ok(()),
        Ok(output) => Err(format!("OS validation script failed ({}), output: {}", output.exit, output.text().trim())),
        Err(error) => Err(format!("OS validation script failed ({error}), output: ")),
    }
}

/// Whether the variant in the name is one that the OS declares.
///
/// # Errors
/// Ganeti's sentence about it.
pub fn check_variant(os: &Os, full_name: &str) -> Result<(), String> {
    match (variant(full_name), os.variants.as_slice()) {
        (None, []) => Ok(()),
        (Some(variant), []) => Err(format!("OS '{}' does not support variants ('{variant}' passed)", os.name)),
        (None, _) => Err(format!("OS name '{full_name}' must include a variant")),
        (Some(variant), known) if known.iter().any(|known| known == variant) => Ok(()),
        (Some(variant), _) => Err(format!("OS '{}' does not support variant '{variant}'", os.name)),
    }
}

fn check_parameters(os: &Os, given: &HashMap<String, String>) -> Result<(), String> {
    let mut unknown: Vec<&str> =
        given.keys().map(String::as_str).filter(|name| os.parameters.iter().all(|(known, _)| known != name)).collect();
    unknown.sort_unstable();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(format!("The following parameters are not supported by the OS {}: {}", os.name, unknown.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::storage::suite::Node;

    async fn check(node: &Node, os: &str, params: &[(&str, &str)], required: bool) -> String {
        let osparams = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = OsValidateRequest { os: os.into(), osparams, checks: vec!["parameters".into()], required, force_variant: false };
        validate(&node.paths, &request).await.problems.join(";")
    }

    /// No instance is there yet: the variables of the OS, its parameters, and nothing of the agent's own environment.
    #[tokio::test]
    async fn verify_gets_the_variables_of_the_os_alone() {
        let node = Node::new();
        let dir = sample::os(&node.paths, "deb", "exit 0");
        let seen = node.paths.at("/srv/seen");
        sample::script(&dir.join("verify"), &format!("cat /proc/$$/environ > {}", seen.display()));
        assert_eq!(check(&node, "deb+a", &[("dhcp-name", "yes")], true).await, "");
        let seen = std::fs::read_to_string(seen).unwrap();
        let mut seen: Vec<&str> = seen.split_terminator('\0').collect();
        seen.sort_unstable();
        let path = format!("PATH={}", crate::run::PATH);
        assert_eq!(seen, ["DEBUG_LEVEL=0", "OSP_DHCP_NAME=yes", "OS_API_VERSION=20", "OS_NAME=deb", "OS_VARIANT=a", &path]);
    }

    #[tokio::test]
    async fn names_and_parameters() {
        let node = Node::new();
        let dir = sample::os(&node.paths, "deb", "exit 0");
        sample::script(&dir.join("verify"), "[ \"$1 $OSP_DHCP_NAME\" = 'parameters yes' ] || { echo \"bad $OSP_DHCP_NAME\"; exit 1; }");
        assert_eq!(check(&node, "deb+a", &[("dhcp-name", "yes")], true).await, "");
        assert_eq!(
            check(&node, "deb+a", &[("dhcp-name", "no")], true).await,
            "OS validation script failed (exited with exit code 1), output: bad no"
        );
        assert_eq!(check(&node, "deb+c", &[], true).await, "OS 'deb' does not support variant 'c'");
        assert_eq!(check(&node, "deb", &[], true).await, "OS name 'deb' must include a variant");
        assert_eq!(check(&node, "deb+a", &[("x", "")], true).await, "The following parameters are not supported by the OS deb: x");
        assert_eq!(check(&node, "none", &[], false).await, "");
        assert_eq!(check(&node, "none", &[], true).await, "Directory for OS none not found in search path");
    }
}
