//! Ganeti's placement tools beside ours: clusters from a seed, command lines for them, and what both programs said.
//!
//! The reference is Debian's package `ganeti-htools`. Its text, exit code and files are compared whole; only the wording of
//! error messages is our own.

pub mod command;
pub mod compare;
pub mod generate;
pub mod iallocator;
pub mod large;
pub mod luxi;
pub mod model;
pub mod mond;
pub mod text;

#[cfg(test)]
mod tests {
    use super::large::{Shape, cluster};
    use super::text;

    #[test]
    fn the_same_numbers_give_the_same_cluster() {
        let make = |seed| text::write(&cluster(10, 60, Shape::Uneven, seed));
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn a_healthy_cluster_has_room_for_every_peer() {
        let made = cluster(50, 1000, Shape::Healthy, 1);
        assert_eq!(made.instances.len(), 1000);
        for (at, node) in made.nodes.iter().enumerate() {
            let on = |peer: usize| made.instances.iter().filter(move |item| item.secondary == Some(at) && item.primary == peer);
            let most = (0..made.nodes.len()).map(|peer| on(peer).map(|item| item.memory).sum::<u64>()).max();
            assert!(most < Some(node.free_memory), "{}", node.name);
        }
    }
}
