//! The instance map.

use super::number::fixed;
use super::table::{header, table};
use crate::cluster::Cluster;
use crate::id::InstanceId;
use crate::state::State;

/// The instances `ids` with their nodes and sizes.
#[must_use]
pub fn map(cluster: &Cluster, state: &State, ids: &[InstanceId]) -> String {
    let rows: Vec<Vec<String>> = ids.iter().map(|id| row(cluster, state, *id)).collect();
    let names = ["F", "Name", "Pri_node", "Sec_node", "Auto_bal", "vcpu", "mem", "dsk", "lCpu", "lMem", "lDsk", "lNet"];
    let right: Vec<bool> = (0..names.len()).map(|column| column > 4).collect();
    table("", &header(&names), &rows, &right)
}

fn row(cluster: &Cluster, state: &State, id: InstanceId) -> Vec<String> {
    let instance = cluster.instance(id);
    let mut cells = vec![
        if instance.is_running() { "R" } else { " " }.to_owned(),
        instance.name.clone(),
        cluster.node(state.primary[id.at()]).name.clone(),
        state.secondary[id.at()].map_or_else(String::new, |node| cluster.node(node).name.clone()),
        if instance.auto_balance { "Y" } else { "N" }.to_owned(),
        format!("{:3}", instance.vcpus),
        format!("{:5}", instance.memory),
        format!("{:5}", instance.disk.div_euclid(1024)),
    ];
    cells.extend(instance.load.iter().map(|load| fixed(*load, 3)));
    cells
}
