//! The table of components.

use super::row::lane::{
    CPU, CPU_LOAD, DISK, DISK_LOAD, EVENTUAL_CPU, EVENTUAL_DISK, EVENTUAL_MEMORY, EVENTUAL_SPINDLES, MEMORY, MEMORY_LOAD, NETWORK_LOAD,
    RESERVED, SPINDLES,
};

/// A component of the score.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// Its name, as printed.
    pub name: &'static str,
    /// Its weight.
    pub weight: f64,
    pub(super) source: Source,
}

/// Where its value comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// The standard deviation of a lane over online nodes.
    Spread(usize),
    N1,
    Tags,
    Location,
    Reserved,
    OfflineAll,
    OfflinePrimary,
    Pairs,
}

const fn component(name: &'static str, weight: f64, source: Source) -> Component {
    Component { name, weight, source }
}

/// All components, in the order in which they are summed and printed.
pub const COMPONENTS: [Component; 20] = [
    component("free_mem_cv", 0.5, Source::Spread(MEMORY)),
    component("free_disk_cv", 0.5, Source::Spread(DISK)),
    component("n1_cnt", 1.0, Source::N1),
    component("reserved_mem_cv", 1.0, Source::Spread(RESERVED)),
    component("offline_all_cnt", 4.0, Source::OfflineAll),
    component("offline_pri_cnt", 16.0, Source::OfflinePrimary),
    component("vcpu_ratio_cv", 0.5, Source::Spread(CPU)),
    component("cpu_load_cv", 1.0, Source::Spread(CPU_LOAD)),
    component("mem_load_cv", 1.0, Source::Spread(MEMORY_LOAD)),
    component("disk_load_cv", 1.0, Source::Spread(DISK_LOAD)),
    component("net_load_cv", 1.0, Source::Spread(NETWORK_LOAD)),
    component("pri_tags_score", 2.0, Source::Tags),
    component("spindles_cv", 0.5, Source::Spread(SPINDLES)),
    component("free_mem_cv_forth", 0.5, Source::Spread(EVENTUAL_MEMORY)),
    component("free_disk_cv_forth", 0.5, Source::Spread(EVENTUAL_DISK)),
    component("vcpu_ratio_cv_forth", 0.5, Source::Spread(EVENTUAL_CPU)),
    component("spindles_cv_forth", 0.5, Source::Spread(EVENTUAL_SPINDLES)),
    component("location_score", 1.0, Source::Location),
    component("location_exclusion_score", 1.0, Source::Pairs),
    component("reserved_mem_rtotal", 0.25, Source::Reserved),
];
