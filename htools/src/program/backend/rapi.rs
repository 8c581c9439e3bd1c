//! A cluster by RAPI (`-m`), or from files with RAPI's answers (`-m file://DIR`).

use super::super::Io;
use super::http::Site;
use crate::cluster::Cluster;
use crate::load::remote::Answers;

/// Where RAPI listens when the address has no port.
const PORT: u16 = 5080;

/// Reads the cluster at `address`.
pub(in super::super) fn read(address: &str, io: &mut Io<'_>) -> Result<Cluster, String> {
    let bodies = match address.strip_prefix("file://") {
        Some(dir) => in_order(["groups", "nodes", "instances", "info"], |name| io.read(&format!("{dir}/{name}.json")))?,
        None => {
            let site = Site::new(&full(address), io)?;
            in_order(["/2/groups?bulk=1", "/2/nodes?bulk=1", "/2/instances?bulk=1", "/2/info"], |path| site.get(path))?
        }
    };
    let [groups, nodes, instances, info] = &bodies;
    Answers::from_rapi(groups, nodes, instances, info).and_then(|answers| answers.cluster()).map_err(|error| error.to_string())
}

fn in_order(names: [&str; 4], get: impl Fn(&str) -> Result<String, String>) -> Result<[String; 4], String> {
    let [a, b, c, d] = names.map(get);
    Ok([a?, b?, c?, d?])
}

/// With a scheme and a port. Ganeti: both are added only when there is no colon in it.
fn full(address: &str) -> String {
    if address.contains(':') { address.to_owned() } else { format!("https://{address}:{PORT}") }
}
