//! The partitions of a cluster, and the states of its nodes.

use std::fmt;

use crate::slurm_program::{SlurmError, SlurmProgram};
use mammoscope_domain::text::printable::printable;

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub name: String,
    /// True for the one that jobs go to if none is named.
    pub is_default: bool,
    /// False if no job can be started there at present.
    pub is_up: bool,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = match (self.is_default, self.is_up) {
            (true, true) => " (default)",
            (true, false) => " (default, down)",
            (false, true) => "",
            (false, false) => " (down)",
        };
        f.pad(&format!("{}{note}", printable(&self.name)))
    }
}

/// The partitions that this user sees, in the order of `sinfo`.
pub fn partitions() -> Result<Vec<Partition>, SlurmError> {
    SlurmProgram::Sinfo.run(["-h", "-o", "%P|%a"]).map(|text| parse_partitions(&text))
}

fn parse_partitions(text: &str) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Vec::new();
    // A line for each state of nodes: a partition may occur several times.
    for (name, state) in text.lines().filter_map(|line| line.rsplit_once('|')) {
        let is_default = name.ends_with('*');
        let name = name.trim_end_matches('*').to_owned();
        if !name.is_empty() && partitions.iter().all(|partition| partition.name != name) {
            partitions.push(Partition { name, is_default, is_up: state.trim() == "up" });
        }
    }
    partitions
}

/// A node that takes no jobs, and the administrator's reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnavailableNode {
    /// One name, or a range of names.
    pub nodes: String,
    /// The state in Slurm's words, such as `drained`.
    pub state: String,
    pub reason: String,
}

impl fmt::Display for UnavailableNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, state, reason) = (printable(&self.nodes), printable(&self.state), printable(&self.reason));
        f.pad(&format!("{nodes} {state}: {reason}"))
    }
}

/// The nodes that take no jobs.
pub fn unavailable_nodes() -> Result<Vec<UnavailableNode>, SlurmError> {
    SlurmProgram::Sinfo.run(["-h", "-R", "-o", "%N|%T|%E"]).map(|text| parse_unavailable(&text))
}

fn parse_unavailable(text: &str) -> Vec<UnavailableNode> {
    let parse = |line: &str| {
        let mut fields = line.splitn(3, '|').map(|field| field.trim().to_owned());
        Some(UnavailableNode { nodes: fields.next()?, state: fields.next()?, reason: fields.next()? })
    };
    text.lines().filter_map(parse).filter(|node| !node.nodes.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_listed_once_with_the_default() {
        let shown: Vec<String> =
            parse_partitions("debug*|up\ngpu|up\ngpu|up\nold|down\n\n").iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["debug (default)", "gpu", "old (down)"]);
    }

    #[test]
    fn unavailable_nodes_have_the_administrators_reason() {
        let nodes = parse_unavailable("node[3-4]|drained|new disk | tomorrow\n\n");
        assert_eq!(nodes[0].to_string(), "node[3-4] drained: new disk | tomorrow");
        assert_eq!(nodes.len(), 1);
    }
}
