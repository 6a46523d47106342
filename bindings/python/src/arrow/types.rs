//! From what fields hold to the types of their columns.
//!
//! | values | column |
//! |---|---|
//! | none but null | null |
//! | `bool`, `str`, `bytes` | bool, utf8, binary |
//! | `int` | int64; uint64 if one is above 2^63 - 1 and none below 0 |
//! | `float`, also with `int` if a float equals each of these | float64 |
//! | `datetime` | timestamp in microseconds, in UTC |
//! | `ObjectId`, or `UUID` | utf8, as `str()` has it |
//! | `list` | list |
//! | `dict` | struct, with every field that one of them has |
//!
//! All may be null, which an absent field is as well. Other mixtures are refused, or become text.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use pyo3::prelude::*;

use super::Refused;
use super::shape::{self, Kind, Shape, Values};
use crate::failure::{About, plain};

/// How deep columns may nest: pyarrow imports 64 levels.
const DEPTH_MAX: usize = 60;

/// What becomes of a field whose values no one type holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mixed {
    /// It is an error.
    Refused,
    /// All of its values become text, as JSON where they are none.
    Text,
}

impl Mixed {
    pub(crate) fn from_name(py: Python<'_>, name: &str) -> PyResult<Self> {
        match name {
            "error" => Ok(Self::Refused),
            "string" => Ok(Self::Text),
            other => {
                let text = format!("`mixed` must be \"error\" or \"string\", not {other:?}");
                Err(plain(py, "configuration", About::Query, &text))
            }
        }
    }
}

/// Returns the types of a search's columns.
pub(super) fn schema(shape: &Shape, mixed: Mixed, tz_aware: bool) -> Result<SchemaRef, Refused> {
    let zone = tz_aware.then(|| Arc::from("UTC"));
    let mut choice = Choice { mixed, zone, path: Vec::new() };
    Ok(Arc::new(Schema::new(choice.fields(&shape.fields)?)))
}

/// A step of the path to a field.
enum Step {
    Field(String),
    Element,
}

struct Choice {
    mixed: Mixed,
    zone: Option<Arc<str>>,
    path: Vec<Step>,
}

impl Choice {
    fn fields(&mut self, fields: &shape::Fields) -> Result<Fields, Refused> {
        let mut chosen = Vec::with_capacity(fields.values.len());
        for (name, values) in fields.names.iter().zip(&fields.values) {
            let Ok(name) = str::from_utf8(name) else {
                return Err(Refused::Damaged("the name of a field is damaged".to_owned()));
            };
            self.path.push(Step::Field(name.to_owned()));
            if name.contains('\0') {
                return self.refused("has a NUL in its name, which no column has");
            }
            let kind = self.of(values)?;
            self.path.pop();
            chosen.push(Field::new(name, kind, true));
        }
        Ok(chosen.into())
    }

    fn of(&mut self, values: &Values) -> Result<DataType, Refused> {
        if self.path.len() > DEPTH_MAX {
            return self.refused("nests more than 60 levels deep, more than readers take");
        }
        let kinds = values.kinds;
        let is = |kind| kinds.are(&[kind]);
        if kinds.is_empty() {
            return Ok(DataType::Null);
        }
        if is(Kind::Int) && !values.has_large {
            return Ok(DataType::Int64);
        }
        if is(Kind::Int) && !values.has_negative {
            return Ok(DataType::UInt64);
        }
        if is(Kind::Float) {
            return Ok(DataType::Float64);
        }
        if is(Kind::Int) || kinds.are(&[Kind::Int, Kind::Float]) {
            return match values.has_inexact {
                false => Ok(DataType::Float64),
                true if is(Kind::Int) => {
                    self.text_instead("holds int below 0 and above 2**63 - 1, which")
                }
                true => self.text_instead("holds float, and int that a float64 would round, which"),
            };
        }
        if is(Kind::Bool) {
            return Ok(DataType::Boolean);
        }
        if is(Kind::Text) || is(Kind::ObjectId) || is(Kind::Uuid) {
            return Ok(DataType::Utf8);
        }
        if is(Kind::Binary) {
            return Ok(DataType::Binary);
        }
        if is(Kind::Time) {
            return match values.has_far {
                true => self.text_instead("holds times beyond the year 290,000, which"),
                false => Ok(DataType::Timestamp(TimeUnit::Microsecond, self.zone.clone())),
            };
        }
        if let (true, Some(elements)) = (is(Kind::List), &values.elements) {
            self.path.push(Step::Element);
            let kind = self.of(elements)?;
            self.path.pop();
            return Ok(DataType::List(Arc::new(Field::new_list_field(kind, true))));
        }
        if let (true, Some(fields)) = (is(Kind::Document), &values.fields) {
            return Ok(DataType::Struct(self.fields(fields)?));
        }
        self.text_instead(&format!("holds {}, which", kinds.listed()))
    }

    #[cold]
    fn text_instead(&self, what: &str) -> Result<DataType, Refused> {
        match self.mixed {
            Mixed::Text => Ok(DataType::Utf8),
            Mixed::Refused => self.refused(&format!(
                "{what} no one type of Arrow's holds; mixed=\"string\" makes text of such fields, \
                 a filter or a projection leaves them out"
            )),
        }
    }

    #[cold]
    fn refused<T>(&self, what: &str) -> Result<T, Refused> {
        let (mut place, mut path) = (String::new(), String::new());
        for step in &self.path {
            match step {
                Step::Field(name) => {
                    for text in [&mut place, &mut path] {
                        if !text.is_empty() {
                            text.push('.');
                        }
                        text.push_str(name);
                    }
                }
                Step::Element => place.push_str("[]"),
            }
        }
        Err(Refused::Field { path, text: format!("`{}` {what}", place.replace('\0', "\\0")) })
    }
}
