//! What the caller frees: bytes and texts from the C library's `malloc`.
//!
//! They come from there, and not from Rust's allocator, so that a pointer alone says how to free
//! it, and so that a caller who uses `free` does no harm.

use std::os::raw::c_char;
use std::{mem, ptr};

use crate::failure::{Failure, Result};
use crate::status::NANODB_OTHER;
use crate::types::{nanodb_buf, nanodb_error};

/// Copies bytes to memory of the caller, with a zero byte behind them.
pub(crate) fn copy_out(bytes: &[u8]) -> Result<nanodb_buf> {
    // A slice is shorter than the address space.
    let size = bytes.len().saturating_add(1);
    // SAFETY: `malloc` may be called with any size that is not zero.
    let data = unsafe { libc::malloc(size) }.cast::<u8>();
    if data.is_null() {
        return Err(no_memory(size));
    }
    // SAFETY: `data` was made just now, for one byte more than `bytes` has, so it overlaps nothing.
    unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        data.add(bytes.len()).write(0);
    }
    Ok(nanodb_buf { data: data.cast(), len: bytes.len() })
}

#[cold]
fn no_memory(size: usize) -> Failure {
    Failure::Own(NANODB_OTHER, format!("there is no memory for {size} bytes").into())
}

/// Bytes that grow in memory of the caller, where a long result need not be copied to once it is
/// whole.
#[derive(Debug)]
pub(crate) struct Growing {
    /// Null, or from `malloc`, with room for `capacity` bytes, of which `len` are written.
    data: *mut u8,
    len: usize,
    capacity: usize,
}

impl Growing {
    /// What is reserved at first.
    const CAPACITY_MIN: usize = 256;

    pub(crate) fn new() -> Self {
        Self { data: ptr::null_mut(), len: 0, capacity: 0 }
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.reserve(bytes.len())?;
        // SAFETY: there is room for so many bytes behind those that are written. It is this
        // buffer's own, so `bytes` is elsewhere.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.add(self.len), bytes.len()) };
        self.len += bytes.len();
        Ok(())
    }

    /// Makes room for more bytes, and for a zero byte behind them.
    #[inline]
    fn reserve(&mut self, more: usize) -> Result<()> {
        let needed = self.len.saturating_add(more).saturating_add(1);
        if needed > self.capacity { self.grow(needed) } else { Ok(()) }
    }

    fn grow(&mut self, needed: usize) -> Result<()> {
        let capacity = needed.max(2 * self.capacity).max(Self::CAPACITY_MIN);
        // SAFETY: `data` is null or from here, and was not freed; the size is not zero.
        let data = unsafe { libc::realloc(self.data.cast(), capacity) }.cast::<u8>();
        if data.is_null() {
            return Err(no_memory(capacity));
        }
        (self.data, self.capacity) = (data, capacity);
        Ok(())
    }

    /// Hands the bytes to the caller, with a zero byte behind them.
    pub(crate) fn finish(mut self) -> Result<nanodb_buf> {
        self.reserve(0)?;
        // SAFETY: there is room for one more byte.
        unsafe { self.data.add(self.len).write(0) };
        let buffer = nanodb_buf { data: self.data.cast(), len: self.len };
        // They are the caller's now.
        mem::forget(self);
        Ok(buffer)
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // SAFETY: it is null or from `realloc`, and nobody else has it.
        unsafe { free(self.data) };
    }
}

/// Copies a text to memory of the caller, up to its first zero byte; null if there is no memory.
pub(crate) fn text_out(text: &str) -> *mut c_char {
    let end = text.bytes().position(|byte| byte == 0).unwrap_or(text.len());
    let bytes = text.as_bytes().get(..end).unwrap_or_default();
    copy_out(bytes).map_or(ptr::null_mut(), |buffer| buffer.data)
}

/// Frees what [`copy_out`], [`text_out`] or [`Growing`] has made.
///
/// # Safety
///
/// `data` is null, or comes from one of them and was not freed.
pub(crate) unsafe fn free<T>(data: *mut T) {
    // SAFETY: it comes from `malloc`, and is freed once; `free` takes null.
    unsafe { libc::free(data.cast()) }
}

/// Frees the bytes that a buffer holds, and makes it empty. A null pointer and an empty buffer are
/// left as they are.
///
/// # Safety
///
/// `buffer` is null, or points to a buffer that a call of this library has written, or to zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_buf_free(buffer: *mut nanodb_buf) {
    if buffer.is_null() || !buffer.is_aligned() {
        return;
    }
    // SAFETY: the caller promises that it points to a buffer.
    let freed = unsafe { buffer.replace(nanodb_buf::default()) };
    // SAFETY: the caller promises that its bytes are of this library; they are in it no more.
    unsafe { free(freed.data) }
}

/// Frees the texts of an error, and makes it all zero. A null pointer and an error that is all zero
/// are left as they are.
///
/// # Safety
///
/// `error` is null, or points to an error that a call of this library has written, or to zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_error_free(error: *mut nanodb_error) {
    if error.is_null() || !error.is_aligned() {
        return;
    }
    // SAFETY: the caller promises that it points to an error.
    let freed = unsafe { error.replace(nanodb_error::default()) };
    // SAFETY: the caller promises that its texts are of this library; they are in it no more.
    unsafe {
        free(freed.message);
        free(freed.details);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_is_whole_and_ends_with_a_zero_byte() {
        for pieces in [0, 1, 31, 32, 33, 1000] {
            let mut growing = Growing::new();
            let expected = b"eight by".repeat(pieces);
            for piece in expected.chunks(8) {
                growing.push(piece).unwrap();
            }
            let mut buffer = growing.finish().unwrap();
            assert_eq!(buffer.len, expected.len());
            // SAFETY: it has as many bytes as it says, and one more.
            let found =
                unsafe { std::slice::from_raw_parts(buffer.data.cast::<u8>(), buffer.len + 1) };
            assert_eq!(found.split_last(), Some((&0, &expected[..])));
            // SAFETY: it is from here.
            unsafe { nanodb_buf_free(&mut buffer) };
        }
        let mut dropped = Growing::new();
        dropped.push(b"and freed").unwrap();
    }
}
