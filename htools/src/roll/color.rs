//! Colourings: no two neighbours have the same colour. Three greedy ones, which differ in the order of the vertices.

use super::graph::Graph;
use crate::id::NodeId;

/// Nodes by colour, in index order within each.
pub type Coloring = Vec<Vec<NodeId>>;

/// A way to find one.
pub type Algorithm = fn(&Graph) -> Coloring;

/// The three, with their names, in the order in which ties are decided.
pub const ALGORITHMS: [(&str, Algorithm); 3] = [("LF", largest_first), ("Dsatur", most_colors_first), ("Dcolor", most_colored_first)];

/// A colouring in the making.
struct Palette<'a> {
    graph: &'a Graph,
    color: Vec<Option<usize>>,
    /// Per vertex: which colours its neighbours have.
    taken: Vec<Vec<bool>>,
    /// Per vertex: how many colours its neighbours have.
    colors: Vec<usize>,
    /// Per vertex: how many of its neighbours have one, counted as often as they are listed.
    colored: Vec<usize>,
}

impl<'a> Palette<'a> {
    fn new(graph: &'a Graph) -> Self {
        let count = graph.len();
        Self { graph, color: vec![None; count], taken: vec![Vec::new(); count], colors: vec![0; count], colored: vec![0; count] }
    }

    /// Gives a vertex the first colour that no neighbour has.
    fn color(&mut self, vertex: usize) {
        let taken = &self.taken[vertex];
        let color = taken.iter().position(|taken| !taken).unwrap_or(taken.len());
        self.color[vertex] = Some(color);
        for &neighbor in self.graph.neighbors(vertex) {
            let taken = &mut self.taken[neighbor];
            if taken.len() <= color {
                taken.resize(color + 1, false);
            }
            self.colors[neighbor] += usize::from(!taken[color]);
            taken[color] = true;
            self.colored[neighbor] += 1;
        }
    }

    /// Colours always the vertex with the largest key; of several the last one.
    fn color_by(&mut self, key: impl Fn(&Self, usize) -> (usize, usize)) {
        let mut left: Vec<usize> = (0..self.graph.len()).collect();
        while let Some(at) = (0..left.len()).max_by_key(|at| key(self, left[*at])) {
            let vertex = left.remove(at);
            self.color(vertex);
        }
    }

    fn finish(self) -> Coloring {
        let mut sets = Coloring::new();
        for (vertex, color) in self.color.iter().enumerate() {
            let color = color.unwrap_or(0);
            if sets.len() <= color {
                sets.resize(color + 1, Vec::new());
            }
            sets[color].push(self.graph.node(vertex));
        }
        sets
    }
}

/// By falling degree; of equals the last one first.
fn largest_first(graph: &Graph) -> Coloring {
    let mut order: Vec<usize> = (0..graph.len()).collect();
    order.sort_by_key(|vertex| graph.neighbors(*vertex).len());
    let mut palette = Palette::new(graph);
    order.into_iter().rev().for_each(|vertex| palette.color(vertex));
    palette.finish()
}

/// Always the vertex whose neighbours have the most colours; then the degree decides.
fn most_colors_first(graph: &Graph) -> Coloring {
    let mut palette = Palette::new(graph);
    palette.color_by(|palette, vertex| (palette.colors[vertex], palette.graph.neighbors(vertex).len()));
    palette.finish()
}

/// Always the vertex with the most coloured neighbours; then the degree decides.
fn most_colored_first(graph: &Graph) -> Coloring {
    let mut palette = Palette::new(graph);
    palette.color_by(|palette, vertex| (palette.colored[vertex], palette.graph.neighbors(vertex).len()));
    palette.finish()
}
