//! The changes of an update, as a list and as a tree.

use super::filters::ArrayFilter;
use super::operator::{Change, Operator};
use super::tree::{Children, Leaf, Node, Step};
use crate::error::Problem;
use crate::path::{Part, Path};

/// The changes of an update.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changes {
    /// In the order of the update; those of one operator follow each other.
    pub(super) list: Vec<Change>,
    pub(super) filters: Vec<ArrayFilter>,
    pub(super) root: Children,
    /// Whether the tree contains names only.
    pub(super) is_plain: bool,
}

impl Changes {
    pub(super) fn new(filters: Vec<ArrayFilter>) -> Self {
        Self { list: Vec::new(), filters, root: Children::default(), is_plain: true }
    }

    /// Adds a change.
    pub(super) fn add(&mut self, change: Change) -> Result<(), Problem> {
        let number = self.list.len();
        if let Operator::Rename { to } = &change.operator {
            self.insert(&change.path, Leaf { change: number, renamed: true })?;
            self.insert(to, Leaf { change: number, renamed: false })?;
        } else {
            self.insert(&change.path, Leaf { change: number, renamed: false })?;
        }
        self.list.push(change);
        Ok(())
    }

    fn insert(&mut self, path: &Path, leaf: Leaf) -> Result<(), Problem> {
        let mut steps = Vec::new();
        for part in path.parts() {
            let step = self.step(path, part, steps.is_empty())?;
            // One element matched, so only one array can be meant.
            if matches!(step, Step::Matched)
                && steps.iter().any(|(_, s)| matches!(s, Step::Matched))
            {
                let problem = "has `$` twice, and only one element was matched";
                return Err(Problem::UpdatePath { path: path.to_string(), problem });
            }
            self.is_plain &= matches!(step, Step::Name(_));
            steps.push((part.name(), step));
        }
        let mut node = Node::Leaf(leaf);
        let mut steps = steps.into_iter().rev();
        let first = steps.next_back();
        for (text, step) in steps {
            let mut children = Children::default();
            // Nothing is there yet that it could conflict with.
            let _ = children.add(text, step, node);
            node = Node::Below(children);
        }
        let Some((text, step)) = first else { return Ok(()) };
        let added = self.root.add(text, step, node);
        added.map_err(|at| Problem::Conflict { path: path.to_string(), at })
    }

    fn step(&self, path: &Path, part: &Part, is_first: bool) -> Result<Step, Problem> {
        let refused = |problem| Problem::UpdatePath { path: path.to_string(), problem };
        let name = part.name();
        if name.is_empty() {
            return Err(refused("has an empty name"));
        }
        if !name.starts_with('$') {
            return Ok(Step::Name(part.clone()));
        }
        if is_first {
            return Err(refused("begins with `$`"));
        }
        if name == "$" {
            return Ok(Step::Matched);
        }
        let identifier = name.strip_prefix("$[").and_then(|rest| rest.strip_suffix(']'));
        match identifier {
            None => Err(refused("has a name that begins with `$`")),
            Some("") => Ok(Step::Each(None)),
            Some(identifier) => {
                let found = |filter: &ArrayFilter| &*filter.identifier == identifier;
                let problem = "has a `$[id]` without an array filter of that name";
                let filter = self.filters.iter().position(found);
                filter.map(|filter| Step::Each(Some(filter))).ok_or_else(|| refused(problem))
            }
        }
    }

    /// Returns the identifier of an array filter that no path uses.
    pub(super) fn unused_filter(&self) -> Option<&str> {
        let used = |filter: &&ArrayFilter| {
            let step = format!("$[{}]", filter.identifier);
            self.list.iter().any(|change| change.path.names().any(|name| name == step))
        };
        self.filters.iter().find(|filter| !used(filter)).map(|filter| &*filter.identifier)
    }
}
