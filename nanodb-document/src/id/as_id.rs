//! What arguments that are ids may be.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::{Id, IdRef};
use crate::{ObjectId, Uuid};

/// A type whose values are ids: integers of up to 64 bits, strings, bytes, [`ObjectId`], [`Uuid`],
/// [`Id`] and [`IdRef`], each by value or by reference.
///
/// It is what every function takes that looks up an id. Nothing is copied or allocated.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{AsId, Id, IdRef};
///
/// fn show(id: impl AsId) -> String {
///     id.as_id().to_string()
/// }
/// assert_eq!(show(5), "5");
/// assert_eq!(show(&5_u64), "5");
/// assert_eq!(show("abc"), "\"abc\"");
/// assert_eq!(show(String::from("abc")), "\"abc\"");
/// assert_eq!(show(Id::from(7)), "7");
/// assert_eq!(show([0_u8; 2]), "h'0000'");
///
/// // A key of one's own.
/// struct UserId(u64);
///
/// impl AsId for UserId {
///     fn as_id(&self) -> IdRef<'_> {
///         self.0.into()
///     }
/// }
/// assert_eq!(show(UserId(8)), "8");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an id",
    label = "not an id",
    note = "an id is an integer of up to 64 bits, a string, bytes, a `Uuid`, an `ObjectId` or an \
            `Id`, by value or by reference"
)]
pub trait AsId {
    /// Returns the id, borrowed.
    fn as_id(&self) -> IdRef<'_>;
}

impl<T: AsId + ?Sized> AsId for &T {
    #[inline]
    fn as_id(&self) -> IdRef<'_> {
        (**self).as_id()
    }
}

macro_rules! as_copied {
    ($($type:ty)*) => {$(
        impl AsId for $type {
            #[inline]
            fn as_id(&self) -> IdRef<'_> {
                (*self).into()
            }
        }
    )*};
}
as_copied!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize ObjectId Uuid);

macro_rules! as_borrowed {
    ($($type:ty: $variant:ident)*) => {$(
        impl AsId for $type {
            #[inline]
            fn as_id(&self) -> IdRef<'_> {
                IdRef::$variant(self)
            }
        }
    )*};
}
as_borrowed! {
    str: String
    String: String
    Box<str>: String
    Arc<str>: String
    Rc<str>: String
    Cow<'_, str>: String
    [u8]: Binary
    Vec<u8>: Binary
}

impl<const N: usize> AsId for [u8; N] {
    #[inline]
    fn as_id(&self) -> IdRef<'_> {
        IdRef::Binary(self)
    }
}

impl AsId for Id {
    #[inline]
    fn as_id(&self) -> IdRef<'_> {
        self.as_ref()
    }
}

impl AsId for IdRef<'_> {
    #[inline]
    fn as_id(&self) -> IdRef<'_> {
        *self
    }
}
