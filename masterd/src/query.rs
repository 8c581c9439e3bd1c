//! Queries: answers about the cluster without jobs and without locks.

pub mod live;
