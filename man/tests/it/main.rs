//! The pages and the table of what works, as a whole.

mod pages;
mod status;
