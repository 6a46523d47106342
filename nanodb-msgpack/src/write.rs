//! Appending tokens, each in its shortest form.

use crate::marker::{
    ARRAY16, ARRAY32, BIN8, BIN16, BIN32, EXT8, EXT16, EXT32, FALSE, FIX_ARRAY, FIX_EXT1, FIX_EXT2,
    FIX_EXT4, FIX_EXT8, FIX_EXT16, FIX_MAP, FIX_STRING, FLOAT64, INT8, INT16, INT32, INT64, MAP16,
    MAP32, NULL, STRING8, STRING16, STRING32, TRUE, UINT8, UINT16, UINT32, UINT64,
};

/// The most bytes that an integer takes.
pub const INTEGER_BYTES_MAX: usize = 9;

/// The most bytes that a map's header takes.
pub const MAP_HEADER_BYTES_MAX: usize = 5;

/// Appends null.
#[inline]
pub fn write_null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// Appends true or false.
#[inline]
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { TRUE } else { FALSE });
}

/// Appends a signed integer; one that is not negative has the same bytes as from [`write_uint`].
#[inline]
pub fn write_int(out: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        write_uint(out, number);
    } else if let Ok(small) = i8::try_from(number) {
        if small >= -32 {
            out.push(small.cast_unsigned());
        } else {
            out.extend_from_slice(&[INT8, small.cast_unsigned()]);
        }
    } else if let Ok(number) = i16::try_from(number) {
        tagged(out, INT16, number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        tagged(out, INT32, number.to_be_bytes());
    } else {
        tagged(out, INT64, number.to_be_bytes());
    }
}

/// Appends an integer that is not negative.
#[inline]
pub fn write_uint(out: &mut Vec<u8>, number: u64) {
    if let Ok(small) = u8::try_from(number) {
        if small <= 0x7f {
            out.push(small);
        } else {
            out.extend_from_slice(&[UINT8, small]);
        }
    } else if let Ok(number) = u16::try_from(number) {
        tagged(out, UINT16, number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        tagged(out, UINT32, number.to_be_bytes());
    } else {
        tagged(out, UINT64, number.to_be_bytes());
    }
}

/// Appends a float, always in eight bytes: four would lose digits, or need a check whether they do.
#[inline]
pub fn write_float(out: &mut Vec<u8>, number: f64) {
    tagged(out, FLOAT64, number.to_be_bytes());
}

/// Appends a string. Returns false, and appends nothing, if it is longer than the 4 GiB that
/// MessagePack allows.
#[inline]
#[must_use]
pub fn write_string(out: &mut Vec<u8>, text: &str) -> bool {
    let bytes = text.as_bytes();
    match u8::try_from(bytes.len()) {
        Ok(len @ 0..=31) => {
            out.reserve(1 + bytes.len());
            out.push(FIX_STRING | len);
        }
        Ok(len) => out.extend_from_slice(&[STRING8, len]),
        Err(_) => {
            if !long_header(out, bytes.len(), STRING16, STRING32) {
                return false;
            }
        }
    }
    out.extend_from_slice(bytes);
    true
}

/// Appends binary data. Returns false, and appends nothing, if it is longer than the 4 GiB that
/// MessagePack allows.
#[inline]
#[must_use]
pub fn write_binary(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    if let Ok(len) = u8::try_from(bytes.len()) {
        out.extend_from_slice(&[BIN8, len]);
    } else if !long_header(out, bytes.len(), BIN16, BIN32) {
        return false;
    }
    out.extend_from_slice(bytes);
    true
}

/// Appends an extension. Returns false, and appends nothing, if it is longer than the 4 GiB that
/// MessagePack allows.
#[must_use]
pub fn write_ext(out: &mut Vec<u8>, tag: i8, data: &[u8]) -> bool {
    let fits = write_ext_head(out, tag, data.len());
    if fits {
        out.extend_from_slice(data);
    }
    fits
}

/// Appends the header of an extension of `len` bytes, which the caller appends next. Returns false,
/// and appends nothing, if it is longer than the 4 GiB that MessagePack allows.
#[must_use]
pub fn write_ext_head(out: &mut Vec<u8>, tag: i8, len: usize) -> bool {
    match len {
        1 => out.push(FIX_EXT1),
        2 => out.push(FIX_EXT2),
        4 => out.push(FIX_EXT4),
        8 => out.push(FIX_EXT8),
        16 => out.push(FIX_EXT16),
        len => {
            if let Ok(len) = u8::try_from(len) {
                out.extend_from_slice(&[EXT8, len]);
            } else if !long_header(out, len, EXT16, EXT32) {
                return false;
            }
        }
    }
    out.push(tag.cast_unsigned());
    true
}

/// Appends the header of an array of `len` elements, which the caller appends next.
#[inline]
pub fn write_array_len(out: &mut Vec<u8>, len: u32) {
    match u8::try_from(len) {
        Ok(len @ 0..=15) => out.push(FIX_ARRAY | len),
        _ => container_header(out, len, ARRAY16, ARRAY32),
    }
}

/// Appends the header of a map of `len` pairs, which the caller appends next.
#[inline]
pub fn write_map_len(out: &mut Vec<u8>, len: u32) {
    match u8::try_from(len) {
        Ok(len @ 0..=15) => out.push(FIX_MAP | len),
        _ => container_header(out, len, MAP16, MAP32),
    }
}

#[inline]
fn tagged<const N: usize>(out: &mut Vec<u8>, marker: u8, bytes: [u8; N]) {
    out.reserve(1 + N);
    out.push(marker);
    out.extend_from_slice(&bytes);
}

fn container_header(out: &mut Vec<u8>, len: u32, marker16: u8, marker32: u8) {
    match u16::try_from(len) {
        Ok(len) => tagged(out, marker16, len.to_be_bytes()),
        Err(_) => tagged(out, marker32, len.to_be_bytes()),
    }
}

/// Writes the header of a payload too long for a one-byte length; false if it is too long for any.
fn long_header(out: &mut Vec<u8>, len: usize, marker16: u8, marker32: u8) -> bool {
    match u32::try_from(len) {
        Ok(len) => container_header(out, len, marker16, marker32),
        Err(_) => return false,
    }
    true
}
