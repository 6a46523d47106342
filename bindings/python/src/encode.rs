//! From Python's objects to documents in MessagePack, in one walk.
//!
//! | Python | stored as |
//! |---|---|
//! | `None`, `bool`, `str`, `bytes` | null, boolean, string, binary |
//! | `int` from -2^63 to 2^64 - 1, `float` | integer, float |
//! | `datetime` | timestamp; one without a zone counts as UTC |
//! | `uuid.UUID`, `ObjectId`, `Timestamp`, `Ext` | UUID, ObjectId, timestamp, extension |
//! | `list`, `tuple` | array |
//! | `dict`, mappings whose keys are `str`, dataclasses | document |
//! | scalars of numpy, whatever has `__index__` | what they stand for |
//!
//! and subclasses of these. Everything else is refused with its path. The engine checks the rules
//! of documents, such as their limits, when it takes the bytes over.
//!
//! The first walk takes only what needs no code of Python's: while that runs, another thread could
//! change a `dict` that is being walked over. If there is anything else in the document, the walk
//! begins again and goes over lists of items, which nobody else has.
//!
//! The walk itself is here; [`leaves`] appends values without children, [`pattern`] regular
//! expressions, [`foreign`] what is of another class; [`ids`] reads ids.

mod foreign;
mod ids;
mod leaves;
mod pattern;

use nanodb::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use nanodb_msgpack::{
    OBJECT_ID_EXT, TIMESTAMP_EXT, UnixTime, write_array_len, write_bool, write_float,
    write_map_len, write_null, write_string,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use self::foreign::described;
pub(crate) use self::ids::{find_id, id_of};
pub(crate) use self::leaves::time_of;
use crate::python::{Known, known};
use crate::refusal::Refusal;
use crate::scalars::{Ext, ObjectId, Timestamp};

type Result<T = ()> = std::result::Result<T, Refusal>;

/// Names and values of a document.
type Pairs<'py> = Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

const ID: &str = "_id";

/// What becomes of a document without an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ids {
    /// It gets a new ObjectId, which is put into the caller's document as well.
    ObjectId,
    /// The engine assigns an integer.
    Integer,
}

/// The id of a document that was encoded.
pub(crate) enum EncodedId<'py> {
    /// As the caller has given it, or as it was made.
    Known(Bound<'py, PyAny>),
    /// It is assigned when it is stored.
    Assigned,
}

/// Appends a document that is to be inserted, with its id first.
pub(crate) fn new_document<'py>(
    document: &Bound<'py, PyAny>,
    ids: Ids,
    out: &mut Vec<u8>,
) -> Result<EncodedId<'py>> {
    let start = out.len();
    let walked = twice(document.py(), Syntax::Document, out, |walk| {
        let id = walk.new_document(document, ids)?;
        walk.check_size()?;
        Ok(id)
    });
    debug_assert!(walked.is_ok() || out.len() == start);
    walked
}

/// Encodes a document as it is: with or without an id, in its order.
pub(crate) fn document(document: &Bound<'_, PyAny>, syntax: Syntax) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    twice(document.py(), syntax, &mut out, |walk| {
        walk.top(document)?;
        walk.check_size()
    })?;
    Ok(out)
}

/// Encodes an array.
pub(crate) fn array(list: &Bound<'_, PyList>, syntax: Syntax) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    twice(list.py(), syntax, &mut out, |walk| walk.list(list, 1))?;
    Ok(out)
}

/// What a document is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    Document,
    /// Patterns of `re` are regular expressions.
    Query,
}

/// Walks, and once more with care if it needs some.
fn twice<'o, 'py, T>(
    py: Python<'py>,
    syntax: Syntax,
    out: &'o mut Vec<u8>,
    walk: impl Fn(&mut Walk<'_, 'py>) -> Result<T>,
) -> Result<T> {
    let known = known(py)?;
    let start = out.len();
    let mut first = Walk { py, known, out: &mut *out, start, is_careful: false, syntax };
    match walk(&mut first) {
        Err(Refusal::Careful) => {}
        Ok(done) => return Ok(done),
        Err(refusal) => {
            out.truncate(start);
            return Err(refusal);
        }
    }
    out.truncate(start);
    let walked = walk(&mut Walk { py, known, out: &mut *out, start, is_careful: true, syntax });
    if walked.is_err() {
        out.truncate(start);
    }
    walked
}

struct Walk<'o, 'py> {
    py: Python<'py>,
    known: &'static Known,
    out: &'o mut Vec<u8>,
    /// Where the document begins in it.
    start: usize,
    /// Whether code of Python's may be run.
    is_careful: bool,
    syntax: Syntax,
}

impl<'py> Walk<'_, 'py> {
    /// Goes on if code of Python's may be run.
    fn need_care(&self) -> Result {
        if self.is_careful { Ok(()) } else { Err(Refusal::Careful) }
    }

    /// Ends the walk early if the document is too large: lists may hold each other many times over.
    #[inline]
    fn check_size(&self) -> Result {
        let size = self.out.len() - self.start;
        if size > DOCUMENT_BYTES_MAX { Err(Refusal::document_too_large(size)) } else { Ok(()) }
    }

    fn new_document(&mut self, document: &Bound<'py, PyAny>, ids: Ids) -> Result<EncodedId<'py>> {
        if let Ok(dict) = document.cast_exact::<PyDict>()
            && !self.is_careful
        {
            let name = intern!(self.py, ID);
            let (id, is_new) = match (dict.get_item(name)?, ids) {
                (Some(id), _) => (Some(id), false),
                (None, Ids::ObjectId) => {
                    let id = Bound::new(self.py, ObjectId(crate::scalars::next()))?.into_any();
                    (Some(id), true)
                }
                (None, Ids::Integer) => (None, false),
            };
            let Some(id) = id else {
                self.dict(dict, 1)?;
                return Ok(EncodedId::Assigned);
            };
            write_map_len(self.out, len(dict.len() + usize::from(is_new))?);
            self.name(name)?;
            self.id(&id)?;
            self.fields(dict.iter(), 1, true)?;
            if is_new {
                dict.set_item(name, &id)?;
            }
            return Ok(EncodedId::Known(id));
        }
        self.need_care()?;
        self.foreign_document(document, ids)
    }

    fn id(&mut self, id: &Bound<'py, PyAny>) -> Result {
        self.value(id, 1).map_err(|refusal| refusal.at_field(ID))
    }

    /// A document as it is.
    fn top(&mut self, document: &Bound<'py, PyAny>) -> Result {
        if let Ok(dict) = document.cast_exact::<PyDict>() {
            return self.dict(dict, 1);
        }
        self.need_care()?;
        match self.pairs_of(document)? {
            Some(pairs) => self.pairs(pairs, 1),
            None => Err(Refusal::new(format!(
                "a document must be a dict, a mapping or a dataclass, not {}",
                described(document)
            ))),
        }
    }

    #[inline]
    fn value(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Result {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.text(text);
        }
        if let Ok(number) = value.cast_exact::<PyInt>() {
            return self.int(number);
        }
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            write_float(self.out, number.value());
            return Ok(());
        }
        if let Ok(value) = value.cast_exact::<PyBool>() {
            write_bool(self.out, value.is_true());
            return Ok(());
        }
        if value.is_none() {
            write_null(self.out);
            return Ok(());
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            check_depth(depth)?;
            return self.dict(dict, depth + 1);
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            check_depth(depth)?;
            return self.list(list, depth + 1);
        }
        self.rarer(value, depth)
    }

    fn rarer(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Result {
        if let Ok(id) = value.cast_exact::<ObjectId>() {
            return self.ext(OBJECT_ID_EXT, id.get().0.bytes());
        }
        if value.is_exact_instance(self.known.datetime.bind(self.py)) {
            return self.datetime(value);
        }
        if value.is_exact_instance(self.known.uuid.bind(self.py)) {
            return self.uuid(value);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.bytes(bytes.as_bytes());
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            check_depth(depth)?;
            return self.tuple(tuple, depth + 1);
        }
        if let Ok(time) = value.cast_exact::<Timestamp>() {
            let Timestamp { seconds, nanoseconds } = *time.get();
            return self.time(UnixTime::saturated(seconds, nanoseconds));
        }
        if let Ok(ext) = value.cast_exact::<Ext>() {
            let ext = ext.get();
            if ext.code == TIMESTAMP_EXT && UnixTime::from_ext(ext.bytes()).is_none() {
                return Err(Refusal::new("an Ext of type -1 is not a timestamp"));
            }
            return self.ext(ext.code, ext.bytes());
        }
        if value.is_exact_instance(self.known.pattern.bind(self.py)) {
            return self.pattern(value);
        }
        self.need_care()?;
        self.foreign(value, depth)
    }

    fn list(&mut self, list: &Bound<'py, PyList>, depth: usize) -> Result {
        if self.is_careful {
            // Python's code may change it meanwhile.
            return self.tuple(&list.to_tuple(), depth);
        }
        write_array_len(self.out, len(list.len())?);
        for (index, element) in list.iter().enumerate() {
            self.value(&element, depth).map_err(|refusal| refusal.at_index(index))?;
            self.check_size()?;
        }
        Ok(())
    }

    fn tuple(&mut self, tuple: &Bound<'py, PyTuple>, depth: usize) -> Result {
        write_array_len(self.out, len(tuple.len())?);
        for (index, element) in tuple.iter().enumerate() {
            self.value(&element, depth).map_err(|refusal| refusal.at_index(index))?;
            self.check_size()?;
        }
        Ok(())
    }

    fn dict(&mut self, dict: &Bound<'py, PyDict>, depth: usize) -> Result {
        if self.is_careful {
            return self.pairs(foreign::pairs(dict.items().into_any())?, depth);
        }
        write_map_len(self.out, len(dict.len())?);
        self.fields(dict.iter(), depth, false)
    }

    fn pairs(&mut self, pairs: Pairs<'py>, depth: usize) -> Result {
        write_map_len(self.out, len(pairs.len())?);
        self.fields(pairs.into_iter(), depth, false)
    }

    /// Appends fields, but for the `_id` if that has gone before them.
    #[inline]
    fn fields(
        &mut self,
        fields: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
        depth: usize,
        has_id: bool,
    ) -> Result {
        for (name, value) in fields {
            let Ok(name) = name.cast::<PyString>() else {
                return Err(Refusal::new(format!(
                    "a name must be a str, not {}: {}",
                    described(&name),
                    name.repr().map(|text| text.to_string()).unwrap_or_default(),
                )));
            };
            let Ok(text) = name.to_str() else {
                return Err(Refusal::new("a name with a lone surrogate has no UTF-8"));
            };
            if has_id && text == ID {
                continue;
            }
            if !write_string(self.out, text) {
                return Err(Refusal::document_too_large(text.len()));
            }
            let written = match text {
                "$regex" if self.is_pattern(&value) => self.pattern_as_text(&value),
                _ => self.value(&value, depth),
            };
            written.map_err(|refusal| refusal.at_field(text))?;
            self.check_size()?;
        }
        Ok(())
    }

    fn name(&mut self, name: &Bound<'py, PyString>) -> Result {
        self.text(name)
    }
}

#[inline]
fn check_depth(depth: usize) -> Result {
    if depth < DOCUMENT_DEPTH_MAX {
        return Ok(());
    }
    Err(Refusal::new(format!("a document nests at most {DOCUMENT_DEPTH_MAX} levels deep")))
}

/// Returns a length as a header stores it.
#[inline]
fn len(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| Refusal::document_too_large(len))
}
