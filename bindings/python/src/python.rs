//! Classes and objects of Python's that are asked for again and again.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// What is looked up once.
pub(crate) struct Known {
    pub(crate) datetime: Py<PyType>,
    pub(crate) timedelta: Py<PyType>,
    pub(crate) utc: Py<PyAny>,
    /// The beginning of 1970, with a time zone and without one.
    pub(crate) epoch: Py<PyAny>,
    pub(crate) naive_epoch: Py<PyAny>,
    pub(crate) date: Py<PyType>,
    pub(crate) time: Py<PyType>,
    pub(crate) uuid: Py<PyType>,
    pub(crate) pattern: Py<PyType>,
    pub(crate) enumeration: Py<PyType>,
    pub(crate) decimal: Py<PyType>,
    pub(crate) mapping: Py<PyType>,
    /// `dataclasses.fields`.
    pub(crate) fields: Py<PyAny>,
    /// `nanodb.errors._make`.
    pub(crate) make_error: Py<PyAny>,
}

static KNOWN: PyOnceLock<Known> = PyOnceLock::new();

/// Returns what is looked up once.
#[inline]
pub(crate) fn known(py: Python<'_>) -> PyResult<&'static Known> {
    KNOWN.get_or_try_init(py, || Known::look_up(py))
}

impl Known {
    #[cold]
    fn look_up(py: Python<'_>) -> PyResult<Self> {
        let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let module = py.import("datetime")?;
        let utc = module.getattr("timezone")?.getattr("utc")?;
        let datetime = module.getattr("datetime")?;
        let naive_epoch = datetime.call1((1970, 1, 1))?;
        let with_zone = PyDict::new(py);
        with_zone.set_item("tzinfo", &utc)?;
        let epoch = datetime.call((1970, 1, 1), Some(&with_zone))?;
        Ok(Self {
            datetime: class("datetime", "datetime")?,
            timedelta: class("datetime", "timedelta")?,
            utc: utc.unbind(),
            epoch: epoch.unbind(),
            naive_epoch: naive_epoch.unbind(),
            date: class("datetime", "date")?,
            time: class("datetime", "time")?,
            uuid: class("uuid", "UUID")?,
            pattern: class("re", "Pattern")?,
            enumeration: class("enum", "Enum")?,
            decimal: class("decimal", "Decimal")?,
            mapping: class("collections.abc", "Mapping")?,
            fields: py.import("dataclasses")?.getattr("fields")?.unbind(),
            make_error: py.import("nanodb.errors")?.getattr("_make")?.unbind(),
        })
    }
}
