//! Making the changes of a tree in one walk over a document.
//!
//! The walk reads the names of the documents in which changes lie, and steps over all other values.
//! A new field is added after the existing ones, in the order in which the update names them.

use super::error::UpdateError;
use super::operator::{Change, Operator};
use super::tree::{Children, Leaf, Node, Step};
use super::writer::{Writer, check_depth, one_deeper};
use crate::Timestamp;
use crate::path::{Part, step_of_update};
use nanodb_msgpack::compare;
use nanodb_msgpack::{Cursor, Token, write_map_len, write_null};
use nanodb_msgpack::{Malformed, RawValue};

/// The walk of an update over one document.
pub(super) struct UpdateWalk<'a, 'u, 'o> {
    pub(super) changes: &'u [Change],
    pub(super) now: Timestamp,
    /// Whether the document is about to be inserted.
    pub(super) inserting: bool,
    pub(super) document: RawValue<'a>,
    pub(super) writer: Writer<'a, 'o>,
    /// The number of arrays around the current place.
    arrays: usize,
}

/// What happens to an existing field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stays, changed or not.
    Keep,
    /// It is removed, which is left to the caller.
    Remove,
}

/// The most nulls that an array is padded with. A larger number was hardly meant as an index.
pub const UPDATE_NULLS_MAX: u32 = 1_500_000;

/// The most names that are compared one by one; among more, a name is looked up.
const COMPARED_MAX: usize = 8;

impl<'a, 'u, 'o> UpdateWalk<'a, 'u, 'o> {
    pub(super) fn new(
        changes: &'u [Change],
        (now, inserting): (Timestamp, bool),
        document: &'a [u8],
        writer: Writer<'a, 'o>,
    ) -> Self {
        let document = RawValue::new(document);
        Self { changes, now, inserting, document, writer, arrays: 0 }
    }

    /// Makes all changes. Returns whether the document differs from the old one.
    pub(super) fn run(mut self, root: &'u Children) -> Result<bool, UpdateError> {
        if !self.document.is_map() {
            return Err(Malformed.into());
        }
        self.change_document(self.document, root, 1)?;
        if self.writer.changed {
            self.writer.finish()?;
        }
        Ok(self.writer.changed)
    }

    fn change_document(
        &mut self,
        map: RawValue<'a>,
        children: &'u Children,
        depth: usize,
    ) -> Result<(), UpdateError> {
        let header = self.writer.header(map)?;
        let mut cursor = Cursor::new(map.tail());
        let len = cursor.read_map_len().ok_or(Malformed)?;
        let mut len_new = len;
        let mut found = vec![false; children.len()];
        let mut left = children.len();
        for _ in 0..len {
            if left == 0 {
                break;
            }
            let from = self.writer.place(cursor.rest());
            let place = place_of(children, cursor)?;
            let name = cursor.read_string_bytes().ok_or(Malformed)?;
            let value = RawValue::new(cursor.rest());
            cursor.skip().ok_or(Malformed)?;
            let Some((place, node)) = place.and_then(|place| Some((place, children.get(place)?)))
            else {
                continue;
            };
            match found.get_mut(place) {
                Some(found) if !*found => *found = true,
                _ => continue,
            }
            left -= 1;
            let fate = if depth == 1 && name == b"_id" {
                self.change_id(node, value)?
            } else {
                self.change(node, value, depth)?
            };
            if fate == Outcome::Remove {
                self.writer.leave_out(from, self.writer.place(cursor.rest()));
                len_new -= 1;
            }
        }
        if left > 0 {
            let missing = children.iter().zip(&found).filter(|(_, found)| !**found);
            let created = self.created(missing.map(|(child, _)| child), children.is_patch)?;
            for (part, node) in created {
                self.writer.copy_to(self.writer.place(cursor.rest()));
                self.create_field(part, node, depth)?;
                len_new = len_new.checked_add(1).ok_or_else(|| self.writer.too_large())?;
            }
        }
        self.writer.set_len(&header, len_new);
        Ok(())
    }

    /// Applies a change to `_id`, which must be equal afterwards; then its old bytes are kept.
    fn change_id(&mut self, node: &'u Node, value: RawValue<'a>) -> Result<Outcome, UpdateError> {
        let from = self.writer.place(value.tail());
        self.writer.copy_to(from);
        let mark = self.writer.mark();
        if self.change(node, value, 1)? == Outcome::Remove {
            return Err(UpdateError::ChangesId);
        }
        self.writer.copy_to(from + value.bytes()?.len());
        let new = self.writer.out.get(mark.written..).unwrap_or_default();
        if compare(RawValue::new(new), value)?.is_ne() {
            return Err(UpdateError::ChangesId);
        }
        self.writer.go_back(mark);
        Ok(Outcome::Keep)
    }

    fn change_array(
        &mut self,
        array: RawValue<'a>,
        children: &'u Children,
        depth: usize,
    ) -> Result<(), UpdateError> {
        let mut wanted = Vec::with_capacity(children.len());
        for (step, node) in children.iter() {
            match step {
                Step::Name(part) if part.number().is_some() => wanted.push((part.number(), node)),
                Step::Name(part) => self.refuse(node, part, array)?,
                // Replaced by the indexes that they stand for.
                Step::Matched | Step::Each(_) => {}
            }
        }
        wanted.sort_by_key(|&(index, _)| index);
        if let Some([_, (_, second)]) = wanted.array_windows().find(|[a, b]| a.0 == b.0) {
            // `0` and `00` are one element.
            return Err(self.conflict(second));
        }
        let header = self.writer.header(array)?;
        let mut elements = array.elements().ok_or(Malformed)?;
        let (mut next, mut len) = (0, elements.len());
        for (index, node) in wanted {
            let Some(index) = index else { continue };
            if index >= header.len() {
                if self.creates(node)?.is_some() {
                    // What has not been read yet comes before the new elements.
                    elements.by_ref().try_for_each(|element| element.map(|_| ()))?;
                    self.writer.copy_to(self.writer.place(elements.tail()));
                    self.pad(node, len, index)?;
                    self.create(node, depth)?;
                    self.writer.changed = true;
                    len = index.checked_add(1).ok_or_else(|| self.writer.too_large())?;
                }
                continue;
            }
            let element = loop {
                let element = elements.next().ok_or(Malformed)??;
                next += 1;
                if next > index {
                    break element;
                }
            };
            if self.change(node, element, depth)? == Outcome::Remove {
                // The elements after it keep their indexes.
                self.writer.replace(element, |writer| {
                    write_null(writer.out);
                    Ok(())
                })?;
            }
        }
        self.writer.set_len(&header, len);
        Ok(())
    }

    /// Writes nulls for the elements that an array of `len` lacks before `index`.
    fn pad(&mut self, node: &Node, len: u32, index: u32) -> Result<(), UpdateError> {
        let count = index.saturating_sub(len);
        let size = usize::try_from(count).unwrap_or(usize::MAX);
        if size > self.writer.bytes_max() {
            return Err(self.writer.too_large());
        }
        if count > UPDATE_NULLS_MAX {
            return Err(UpdateError::TooManyNulls {
                path: self.path(node),
                count,
                nulls_max: UPDATE_NULLS_MAX,
            });
        }
        (0..count).for_each(|_| write_null(self.writer.out));
        Ok(())
    }

    /// Returns the path of a change in or below a node.
    fn path(&self, node: &Node) -> String {
        let change = node.any_leaf().and_then(|leaf| self.changes.get(leaf.change));
        change.map(|change| change.path.to_string()).unwrap_or_default()
    }

    fn conflict(&self, node: &Node) -> UpdateError {
        let path = self.path(node);
        UpdateError::Conflict { at: path.clone(), path }
    }

    /// Changes an existing value within `depth` levels.
    fn change(
        &mut self,
        node: &'u Node,
        value: RawValue<'a>,
        depth: usize,
    ) -> Result<Outcome, UpdateError> {
        let children = match node {
            Node::Leaf(leaf) => return self.change_leaf(*leaf, value, depth),
            Node::Below(children) => children,
        };
        if value.is_map() {
            self.change_document(value, children, one_deeper(depth)?)?;
        } else if children.is_patch {
            self.replace(value, |applying| applying.create(node, depth))?;
        } else if value.is_array() {
            self.arrays += 1;
            self.change_array(value, children, one_deeper(depth)?)?;
            self.arrays -= 1;
        } else {
            for (step, node) in children.iter() {
                if let Step::Name(part) = step {
                    self.refuse(node, part, value)?;
                }
            }
        }
        Ok(Outcome::Keep)
    }

    /// Same as [`Writer::replace`], for a `write` that needs more than the writer.
    fn replace(
        &mut self,
        value: RawValue<'a>,
        write: impl FnOnce(&mut Self) -> Result<(), UpdateError>,
    ) -> Result<(), UpdateError> {
        let from = self.writer.place(value.tail());
        self.writer.copy_to(from);
        write(self)?;
        self.writer.leave_out(from, from + value.bytes()?.len());
        self.writer.check_size()
    }

    /// Returns an error because the path can't go on to `part`, unless all changes below just
    /// remove something.
    fn refuse(&self, node: &Node, part: &Part, container: RawValue<'_>) -> Result<(), UpdateError> {
        match node {
            Node::Below(children) => {
                children.iter().try_for_each(|(_, node)| self.refuse(node, part, container))
            }
            Node::Leaf(leaf) => {
                let Some(change) = self.changes.get(leaf.change) else { return Ok(()) };
                let minds = match &change.operator {
                    // Nothing can be removed where nothing exists.
                    Operator::Unset
                    | Operator::Pull(_)
                    | Operator::PullAll(_)
                    | Operator::Pop { .. } => false,
                    Operator::SetOnInsert(_) => self.inserting,
                    Operator::Rename { .. } => leaf.renamed || self.renamed(change)?.is_some(),
                    Operator::Set(_)
                    | Operator::Increase(_)
                    | Operator::Multiply(_)
                    | Operator::Min(_)
                    | Operator::Max(_)
                    | Operator::CurrentDate
                    | Operator::Bits(_)
                    | Operator::Push(_)
                    | Operator::AddToSet(_) => true,
                };
                if !minds {
                    return Ok(());
                }
                Err(UpdateError::NotViable {
                    operator: change.operator.name(),
                    path: change.path.to_string(),
                    name: part.name().to_owned(),
                    found: container.bracket()?,
                })
            }
        }
    }

    /// Returns the children that are missing and will be created, in the order of the changes that
    /// create them.
    fn created<'c>(
        &self,
        missing: impl Iterator<Item = (&'c Step, &'c Node)>,
        is_patch: bool,
    ) -> Result<Vec<(&'c Part, &'c Node)>, UpdateError> {
        let mut created = Vec::new();
        for (step, node) in missing {
            if let (Step::Name(part), Some(first)) = (step, self.creates(node)?) {
                created.push((first, part, node));
            }
        }
        if !is_patch {
            created.sort_by_key(|&(first, ..)| first);
        }
        Ok(created.into_iter().map(|(_, part, node)| (part, node)).collect())
    }

    /// Returns the first change that creates a missing field, if there is one.
    fn creates(&self, node: &Node) -> Result<Option<usize>, UpdateError> {
        let children = match node {
            Node::Leaf(leaf) => {
                return Ok(self.leaf_creates(*leaf)?.then_some(leaf.change));
            }
            Node::Below(children) => children,
        };
        if children.is_patch {
            return Ok(Some(0));
        }
        let mut first = None;
        for (_, node) in children.iter() {
            if let Some(change) = self.creates(node)? {
                first = Some(first.map_or(change, |first: usize| first.min(change)));
            }
        }
        Ok(first)
    }

    /// Writes a missing value that a change [`creates`](Self::creates), within `depth` levels.
    fn create(&mut self, node: &'u Node, depth: usize) -> Result<(), UpdateError> {
        let children = match node {
            Node::Leaf(leaf) => {
                self.create_leaf(*leaf, depth)?;
                return self.writer.check_size();
            }
            Node::Below(children) => children,
        };
        let depth = one_deeper(depth)?;
        let created = self.created(children.iter(), children.is_patch)?;
        let len = u32::try_from(created.len()).map_err(|_| self.writer.too_large())?;
        write_map_len(self.writer.out, len);
        created.into_iter().try_for_each(|(part, node)| self.create_field(part, node, depth))
    }

    fn create_field(
        &mut self,
        part: &Part,
        node: &'u Node,
        depth: usize,
    ) -> Result<(), UpdateError> {
        self.writer.out.extend_from_slice(part.token());
        self.writer.changed = true;
        self.create(node, depth)
    }

    /// Returns the value of the field that a `$rename` removes.
    pub(super) fn renamed(&self, change: &Change) -> Result<Option<RawValue<'a>>, UpdateError> {
        let mut value = self.document;
        for part in change.path.parts() {
            match step_of_update(value, part)? {
                Some(below) => value = below,
                None if value.is_map() || part.number().is_some() && value.is_array() => {
                    return Ok(None);
                }
                None => {
                    return Err(UpdateError::NotViable {
                        operator: change.operator.name(),
                        path: change.path.to_string(),
                        name: part.name().to_owned(),
                        found: value.bracket()?,
                    });
                }
            }
        }
        Ok(Some(value))
    }

    /// Returns an error if the walk is within an array: a `$rename` leads through none.
    pub(super) fn check_no_array(&self, change: &Change, leaf: Leaf) -> Result<(), UpdateError> {
        if self.arrays == 0 {
            return Ok(());
        }
        let through = match &change.operator {
            Operator::Rename { to } if !leaf.renamed => to,
            _ => &change.path,
        };
        let through = through.to_string();
        Err(UpdateError::RenameInArray { path: change.path.to_string(), through })
    }

    /// Appends a value, which must not nest too deep there.
    pub(super) fn append(&mut self, bytes: &[u8], depth: usize) -> Result<(), UpdateError> {
        check_depth(RawValue::new(bytes), depth)?;
        self.writer.out.extend_from_slice(bytes);
        self.writer.check_size()
    }
}

/// Returns which child the name at a cursor is.
#[inline]
fn place_of(children: &Children, cursor: Cursor<'_>) -> Result<Option<usize>, Malformed> {
    if children.len() <= COMPARED_MAX {
        let is_at = |step: &Step| matches!(step, Step::Name(part) if part.is_at(cursor));
        return Ok(children.iter().position(|(step, _)| is_at(step)));
    }
    let mut cursor = cursor;
    match cursor.read() {
        // A name that is not UTF-8 is in no update.
        Some(Token::String(name)) => {
            Ok(str::from_utf8(name).ok().and_then(|name| children.place(name)))
        }
        _ => Err(Malformed),
    }
}
