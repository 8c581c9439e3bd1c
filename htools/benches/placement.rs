//! What the inner operations of the placement library cost, and how that grows with nodes and instances:
//! `cargo bench -p gannet-htools`. Whole programs are measured by `bench-htools` in qa.

#[allow(dead_code, unreachable_pub, reason = "shared with the measurement of whole programs")]
#[path = "../../qa/src/htools/large.rs"]
mod large;
#[allow(dead_code, unreachable_pub, reason = "shared with the measurement of whole programs")]
#[path = "../../qa/src/htools/model.rs"]
mod model;
#[allow(dead_code, unreachable_pub, reason = "shared with the measurement of whole programs")]
#[path = "../../qa/src/htools/text.rs"]
mod text;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::{self, Options};
use gannet_htools::balance;
use gannet_htools::evacuable::{self, Scope};
use gannet_htools::evacuate::{self, Mode};
use gannet_htools::instance::Disk;
use gannet_htools::load::text::{Repeated, parse};
use gannet_htools::load::{self, Loaded, Wishes};
use gannet_htools::score::{Board, Change, Stats, Sums, row, score};
use gannet_htools::state::N1Rule;
use gannet_htools::{Instance, InstanceId, Move, NodeId};
use large::Shape;

/// Nodes and instances of the clusters.
const SIZES: [(usize, usize); 5] = [(20, 200), (50, 500), (200, 2000), (1000, 10_000), (1000, 20_000)];

fn loaded((nodes, instances): (usize, usize), shape: Shape) -> Loaded {
    let text = text::write(&large::cluster(nodes, instances, shape, 1));
    let cluster = parse(&text, Repeated::Refuse).expect("the generator writes good texts");
    load::finish(load::merge(cluster, &Wishes::default()).expect("nothing is asked for"), 0, N1Rule::default())
}

fn name((nodes, instances): (usize, usize)) -> String {
    format!("{nodes} nodes, {instances} instances")
}

/// The first step looks at every candidate; later steps know most of them already.
fn candidates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balancing, per candidate of the first step");
    group.sample_size(10);
    for size in SIZES {
        let Loaded { cluster, state, .. } = loaded(size, Shape::Uneven);
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        let options = balance::Options { max_length: 1, ..balance::Options::default() };
        group.throughput(Throughput::Elements((cluster.instances.len() * (4 * (size.0 - 2) + 1)) as u64));
        group.bench_function(BenchmarkId::from_parameter(name(size)), |bencher| {
            bencher.iter_batched(
                || state.clone(),
                |mut state| balance::run(&cluster, &mut state, nodes.clone(), &options, f64::NEG_INFINITY),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("balancing, per step after the first");
    group.sample_size(10);
    const STEPS: usize = 20;
    for size in SIZES {
        let Loaded { cluster, state, .. } = loaded(size, Shape::Uneven);
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        let options = balance::Options::default();
        group.throughput(Throughput::Elements(STEPS as u64));
        group.bench_function(BenchmarkId::from_parameter(name(size)), |bencher| {
            let mut start = state.clone();
            bencher.iter_custom(|rounds| {
                let mut took = std::time::Duration::ZERO;
                for _ in 0..rounds {
                    start.clone_from(&state);
                    let mut search = balance::Search::new(&cluster, &mut start, nodes.clone(), &options);
                    search.step(f64::NEG_INFINITY);
                    let begin = std::time::Instant::now();
                    for _ in 0..STEPS {
                        black_box(search.step(f64::NEG_INFINITY));
                    }
                    took += begin.elapsed();
                }
                took
            });
        });
    }
    group.finish();
}

fn scores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    for size in [(20, 200), (200, 2000), (1000, 20_000)] {
        let Loaded { cluster, state, .. } = loaded(size, Shape::Uneven);
        let nodes: Vec<NodeId> = cluster.node_ids().collect();
        group
            .bench_function(BenchmarkId::new("in full", name(size)), |bencher| bencher.iter(|| score(&cluster, &state, black_box(&nodes))));
        let id = InstanceId::new(cluster.instances.len() / 2);
        let target = cluster.node_ids().rev().find(|node| state.trial(&cluster, id, Move::ReplaceSecondary(*node), false).is_ok());
        let chosen = Move::ReplaceSecondary(target.expect("there is room"));
        let trial = state.trial(&cluster, id, chosen, false).expect("it was just found");
        let mut board = Board::new(&cluster, &state, nodes.clone());
        group.bench_function(BenchmarkId::new("of a move, exact", name(size)), |bencher| {
            bencher.iter(|| board.score_after(&cluster, &state, id, black_box(&trial)));
        });
        let (node, usage) = &trial.touched()[0];
        let change = Change::new(&row(cluster.node(*node), state.usage(*node)), &row(cluster.node(*node), usage));
        let sums = Sums::from(&Stats::new(&cluster, &state, &nodes));
        group.bench_function(BenchmarkId::new("of a pair, by running sums", name(size)), |bencher| {
            bencher.iter(|| black_box(&sums).after(black_box(&change)).score());
        });
    }
    group.finish();
}

fn allocation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("in process");
    group.sample_size(10);
    for size in [(200, 2000), (1000, 20_000)] {
        let Loaded { mut cluster, state, .. } = loaded(size, Shape::Healthy);
        let scope = Scope::all(&cluster);
        group.bench_function(BenchmarkId::new("whether every node can be lost", name(size)), |bencher| {
            bencher.iter(|| evacuable::all(&cluster, &state, black_box(&scope)));
        });
        let ids: Vec<InstanceId> = cluster.instance_ids().step_by(cluster.instances.len() / 40).take(40).collect();
        group.bench_function(BenchmarkId::new("evacuation of 40 instances from both nodes", name(size)), |bencher| {
            bencher.iter(|| evacuate::evacuate(&cluster, &state, Mode::All, &ids, &Options::default()));
        });
        let id = InstanceId::new(cluster.instances.len());
        let disks = vec![Disk { size: 10_240, spindles: None }];
        cluster.instances.push(Instance { memory: 2048, vcpus: 2, ..Instance::new("new", DiskTemplate::Drbd, disks) });
        group.bench_function(BenchmarkId::new("allocation with drbd and capacity checks", name(size)), |bencher| {
            bencher.iter(|| allocate::in_any_group(&cluster, &state, id, 2, &Options::default()));
        });
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading a text file");
    group.sample_size(20);
    for (nodes, instances) in [(200, 2000), (1000, 20_000)] {
        let text = text::write(&large::cluster(nodes, instances, Shape::Healthy, 1));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name((nodes, instances))), |bencher| {
            bencher.iter(|| parse(black_box(&text), Repeated::Refuse));
        });
    }
    group.finish();
}

criterion_group!(benches, candidates, scores, allocation, reading);
criterion_main!(benches);
