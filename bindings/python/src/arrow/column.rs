//! The second pass: columns that are filled value by value.
//!
//! Their types were chosen for all documents of the search, so every value has a place. One that
//! has none is damage, and is said to be.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, ListArray, NullArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBufferBuilder};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields, SchemaRef};
use nanodb_msgpack::json::print_value;
use nanodb_msgpack::{Cursor, ObjectIdText, RawValue, TIMESTAMP_EXT, Token, UnixTime, UuidText};

use super::names::Names;
use super::shape::microseconds;

/// Appends a value, or nothing if there is none that fits.
type Appended = Option<()>;

/// A column of values.
enum Column {
    Null(usize),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    UInt(UInt64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Time(TimestampMicrosecondBuilder),
    List(Box<Lists>),
    Document(Box<Documents>),
}

/// A column of arrays.
struct Lists {
    field: FieldRef,
    lengths: OffsetBufferBuilder<i32>,
    present: NullBufferBuilder,
    elements: Column,
}

/// Documents, whose fields are columns.
pub(super) struct Documents {
    fields: Fields,
    names: Names,
    columns: Vec<Column>,
    present: NullBufferBuilder,
    len: usize,
}

/// Calls a method of whichever builder a column has.
macro_rules! each {
    ($column:expr, |$builder:ident| $call:expr, |$count:ident| $null:expr) => {
        match $column {
            Column::Null($count) => $null,
            Column::Bool($builder) => $call,
            Column::Int($builder) => $call,
            Column::UInt($builder) => $call,
            Column::Float($builder) => $call,
            Column::Text($builder) => $call,
            Column::Binary($builder) => $call,
            Column::Time($builder) => $call,
            Column::List($builder) => $call,
            Column::Document($builder) => $call,
        }
    };
}

impl Column {
    /// Returns an empty column; none for a type that fields never get.
    fn new(kind: &DataType) -> Option<Self> {
        Some(match kind {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::UInt64 => Self::UInt(UInt64Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Binary => Self::Binary(BinaryBuilder::new()),
            DataType::Timestamp(_, zone) => {
                let builder = TimestampMicrosecondBuilder::new();
                Self::Time(builder.with_timezone_opt(zone.clone()))
            }
            DataType::List(field) => Self::List(Box::new(Lists {
                elements: Self::new(field.data_type())?,
                field: Arc::clone(field),
                lengths: OffsetBufferBuilder::new(0),
                present: NullBufferBuilder::new(0),
            })),
            DataType::Struct(fields) => Self::Document(Box::new(Documents::new(fields)?)),
            _ => return None,
        })
    }

    fn len(&self) -> usize {
        each!(self, |builder| builder.len(), |count| *count)
    }

    fn append_nulls(&mut self, more: usize) {
        if more > 0 {
            each!(self, |builder| builder.append_nulls(more), |count| *count += more);
        }
    }

    fn append(&mut self, cursor: &mut Cursor<'_>) -> Appended {
        let start = cursor.rest();
        let token = cursor.read()?;
        match (self, token) {
            (column, Token::Null) => column.append_nulls(1),
            (Self::Bool(builder), Token::Bool(value)) => builder.append_value(value),
            (Self::Int(builder), Token::Int(number)) => builder.append_value(number),
            (Self::UInt(builder), Token::Int(number)) => {
                builder.append_value(u64::try_from(number).ok()?);
            }
            (Self::UInt(builder), Token::UInt(number)) => builder.append_value(number),
            (Self::Float(builder), Token::Float(number)) => builder.append_value(number),
            // Exactly: it was asked of each in the first pass.
            (Self::Float(builder), Token::Int(number)) => builder.append_value(number as f64),
            (Self::Float(builder), Token::UInt(number)) => builder.append_value(number as f64),
            (Self::Text(builder), Token::String(text)) => {
                builder.append_value(str::from_utf8(text).ok()?);
            }
            (Self::Text(builder), token) => {
                print(builder, token, start, cursor)?;
                // What was printed becomes the value.
                builder.append_value("");
            }
            (Self::Binary(builder), Token::Binary(bytes)) => builder.append_value(bytes),
            (Self::Time(builder), Token::Ext(TIMESTAMP_EXT, data)) => {
                builder.append_value(microseconds(UnixTime::from_ext(data)?)?);
            }
            (Self::List(lists), Token::Array(len)) => lists.append(cursor, len)?,
            (Self::Document(documents), Token::Map(len)) => documents.append(cursor, len)?,
            _ => return None,
        }
        Some(())
    }

    /// Returns what was appended; the column is empty then.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Null(count) => Arc::new(NullArray::new(std::mem::take(count))),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::UInt(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::List(lists) => Arc::new(lists.finish()?),
            Self::Document(documents) => Arc::new(documents.finish()?),
        })
    }
}

/// Prints a value that is no string: ids and times as `str()` has them, others as JSON.
fn print<'a>(
    out: &mut StringBuilder,
    token: Token<'a>,
    start: &'a [u8],
    cursor: &mut Cursor<'a>,
) -> Appended {
    if let Some(id) = token.object_id() {
        return write!(out, "{}", ObjectIdText(id)).ok();
    }
    if let Some(uuid) = token.uuid() {
        return write!(out, "{}", UuidText(uuid)).ok();
    }
    if let Token::Ext(TIMESTAMP_EXT, data) = token {
        return write!(out, "{}", UnixTime::from_ext(data)?).ok();
    }
    let mut whole = Cursor::new(start);
    let value = whole.take_value()?;
    *cursor = whole;
    print_value(RawValue::new(value), out).ok()
}

impl Lists {
    fn len(&self) -> usize {
        self.present.len()
    }

    fn append_nulls(&mut self, more: usize) {
        for _ in 0..more {
            self.lengths.push_length(0);
        }
        self.present.append_n_nulls(more);
    }

    fn append(&mut self, cursor: &mut Cursor<'_>, len: u32) -> Appended {
        for _ in 0..len {
            self.elements.append(cursor)?;
        }
        self.lengths.try_push_length(usize::try_from(len).ok()?).ok()?;
        self.present.append_non_null();
        Some(())
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        let lengths = std::mem::replace(&mut self.lengths, OffsetBufferBuilder::new(0));
        let lengths = lengths
            .try_finish()
            .map_err(|_| ArrowError::OffsetOverflowError(self.elements.len()))?;
        let elements = self.elements.finish()?;
        let field = Arc::clone(&self.field);
        ListArray::try_new(field, lengths, elements, self.present.finish())
    }
}

impl Documents {
    /// Returns columns for fields; none if there is a type that fields never get.
    pub(super) fn new(fields: &Fields) -> Option<Self> {
        let mut names = Names::default();
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            names.add(field.name().as_bytes());
            columns.push(Column::new(field.data_type())?);
        }
        let fields = fields.clone();
        Some(Self { fields, names, columns, present: NullBufferBuilder::new(0), len: 0 })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn append_nulls(&mut self, more: usize) {
        self.present.append_n_nulls(more);
        self.len += more;
    }

    /// Appends a document whose header says that it has so many fields.
    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>, fields: u32) -> Appended {
        let mut guess = 0;
        for _ in 0..fields {
            let at = self.names.find(cursor.read_string_bytes()?, guess)?;
            guess = at + 1;
            let column = self.columns.get_mut(at)?;
            // It is null in documents that lack it. One that has it twice is damaged.
            column.append_nulls(self.len.checked_sub(column.len())?);
            column.append(cursor)?;
        }
        self.present.append_non_null();
        self.len += 1;
        Some(())
    }

    fn arrays(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let len = std::mem::take(&mut self.len);
        let finish = |column: &mut Column| {
            column.append_nulls(len.saturating_sub(column.len()));
            column.finish()
        };
        self.columns.iter_mut().map(finish).collect()
    }

    fn finish(&mut self) -> Result<StructArray, ArrowError> {
        let (len, present) = (self.len, self.present.finish());
        let arrays = self.arrays()?;
        StructArray::try_new_with_length(self.fields.clone(), arrays, present, len)
    }

    /// Returns what was appended as rows; there are none then.
    pub(super) fn finish_batch(&mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.len));
        // Rows are never null.
        self.present.finish();
        let arrays = self.arrays()?;
        RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
    }
}
