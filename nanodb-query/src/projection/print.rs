//! Projections as JSON text, which is read back as the same projection.

use std::fmt::{self, Write};

use super::{Fields, Mode, Node, Slice};
use crate::json::print_string;

pub(super) fn print(mode: Mode, fields: &Fields, out: &mut dyn Write) -> fmt::Result {
    let mut parts = Parts { mode, first: true, out };
    parts.out.write_char('{')?;
    parts.print("", fields)?;
    // `_id` is printed if it differs from the default.
    let id = fields.contains_key("_id");
    if mode == Mode::Include && !id {
        parts.name("_id")?;
        parts.out.write_char('0')?;
    } else if mode == Mode::Include && !says_so(fields) {
        // Nothing else says that fields are included.
        parts.name("_id")?;
        parts.out.write_char('1')?;
    }
    out.write_char('}')
}

/// Returns whether fields other than `_id` say that fields are included.
fn says_so(fields: &Fields) -> bool {
    let any = |wanted: fn(&Node) -> bool| {
        fields.iter().any(|(name, node)| name.as_ref() != "_id" && has(node, wanted))
            || fields.get("_id").is_some_and(|node| *node != Node::Whole && has(node, wanted))
    };
    any(|node| matches!(node, Node::Whole | Node::Matched))
        || any(|node| matches!(node, Node::ElemMatch(_)))
            && !any(|node| matches!(node, Node::Slice(_)))
}

/// Returns whether `wanted` is true of a node, or of one below it.
fn has(node: &Node, wanted: fn(&Node) -> bool) -> bool {
    match node {
        Node::Below(fields) => fields.values().any(|node| has(node, wanted)),
        node => wanted(node),
    }
}

struct Parts<'o> {
    mode: Mode,
    first: bool,
    out: &'o mut dyn Write,
}

impl Parts<'_> {
    fn name(&mut self, path: &str) -> fmt::Result {
        if !std::mem::take(&mut self.first) {
            self.out.write_str(", ")?;
        }
        print_string(path, self.out)?;
        self.out.write_str(": ")
    }

    fn print(&mut self, above: &str, fields: &Fields) -> fmt::Result {
        for (name, node) in fields {
            let path = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
            if path == "_id" && *node == Node::Whole && self.mode == Mode::Include {
                continue;
            }
            if let Node::Below(fields) = node {
                self.print(&path, fields)?;
                continue;
            }
            let dollar = if *node == Node::Matched { ".$" } else { "" };
            self.name(&format!("{path}{dollar}"))?;
            match node {
                Node::Below(_) => {}
                Node::Matched => self.out.write_char('1')?,
                Node::Whole => self.out.write_char(match self.mode {
                    Mode::Include => '1',
                    Mode::Exclude => '0',
                })?,
                Node::Slice(Slice::First(count)) => write!(self.out, r#"{{"$slice": {count}}}"#)?,
                Node::Slice(Slice::Last(count)) => write!(self.out, r#"{{"$slice": -{count}}}"#)?,
                Node::Slice(Slice::Range { skip, limit }) => {
                    write!(self.out, r#"{{"$slice": [{skip}, {limit}]}}"#)?;
                }
                Node::ElemMatch(wanted) => {
                    self.out.write_str(r#"{"$elemMatch": "#)?;
                    wanted.print(self.out)?;
                    self.out.write_char('}')?;
                }
            }
        }
        Ok(())
    }
}
