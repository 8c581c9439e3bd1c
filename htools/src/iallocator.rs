//! Answers to iallocator requests.

mod answer;
mod run;

pub use answer::{Answer, text};
pub use run::run;
