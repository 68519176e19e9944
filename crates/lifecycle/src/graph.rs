//! Who waits for whom.

use std::{collections::HashMap, fmt, time::Duration};

/// Why a lifecycle cannot be built: everything that is wrong with its hooks, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hooks do not fit together: {}", list(.problems))]
pub struct BuildError {
    problems: Vec<GraphProblem>,
}

/// One thing that is wrong with the hooks of a lifecycle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphProblem {
    /// More than one hook has this name.
    #[error("hook `{name}` is there {count} times")]
    Duplicate {
        /// The name.
        name: String,
        /// How many hooks have it.
        count: usize,
    },
    /// A hook comes after one that does not exist.
    #[error("hook `{hook}` comes after `{dependency}`, which does not exist")]
    Unknown {
        /// The hook.
        hook: String,
        /// The name that no hook has.
        dependency: String,
    },
    /// Hooks wait for each other, so that none of them could ever start.
    #[error("hooks wait for each other: {}", path.join(" -> "))]
    Cycle {
        /// Each hook comes after the next; the last is the first again.
        path: Vec<String>,
    },
    /// Stopping may take longer than the grace: hooks that stop one after another have stop
    /// timeouts that sum up to more.
    #[error(
        "stopping may take {needed:?}, more than the grace of {grace:?}: {}",
        sum(*.pre_drain, .path, *.reserve)
    )]
    OverGrace {
        /// The grace.
        grace: Duration,
        /// How long stopping may take.
        needed: Duration,
        /// The part of it before anything is stopped.
        pre_drain: Duration,
        /// The hooks that take longest one after another, in the order in which they stop, each
        /// with its stop timeout.
        path: Vec<(String, Duration)>,
        /// The part of it after the run.
        reserve: Duration,
    },
}

/// The edges of a valid graph, both ways, by the hooks' indices.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The hooks that each one comes after.
    pub(crate) dependencies: Vec<Vec<usize>>,
    /// The hooks that come after each one.
    pub(crate) dependents: Vec<Vec<usize>>,
}

// === impl BuildError ===

impl BuildError {
    /// All problems: duplicate names, then unknown ones, then cycles. One of time stands alone.
    pub fn problems(&self) -> &[GraphProblem] {
        &self.problems
    }
}

impl From<GraphProblem> for BuildError {
    fn from(problem: GraphProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

fn sum(pre_drain: Duration, path: &[(String, Duration)], reserve: Duration) -> impl fmt::Display {
    let hooks = path
        .iter()
        .map(|(hook, limit)| format!("`{hook}` {limit:?}"));
    let parts = [format!("pre-drain {pre_drain:?}")]
        .into_iter()
        .chain(hooks);
    let parts = parts.chain([format!("after the run {reserve:?}")]);
    parts.collect::<Vec<_>>().join(" + ")
}

fn list(problems: &[GraphProblem]) -> impl fmt::Display {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

// === impl Graph ===

impl Graph {
    /// The graph of `hooks`, each with the names of those it comes after.
    ///
    /// # Errors
    /// If names are duplicate or unknown, or hooks wait for each other.
    pub(crate) fn build(hooks: &[(&str, &[String])]) -> Result<Self, BuildError> {
        let mut problems = Vec::new();

        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, (name, _)) in hooks.iter().enumerate() {
            places.entry(name).or_default().push(index);
        }
        for (index, (name, _)) in hooks.iter().enumerate() {
            let here = &places[name];
            if here.len() > 1 && here[0] == index {
                problems.push(GraphProblem::Duplicate {
                    name: (*name).to_owned(),
                    count: here.len(),
                });
            }
        }

        let mut dependencies = Vec::with_capacity(hooks.len());
        for (name, after) in hooks {
            let mut found = Vec::with_capacity(after.len());
            for dependency in *after {
                match places.get(dependency.as_str()) {
                    Some(here) => found.push(here[0]),
                    None => problems.push(GraphProblem::Unknown {
                        hook: (*name).to_owned(),
                        dependency: dependency.clone(),
                    }),
                }
            }
            found.sort_unstable();
            found.dedup();
            dependencies.push(found);
        }

        problems.extend(cycles(&dependencies).into_iter().map(|path| {
            GraphProblem::Cycle {
                path: path
                    .into_iter()
                    .map(|index| hooks[index].0.to_owned())
                    .collect(),
            }
        }));

        if problems.is_empty() {
            let dependents = reversed(&dependencies);
            Ok(Self {
                dependencies,
                dependents,
            })
        } else {
            Err(BuildError { problems })
        }
    }
}

fn reversed(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut back = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for to in targets {
            back[*to].push(from);
        }
    }
    back
}

/// Cycles that share no edge, until none is left. Each begins and ends with the same index.
fn cycles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut edges = edges.to_vec();
    let mut found = Vec::new();
    loop {
        trim(&mut edges);
        let Some(start) = edges.iter().position(|targets| !targets.is_empty()) else {
            return found;
        };
        // After trimming every edge leads to a node with edges of its own: the walk must come
        // back to where it was.
        let mut path = vec![start];
        let cycle = loop {
            let next = edges[path[path.len() - 1]][0];
            if let Some(begin) = path.iter().position(|node| *node == next) {
                path.push(next);
                break path.split_off(begin);
            }
            path.push(next);
        };
        for step in cycle.windows(2) {
            edges[step[0]].retain(|to| *to != step[1]);
        }
        found.push(cycle);
    }
}

/// Removes the edges into nodes that have none of their own, over and over: what is left leads
/// into a cycle.
fn trim(edges: &mut [Vec<usize>]) {
    let back = reversed(edges);
    let mut ends: Vec<usize> = (0..edges.len())
        .filter(|node| edges[*node].is_empty())
        .collect();
    while let Some(end) = ends.pop() {
        for from in &back[end] {
            let targets = &mut edges[*from];
            targets.retain(|to| *to != end);
            if targets.is_empty() {
                ends.push(*from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn build(hooks: &[(&str, &[&str])]) -> Result<Graph, BuildError> {
        let owned: Vec<(&str, Vec<String>)> = hooks
            .iter()
            .map(|(name, after)| (*name, after.iter().map(ToString::to_string).collect()))
            .collect();
        let borrowed: Vec<(&str, &[String])> = owned
            .iter()
            .map(|(name, after)| (*name, after.as_slice()))
            .collect();
        Graph::build(&borrowed)
    }

    #[test]
    fn a_cycle_is_printed() {
        let error =
            build(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the hooks do not fit together: hooks wait for each other: a -> b -> c -> a"
        );
    }

    #[test]
    fn a_hook_that_waits_for_itself_is_a_cycle() {
        let error = build(&[("z", &[]), ("a", &["z", "a"])]).unwrap_err();
        let path = vec!["a".into(), "a".into()];
        assert_eq!(error.problems(), [GraphProblem::Cycle { path }]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = build(&[
            ("a", &["b", "nowhere"]),
            ("b", &["a", "c"]),
            ("c", &["b", "ghost"]),
            ("a", &[]),
            ("a", &[]),
        ])
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the hooks do not fit together: hook `a` is there 3 times; \
             hook `a` comes after `nowhere`, which does not exist; \
             hook `c` comes after `ghost`, which does not exist; \
             hooks wait for each other: a -> b -> a; \
             hooks wait for each other: b -> c -> b"
        );
    }

    #[test]
    fn a_dependency_named_twice_counts_once() {
        let graph = build(&[("a", &[]), ("b", &[]), ("c", &["b", "a", "b"])]).unwrap();
        assert_eq!(graph.dependencies, [vec![], vec![], vec![0, 1]]);
        assert_eq!(graph.dependents, [vec![2], vec![2], vec![]]);
    }

    proptest! {
        #[test]
        fn a_graph_is_refused_exactly_if_it_has_a_cycle(
            (size, edges) in (1_usize..9).prop_flat_map(|size| {
                (Just(size), prop::collection::vec((0..size, 0..size), 0..14))
            }),
        ) {
            let names: Vec<String> = (0..size).map(|node| node.to_string()).collect();
            let mut after = vec![Vec::new(); size];
            let mut reach = vec![vec![false; size]; size];
            for (from, to) in edges {
                after[from].push(names[to].clone());
                reach[from][to] = true;
            }
            let hooks: Vec<(&str, &[String])> =
                names.iter().map(String::as_str).zip(after.iter().map(Vec::as_slice)).collect();
            for middle in 0..size {
                for from in 0..size {
                    for to in 0..size {
                        reach[from][to] |= reach[from][middle] && reach[middle][to];
                    }
                }
            }
            let has_cycle = (0..size).any(|node| reach[node][node]);
            match Graph::build(&hooks) {
                Ok(_) => prop_assert!(!has_cycle),
                Err(error) => {
                    prop_assert!(has_cycle);
                    for problem in error.problems() {
                        let GraphProblem::Cycle { path } = problem else {
                            return Err(TestCaseError::fail("not a cycle"));
                        };
                        prop_assert!(path.len() > 1 && path.first() == path.last());
                        for step in path.windows(2) {
                            let from: usize = step[0].parse().unwrap();
                            prop_assert!(after[from].contains(&step[1]), "no such edge");
                        }
                    }
                }
            }
        }
    }
}
