//! Values of Rust as operands.

use super::parse::check_names;
use crate::Timestamp;
use crate::error::Problem;
use nanodb_msgpack::RawValue;
use nanodb_msgpack::{
    write_array_len, write_binary, write_bool, write_ext, write_float, write_int, write_null,
    write_string, write_uint,
};

/// A value that [`field`](crate::field)'s methods compare with: anything that becomes one.
///
/// ```
/// use nanodb_query::{Literal, field};
///
/// assert_eq!(field("tags").eq(vec!["a", "b"]).to_string(), r#"{"tags": ["a", "b"]}"#);
/// assert_eq!(field("end").eq(None::<i32>).to_string(), r#"{"end": null}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    bytes: Vec<u8>,
}

impl Literal {
    /// A value in MessagePack, such as an encoded document.
    ///
    /// # Errors
    ///
    /// [`Problem::Malformed`] if it is not well-formed or too deep, [`Problem::DuplicateField`] if a
    /// document within names a field twice.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        let value = RawValue::new(bytes);
        value.verify().map_err(|_| Problem::Malformed)?;
        check_names(value)?;
        let bytes = value.bytes().map_err(|_| Problem::Malformed)?;
        Ok(Self { bytes: bytes.to_vec() })
    }

    /// The value in MessagePack.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = Vec::new();
        write(&mut bytes);
        Self { bytes }
    }

    /// What MessagePack can't say, being longer than 4 GiB, becomes null: no document holds it.
    fn sized(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Self {
        let mut bytes = Vec::new();
        if !write(&mut bytes) {
            write_null(&mut bytes);
        }
        Self { bytes }
    }
}

macro_rules! integers {
    ($($integer:ty => $wide:ty, $write:ident;)*) => {$(
        impl From<$integer> for Literal {
            fn from(number: $integer) -> Self {
                Self::written(|out| $write(out, <$wide>::from(number)))
            }
        }
    )*};
}
integers! {
    i8 => i64, write_int;
    i16 => i64, write_int;
    i32 => i64, write_int;
    i64 => i64, write_int;
    u8 => u64, write_uint;
    u16 => u64, write_uint;
    u32 => u64, write_uint;
    u64 => u64, write_uint;
}

impl From<f64> for Literal {
    fn from(number: f64) -> Self {
        Self::written(|out| write_float(out, number))
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::written(|out| write_bool(out, value))
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::sized(|out| write_string(out, text))
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&[u8]> for Literal {
    fn from(bytes: &[u8]) -> Self {
        Self::sized(|out| write_binary(out, bytes))
    }
}

impl From<Timestamp> for Literal {
    fn from(time: Timestamp) -> Self {
        Self::sized(|out| time.with_ext(|data| write_ext(out, Timestamp::EXT_TYPE, data)))
    }
}

impl<T: Into<Self>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self::written(write_null), Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Literal {
    fn from(values: Vec<T>) -> Self {
        let Ok(len) = u32::try_from(values.len()) else { return Self::written(write_null) };
        Self::written(|out| {
            write_array_len(out, len);
            for value in values {
                out.extend_from_slice(&value.into().bytes);
            }
        })
    }
}
