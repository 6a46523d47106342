//! JSON merge patch, RFC 7396: a document of the fields that are to change.
//!
//! Null takes a field away, a document changes the fields within, anything else is the new value. It
//! is the same tree of changes that operators make, but for what is no document where one goes on:
//! that becomes one.

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
            // No error needs more of the path than this: nothing is in a patch's way.
            changes.push(Change { path: Path::of_program(entry.name), operator });
            Node::leaf(changes.len() - 1)
        };
        // No name is there twice, so nothing conflicts.
        let _ = children.add(entry.name, Step::Name(Part::new(entry.name)), node);
    }
    Ok(children)
}
