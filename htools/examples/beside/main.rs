//! Our placement tools beside Debian's `ganeti-htools`, on the same clusters: prints a table of times.
//!
//! `cargo run --release -p gannet-htools --example beside`; with arguments, only the rows whose names contain one of them.
//! `beside write NODES INSTANCES SEED` prints a cluster.

mod generate;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [write, nodes, instances, seed] = arguments.as_slice()
        && write == "write"
    {
        let number = |text: &String| text.parse().unwrap_or(1);
        print!("{}", generate::cluster(number(nodes), number(instances), number(seed) as u64));
    }
}
