//! JSON merge patch, RFC 7396: a document of the fields to change.
//!
//! Null removes a field, a document changes the fields below, anything else is the new value. The
//! patch becomes the same tree of changes that operators make, except that a value that is not a
//! document becomes one where the patch goes on.

use super::changes::Changes;
use super::operator::{Change, Operator};
use super::tree::{Children, Node, Step};
use crate::entries::entries;
use crate::fault::Fault;
use crate::filter::operand;
use crate::path::{Part, Path};
use nanodb_msgpack::RawValue;
use nanodb_msgpack::Token;

pub(super) fn parse(patch: RawValue<'_>) -> Result<Changes, Fault<'_>> {
    let mut changes = Changes::new(Vec::new());
    changes.root = parse_children(patch, &mut changes.list)?;
    Ok(changes)
}

fn parse_children<'a>(
    patch: RawValue<'a>,
    changes: &mut Vec<Change>,
) -> Result<Children, Fault<'a>> {
    let mut children = Children::of_patch();
    for entry in entries(patch) {
        let node = if entry.value.is_map() {
            Node::Below(parse_children(entry.value, changes)?)
        } else {
            let operator = match entry.value.token() {
                Ok(Token::Null) => Operator::Unset,
                _ => Operator::Set(operand(entry.value)?),
            };
            // No error needs more of the path: nothing is in a patch's way.
            changes.push(Change { path: Path::of_program(entry.name), operator });
            Node::leaf(changes.len() - 1)
        };
        // No name occurs twice, so nothing conflicts.
        let _ = children.add(entry.name, Step::Name(Part::new(entry.name)), node);
    }
    Ok(children)
}
