//! The walk over a document that yields its keys.
//!
//! Each field of the index is somewhere in the document: at the end of its path, with its part of
//! the key written, or at an array. If none is at an array, the parts are a key. If some are, it
//! must be the same array, and for each of its elements they go on from there.

use super::{KeysError, MultikeyPaths, too_many};
use crate::index_spec::{IndexField, IndexSpec};
use crate::path::{Part, step};
use nanodb_msgpack::{Malformed, RawValue, encode_empty_array_key, encode_key};

/// The most work for one document: 16 for each field of each key, and an eighth of its bytes. So
/// long strings beside long arrays, and numbers in paths, take seconds at most.
const WORK_MAX: usize = 1 << 29;

/// What is missing has the key of null.
const NULL_KEY: u8 = 0x10;

/// Calls `visit` with each key of a document for an index, whole, in no order, and maybe more than
/// once. Sets the bits of `multikey` for the arrays that were met.
///
/// The partial filter is not asked: see [`IndexSpec::has_entries_of`].
///
/// ```
/// use nanodb_query::{Index, MultikeyPaths, for_each_key};
///
/// let spec = Index::ascending("a").then_descending("b").spec()?;
/// let (mut keys, mut multikey) = (Vec::new(), MultikeyPaths::default());
/// // {"a": true}
/// for_each_key(&spec, b"\x81\xa1a\xc3", &mut multikey, &mut |key| {
///     keys.push(key.to_vec());
///     Ok(())
/// })?;
/// assert_eq!(keys, [[0x40, 1, !0x10]]);
/// # Ok::<(), nanodb_query::Error>(())
/// ```
///
/// # Errors
///
/// [`KeysError`], of `visit` too.
pub fn for_each_key(
    spec: &IndexSpec,
    document: &[u8],
    multikey: &mut MultikeyPaths,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), KeysError>,
) -> Result<(), KeysError> {
    walk(spec, document, &mut Scratch::default(), multikey, visit)
}

/// Same as [`for_each_key`], in memory that is at hand.
pub(super) fn walk(
    spec: &IndexSpec,
    document: &[u8],
    scratch: &mut Scratch,
    multikey: &mut MultikeyPaths,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), KeysError>,
) -> Result<(), KeysError> {
    let fields = spec.fields();
    scratch.parts.clear();
    scratch.places.clear();
    scratch.places.resize(fields.len(), Place::At { value: 0, rest: 0 });
    let is_sparse = spec.is_sparse();
    Walk { document, fields, is_sparse, scratch, work: 0, multikey, visit }.expand(0)
}

/// What a walk needs while it lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Frames of one place for each field; the last one is that of the combination being made.
    places: Vec<Place>,
    /// The parts of keys of all frames.
    parts: Vec<u8>,
    /// The parts of one key together.
    key: Vec<u8>,
}

/// Where a field is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At a value, by its offset in the document, with the parts of the path from `rest` on to go.
    At { value: usize, rest: usize },
    /// At its end: its part of the key is there in [`Scratch::parts`].
    Key { start: usize, end: usize },
    /// Past it: nothing is there, and the part of the key is that of null.
    Missing,
}

struct Walk<'w> {
    document: &'w [u8],
    fields: &'w [IndexField],
    is_sparse: bool,
    scratch: &'w mut Scratch,
    work: usize,
    multikey: &'w mut MultikeyPaths,
    visit: &'w mut dyn FnMut(&[u8]) -> Result<(), KeysError>,
}

/// An array's element for which the fields that are at the array go on.
#[derive(Clone, Copy)]
struct Element<'w> {
    value: RawValue<'w>,
    at: usize,
    index: u32,
    /// The offset of the array.
    array: usize,
}

/// How a field goes on from an element.
#[derive(Clone, Copy)]
enum Way {
    /// Not at all: the element is what is indexed.
    End,
    /// With the parts of the path from `rest` on.
    On { rest: usize },
    /// To nothing.
    Nothing,
}

impl<'w> Walk<'w> {
    fn value(&self, at: usize) -> RawValue<'w> {
        RawValue::new(self.document.get(at..).unwrap_or_default())
    }

    fn offset(&self, value: RawValue<'_>) -> usize {
        self.document.len() - value.tail().len()
    }

    fn path(&self, field: usize) -> &'w [Part] {
        self.fields.get(field).map(|field| field.path().parts()).unwrap_or_default()
    }

    fn place(&self, frame: usize, field: usize) -> Place {
        self.scratch.places.get(frame + field).copied().unwrap_or(Place::Missing)
    }

    fn put(&mut self, frame: usize, field: usize, place: Place) {
        if let Some(there) = self.scratch.places.get_mut(frame + field) {
            *there = place;
        }
    }

    /// Yields the keys of the frame that begins at `frame`.
    fn expand(&mut self, frame: usize) -> Result<(), KeysError> {
        let mut array: Option<(usize, usize)> = None;
        for field in 0..self.fields.len() {
            let Place::At { value, rest } = self.place(frame, field) else { continue };
            let place = self.advance(field, value, rest)?;
            self.put(frame, field, place);
            if let Place::At { value, .. } = place {
                match array {
                    None => array = Some((value, field)),
                    Some((there, first)) if there != value => {
                        return Err(self.parallel(first, field));
                    }
                    Some(_) => {}
                }
            }
        }
        match array {
            None => self.emit(frame),
            Some((array, _)) => self.elements(frame, array),
        }
    }

    fn parallel(&self, first: usize, second: usize) -> KeysError {
        let path = |at: usize| self.fields.get(at).map(|field| field.path().to_string());
        KeysError::ParallelArrays {
            first: path(first).unwrap_or_default(),
            second: path(second).unwrap_or_default(),
        }
    }

    /// Goes on from a value to the end of the path, or to an array.
    fn advance(&mut self, field: usize, at: usize, rest: usize) -> Result<Place, KeysError> {
        let (mut value, mut rest) = (self.value(at), rest);
        let path = self.path(field);
        loop {
            if value.is_array()
                && let Some(part) = rest.checked_sub(1)
            {
                self.multikey.set(field, part);
                return Ok(Place::At { value: self.offset(value), rest });
            }
            let Some(part) = path.get(rest) else {
                return self.end(field, |out| encode_key(Some(value), out));
            };
            let found = if value.is_map() { step(value, part)? } else { None };
            let Some(found) = found else { return Ok(Place::Missing) };
            (value, rest) = (found, rest + 1);
        }
    }

    /// Writes the part of a key.
    fn end(
        &mut self,
        field: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
    ) -> Result<Place, KeysError> {
        let start = self.scratch.parts.len();
        write(&mut self.scratch.parts)?;
        if self.fields.get(field).is_some_and(IndexField::is_descending) {
            self.scratch.parts.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        }
        Ok(Place::Key { start, end: self.scratch.parts.len() })
    }

    /// Counts the work for a key of so many eighths of bytes, or for a way to one.
    fn work(&mut self, eighths: usize) -> Result<(), KeysError> {
        self.work = self.work.saturating_add(16 * self.fields.len() + eighths);
        if self.work > WORK_MAX { Err(too_many()) } else { Ok(()) }
    }

    /// Hands out the key of a frame whose fields are all at their ends.
    fn emit(&mut self, frame: usize) -> Result<(), KeysError> {
        let Scratch { places, parts, key } = &mut *self.scratch;
        key.clear();
        let mut exists = !self.is_sparse;
        for (field, place) in self.fields.iter().zip(places.iter().skip(frame)) {
            match *place {
                Place::Key { start, end } => {
                    exists = true;
                    key.extend_from_slice(parts.get(start..end).unwrap_or_default());
                }
                Place::Missing | Place::At { .. } => {
                    key.push(if field.is_descending() { !NULL_KEY } else { NULL_KEY });
                }
            }
        }
        let bytes = key.len() / 8;
        self.work(bytes)?;
        if exists { (self.visit)(&self.scratch.key) } else { Ok(()) }
    }

    /// Yields the keys for each element of an array that some fields are at.
    fn elements(&mut self, frame: usize, array: usize) -> Result<(), KeysError> {
        let Some(elements) = self.value(array).elements() else { return Err(Malformed.into()) };
        let count = elements.len();
        if count == 0 {
            return self.empty(frame);
        }
        for (index, value) in (0_u32..).zip(elements) {
            let value = value?;
            let element = Element { value, at: self.offset(value), index, array };
            if !self.is_passed_over(frame, element, count) {
                self.with_copy(frame, |walk, copy| walk.branch(copy, 0, element))?;
            }
        }
        Ok(())
    }

    /// Yields the key of an empty array that some fields are at.
    fn empty(&mut self, frame: usize) -> Result<(), KeysError> {
        for field in 0..self.fields.len() {
            let Place::At { rest, .. } = self.place(frame, field) else { continue };
            let place = match rest == self.path(field).len() {
                true => self.end(field, |out| {
                    encode_empty_array_key(out);
                    Ok(())
                })?,
                false => Place::Missing,
            };
            self.put(frame, field, place);
        }
        self.emit(frame)
    }

    /// Does something with a copy of a frame, which is gone afterwards, with its parts of keys.
    fn with_copy(
        &mut self,
        frame: usize,
        act: impl FnOnce(&mut Self, usize) -> Result<(), KeysError>,
    ) -> Result<(), KeysError> {
        let (copy, mark) = (self.scratch.places.len(), self.scratch.parts.len());
        self.scratch.places.extend_from_within(frame..frame + self.fields.len());
        act(self, copy)?;
        self.scratch.places.truncate(copy);
        self.scratch.parts.truncate(mark);
        Ok(())
    }

    /// Returns whether all fields at the array are after another element, by its index, and this
    /// one is no document.
    fn is_passed_over(&self, frame: usize, element: Element<'_>, count: u32) -> bool {
        !element.value.is_map()
            && (0..self.fields.len()).all(|field| match self.place(frame, field) {
                Place::Key { .. } | Place::Missing => true,
                Place::At { rest, .. } => self
                    .path(field)
                    .get(rest)
                    .and_then(Part::index)
                    .is_some_and(|wanted| wanted < count && wanted != element.index),
            })
    }

    /// Lets the fields from `from` on go on from an element in each way that they can, and yields
    /// the keys.
    fn branch(&mut self, frame: usize, from: usize, element: Element<'w>) -> Result<(), KeysError> {
        for field in from..self.fields.len() {
            let rest = match self.place(frame, field) {
                Place::At { value, rest } if value == element.array => rest,
                _ => continue,
            };
            let ways = self.ways(field, rest, element)?;
            let mut taken = ways.into_iter().flatten();
            match (taken.next(), taken.next()) {
                (Some(only), None) => self.go(frame, field, only, element)?,
                _ => {
                    for way in ways.into_iter().flatten() {
                        self.work(0)?;
                        self.with_copy(frame, |walk, copy| {
                            walk.go(copy, field, way, element)?;
                            walk.branch(copy, field + 1, element)
                        })?;
                    }
                    return Ok(());
                }
            }
        }
        self.expand(frame)
    }

    /// Returns the ways in which a field goes on from an element: at least one.
    fn ways(
        &self,
        field: usize,
        rest: usize,
        element: Element<'_>,
    ) -> Result<[Option<Way>; 3], Malformed> {
        let path = self.path(field);
        let Some(part) = path.get(rest) else { return Ok([Some(Way::End), None, None]) };
        let by_name = element.value.is_map();
        let by_index = part.index() == Some(element.index);
        // A filter takes an array that it found by its index as a document, and finds nothing
        // behind most names.
        let finds_nothing = match path.get(rest + 1) {
            Some(next) if by_index && element.value.is_array() => {
                step(element.value, next)?.is_none()
            }
            _ => !by_name && !by_index,
        };
        Ok([
            by_name.then_some(Way::On { rest }),
            by_index.then_some(Way::On { rest: rest + 1 }),
            finds_nothing.then_some(Way::Nothing),
        ])
    }

    /// Lets a field go on in one way.
    fn go(
        &mut self,
        frame: usize,
        field: usize,
        way: Way,
        element: Element<'w>,
    ) -> Result<(), KeysError> {
        let place = match way {
            Way::End => self.end(field, |out| encode_key(Some(element.value), out))?,
            Way::On { rest } => Place::At { value: element.at, rest },
            Way::Nothing => Place::Missing,
        };
        self.put(frame, field, place);
        Ok(())
    }
}
