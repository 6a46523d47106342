//! What is of another class than Python's own: subclasses, mappings, dataclasses, scalars of numpy;
//! and what to do instead of storing an object.
//!
//! Reading these may run code of Python's.

use nanodb_msgpack::{OBJECT_ID_EXT, UnixTime, write_bool, write_float, write_map_len};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};

use super::{EncodedId, ID, Ids, Pairs, Result, Walk, check_depth, len};
use crate::refusal::Refusal;
use crate::scalars::{ObjectId, object_id};

impl<'py> Walk<'_, 'py> {
    /// A document that is no plain `dict`, or is read with care.
    pub(super) fn foreign_document(
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

    /// A value of another class.
    pub(super) fn foreign(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Result {
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
            if value.ne(value)? {
                return Err(cant("no time", value, "store None"));
            }
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
            let kind = class.name()?;
            let kind = kind.to_cow()?;
            if kind == "timedelta64" {
                return Err(cant("a timedelta", value, "store its seconds, as a number"));
            }
            let item = value.call_method0(intern!(py, "item"))?;
            if kind == "datetime64" && item.is_instance_of::<PyInt>() {
                return self.datetime64(value);
            }
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

    /// A time of numpy's that no `datetime` is: finer than its microseconds, or of another year.
    fn datetime64(&mut self, value: &Bound<'py, PyAny>) -> Result {
        let number = |value: &Bound<'py, PyAny>, unit: &str| -> PyResult<(_, i64)> {
            let rounded = value.call_method1(intern!(self.py, "astype"), (unit,))?;
            let number = rounded.call_method1(intern!(self.py, "astype"), ("int64",))?;
            Ok((rounded, number.call_method0(intern!(self.py, "item"))?.extract()?))
        };
        let (rounded, seconds) = number(value, "datetime64[s]")?;
        let (_, nanoseconds) = number(&value.sub(rounded)?, "timedelta64[ns]")?;
        let nanoseconds = u32::try_from(nanoseconds).unwrap_or_default();
        self.time(UnixTime::saturated(seconds, nanoseconds))
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

    /// The fields of an object that is no plain `dict`; none if it is no document.
    pub(super) fn pairs_of(&self, value: &Bound<'py, PyAny>) -> Result<Option<Pairs<'py>>> {
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
pub(super) fn pairs<'py>(items: Bound<'py, PyAny>) -> PyResult<Pairs<'py>> {
    items.try_iter()?.map(|pair| pair?.extract()).collect()
}

/// The class of an object, as Python names it.
pub(super) fn described(value: &Bound<'_, PyAny>) -> String {
    value.get_type().fully_qualified_name().map(|name| name.to_string()).unwrap_or_default()
}

#[cold]
pub(super) fn cant(what: &str, value: &Bound<'_, PyAny>, hint: &str) -> Refusal {
    let class = described(value);
    match what {
        "it" => Refusal::new(format!("a value of the class {class} can't be stored: {hint}")),
        what => Refusal::new(format!("{what} ({class}) can't be stored: {hint}")),
    }
}
