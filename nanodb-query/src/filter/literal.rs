//! Values that a program gives to operators.

use crate::Timestamp;
use crate::error::Problem;
use crate::limits::check_names;
use nanodb_msgpack::RawValue;
use nanodb_msgpack::{
    write_array_len, write_binary, write_bool, write_ext, write_float, write_int, write_null,
    write_string, write_uint,
};

/// A value for the methods of [`field`](crate::field) to compare with; many types convert to it.
///
/// ```
/// # extern crate nanodb_query as nanodb;
/// use nanodb::{Literal, field};
///
/// assert_eq!(field("tags").eq(vec!["a", "b"]).to_string(), r#"{"tags": ["a", "b"]}"#);
/// assert_eq!(field("end").eq(None::<i32>).to_string(), r#"{"end": null}"#);
/// ```
///
/// A value that has no encoding, such as a string of more than 4 GiB, is not replaced by null: the
/// literal keeps the reason, and every use of a filter made of it is that error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(Result<Vec<u8>, Box<Problem>>);

impl Literal {
    /// Copies a value in MessagePack, such as an encoded document.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::{Literal, field};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // {"a": 1}
    /// let value = Literal::from_bytes(b"\x81\xa1a\x01")?;
    /// assert_eq!(field("o").eq(value).to_string(), r#"{"o": {"a": 1}}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Problem::Malformed`] if the bytes are not well-formed or nest too deep,
    /// [`Problem::DuplicateField`] if a document among them names a field twice.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        let value = RawValue::new(bytes);
        value.verify().map_err(|_| Problem::Malformed)?;
        check_names(value)?;
        let bytes = value.bytes().map_err(|_| Problem::Malformed)?;
        Ok(Self(Ok(bytes.to_vec())))
    }

    /// Returns a literal that has no encoding. Every use of a filter made of it is the error
    /// `problem`.
    #[must_use]
    pub fn refused(problem: Problem) -> Self {
        Self(Err(Box::new(problem)))
    }

    /// Returns the value in MessagePack.
    ///
    /// # Errors
    ///
    /// The [`Problem`] for which the value has no encoding.
    pub fn as_bytes(&self) -> Result<&[u8], &Problem> {
        match &self.0 {
            Ok(bytes) => Ok(bytes),
            Err(problem) => Err(problem),
        }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = Vec::new();
        write(&mut bytes);
        Self(Ok(bytes))
    }

    /// MessagePack has no length above 4 GiB.
    fn sized(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Self {
        let mut bytes = Vec::new();
        if write(&mut bytes) { Self(Ok(bytes)) } else { Self::too_long() }
    }

    fn too_long() -> Self {
        Self::refused(Problem::Value { reason: "it is longer than 4 GiB".to_owned() })
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
        let Ok(len) = u32::try_from(values.len()) else { return Self::too_long() };
        let mut bytes = Vec::new();
        write_array_len(&mut bytes, len);
        for value in values {
            match value.into().0 {
                Ok(element) => bytes.extend_from_slice(&element),
                Err(problem) => return Self(Err(problem)),
            }
        }
        Self(Ok(bytes))
    }
}
