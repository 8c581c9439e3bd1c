//! What is measured: a tool, its input, how long the reference may take, and what must be reached.

use gannet_qa::htools::large::{self, Shape};
use gannet_qa::htools::{iallocator, text};
use serde_json::{Value, json};

/// The bar for every case that the reference ends.
const TIMES: f64 = 20.0;

/// What must be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// So many times less CPU time than the reference.
    Times(f64),
    /// The same for each move of a plan; the reference makes a few only.
    TimesPerMove(f64),
    /// So many seconds; and a second number that is aimed at.
    Seconds(f64, f64),
}

/// The cluster of a case.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// An option that describes it.
    Simulated(&'static str),
    /// A file of nodes, instances.
    Text(usize, usize, Shape),
    /// A file for the iallocator, with a request.
    Request(usize, usize, Shape, Request),
}

/// What hail is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    /// A place for an instance with this template.
    Allocate(&'static str),
    /// Other nodes for so many instances.
    Evacuate(usize),
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) args: &'static [&'static str],
    pub(crate) input: Input,
    /// Options for the reference alone, which would not end otherwise.
    pub(crate) shorter: &'static [&'static str],
    /// CPU seconds that the reference is given; 0: it is not run.
    pub(crate) limit_s: u64,
    pub(crate) bar: Bar,
}

impl Input {
    /// Writes the file, if there is one, and gives back the arguments that name it.
    pub(crate) fn write(&self, path: &std::path::Path) -> std::io::Result<Vec<String>> {
        let name = path.display().to_string();
        match self {
            Self::Simulated(spec) => Ok(vec![format!("--simulate={spec}")]),
            Self::Text(nodes, instances, shape) => {
                std::fs::write(path, text::write(&large::cluster(*nodes, *instances, *shape, 1)))?;
                Ok(vec!["-t".to_owned(), name])
            }
            Self::Request(nodes, instances, shape, request) => {
                let cluster = large::cluster(*nodes, *instances, *shape, 1);
                let names: Vec<&str> = cluster.instances.iter().map(|instance| instance.name.as_str()).collect();
                std::fs::write(path, iallocator::input(&cluster, &request.wire(&names)).to_string())?;
                Ok(vec![name])
            }
        }
    }
}

impl Request {
    fn wire(self, names: &[&str]) -> Value {
        match self {
            Self::Allocate(template) => {
                let (nodes, disk) = if template == "drbd" { (2, 10_368) } else { (1, 10_240) };
                json!({
                    "type": "allocate", "name": "new", "disk_template": template, "group_name": null, "tags": [], "os": "debian",
                    "vcpus": 2, "memory": 2048, "spindle_use": 1, "disks": [{"size": 10_240, "mode": "rw"}],
                    "disk_space_total": disk, "nics": [], "required_nodes": nodes, "hypervisor": "xen-pvm",
                })
            }
            Self::Evacuate(count) => {
                let step = (names.len() / count).max(1);
                let some: Vec<&str> = names.iter().copied().step_by(step).take(count).collect();
                json!({"type": "node-evacuate", "evac_mode": "all", "instances": some})
            }
        }
    }
}

/// All rows.
pub(crate) fn all() -> Vec<Case> {
    use Request::{Allocate, Evacuate};
    use Shape::{Healthy, Single, Uneven};
    let balance = |what, nodes, instances, args, bar| Case {
        what,
        tool: "hbal",
        args,
        input: Input::Text(nodes, instances, Uneven),
        shorter: &[],
        limit_s: 0,
        bar,
    };
    let hail = |what, nodes, instances, shape, request, limit_s, bar| Case {
        what,
        tool: "hail",
        args: &[],
        input: Input::Request(nodes, instances, shape, request),
        shorter: &[],
        limit_s,
        bar,
    };
    let capacity = |what, args| Case {
        what,
        tool: "hspace",
        args,
        input: Input::Simulated("preferred,60,1t,64g,32,8"),
        shorter: &[],
        limit_s: 30,
        bar: Bar::Seconds(1.0, 1.0),
    };
    vec![
        Case { limit_s: 60, ..balance("hbal, drbd, 20 nodes, 200 instances, whole plan", 20, 200, &[], Bar::TimesPerMove(200.0)) },
        Case {
            shorter: &["-l3"],
            limit_s: 60,
            ..balance("hbal, drbd, 50 nodes, 500 instances, whole plan", 50, 500, &[], Bar::TimesPerMove(200.0))
        },
        Case {
            limit_s: 20,
            ..balance("hbal, drbd, 200 nodes in one group, 2,000 instances, whole plan", 200, 2000, &[], Bar::Seconds(10.0, 2.0))
        },
        balance("hbal, drbd, 1,000 nodes in one group, 10,000 instances, 100 moves", 1000, 10_000, &["-l100"], Bar::Seconds(60.0, 20.0)),
        Case {
            limit_s: 30,
            ..balance("hbal `--no-disk-moves`, 200 nodes, 2,000 instances", 200, 2000, &["--no-disk-moves"], Bar::Seconds(0.5, 0.1))
        },
        hail("hail allocate, drbd, 200 nodes, 2,000 instances", 200, 2000, Healthy, Allocate("drbd"), 30, Bar::Seconds(0.1, 0.05)),
        hail("hail allocate, drbd, 1,000 nodes, 20,000 instances", 1000, 20_000, Healthy, Allocate("drbd"), 20, Bar::Seconds(0.5, 0.3)),
        hail("hail node-evacuate (all) of 40 instances, 200 nodes", 200, 2000, Healthy, Evacuate(40), 20, Bar::Seconds(1.0, 0.5)),
        hail("hail node-evacuate (all) of 40 instances, 1,000 nodes", 1000, 20_000, Healthy, Evacuate(40), 0, Bar::Seconds(1.0, 0.5)),
        hail("hail allocate, plain, 100 nodes, 1,000 instances", 100, 1000, Healthy, Allocate("plain"), 30, Bar::Times(TIMES)),
        hail(
            "hail allocate, shared file, 60 nodes, 400 instances",
            60,
            400,
            Single("sharedfile"),
            Allocate("sharedfile"),
            30,
            Bar::Times(TIMES),
        ),
        Case {
            what: "hcheck with simulation, drbd, 200 nodes, 2,000 instances",
            tool: "hcheck",
            args: &["-Onode0007"],
            input: Input::Text(200, 2000, Healthy),
            shorter: &[],
            limit_s: 20,
            bar: Bar::Seconds(2.0, 0.5),
        },
        Case {
            what: "hroller, 4,000 nodes, 40,000 instances",
            tool: "hroller",
            args: &[],
            input: Input::Text(4000, 40_000, Healthy),
            shorter: &[],
            limit_s: 60,
            bar: Bar::Seconds(2.0, 0.5),
        },
        Case {
            what: "hinfo, 200 nodes, 2,000 instances",
            tool: "hinfo",
            args: &[],
            input: Input::Text(200, 2000, Uneven),
            shorter: &[],
            limit_s: 30,
            bar: Bar::Times(TIMES),
        },
        Case {
            what: "hsqueeze, shared file, 20 nodes, 100 instances",
            tool: "hsqueeze",
            args: &[],
            input: Input::Text(20, 100, Single("sharedfile")),
            shorter: &[],
            limit_s: 60,
            bar: Bar::Times(TIMES),
        },
        Case {
            what: "hroller, 400 nodes, 4,000 instances",
            tool: "hroller",
            args: &[],
            input: Input::Text(400, 4000, Healthy),
            shorter: &[],
            limit_s: 30,
            bar: Bar::Times(TIMES),
        },
        capacity("hspace, drbd, 60 simulated nodes, standard", &["--disk-template=drbd", "--standard-alloc=51200,2048,2"]),
        capacity(
            "hspace, drbd, 60 simulated nodes, tiered",
            &["--disk-template=drbd", "--standard-alloc=51200,2048,2", "--tiered-alloc=204800,16384,8"],
        ),
    ]
}
