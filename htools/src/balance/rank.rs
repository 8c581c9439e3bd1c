//! Cheap scores, by which candidates are ranked: a candidate changes two or three nodes, so its sums follow from the present ones
//! without a look at the other nodes.
//!
//! The numbers of a node are scaled so that the weighted deviation of a column is the root of the squares' sum around the mean. They
//! differ from the score in rounding only; [`Ranks::tolerance`] bounds by how much. What is chosen is decided by the score itself.
#![allow(clippy::needless_range_loop, reason = "the lanes of several arrays go in step")]

use crate::score::{Board, LANES, Row, lane};

/// Number of columns: the spreads, and one that is always 0.
pub(crate) const WIDE: usize = 14;
/// Columns that a secondary instance changes come first.
pub(crate) const NARROW: usize = 6;
/// The column of the reserved memory.
pub(crate) const RESERVED: usize = 5;
/// One number per column.
pub(crate) type Lanes = [f64; WIDE];

/// The place of each column in a [`Row`].
const ORDER: [usize; WIDE - 1] = [
    lane::DISK,
    lane::DISK_LOAD,
    lane::SPINDLES,
    lane::EVENTUAL_DISK,
    lane::EVENTUAL_SPINDLES,
    lane::RESERVED,
    lane::MEMORY,
    lane::CPU,
    lane::CPU_LOAD,
    lane::MEMORY_LOAD,
    lane::NETWORK_LOAD,
    lane::EVENTUAL_MEMORY,
    lane::EVENTUAL_CPU,
];

/// How even the columns are at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Means, scaled.
    pub mean: Lanes,
    /// Sums of the squares around them: the square of the column's part of the score.
    pub squares: Lanes,
    /// The part of the score that the columns make.
    pub spread: f64,
}

/// The columns of all online nodes, now.
#[derive(Debug)]
pub(crate) struct Ranks {
    pub count: f64,
    scale: Lanes,
    /// Per online node, around a centre that stays: the means at the beginning. Near the mean little is lost by rounding.
    pub centred: Vec<Lanes>,
    centre: Lanes,
    pub now: Moment,
    /// All means together, for the bound of what rounding does.
    largest: f64,
}

impl Ranks {
    pub(crate) fn new(board: &Board) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^32 nodes")]
        let count = board.rows().len() as f64;
        let weights = board.weights().spreads();
        let mut scale = [0.0; WIDE];
        for (scale, lane) in scale.iter_mut().zip(ORDER) {
            *scale = weights[lane] / count.sqrt();
        }
        let now = Moment { mean: [0.0; WIDE], squares: [0.0; WIDE], spread: 0.0 };
        let mut ranks = Self { count, scale, centred: Vec::new(), centre: [0.0; WIDE], now, largest: 0.0 };
        ranks.refresh(board.rows());
        ranks.centre = ranks.now.mean;
        ranks.refresh(board.rows());
        ranks
    }

    /// Whether all numbers are finite: else a cheap score says nothing.
    pub(crate) fn is_sound(&self) -> bool {
        self.count > 0.0 && self.now.spread.is_finite() && self.now.spread < 1e12 && self.largest.is_finite()
    }

    /// A row, scaled.
    pub(crate) fn scaled(&self, row: &Row) -> Lanes {
        let mut scaled = [0.0; WIDE];
        for at in 0..WIDE - 1 {
            scaled[at] = row[ORDER[at]] * self.scale[at];
        }
        scaled
    }

    /// A row, scaled, around the centre.
    pub(crate) fn centred(&self, row: &Row) -> Lanes {
        let mut scaled = self.scaled(row);
        for at in 0..WIDE {
            scaled[at] -= self.centre[at];
        }
        scaled
    }

    /// Sums everything anew.
    pub(crate) fn refresh(&mut self, rows: &[Row]) {
        let mut centred: Vec<Lanes> = std::mem::take(&mut self.centred);
        centred.clear();
        centred.extend(rows.iter().map(|row| self.centred(row)));
        let mut sums = [0.0; WIDE];
        for row in &centred {
            for at in 0..WIDE {
                sums[at] += row[at];
            }
        }
        let offset = sums.map(|sum| sum / self.count);
        let mut squares = [0.0; WIDE];
        for row in &centred {
            for at in 0..WIDE {
                let difference = row[at] - offset[at];
                squares[at] += difference * difference;
            }
        }
        let mut mean = self.centre;
        for at in 0..WIDE {
            mean[at] += offset[at];
        }
        self.largest = mean.iter().chain(&self.centre).fold(0.0, |largest: f64, mean| largest + mean.abs());
        self.now = Moment { mean, squares, spread: squares.iter().map(|squares| squares.sqrt()).sum() };
        self.centred = centred;
    }

    /// Sums and squares at `moment`, around the centre.
    pub(crate) fn sums_at(&self, moment: &Moment) -> (Lanes, Lanes) {
        let (mut sums, mut squares) = ([0.0; WIDE], moment.squares);
        for at in 0..WIDE {
            sums[at] = self.count * (moment.mean[at] - self.centre[at]);
            squares[at] += sums[at] * sums[at] / self.count;
        }
        (sums, squares)
    }

    /// How far a cheap score against `moment` can be from the score: rounding errors of sums around the centre are relative to what
    /// they were before (`count` additions and some more), and a root makes half as many digits of them when a column becomes even.
    pub(crate) fn tolerance(&self, moment: &Moment) -> f64 {
        let drift: f64 = moment.mean.iter().zip(self.centre).map(|(mean, centre)| (mean - centre).abs()).sum();
        let unit = f64::EPSILON * (self.count + 64.0);
        let rounding = 64.0 * unit * (self.largest * self.count.sqrt() + moment.spread + 1.0);
        2.0 * unit.sqrt() * (moment.spread + drift * self.count.sqrt()) + rounding
    }
}

impl Ranks {
    /// The same for scores of which no column has less than `low`: away from 0 a root loses next to nothing.
    pub(crate) fn tolerance_above(&self, low: &Lanes) -> f64 {
        let unit = f64::EPSILON * (self.count + 64.0);
        let mut lost = 0.0;
        for at in 0..WIDE {
            let drift = self.now.mean[at] - self.centre[at];
            let squares = 4.0 * unit * (self.now.squares[at] + drift * drift * self.count);
            let root = low[at].sqrt();
            lost += if root * root > squares { squares / root } else { squares.sqrt() };
        }
        2.0 * lost + 64.0 * unit * (self.largest * self.count.sqrt() + self.now.spread + 1.0)
    }
}

/// Per column the smallest and the largest number of `rows`.
pub(crate) fn span(rows: &[Lanes]) -> (Lanes, Lanes) {
    let (mut low, mut high) = ([f64::INFINITY; WIDE], [f64::NEG_INFINITY; WIDE]);
    for row in rows {
        for at in 0..WIDE {
            low[at] = if row[at] < low[at] { row[at] } else { low[at] };
            high[at] = if row[at] > high[at] { row[at] } else { high[at] };
        }
    }
    (low, high)
}

/// What the columns of a node change by when a quantity grows by one.
pub(crate) fn per_unit(ranks: &Ranks, node: &crate::Node) -> Lanes {
    let limit = node.spindle_limit();
    let mut row = [0.0; LANES];
    let part = |total: f64| if total == 0.0 { 0.0 } else { 1.0 / total };
    for lane in [lane::MEMORY, lane::EVENTUAL_MEMORY, lane::RESERVED] {
        row[lane] = 1.0 / node.total_memory;
    }
    for lane in [lane::DISK, lane::EVENTUAL_DISK] {
        row[lane] = part(node.total_disk);
    }
    for lane in [lane::CPU, lane::EVENTUAL_CPU] {
        row[lane] = 1.0 / node.cpus / node.cpu_speed;
    }
    for lane in [lane::CPU_LOAD, lane::MEMORY_LOAD, lane::DISK_LOAD, lane::NETWORK_LOAD] {
        row[lane] = 1.0;
    }
    for lane in [lane::SPINDLES, lane::EVENTUAL_SPINDLES] {
        row[lane] = 1.0 / limit;
    }
    ranks.scaled(&row)
}

/// What an instance adds to the quantities of a primary node, in the order of the columns.
pub(crate) fn primary(instance: &crate::Instance) -> Lanes {
    use crate::state::real;
    let (disk, spindles) = local(instance);
    let memory = if instance.uses_memory() { instance.memory } else { 0 };
    let vcpus = if instance.is_online() { instance.vcpus } else { 0 };
    let [cpu_load, memory_load, disk_load, network_load] = instance.load;
    [
        -disk,
        disk_load,
        spindles,
        -disk,
        spindles,
        0.0,
        -real(memory),
        real(vcpus),
        cpu_load,
        memory_load,
        network_load,
        -real(instance.memory),
        real(vcpus),
        0.0,
    ]
}

/// What an instance adds to the quantities of a secondary node, without the reserved memory.
pub(crate) fn secondary(instance: &crate::Instance) -> Lanes {
    let (disk, spindles) = local(instance);
    let mut lanes = [0.0; WIDE];
    lanes[..RESERVED].copy_from_slice(&[-disk, instance.load[2], spindles, -disk, spindles]);
    lanes
}

fn local(instance: &crate::Instance) -> (f64, f64) {
    use crate::state::real;
    if instance.uses_local_disk() { (real(instance.disk), real(instance.spindle_use)) } else { (0.0, 0.0) }
}
