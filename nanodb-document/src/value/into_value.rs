//! What arguments that are values of documents may be.

use super::Value;

/// A type whose values can stand in a document: whatever converts to a [`Value`].
///
/// It is what [`doc!`](crate::doc), conditions and updates take, and is implemented by implementing
/// `From` for [`Value`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{IntoValue, Value, doc};
///
/// struct Metres(f64);
///
/// impl From<Metres> for Value {
///     fn from(length: Metres) -> Self {
///         length.0.into()
///     }
/// }
/// assert_eq!(doc! { "length": Metres(1.5) }["length"], 1.5);
/// assert_eq!(["a", "b"].into_value(), Value::from(vec!["a", "b"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of a document",
    label = "this type does not convert to a `Value`",
    note = "a type that derives `Serialize` is written as `ser(value)`",
    note = "bytes are written as `&bytes[..]`"
)]
pub trait IntoValue {
    /// Returns the value.
    fn into_value(self) -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Value>> IntoValue for T {
    #[inline]
    fn into_value(self) -> Value {
        self.into()
    }
}

/// Returns the value of an expression in [`doc!`](crate::doc) and [`array!`](crate::array).
#[doc(hidden)]
#[inline]
pub fn __value<T: IntoValue>(value: T) -> Value {
    value.into_value()
}
