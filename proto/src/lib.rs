//! Wire formats between Gannet's daemons, generated from `proto/*.proto`.

pub mod state;
