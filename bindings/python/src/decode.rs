//! From stored documents to `dict`s, in one walk.

use nanodb::{DOCUMENT_DEPTH_MAX, StoredDoc, Value};
use nanodb_msgpack::{Cursor, TIMESTAMP_EXT, Token, UnixTime};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::failure::{About, plain};
use crate::keys::key;
use crate::python::known;
use crate::scalars::{Ext, ObjectId, Timestamp, uuid_to_python};

/// How stored values become Python's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoding {
    /// Whether a `datetime` has the zone UTC, or none.
    pub(crate) tz_aware: bool,
}

/// Returns a stored document as a `dict`.
#[inline]
pub(crate) fn document<'py>(
    py: Python<'py>,
    document: &StoredDoc,
    decoding: Decoding,
) -> PyResult<Bound<'py, PyAny>> {
    let mut cursor = Cursor::new(document.as_bytes());
    let read = Read { py, decoding };
    match read.value(&mut cursor, 0)? {
        Some(value) if cursor.rest().is_empty() => Ok(value),
        _ => Err(damaged(py, document)),
    }
}

#[cold]
fn damaged(py: Python<'_>, document: &StoredDoc) -> PyErr {
    let text = match document.id() {
        Some(id) => format!("the document with the id {id} is damaged"),
        None => "a document is damaged".to_owned(),
    };
    plain(py, "damaged", About::Document, &text)
}

/// A value, which is absent where the bytes are wrong.
type Read1<'py> = PyResult<Option<Bound<'py, PyAny>>>;

struct Read<'py> {
    py: Python<'py>,
    decoding: Decoding,
}

impl<'py> Read<'py> {
    #[inline]
    fn value(&self, cursor: &mut Cursor<'_>, depth: usize) -> Read1<'py> {
        let py = self.py;
        let Some(token) = cursor.read() else { return Ok(None) };
        Ok(Some(match token {
            Token::String(text) => PyString::from_bytes(py, text)?.into_any(),
            Token::Int(number) => PyInt::new(py, number).into_any(),
            Token::Float(number) => PyFloat::new(py, number).into_any(),
            Token::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            Token::Null => py.None().into_bound(py),
            Token::Map(len) => return self.map(cursor, len, depth + 1),
            Token::Array(len) => return self.array(cursor, len, depth + 1),
            Token::UInt(number) => PyInt::new(py, number).into_any(),
            Token::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
            Token::Ext(code, data) => return self.ext(token, code, data),
        }))
    }

    fn map(&self, cursor: &mut Cursor<'_>, len: u32, depth: usize) -> Read1<'py> {
        if depth > DOCUMENT_DEPTH_MAX {
            return Ok(None);
        }
        let dict = PyDict::new(self.py);
        for _ in 0..len {
            let Some(name) = cursor.read_string_bytes() else { return Ok(None) };
            let name = key(self.py, name)?;
            let Some(value) = self.value(cursor, depth)? else { return Ok(None) };
            dict.set_item(name, value)?;
        }
        Ok(Some(dict.into_any()))
    }

    fn array(&self, cursor: &mut Cursor<'_>, len: u32, depth: usize) -> Read1<'py> {
        if depth > DOCUMENT_DEPTH_MAX || !cursor.may_hold(len.into()) {
            return Ok(None);
        }
        let list = PyList::empty(self.py);
        for _ in 0..len {
            let Some(element) = self.value(cursor, depth)? else { return Ok(None) };
            list.append(element)?;
        }
        Ok(Some(list.into_any()))
    }

    fn ext(&self, token: Token<'_>, code: i8, data: &[u8]) -> Read1<'py> {
        let py = self.py;
        if let Some(id) = token.object_id() {
            let id = ObjectId(nanodb::ObjectId::from_bytes(id));
            return Ok(Some(Bound::new(py, id)?.into_any()));
        }
        if let Some(uuid) = token.uuid() {
            return Ok(Some(uuid_to_python(py, &nanodb::Uuid::from_bytes(uuid))?));
        }
        if code == TIMESTAMP_EXT {
            let Some(time) = UnixTime::from_ext(data) else { return Ok(None) };
            return Ok(Some(datetime(py, time, self.decoding.tz_aware)?));
        }
        Ok(Some(Bound::new(py, Ext::of(code, data))?.into_any()))
    }
}

/// The first second of the year 1, and the first one after the year 9999.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Returns a time as a `datetime`, rounded down to a microsecond; as a `Timestamp` where its year
/// is not from 1 to 9999.
pub(crate) fn datetime<'py>(
    py: Python<'py>,
    time: UnixTime,
    tz_aware: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (seconds, nanoseconds) = (time.secs(), time.nanos());
    if !SECONDS.contains(&seconds) {
        return Ok(Bound::new(py, Timestamp { seconds, nanoseconds })?.into_any());
    }
    let known = known(py)?;
    let days = seconds.div_euclid(86_400);
    let since = (days, seconds.rem_euclid(86_400), nanoseconds / 1000);
    let since = known.timedelta.bind(py).call1(since)?;
    let epoch = if tz_aware { &known.epoch } else { &known.naive_epoch };
    epoch.bind(py).add(since)
}

/// Returns a value in memory as Python's.
pub(crate) fn value<'py>(
    py: Python<'py>,
    value: &Value,
    decoding: Decoding,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int(number) => PyInt::new(py, *number).into_any(),
        Value::UInt(number) => PyInt::new(py, *number).into_any(),
        Value::Float(number) => PyFloat::new(py, *number).into_any(),
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::ObjectId(id) => Bound::new(py, ObjectId(*id))?.into_any(),
        Value::Uuid(uuid) => uuid_to_python(py, uuid)?,
        Value::Timestamp(time) => {
            datetime(py, UnixTime::saturated(time.secs(), time.nanos()), decoding.tz_aware)?
        }
        Value::Ext(code, data) => Bound::new(py, Ext::of(*code, data))?.into_any(),
        Value::Array(elements) => {
            let list = PyList::empty(py);
            for element in elements {
                list.append(self::value(py, element, decoding)?)?;
            }
            list.into_any()
        }
        Value::Document(document) => {
            let dict = PyDict::new(py);
            for (name, field) in document.iter() {
                dict.set_item(key(py, name.as_bytes())?, self::value(py, field, decoding)?)?;
            }
            dict.into_any()
        }
    })
}
