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

use nanodb::ObjectId as Oid;
use nanodb::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, Id, Uuid};
use nanodb_msgpack::{
    OBJECT_ID_EXT, TIMESTAMP_EXT, UUID_EXT, UnixTime, write_array_len, write_binary, write_bool,
    write_ext, write_float, write_int, write_map_len, write_null, write_string, write_uint,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};

use crate::failure::About;
use crate::python::{Known, known};
use crate::refusal::Refusal;
use crate::scalars::{Ext, ObjectId, Timestamp, object_id};

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

    /// A document that is no plain `dict`, or is read with care.
    fn foreign_document(
        &mut self,
        document: &Bound<'py, PyAny>,
        ids: Ids,
    ) -> Result<EncodedId<'py>> {
        let Some(mut pairs) = self.pairs_of(document)? else {
            return Err(Refusal::new(format!(
                "a document must be a dict, a mapping or a dataclass, not {}",
                described(document)
            )));
        };
        let is_id = |(name, _): &(Bound<'py, PyAny>, Bound<'py, PyAny>)| {
            name.cast::<PyString>().is_ok_and(|name| *name == ID)
        };
        let is_instance = is_dataclass(document);
        // A field of a class is always there: without an id it is None.
        let at = pairs.iter().position(is_id);
        let at =
            at.filter(|&at| !is_instance || pairs.get(at).is_some_and(|(_, id)| !id.is_none()));
        let (id, is_new) = match (at.and_then(|at| pairs.get(at)), ids) {
            (Some((_, id)), _) => (Some(id.clone()), false),
            (None, Ids::ObjectId) => {
                let id = Bound::new(self.py, ObjectId(crate::scalars::next()))?.into_any();
                (Some(id), true)
            }
            (None, Ids::Integer) => (None, false),
        };
        pairs.retain(|pair| !is_id(pair));
        let Some(id) = id else {
            write_map_len(self.out, len(pairs.len())?);
            self.fields(pairs.into_iter(), 1, false)?;
            return Ok(EncodedId::Assigned);
        };
        write_map_len(self.out, len(pairs.len() + 1)?);
        self.name(intern!(self.py, ID))?;
        self.id(&id)?;
        self.fields(pairs.into_iter(), 1, false)?;
        if is_new {
            // Where there is a place for it: a frozen instance, or one without the field, has none.
            let _ = if is_instance {
                document.hasattr(ID)? && document.setattr(ID, &id).is_ok()
            } else {
                document.set_item(ID, &id).is_ok()
            };
        }
        Ok(EncodedId::Known(id))
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

    /// A value of another class.
    fn foreign(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Result {
        let py = self.py;
        if value.is_instance(self.known.enumeration.bind(py))?
            && !(value.is_instance_of::<PyString>() || value.is_instance_of::<PyInt>())
        {
            return Err(cant("an Enum", value, "store its `.value` or its `.name`"));
        }
        if let Some(id) = object_id(value)? {
            return self.ext(OBJECT_ID_EXT, id.bytes());
        }
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text);
        }
        if let Ok(value) = value.cast::<PyBool>() {
            write_bool(self.out, value.is_true());
            return Ok(());
        }
        if let Ok(number) = value.cast::<PyInt>() {
            return self.int(number);
        }
        if let Ok(number) = value.cast::<PyFloat>() {
            write_float(self.out, number.value());
            return Ok(());
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return self.bytes_with_subtype(value, bytes.as_bytes());
        }
        if value.is_instance(self.known.datetime.bind(py))? {
            return self.datetime(value);
        }
        if value.is_instance(self.known.uuid.bind(py))? {
            return self.uuid(value);
        }
        if let Ok(list) = value.cast::<PyList>() {
            check_depth(depth)?;
            return self.list(list, depth + 1);
        }
        if let Ok(tuple) = value.cast::<PyTuple>() {
            check_depth(depth)?;
            return self.tuple(tuple, depth + 1);
        }
        if let Ok(bytes) = value.cast::<PyByteArray>() {
            return self.bytes(&bytes.to_vec());
        }
        if value.is_instance_of::<PyMemoryView>() {
            let bytes = value.call_method0(intern!(py, "tobytes"))?;
            let bytes = bytes.cast::<PyBytes>().map_err(PyErr::from)?;
            return self.bytes(bytes.as_bytes());
        }
        if let Some(pairs) = self.pairs_of(value)? {
            check_depth(depth)?;
            return self.pairs(pairs, depth + 1);
        }
        self.number_like(value, depth)
    }

    /// A scalar of numpy, or what says of itself that it is an integer.
    fn number_like(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Result {
        let py = self.py;
        let class = value.get_type();
        let module = class.module()?;
        if module.to_cow()?.split('.').next() == Some("numpy") {
            let is_scalar =
                value.getattr("ndim").and_then(|dimensions| dimensions.extract::<i64>());
            if is_scalar.is_ok_and(|dimensions| dimensions > 0) {
                return Err(cant("an array", value, "call its `.tolist()`"));
            }
            let item = value.call_method0(intern!(py, "item"))?;
            if !item.get_type().is(&class) {
                return self.value(&item, depth);
            }
        }
        if class.hasattr(intern!(py, "__index__"))? {
            let index = py.import("operator")?.getattr("index")?.call1((value,))?;
            if let Ok(number) = index.cast::<PyInt>() {
                return self.int(number);
            }
        }
        Err(self.hint(value)?)
    }

    /// What to do instead of storing an object.
    #[cold]
    fn hint(&self, value: &Bound<'py, PyAny>) -> PyResult<Refusal> {
        let py = self.py;
        if value.is_instance(self.known.date.bind(py))? {
            let hint = "store a datetime, such as `datetime.combine(day, time(), timezone.utc)`, \
                        or its `.isoformat()`";
            return Ok(cant("a date without a time", value, hint));
        }
        if value.is_instance(self.known.time.bind(py))? {
            return Ok(cant("a time without a date", value, "store its `.isoformat()`"));
        }
        if value.is_instance(self.known.timedelta.bind(py))? {
            return Ok(cant("a timedelta", value, "store its `.total_seconds()`"));
        }
        if value.is_instance(self.known.decimal.bind(py))? {
            let hint = "there are no decimals: store a str, or an int of the smallest unit";
            return Ok(cant("a Decimal", value, hint));
        }
        let class = value.get_type();
        let hint = match &*class.name()?.to_cow()? {
            "set" | "frozenset" => "it has no order: store a list, such as `sorted(...)`",
            "complex" => "store a list of its two parts",
            "generator" | "map" | "filter" | "range" => "store a list of it",
            "Decimal128" => "there are no decimals: store a str, or an int of the smallest unit",
            "Regex" => "store its pattern",
            "type" => "store its name",
            name if name.ends_with("Path") => "store its str",
            _ => "store what it consists of, as a dict",
        };
        Ok(cant("it", value, hint))
    }

    #[inline]
    fn text(&mut self, text: &Bound<'py, PyString>) -> Result {
        match text.to_str() {
            Ok(text) if write_string(self.out, text) => Ok(()),
            Ok(text) => Err(Refusal::document_too_large(text.len())),
            Err(_) => Err(Refusal::new("a str with a lone surrogate has no UTF-8")),
        }
    }

    #[inline]
    fn int(&mut self, number: &Bound<'py, PyInt>) -> Result {
        match number.extract::<i64>() {
            Ok(number) => write_int(self.out, number),
            Err(_) => match number.extract::<u64>() {
                Ok(number) => write_uint(self.out, number),
                Err(_) => return Err(Refusal::integer()),
            },
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result {
        if write_binary(self.out, bytes) {
            return Ok(());
        }
        Err(Refusal::document_too_large(bytes.len()))
    }

    /// A subclass of `bytes`: `bson`'s has a subtype.
    fn bytes_with_subtype(&mut self, value: &Bound<'py, PyAny>, bytes: &[u8]) -> Result {
        let subtype = value.getattr(intern!(self.py, "subtype"));
        match (subtype.and_then(|subtype| subtype.extract::<i64>()), bytes.len()) {
            (Err(_), _) | (Ok(0), _) => self.bytes(bytes),
            (Ok(4), 16) => self.ext(UUID_EXT, bytes),
            (Ok(subtype), _) => Err(Refusal::new(format!(
                "binary of the subtype {subtype} can't be stored; store `bytes`"
            ))),
        }
    }

    fn ext(&mut self, code: i8, data: &[u8]) -> Result {
        if write_ext(self.out, code, data) {
            return Ok(());
        }
        Err(Refusal::document_too_large(data.len()))
    }

    fn time(&mut self, time: UnixTime) -> Result {
        time.with_ext(|data| self.ext(TIMESTAMP_EXT, data))
    }

    fn datetime(&mut self, value: &Bound<'py, PyAny>) -> Result {
        // A zone of another kind may be code of Python's.
        let zone = value.getattr(intern!(self.py, "tzinfo"))?;
        if !zone.is_none() && !zone.is(self.known.utc.bind(self.py)) {
            self.need_care()?;
        }
        let time = time_of(value)?;
        self.time(time)
    }

    fn uuid(&mut self, value: &Bound<'py, PyAny>) -> Result {
        let number: u128 = value.getattr(intern!(self.py, "int"))?.extract()?;
        self.ext(UUID_EXT, &number.to_be_bytes())
    }

    /// A compiled regular expression.
    fn pattern(&mut self, value: &Bound<'py, PyAny>) -> Result {
        if self.syntax == Syntax::Document {
            return Err(cant("a pattern", value, "store its `.pattern`"));
        }
        let (pattern, options) = self.pattern_parts(value)?;
        write_map_len(self.out, 1);
        self.write_literal("$regularExpression");
        write_map_len(self.out, 2);
        self.write_literal("pattern");
        self.text(&pattern)?;
        self.write_literal("options");
        self.write_literal(&options);
        Ok(())
    }

    /// The same as the operand of `$regex`, with the options within it.
    fn pattern_as_text(&mut self, value: &Bound<'py, PyAny>) -> Result {
        let (pattern, options) = self.pattern_parts(value)?;
        let options = options.replace('u', "");
        let text = match options.is_empty() {
            true => pattern.to_cow()?.into_owned(),
            false => format!("(?{options}){}", pattern.to_cow()?),
        };
        self.write_literal(&text);
        Ok(())
    }

    fn pattern_parts(&self, value: &Bound<'py, PyAny>) -> Result<(Bound<'py, PyString>, String)> {
        let pattern = value.getattr(intern!(self.py, "pattern"))?;
        let Ok(pattern) = pattern.cast_into::<PyString>() else {
            return Err(Refusal::new("a pattern must be made of a str, not of bytes"));
        };
        let flags: u32 = value.getattr(intern!(self.py, "flags"))?.extract()?;
        // `re.I`, `re.M`, `re.S`, `re.U`, `re.X`.
        let letters = [(2, 'i'), (8, 'm'), (16, 's'), (32, 'u'), (64, 'x')];
        let options = letters.iter().filter(|(flag, _)| flags & flag != 0);
        Ok((pattern, options.map(|(_, letter)| *letter).collect()))
    }

    fn write_literal(&mut self, text: &str) {
        // It is short, or was a `str` that has been measured.
        let _fits = write_string(self.out, text);
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
            return self.pairs(pairs(dict.items().into_any())?, depth);
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

    fn is_pattern(&self, value: &Bound<'py, PyAny>) -> bool {
        self.syntax == Syntax::Query && value.is_exact_instance(self.known.pattern.bind(self.py))
    }

    fn name(&mut self, name: &Bound<'py, PyString>) -> Result {
        self.text(name)
    }

    /// The fields of an object that is no plain `dict`; none if it is no document.
    fn pairs_of(&self, value: &Bound<'py, PyAny>) -> Result<Option<Pairs<'py>>> {
        let py = self.py;
        if value.is_instance_of::<PyDict>() || value.is_instance(self.known.mapping.bind(py))? {
            let items = value.call_method0(intern!(py, "items"))?;
            return Ok(Some(pairs(items)?));
        }
        if !is_dataclass(value) {
            return Ok(None);
        }
        let fields = self.known.fields.bind(py).call1((value,))?;
        let mut pairs = Vec::new();
        for field in fields.try_iter()? {
            let name = field?.getattr(intern!(py, "name"))?;
            let Ok(text) = name.cast::<PyString>() else { continue };
            let value = value.getattr(text)?;
            pairs.push((name, value));
        }
        Ok(Some(pairs))
    }
}

/// Returns whether an object is an instance of a dataclass.
fn is_dataclass(value: &Bound<'_, PyAny>) -> bool {
    value.get_type().hasattr("__dataclass_fields__").unwrap_or(false)
}

/// Returns what iterating over pairs yields.
fn pairs<'py>(items: Bound<'py, PyAny>) -> PyResult<Pairs<'py>> {
    items.try_iter()?.map(|pair| pair?.extract()).collect()
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

/// The class of an object, as Python names it.
fn described(value: &Bound<'_, PyAny>) -> String {
    value.get_type().fully_qualified_name().map(|name| name.to_string()).unwrap_or_default()
}

#[cold]
fn cant(what: &str, value: &Bound<'_, PyAny>, hint: &str) -> Refusal {
    let class = described(value);
    match what {
        "it" => Refusal::new(format!("a value of the class {class} can't be stored: {hint}")),
        what => Refusal::new(format!("{what} ({class}) can't be stored: {hint}")),
    }
}

/// Returns the time that a `datetime` stands for; one without a zone counts as UTC.
pub(crate) fn time_of(value: &Bound<'_, PyAny>) -> PyResult<UnixTime> {
    let py = value.py();
    let known = known(py)?;
    let is_naive = value.getattr(intern!(py, "tzinfo"))?.is_none()
        || value.call_method0(intern!(py, "utcoffset"))?.is_none();
    let since = if is_naive {
        let value = match value.getattr(intern!(py, "tzinfo"))?.is_none() {
            true => value.clone(),
            false => {
                let arguments = PyDict::new(py);
                arguments.set_item(intern!(py, "tzinfo"), py.None())?;
                value.call_method(intern!(py, "replace"), (), Some(&arguments))?
            }
        };
        value.sub(known.naive_epoch.bind(py))?
    } else {
        value.sub(known.epoch.bind(py))?
    };
    let part = |name| since.getattr(name)?.extract::<i64>();
    let secs = part(intern!(py, "days"))? * 86_400 + part(intern!(py, "seconds"))?;
    let nanos = u32::try_from(part(intern!(py, "microseconds"))? * 1000).unwrap_or_default();
    Ok(UnixTime::saturated(secs, nanos))
}

/// Returns the id that an object is, or an error that says what ids are.
pub(crate) fn id_of(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Id> {
    match find_id(value) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(Refusal::new(format!(
            "`_id` must be an int, a str, bytes, an ObjectId or a uuid.UUID, not {}",
            described(value)
        ))
        .at_field(ID)
        .raise(value.py(), what, About::Document)),
        Err(refusal) => Err(refusal.at_field(ID).raise(value.py(), what, About::Document)),
    }
}

/// Returns the id that an object is; none if ids can't be of its class.
pub(crate) fn find_id(value: &Bound<'_, PyAny>) -> Result<Option<Id>> {
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str();
        let text = text.map_err(|_| Refusal::new("a str with a lone surrogate has no UTF-8"))?;
        return Ok(Some(Id::String(text.to_owned())));
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    // As a value within a document: one way for all classes.
    twice(value.py(), Syntax::Document, &mut bytes, |walk| walk.value(value, 1))?;
    Ok(stored_id(&bytes))
}

/// Returns the id that a value in MessagePack is.
pub(crate) fn stored_id(bytes: &[u8]) -> Option<Id> {
    use nanodb_msgpack::{Cursor, Number, Token};
    let token = Cursor::new(bytes).read()?;
    Some(match token {
        Token::Int(number) => Id::Int(number),
        Token::UInt(number) => Id::UInt(number),
        Token::String(text) => Id::String(str::from_utf8(text).ok()?.to_owned()),
        Token::Binary(bytes) => Id::Binary(bytes.to_vec()),
        // One that is whole is the integer.
        Token::Float(number) => {
            let whole = Number::Float(number).as_whole()?;
            match i64::try_from(whole) {
                Ok(whole) => Id::Int(whole),
                Err(_) => Id::UInt(u64::try_from(whole).ok()?),
            }
        }
        Token::Ext(..) => match (token.object_id(), token.uuid()) {
            (Some(id), _) => Id::ObjectId(Oid::from_bytes(id)),
            (_, Some(id)) => Id::Uuid(Uuid::from_bytes(id)),
            _ => return None,
        },
        Token::Null | Token::Bool(_) | Token::Array(_) | Token::Map(_) => return None,
    })
}
