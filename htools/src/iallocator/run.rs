//! From a request to its answer.

use super::Answer;
use crate::allocate::{self, Options, Placement, Refusal, Solution, dedicated};
use crate::cluster::Cluster;
use crate::evacuate;
use crate::explain::Question;
use crate::id::InstanceId;
use crate::load::iallocator::{Request, Wanted};
use crate::state::State;

/// What is to be said, and the answer.
type Found = (String, Answer);

/// Answers a request. Cluster and state become those with the new instances and nodes; when the request fails they stay.
///
/// On a cluster whose nodes all have exclusive storage new instances go where they cost the fewest future ones.
///
/// # Errors
/// Why there is no answer.
pub fn run(cluster: &mut Cluster, state: &mut State, request: &Request, options: &Options) -> Result<Found, Refusal> {
    match request {
        Request::Allocate(wanted) => {
            let place = place(cluster, state, wanted, options);
            let (log, names) = place.map_err(|refusal| forget(cluster, state, refusal))?;
            let names = names.ok_or_else(|| forget(cluster, state, Refusal(log.clone())))?;
            Ok((log, Answer::Nodes(names)))
        }
        Request::MultiAllocate(all) => several(cluster, state, all, options),
        Request::AllocateSecondary(id) => {
            let solution = allocate::secondary_for(cluster, state, *id, options)?;
            let log = solution.description(cluster);
            let Some(Placement { primary, secondary: Some(second), .. }) = solution.best else { return Err(Refusal(log)) };
            let name = cluster.node(second.0).name.clone();
            allocate::take_secondary(cluster, state, *id, primary, second);
            Ok((log, Answer::Node(name)))
        }
        Request::Relocate { instance, count, from } => {
            let (new, node) = evacuate::relocate(cluster, state, *instance, *count, from, options)?;
            *state = new;
            Ok(("success".to_owned(), Answer::Nodes(vec![cluster.node(node).name.clone()])))
        }
        Request::NodeEvacuate { instances, mode } => Ok(moved(state, evacuate::evacuate(cluster, state, *mode, instances, options))),
        Request::ChangeGroup { instances, targets } => {
            Ok(moved(state, evacuate::change_group(cluster, state, targets, instances, options)))
        }
    }
}

fn moved(state: &mut State, found: evacuate::Evacuation) -> Found {
    let info = format!("{} instances failed to move and {} were moved successfully", found.failed.len(), found.moved.len());
    state.clone_from(&found.state);
    (info, Answer::Moves(Box::new(found)))
}

/// Takes a new instance without a place out again.
fn forget(cluster: &mut Cluster, state: &State, refusal: Refusal) -> Refusal {
    cluster.instances.truncate(state.primary.len());
    refusal
}

/// Places a new instance, if that is possible; with what is to be said of it. It is the last of the cluster's afterwards.
fn place(cluster: &mut Cluster, state: &mut State, wanted: &Wanted, options: &Options) -> Result<(String, Option<Vec<String>>), Refusal> {
    let id = InstanceId::new(cluster.instances.len());
    cluster.instances.push(wanted.new.instance.clone());
    let options = Options { restrict_to: options.restrict_to.clone().or_else(|| wanted.restrict_to.clone()), ..options.clone() };
    let found = find(cluster, state, wanted, id, &options);
    if !options.explain {
        return found;
    }
    let explain = |log: &str| {
        let group = wanted.group.as_deref().and_then(|name| cluster.find_group(name).ok());
        let question = Question { cluster, state, id, group, options: &options };
        format!("{log}; {}", question.explain().line(&question))
    };
    match found {
        Ok((log, None)) => Ok((explain(&log), None)),
        Err(refusal) => Err(Refusal(explain(&refusal.0))),
        found => found,
    }
}

fn find(
    cluster: &Cluster,
    state: &mut State,
    wanted: &Wanted,
    id: InstanceId,
    options: &Options,
) -> Result<(String, Option<Vec<String>>), Refusal> {
    let (group, count) = (wanted.group.as_deref(), wanted.new.count);
    if dedicated::is_dedicated(cluster, group) {
        let (solution, log) = match group {
            Some(name) => {
                let group = cluster.find_group(name).map_err(|error| Refusal(error.to_string()))?;
                dedicated::in_group(cluster, state, id, group, count, options)?
            }
            None => dedicated::in_any_group(cluster, state, id, count, options)?,
        };
        return Ok((log.join(", "), enter(cluster, state, id, solution)));
    }
    let (solution, log) = match group {
        Some(name) => allocate::in_named_group(cluster, state, id, name, count, options)?,
        None => allocate::in_any_group(cluster, state, id, count, options)?,
    };
    Ok((log.join(", "), enter(cluster, state, id, solution)))
}

fn enter<M>(cluster: &Cluster, state: &mut State, id: InstanceId, solution: Solution<M>) -> Option<Vec<String>> {
    let best = solution.best?;
    state.place(cluster, id, best.primary, best.secondary);
    Some(best.names(cluster))
}

/// Places new instances one after the other. In a named group those without a place are told; elsewhere the first of them ends
/// it all, as in the reference.
fn several(cluster: &mut Cluster, state: &mut State, all: &[Wanted], options: &Options) -> Result<Found, Refusal> {
    let mut future = state.clone();
    let (mut placed, mut failed) = (Vec::new(), Vec::new());
    for wanted in all {
        let name = wanted.new.instance.name.clone();
        match place(cluster, &mut future, wanted, options) {
            Ok((_, Some(nodes))) => placed.push((name, nodes)),
            Ok((log, None)) => {
                cluster.instances.pop();
                failed.push((name, log));
            }
            Err(refusal) => return Err(forget(cluster, state, refusal)),
        }
    }
    *state = future;
    let info = format!("{} instances failed to allocate and {} were allocated successfully", failed.len(), placed.len());
    Ok((info, Answer::Several(placed, failed)))
}
