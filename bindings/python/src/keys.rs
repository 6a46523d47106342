//! The keys of the `dict`s that documents become, each made once.
//!
//! Documents of a collection have the same few names. A table without chains finds the `str` of a
//! name by its bytes; what is not there takes the place of what was, and is shared by the whole
//! interpreter as well (it is interned).

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::PyString;

const SLOTS: usize = 1024;

/// The longest names that are kept.
const NAME_BYTES_MAX: usize = 31;

struct Slot {
    len: u8,
    bytes: [u8; NAME_BYTES_MAX],
    key: Py<PyString>,
}

thread_local! {
    static KEYS: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// Returns the key for a name.
#[inline]
pub(crate) fn key<'py>(py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let len = u8::try_from(name.len()).unwrap_or(u8::MAX);
    if usize::from(len) > NAME_BYTES_MAX {
        return PyString::from_bytes(py, name);
    }
    let place = place(name);
    // Making a `str` runs no code of Python's, which could come back here.
    let kept = KEYS.try_with(|keys| {
        let mut keys = keys.try_borrow_mut().ok()?;
        if keys.is_empty() {
            keys.resize_with(SLOTS, || None);
        }
        let slot = keys.get_mut(place)?;
        if let Some(Slot { len: kept, bytes, key }) = slot
            && *kept == len
            && bytes.get(..name.len()) == Some(name)
        {
            return Some(Ok(key.bind(py).clone()));
        }
        Some(fill(py, slot, name, len))
    });
    match kept {
        Ok(Some(key)) => key,
        // The thread is about to end.
        _ => PyString::from_bytes(py, name),
    }
}

#[cold]
fn fill<'py>(
    py: Python<'py>,
    slot: &mut Option<Slot>,
    name: &[u8],
    len: u8,
) -> PyResult<Bound<'py, PyString>> {
    let Ok(text) = str::from_utf8(name) else { return PyString::from_bytes(py, name) };
    let key = PyString::intern(py, text);
    let mut bytes = [0; NAME_BYTES_MAX];
    for (to, from) in bytes.iter_mut().zip(name) {
        *to = *from;
    }
    *slot = Some(Slot { len, bytes, key: key.clone().unbind() });
    Ok(key)
}

/// Returns where a name is kept: a hash of its length and its first and last bytes.
#[inline]
fn place(name: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |bytes: &[u8]| bytes.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    let (start, end) = match name.first_chunk::<8>().zip(name.last_chunk::<8>()) {
        Some((start, end)) => (u64::from_le_bytes(*start), u64::from_le_bytes(*end)),
        None => (word(name), 0),
    };
    let mixed = (start ^ end.rotate_left(29) ^ name.len() as u64).wrapping_mul(FACTOR);
    // The upper bits depend on all others.
    usize::try_from(mixed >> 54).unwrap_or_default() % SLOTS
}
