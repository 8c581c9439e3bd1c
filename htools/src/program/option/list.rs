//! Which tool has which options, in the order of its help.

/// Options that every tool has.
pub const GENERIC: &[&str] = &["version", "help", "help-completion"];

/// hail's.
pub const HAIL: &[&str] = &[
    "print-nodes",
    "save",
    "text-data",
    "simulate",
    "verbose",
    "ignore-dynu",
    "ignore-soft-errors",
    "no-capacity-checks",
    "restrict-allocation-to",
    "mond",
    "mond-xen",
    "static-kvm-node-memory",
    "survive",
    "failure-domains",
    "explain",
];

/// harep's.
pub const HAREP: &[&str] = &["luxi", "job-delay", "reason", "dry-run"];

/// hbal's.
pub const HBAL: &[&str] = &[
    "print-nodes",
    "print-instances",
    "print-commands",
    "text-data",
    "evac-mode",
    "restricted-migration",
    "master",
    "luxi",
    "ialloc-src",
    "exec",
    "first-job-group",
    "reason",
    "group",
    "max-length",
    "verbose",
    "quiet",
    "offline",
    "static-kvm-node-memory",
    "min-score",
    "max-cpu",
    "min-disk",
    "min-gain",
    "min-gain-limit",
    "no-disk-moves",
    "select-instances",
    "no-instance-moves",
    "ignore-soft-errors",
    "dynu-file",
    "ignore-dynu",
    "mond",
    "mond-data",
    "exit-on-missing-mond-data",
    "mond-xen",
    "exclusion-tags",
    "exclude-instances",
    "save",
    "priority",
    "search",
    "seed",
    "effort",
    "price",
    "max-copied",
    "weights",
    "keep-disk",
];

/// hcheck's.
pub const HCHECK: &[&str] = &[
    "text-data",
    "no-disk-moves",
    "dynu-file",
    "ignore-dynu",
    "evac-mode",
    "exclude-instances",
    "exclusion-tags",
    "ialloc-src",
    "no-instance-moves",
    "luxi",
    "machine-readable",
    "max-cpu",
    "max-length",
    "min-disk",
    "min-gain",
    "min-gain-limit",
    "min-score",
    "ignore-soft-errors",
    "no-simulation",
    "offline",
    "quiet",
    "master",
    "select-instances",
    "no-capacity-checks",
    "verbose",
    "survive",
    "failure-domains",
];

/// hinfo's.
pub const HINFO: &[&str] = &[
    "print-nodes",
    "print-instances",
    "text-data",
    "master",
    "luxi",
    "ialloc-src",
    "verbose",
    "quiet",
    "offline",
    "ignore-dynu",
    "mond",
    "mond-data",
    "static-kvm-node-memory",
];

/// hroller's.
pub const HROLLER: &[&str] = &[
    "luxi",
    "master",
    "text-data",
    "ialloc-src",
    "offline",
    "offline-maintenance",
    "verbose",
    "quiet",
    "no-headers",
    "node-tags",
    "save",
    "group",
    "print-moves",
    "full-evacuation",
    "skip-non-redundant",
    "ignore-non-redundant",
    "force",
    "one-step-only",
    "static-kvm-node-memory",
];

/// hscan's.
pub const HSCAN: &[&str] = &["print-nodes", "output-dir", "luxi", "verbose", "no-headers", "static-kvm-node-memory"];

/// hspace's.
pub const HSPACE: &[&str] = &[
    "print-nodes",
    "text-data",
    "disk-template",
    "spindle-use",
    "simulate",
    "master",
    "luxi",
    "ialloc-src",
    "verbose",
    "quiet",
    "independent-groups",
    "accept-existing-errors",
    "offline",
    "no-capacity-checks",
    "machine-readable",
    "max-cpu",
    "max-length",
    "min-disk",
    "standard-alloc",
    "tiered-alloc",
    "save",
    "static-kvm-node-memory",
    "survive",
    "failure-domains",
    "explain",
];

/// hsqueeze's.
pub const HSQUEEZE: &[&str] = &[
    "luxi",
    "text-data",
    "exec",
    "minimal-resources",
    "target-resources",
    "save",
    "print-commands",
    "verbose",
    "no-headers",
    "static-kvm-node-memory",
];
