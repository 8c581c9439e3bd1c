//! The options of all tools: one table, one parser.
//!
//! Long options may be shortened as long as only one fits; an optional argument is attached (`-C/tmp/script`,
//! `--print-nodes=name`); options and arguments may be mixed, and `--` ends the options.

mod getopt;
pub mod list;
mod table;

pub use getopt::{Argument, Spec};
pub use table::TABLE;

use super::Tool;
use crate::balance::Effort;
use crate::load::text::Repeated;
use crate::score::Weights;
use gannet_core::param::DiskTemplate;

/// What a command line asked for.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// `-t`: the cluster as a text file.
    pub text_data: Option<String>,
    /// `-m`: the cluster by RAPI.
    pub master: Option<String>,
    /// `-L`: the cluster by LUXI; empty: the usual socket.
    pub luxi: Option<String>,
    /// `-I`: the cluster of an iallocator request.
    pub ialloc_src: Option<String>,
    /// `--simulate`, the last one first.
    pub simulate: Vec<String>,
    /// Not `--no-disk-moves`.
    pub disk_moves: bool,
    /// Not `--no-instance-moves`.
    pub instance_moves: bool,
    /// `--restricted-migration`.
    pub restricted_migration: bool,
    /// `-E`.
    pub evac_mode: bool,
    /// `--ignore-soft-errors`.
    pub ignore_soft_errors: bool,
    /// `--independent-groups`.
    pub independent_groups: bool,
    /// `--accept-existing-errors`.
    pub accept_existing: bool,
    /// Not `--no-capacity-checks`.
    pub capacity: bool,
    /// `--select-instances`.
    pub select_instances: Vec<String>,
    /// `--exclude-instances`.
    pub exclude_instances: Vec<String>,
    /// `--exclusion-tags`, without colons.
    pub exclusion_tags: Vec<String>,
    /// `-U`.
    pub dynu_file: Option<String>,
    /// `--ignore-dynu`.
    pub ignore_dynu: bool,
    /// `--mond`.
    pub mond: bool,
    /// `--mond-data`.
    pub mond_data: Option<String>,
    /// `--mond-xen`.
    pub mond_xen: bool,
    /// `--exit-on-missing-mond-data`.
    pub mond_exit_missing: bool,
    /// `--disk-template`.
    pub disk_template: Option<DiskTemplate>,
    /// `--spindle-use`.
    pub spindle_use: Option<i64>,
    /// `-X`.
    pub exec: bool,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--reason`.
    pub reason: Option<String>,
    /// `--priority`: low, normal or high.
    pub priority: Option<String>,
    /// `--first-job-group`.
    pub first_job_group: bool,
    /// `-f`.
    pub force: bool,
    /// `--full-evacuation`.
    pub full_evacuation: bool,
    /// `-G`.
    pub group: Option<String>,
    /// `--ignore-non-redundant`.
    pub ignore_non_redundant: bool,
    /// `--skip-non-redundant`.
    pub skip_non_redundant: bool,
    /// `--offline-maintenance`.
    pub offline_maintenance: bool,
    /// `--one-step-only`.
    pub one_step_only: bool,
    /// `--print-moves`.
    pub print_moves: bool,
    /// `--node-tags`; `None`: all nodes.
    pub node_tags: Option<Vec<String>>,
    /// `--job-delay`, in seconds.
    pub job_delay: f64,
    /// `--machine-readable`.
    pub machine_readable: bool,
    /// `--max-cpu`; `None`: the policy's.
    pub max_cpu: Option<f64>,
    /// `--min-disk`.
    pub min_disk: f64,
    /// `-l`.
    pub max_length: i64,
    /// `-g`.
    pub min_gain: f64,
    /// `--min-gain-limit`.
    pub min_gain_limit: f64,
    /// `-e`.
    pub min_score: f64,
    /// `--minimal-resources`.
    pub minimal_resources: f64,
    /// `--target-resources`.
    pub target_resources: f64,
    /// `--no-headers`.
    pub no_headers: bool,
    /// `--no-simulation`.
    pub no_simulation: bool,
    /// `-O`, the last one first.
    pub offline: Vec<String>,
    /// `--restrict-allocation-to`; `None`: all nodes.
    pub restrict_to: Option<Vec<String>>,
    /// `-d`.
    pub output_dir: String,
    /// `-C`; `-` is the standard output.
    pub print_commands: Option<String>,
    /// `--print-instances`.
    pub print_instances: bool,
    /// `-p`: no fields are the default ones, a first `+` adds to these.
    pub print_nodes: Option<Vec<String>>,
    /// `-S`.
    pub save: Option<String>,
    /// `--static-kvm-node-memory`, in MiB.
    pub static_kvm_node_memory: i64,
    /// `--standard-alloc`.
    pub standard_alloc: Option<Wanted>,
    /// `--tiered-alloc`.
    pub tiered_alloc: Option<Wanted>,
    /// 1, more by `-v`, less by `-q`.
    pub verbose: i64,
    /// `--search`.
    pub search: bool,
    /// `--seed` and `--effort`.
    pub effort: Effort,
    /// `--price`, per GiB.
    pub price: f64,
    /// `--max-copied`, in GiB.
    pub max_copied: f64,
    /// `--weights`.
    pub weights: Weights,
    /// `--keep-disk`, in MiB.
    pub keep_disk: i64,
    /// `--memory-ratio`.
    pub memory_ratio: f64,
    /// `--survive`: how many nodes of a group may be lost together.
    pub survive: usize,
    /// `--failure-domains`: the prefix of the node tags that name them.
    pub failure_domains: Option<String>,
    /// `--lose`, in order: nodes, groups or tags of nodes.
    pub lose: Vec<String>,
    /// `--add-nodes`, in order: COUNT,NODE.
    pub add_nodes: Vec<String>,
    /// `--rate`: instances a day.
    pub rate: Option<f64>,
    /// `--json`: the file of the report.
    pub json: Option<String>,
    /// `--chart`: the file of the chart.
    pub chart: Option<String>,
    /// `--explain`.
    pub explain: bool,
    /// Set by tools, not on the command line.
    pub repeated: Repeated,
    pub(super) help: bool,
    pub(super) version: bool,
    pub(super) completion: bool,
}

/// The size of an instance on the command line of hspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// In MiB.
    pub disk: i64,
    /// In MiB.
    pub memory: i64,
    /// Virtual CPUs.
    pub cpus: i64,
    /// Spindles.
    pub spindles: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            text_data: None,
            master: None,
            luxi: None,
            ialloc_src: None,
            simulate: Vec::new(),
            disk_moves: true,
            instance_moves: true,
            restricted_migration: false,
            evac_mode: false,
            ignore_soft_errors: false,
            independent_groups: false,
            accept_existing: false,
            capacity: true,
            select_instances: Vec::new(),
            exclude_instances: Vec::new(),
            exclusion_tags: Vec::new(),
            dynu_file: None,
            ignore_dynu: false,
            mond: false,
            mond_data: None,
            mond_xen: false,
            mond_exit_missing: false,
            disk_template: None,
            spindle_use: None,
            exec: false,
            dry_run: false,
            reason: None,
            priority: None,
            first_job_group: false,
            force: false,
            full_evacuation: false,
            group: None,
            ignore_non_redundant: false,
            skip_non_redundant: false,
            offline_maintenance: false,
            one_step_only: false,
            print_moves: false,
            node_tags: None,
            job_delay: 10.0,
            machine_readable: false,
            max_cpu: None,
            min_disk: 0.0,
            max_length: -1,
            min_gain: 1e-2,
            min_gain_limit: 1e-1,
            min_score: 1e-9,
            minimal_resources: 2.0,
            target_resources: 2.0,
            no_headers: false,
            no_simulation: false,
            offline: Vec::new(),
            restrict_to: None,
            output_dir: ".".to_owned(),
            print_commands: None,
            print_instances: false,
            print_nodes: None,
            save: None,
            static_kvm_node_memory: 4096,
            standard_alloc: None,
            tiered_alloc: None,
            verbose: 1,
            search: false,
            effort: Effort { seed: 1, rounds: 50 },
            price: 0.0,
            max_copied: f64::INFINITY,
            weights: Weights::default(),
            keep_disk: 0,
            memory_ratio: 1.0,
            survive: 1,
            failure_domains: None,
            lose: Vec::new(),
            add_nodes: Vec::new(),
            rate: None,
            json: None,
            chart: None,
            explain: false,
            repeated: Repeated::Refuse,
            help: false,
            version: false,
            completion: false,
        }
    }
}

/// What a tool takes besides options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing.
    None,
    /// One file.
    OneFile,
    /// Any number of hosts.
    Hosts,
}

/// What a command line means.
pub(super) enum Parsed {
    /// Run with these options and arguments.
    Run(Box<Options>, Vec<String>),
    /// Print this and succeed.
    Say(String),
    /// Complain with this and fail.
    Refuse { code: u8, text: String },
}

/// Reads the command line of `tool`, without the program's name.
pub(super) fn parse(tool: &Tool, arguments: &[String]) -> Parsed {
    let specs: Vec<&Spec> =
        tool.options.iter().chain(list::GENERIC).filter_map(|long| TABLE.iter().find(|spec| spec.long == *long)).collect();
    let given = match getopt::parse(&specs, arguments) {
        Ok(given) => given,
        Err(errors) => return Parsed::Refuse { code: 2, text: format!("Command line error: {errors}\n{}", usage(tool, &specs)) },
    };
    let mut options = Box::new(Options::default());
    for (spec, value) in given.options {
        if let Err(message) = (spec.set)(&mut options, value.as_deref()) {
            return Parsed::Refuse { code: 1, text: format!("Error while parsing command line arguments:\n{message}\n") };
        }
    }
    match (options.help, options.version, options.completion) {
        (true, ..) => Parsed::Say(usage(tool, &specs)),
        (_, true, _) => Parsed::Say(format!("{} (Gannet) version {}\n", tool.name, env!("CARGO_PKG_VERSION"))),
        (.., true) => Parsed::Say(completion(tool, &specs)),
        _ => Parsed::Run(options, given.arguments),
    }
}

fn usage(tool: &Tool, specs: &[&Spec]) -> String {
    let mut text =
        format!("{} (Gannet) version {}: {}\nUsage: {} [OPTION...]", tool.name, env!("CARGO_PKG_VERSION"), tool.about, tool.name);
    text.push_str(match tool.arguments {
        Arguments::None => "\n",
        Arguments::OneFile => " FILE\n",
        Arguments::Hosts => " [HOST...]\n",
    });
    text + &getopt::lines(specs)
}

fn completion(tool: &Tool, specs: &[&Spec]) -> String {
    let line = |spec: &&Spec| {
        let short = spec.short.map(|letter| format!("-{letter},")).unwrap_or_default();
        format!("{short}--{} {}\n", spec.long, spec.completes)
    };
    let arguments = match tool.arguments {
        Arguments::None => "",
        Arguments::OneFile => "file 1 1\n",
        Arguments::Hosts => "host 0 none\n",
    };
    specs.iter().map(line).collect::<String>() + arguments
}
