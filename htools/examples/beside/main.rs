//! Clusters of any size in the text format, for measuring: `cargo run --release -p gannet-htools --example beside -- write NODES
//! INSTANCES SEED` prints one.

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
