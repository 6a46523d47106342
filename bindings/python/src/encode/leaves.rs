//! Values without children.

use nanodb_msgpack::{
    TIMESTAMP_EXT, UUID_EXT, UnixTime, write_binary, write_ext, write_int, write_string, write_uint,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString};

use super::{Result, Walk};
use crate::python::known;
use crate::refusal::Refusal;

impl<'py> Walk<'_, 'py> {
    #[inline]
    pub(super) fn text(&mut self, text: &Bound<'py, PyString>) -> Result {
        match text.to_str() {
            Ok(text) if write_string(self.out, text) => Ok(()),
            Ok(text) => Err(Refusal::document_too_large(text.len())),
            Err(_) => Err(Refusal::new("a str with a lone surrogate has no UTF-8")),
        }
    }

    #[inline]
    pub(super) fn int(&mut self, number: &Bound<'py, PyInt>) -> Result {
        match number.extract::<i64>() {
            Ok(number) => write_int(self.out, number),
            Err(_) => match number.extract::<u64>() {
                Ok(number) => write_uint(self.out, number),
                Err(_) => return Err(Refusal::integer()),
            },
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result {
        if write_binary(self.out, bytes) {
            return Ok(());
        }
        Err(Refusal::document_too_large(bytes.len()))
    }

    /// A subclass of `bytes`: `bson`'s has a subtype.
    pub(super) fn bytes_with_subtype(&mut self, value: &Bound<'py, PyAny>, bytes: &[u8]) -> Result {
        let subtype = value.getattr(intern!(self.py, "subtype"));
        match (subtype.and_then(|subtype| subtype.extract::<i64>()), bytes.len()) {
            (Err(_), _) | (Ok(0), _) => self.bytes(bytes),
            (Ok(4), 16) => self.ext(UUID_EXT, bytes),
            (Ok(subtype), _) => Err(Refusal::new(format!(
                "binary of the subtype {subtype} can't be stored; store `bytes`"
            ))),
        }
    }

    pub(super) fn ext(&mut self, code: i8, data: &[u8]) -> Result {
        if write_ext(self.out, code, data) {
            return Ok(());
        }
        Err(Refusal::document_too_large(data.len()))
    }

    pub(super) fn time(&mut self, time: UnixTime) -> Result {
        time.with_ext(|data| self.ext(TIMESTAMP_EXT, data))
    }

    pub(super) fn datetime(&mut self, value: &Bound<'py, PyAny>) -> Result {
        // A zone of another kind may be code of Python's.
        let zone = value.getattr(intern!(self.py, "tzinfo"))?;
        if !zone.is_none() && !zone.is(self.known.utc.bind(self.py)) {
            self.need_care()?;
        }
        let time = time_of(value)?;
        self.time(time)
    }

    pub(super) fn uuid(&mut self, value: &Bound<'py, PyAny>) -> Result {
        let number: u128 = value.getattr(intern!(self.py, "int"))?.extract()?;
        self.ext(UUID_EXT, &number.to_be_bytes())
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
