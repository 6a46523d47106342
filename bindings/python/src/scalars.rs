//! Values that Python has no class for: `ObjectId`, `Timestamp`, `Ext`; and ids.

use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use nanodb::{Id, Uuid};
use nanodb_msgpack::UnixTime;
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString};

use crate::process::generation;
use crate::python::known;

/// An ObjectId, twelve bytes: the time in seconds, a number of the process, and a count.
///
/// Without an argument it is a new one. `bson`'s class of this name is accepted wherever this one
/// is, and the two are equal if their bytes are.
///
/// >>> from nanodb import ObjectId
/// >>> id = ObjectId("65a1b2c3d4e5f60718293a4b")
/// >>> str(id), id.generation_time.year
/// ('65a1b2c3d4e5f60718293a4b', 2024)
/// >>> id == ObjectId(id.binary)
/// True
/// >>> ObjectId() < ObjectId()
/// True
#[pyclass(frozen, module = "nanodb", weakref)]
#[derive(Clone, Copy)]
pub(crate) struct ObjectId(pub(crate) nanodb::ObjectId);

#[pymethods]
impl ObjectId {
    #[new]
    #[pyo3(signature = (oid=None))]
    fn new(oid: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(oid) = oid.filter(|oid| !oid.is_none()) else { return Ok(Self(next())) };
        if let Some(id) = object_id(oid)? {
            return Ok(Self(id));
        }
        if let Ok(bytes) = oid.cast::<PyBytes>() {
            let bytes = <[u8; 12]>::try_from(bytes.as_bytes());
            let bytes = bytes.map_err(|_| invalid("12 bytes are needed"))?;
            return Ok(Self(nanodb::ObjectId::from_bytes(bytes)));
        }
        if let Ok(text) = oid.cast::<PyString>() {
            let text = text.to_str()?;
            return text.parse().map(Self).map_err(|_| {
                let text = format!(
                    "{text:?} is not a valid ObjectId, which is 24 hexadecimal \
                                    digits or 12 bytes"
                );
                invalid(&text)
            });
        }
        let class = oid.get_type();
        Err(PyTypeError::new_err(format!(
            "an ObjectId is made of bytes, a string or an ObjectId, not of {class}"
        )))
    }

    /// Returns whether `ObjectId(oid)` would be one.
    #[staticmethod]
    fn is_valid(oid: &Bound<'_, PyAny>) -> bool {
        !oid.is_none() && Self::new(Some(oid)).is_ok()
    }

    /// Returns the first ObjectId of a time, to be compared with others.
    #[staticmethod]
    fn from_datetime(generation_time: &Bound<'_, PyAny>) -> PyResult<Self> {
        let time = crate::encode::time_of(generation_time)?;
        let secs = u32::try_from(time.secs());
        let secs = secs.map_err(|_| invalid("the time is out of the range of ObjectIds"))?;
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&secs.to_be_bytes());
        Ok(Self(nanodb::ObjectId::from_bytes(bytes)))
    }

    /// Its twelve bytes.
    #[getter]
    fn binary<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.bytes())
    }

    /// When it was made, to the second, in UTC.
    #[getter]
    fn generation_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let [a, b, c, d, ..] = *self.0.bytes();
        let time = UnixTime::saturated(u32::from_be_bytes([a, b, c, d]).into(), 0);
        crate::decode::datetime(py, time, true)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("ObjectId('{}')", self.0)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.binary(py)
    }

    /// That of the bytes, as of `bson`'s class.
    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.binary(py).hash()
    }

    fn __richcmp__(
        &self,
        other: &Bound<'_, PyAny>,
        op: CompareOp,
        py: Python<'_>,
    ) -> PyResult<Py<PyAny>> {
        match object_id(other)? {
            Some(other) => Ok(op.matches(self.0.cmp(&other)).into_pyobject(py)?.to_owned().into()),
            None => Ok(py.NotImplemented()),
        }
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>,) {
        (self.binary(py),)
    }

    fn __copy__(&self) -> Self {
        *self
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        *self
    }
}

#[cold]
fn invalid(text: &str) -> PyErr {
    PyValueError::new_err(text.to_owned())
}

/// Returns the ObjectId that an object is: one of ours, or of `bson`'s class.
pub(crate) fn object_id(object: &Bound<'_, PyAny>) -> PyResult<Option<nanodb::ObjectId>> {
    if let Ok(id) = object.cast::<ObjectId>() {
        return Ok(Some(id.get().0));
    }
    let class = object.get_type();
    if class.name()? != "ObjectId" {
        return Ok(None);
    }
    let Ok(binary) = object.getattr("binary") else { return Ok(None) };
    let bytes = binary.cast::<PyBytes>().ok();
    let bytes = bytes.and_then(|bytes| <[u8; 12]>::try_from(bytes.as_bytes()).ok());
    Ok(bytes.map(nanodb::ObjectId::from_bytes))
}

/// What new ObjectIds are made of.
struct Counter {
    generation: u64,
    process: [u8; 5],
    count: u32,
}

static COUNTER: Mutex<Option<Counter>> = Mutex::new(None);

/// Returns a new ObjectId.
pub(crate) fn next() -> nanodb::ObjectId {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Seconds of 32 bits, as MongoDB's: they begin again in 2106.
    let [.., a, b, c, d] = now.as_secs().to_be_bytes();
    let mut counter = COUNTER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // A fork would go on with its parent's numbers.
    let counter = match &mut *counter {
        Some(counter) if counter.generation == generation() => counter,
        other => other.insert(Counter::new()),
    };
    counter.count = counter.count.wrapping_add(1);
    let [_, x, y, z] = counter.count.to_be_bytes();
    let [p, q, r, s, t] = counter.process;
    nanodb::ObjectId::from_bytes([a, b, c, d, p, q, r, s, t, x, y, z])
}

impl Counter {
    fn new() -> Self {
        // The keys of a `RandomState` are the system's random numbers, or follow from them.
        let random = |salt: u8| {
            let seen = (salt, generation(), std::process::id(), SystemTime::now());
            RandomState::new().hash_one(seen).to_be_bytes()
        };
        let [a, b, c, d, e, ..] = random(1);
        let [x, y, z, ..] = random(2);
        let count = u32::from_be_bytes([0, x, y, z]);
        Self { generation: generation(), process: [a, b, c, d, e], count }
    }
}

/// A point in time with nanoseconds, as the database keeps it.
///
/// A `datetime` has microseconds, and years from 1 to 9999. Stored times come back as `datetime`s,
/// rounded down to a microsecond, and as this class if their year is out of that range.
///
/// >>> from nanodb import Timestamp
/// >>> Timestamp(1_700_000_000, 5)
/// Timestamp(1700000000, 5)
#[pyclass(frozen, module = "nanodb", eq, ord, hash)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp {
    /// Seconds since the beginning of 1970, rounded down.
    #[pyo3(get)]
    pub(crate) seconds: i64,
    /// Nanoseconds after that.
    #[pyo3(get)]
    pub(crate) nanoseconds: u32,
}

#[pymethods]
impl Timestamp {
    #[new]
    #[pyo3(signature = (seconds, nanoseconds=0))]
    fn new(seconds: i64, nanoseconds: u32) -> PyResult<Self> {
        match UnixTime::new(seconds, nanoseconds) {
            Some(_) => Ok(Self { seconds, nanoseconds }),
            None => Err(invalid("nanoseconds must be below 1,000,000,000")),
        }
    }

    fn __str__(&self) -> String {
        UnixTime::saturated(self.seconds, self.nanoseconds).to_string()
    }

    fn __repr__(&self) -> String {
        match self.nanoseconds {
            0 => format!("Timestamp({})", self.seconds),
            nanoseconds => format!("Timestamp({}, {nanoseconds})", self.seconds),
        }
    }

    fn __getnewargs__(&self) -> (i64, u32) {
        (self.seconds, self.nanoseconds)
    }
}

/// A MessagePack extension that has no meaning to the database: a type from -128 to 127, and bytes.
///
/// >>> from nanodb import Ext
/// >>> Ext(5, b"abc").data
/// b'abc'
#[pyclass(frozen, module = "nanodb", eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Ext {
    /// The type.
    #[pyo3(get)]
    pub(crate) code: i8,
    bytes: Vec<u8>,
}

impl Ext {
    pub(crate) fn of(code: i8, bytes: &[u8]) -> Self {
        Self { code, bytes: bytes.to_vec() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[pymethods]
impl Ext {
    #[new]
    fn new(code: i8, data: &Bound<'_, PyBytes>) -> Self {
        Self::of(code, data.as_bytes())
    }

    /// The bytes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.bytes)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Ext({}, {})", self.code, self.data(py).repr()?))
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> (i8, Bound<'py, PyBytes>) {
        (self.code, self.data(py))
    }
}

/// Returns a UUID as Python's.
pub(crate) fn uuid_to_python<'py>(py: Python<'py>, uuid: &Uuid) -> PyResult<Bound<'py, PyAny>> {
    let arguments = PyDict::new(py);
    arguments.set_item(pyo3::intern!(py, "int"), u128::from_be_bytes(*uuid.bytes()))?;
    known(py)?.uuid.bind(py).call((), Some(&arguments))
}

/// Returns an id as Python's object.
pub(crate) fn id_to_python<'py>(py: Python<'py>, id: &Id) -> PyResult<Bound<'py, PyAny>> {
    Ok(match id {
        Id::Int(number) => PyInt::new(py, *number).into_any(),
        Id::UInt(number) => PyInt::new(py, *number).into_any(),
        Id::String(text) => PyString::new(py, text).into_any(),
        Id::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
        Id::ObjectId(id) => Bound::new(py, ObjectId(*id))?.into_any(),
        Id::Uuid(uuid) => uuid_to_python(py, uuid)?,
    })
}
