//! Arguments as C hands them over, and what they become once they have been looked at.
//!
//! Nearly all `unsafe` of the crate is here. A pointer is null, not aligned, or taken for what the
//! header says of it; nothing finds out whether memory is there. Each entry makes one [`Arguments`]
//! and with it the promise of its caller; the methods of that are safe.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::slice;

use crate::failure::{Failure, Result};
use crate::part::Format;
use crate::types::NANODB_NUL_TERMINATED;

/// The promise that the pointers of a call are what the header asks. What its methods return is
/// gone when it is.
#[derive(Debug)]
pub(crate) struct Arguments(());

/// Where a result is to go. It holds zeros from the moment it is made.
#[derive(Debug)]
pub(crate) struct Out<'call, T> {
    place: &'call mut MaybeUninit<T>,
}

impl<T> Out<'_, T> {
    /// Writes the result.
    pub(crate) fn set(self, value: T) {
        self.place.write(value);
    }
}

impl Arguments {
    /// Takes the caller's word.
    ///
    /// # Safety
    ///
    /// As long as it exists, each pointer that is handed to a method is null or not aligned, or
    ///
    /// * points to as many readable bytes as the length beside it says, which nobody writes to, or
    ///   to a zero byte behind them where that is [`NANODB_NUL_TERMINATED`];
    /// * as an out-parameter, points to room for its type, which nobody else uses, and to which no
    ///   other argument points.
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }

    /// Returns bytes. Null stands for none, if the length is 0 or [`NANODB_NUL_TERMINATED`].
    pub(crate) fn optional_bytes<T>(
        &self,
        data: *const T,
        len: usize,
        what: &'static str,
    ) -> Result<Option<&[u8]>> {
        match (data.is_null(), len) {
            (true, 0 | NANODB_NUL_TERMINATED) => Ok(None),
            (true, _) => Err(Failure::misuse(format!("{what} is null, and its length is {len}"))),
            (false, NANODB_NUL_TERMINATED) => {
                // SAFETY: a zero byte comes, the caller promises.
                Ok(Some(unsafe { CStr::from_ptr(data.cast()) }.to_bytes()))
            }
            // The compiler takes for granted that no slice is longer.
            (false, len) if isize::try_from(len).is_err() => {
                Err(Failure::misuse(format!("{what} cannot have a length of {len}")))
            }
            // SAFETY: the caller promises that so many bytes can be read, and bytes need no
            // alignment.
            (false, len) => Ok(Some(unsafe { slice::from_raw_parts(data.cast(), len) })),
        }
    }

    /// Returns what is in a format, if it is there. No zero byte ends MessagePack: it may have them
    /// anywhere, or none at all.
    #[inline]
    pub(crate) fn optional_encoded<T>(
        &self,
        data: *const T,
        len: usize,
        format: Format,
        what: &'static str,
    ) -> Result<Option<&[u8]>> {
        if format == Format::MsgPack && len == NANODB_NUL_TERMINATED && !data.is_null() {
            return Err(without_end(what));
        }
        self.optional_bytes(data, len, what)
    }

    /// Returns what is in a format and must be there.
    #[inline]
    pub(crate) fn encoded<T>(
        &self,
        data: *const T,
        len: usize,
        format: Format,
        what: &'static str,
    ) -> Result<&[u8]> {
        let bytes = self.optional_encoded(data, len, format, what)?;
        bytes.ok_or_else(|| Failure::misuse(format!("{what} is null")))
    }

    /// Returns bytes that must be there.
    pub(crate) fn bytes<T>(&self, data: *const T, len: usize, what: &'static str) -> Result<&[u8]> {
        let bytes = self.optional_bytes(data, len, what)?;
        bytes.ok_or_else(|| Failure::misuse(format!("{what} is null")))
    }

    /// Returns a text that must be there.
    pub(crate) fn text<T>(&self, data: *const T, len: usize, what: &'static str) -> Result<&str> {
        utf8(self.bytes(data, len, what)?, what)
    }

    /// Returns where a result is to go, after writing zeros there.
    pub(crate) fn out<T: Default>(&self, place: *mut T) -> Result<Out<'_, T>> {
        let out = self.optional_out(place)?;
        out.ok_or_else(|| Failure::misuse("an out-parameter is null"))
    }

    /// The same, where null says that the result is not wanted.
    pub(crate) fn optional_out<T: Default>(&self, place: *mut T) -> Result<Option<Out<'_, T>>> {
        if place.is_null() {
            return Ok(None);
        }
        if !place.is_aligned() {
            return Err(Failure::misuse("an out-parameter is not aligned"));
        }
        // SAFETY: it is aligned, and the caller promises room that nobody else uses. That may be
        // uninitialised, which is why it is taken as such.
        let place = unsafe { &mut *place.cast::<MaybeUninit<T>>() };
        place.write(T::default());
        Ok(Some(Out { place }))
    }
}

#[cold]
fn without_end(what: &str) -> Failure {
    Failure::misuse(format!("{what}: no zero byte ends MessagePack, so its length is needed"))
}

/// Returns bytes as text.
pub(crate) fn utf8<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str> {
    str::from_utf8(bytes)
        .map_err(|error| Failure::invalid(format!("{what} is not valid UTF-8: {error}")))
}
