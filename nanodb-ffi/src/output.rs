//! Results in either format.
//!
//! A list is one value: an array. Its elements are written as they come, so in MessagePack the
//! header has room for any length and is filled in at the end.

use nanodb::json::WriteOptions;
use nanodb::{DocView, Document, Id, IdRef, Value};
use nanodb_msgpack::RawValue;
use nanodb_msgpack::json::append_document;

use crate::failure::{Failure, Result};
use crate::memory::copy_out;
use crate::part::Format;
use crate::types::nanodb_buf;

/// A result that is being written.
#[derive(Debug)]
pub(crate) enum Output {
    MsgPack(Vec<u8>),
    Json(Vec<u8>),
}

/// An array in an output.
#[derive(Debug)]
pub(crate) struct List {
    output: Output,
    count: usize,
}

const ARRAY_32: u8 = 0xdd;

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        match format {
            Format::MsgPack => Self::MsgPack(Vec::new()),
            Format::Json => Self::Json(Vec::new()),
        }
    }

    pub(crate) fn document(&mut self, document: &DocView) -> Result<()> {
        match self {
            Self::MsgPack(bytes) => bytes.extend_from_slice(document.as_bytes()),
            Self::Json(text) => append_json(document, text)?,
        }
        Ok(())
    }

    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        match self {
            Self::MsgPack(bytes) => bytes.extend_from_slice(&value.to_msgpack()?),
            Self::Json(text) => text.extend_from_slice(value.to_json()?.as_bytes()),
        }
        Ok(())
    }

    pub(crate) fn id(&mut self, id: IdRef<'_>) -> Result<()> {
        match (self, id) {
            // As a key it is the same as binary.
            (Self::MsgPack(bytes), IdRef::Uuid(id)) => {
                bytes.extend_from_slice(&[0xd8, 4]);
                bytes.extend_from_slice(id.bytes());
            }
            (Self::MsgPack(bytes), id) => bytes.extend_from_slice(&id.to_key()),
            (Self::Json(text), IdRef::Int(number)) => {
                text.extend_from_slice(number.to_string().as_bytes());
            }
            (Self::Json(text), id) => {
                text.extend_from_slice(Value::from(id.to_owned()).to_json()?.as_bytes());
            }
        }
        Ok(())
    }

    pub(crate) fn null(&mut self) {
        match self {
            Self::MsgPack(bytes) => bytes.push(0xc0),
            Self::Json(text) => text.extend_from_slice(b"null"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::MsgPack(bytes) | Self::Json(bytes) => bytes,
        }
    }

    pub(crate) fn finish(self) -> Result<nanodb_buf> {
        copy_out(self.bytes())
    }
}

impl List {
    pub(crate) fn new(format: Format) -> Self {
        let mut output = Output::new(format);
        match &mut output {
            Output::MsgPack(bytes) => bytes.extend_from_slice(&[ARRAY_32, 0, 0, 0, 0]),
            Output::Json(text) => text.push(b'['),
        }
        Self { output, count: 0 }
    }

    /// Writes an element. If that fails, the list is as it was before.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Output) -> Result<()>) -> Result<()> {
        let len = self.output.len();
        if let (Output::Json(text), 1..) = (&mut self.output, self.count) {
            text.push(b',');
        }
        let written = write(&mut self.output);
        match &written {
            Ok(()) => self.count += 1,
            Err(_) => match &mut self.output {
                Output::MsgPack(bytes) | Output::Json(bytes) => bytes.truncate(len),
            },
        }
        written
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn bytes_len(&self) -> usize {
        self.output.len()
    }

    pub(crate) fn finish(mut self) -> Result<nanodb_buf> {
        match &mut self.output {
            Output::Json(text) => text.push(b']'),
            Output::MsgPack(bytes) => {
                let Ok(count) = u32::try_from(self.count) else {
                    return Err(Failure::invalid("the list is too long for MessagePack"));
                };
                let count = count.to_be_bytes();
                for (to, from) in bytes.iter_mut().skip(1).zip(count) {
                    *to = from;
                }
            }
        }
        self.output.finish()
    }
}

/// Appends a document as JSON.
#[inline]
pub(crate) fn append_json(document: &DocView, out: &mut Vec<u8>) -> Result<()> {
    let options = WriteOptions::new();
    append_document(RawValue::new(document.as_bytes()), &options, out).or_else(|error| {
        // The database's own error says more of what is wrong with the bytes.
        document.to_json()?;
        Err(Failure::invalid(error.to_string()))
    })
}

/// Returns a document of the library's own, such as a report.
pub(crate) fn report(document: &Document, format: Format) -> Result<nanodb_buf> {
    match format {
        Format::MsgPack => copy_out(&document.to_msgpack()?),
        Format::Json => copy_out(document.to_json()?.as_bytes()),
    }
}

/// Returns one document.
#[inline]
pub(crate) fn one(document: &DocView, format: Format) -> Result<nanodb_buf> {
    if format == Format::MsgPack {
        return copy_out(document.as_bytes());
    }
    // Mostly it is not much longer.
    let mut output = Output::Json(Vec::with_capacity(2 * document.as_bytes().len()));
    output.document(document)?;
    output.finish()
}

/// Returns one id.
pub(crate) fn id(id: &Id, format: Format) -> Result<nanodb_buf> {
    let mut output = Output::new(format);
    output.id(id.as_ref())?;
    output.finish()
}
