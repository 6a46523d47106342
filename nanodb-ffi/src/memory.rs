//! What the caller frees: bytes and texts from the C library's `malloc`.
//!
//! They come from there, and not from Rust's allocator, so that a pointer alone says how to free
//! it, and so that a caller who uses `free` does no harm.

use std::os::raw::c_char;
use std::ptr;

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
        let text = format!("there is no memory for {size} bytes");
        return Err(Failure::Own(NANODB_OTHER, text.into()));
    }
    // SAFETY: `data` was made just now, for one byte more than `bytes` has, so it overlaps nothing.
    unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        data.add(bytes.len()).write(0);
    }
    Ok(nanodb_buf { data: data.cast(), len: bytes.len() })
}

/// Copies a text to memory of the caller, up to its first zero byte; null if there is no memory.
pub(crate) fn text_out(text: &str) -> *mut c_char {
    let end = text.bytes().position(|byte| byte == 0).unwrap_or(text.len());
    let bytes = text.as_bytes().get(..end).unwrap_or_default();
    copy_out(bytes).map_or(ptr::null_mut(), |buffer| buffer.data)
}

/// Frees what [`copy_out`] or [`text_out`] has made.
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
