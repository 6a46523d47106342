//! About the library itself.

use std::os::raw::{c_char, c_void};

use nanodb::Document;

use super::entry;
use crate::arguments::utf8;
use crate::objects;
use crate::output::report;
use crate::part::Format;
use crate::types::{NANODB_VERSION_NUMBER, nanodb_buf, nanodb_error, nanodb_format, nanodb_status};

/// Returns the version of the library, such as `0.1.0`. It is static: it is not freed.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the version of the library as a number; see `NANODB_VERSION_NUMBER`.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_version_number() -> u32 {
    NANODB_VERSION_NUMBER
}

/// Returns how many handles the process has that were not freed: for tests that look for leaks.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nanodb_live_handles() -> u64 {
    u64::try_from(objects::live()).unwrap_or(u64::MAX)
}

/// Writes a document in the other format.
///
/// # Safety
///
/// The pointers are what the head of this header asks.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanodb_convert(
    document: *const c_void,
    document_len: usize,
    from: nanodb_format,
    to: nanodb_format,
    converted: *mut nanodb_buf,
    error: *mut nanodb_error,
) -> nanodb_status {
    entry!(error, |arguments| {
        let converted = arguments.out(converted)?;
        let (from, to) = (Format::new(from)?, Format::new(to)?);
        let bytes = arguments.encoded(document, document_len, from, "the document")?;
        let document = match from {
            Format::Json => Document::parse_json(utf8(bytes, "the document")?)?,
            Format::MsgPack => Document::from_msgpack(bytes)?,
        };
        converted.set(report(&document, to)?);
        Ok(())
    })
}
