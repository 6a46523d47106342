//! Values other than arrays and documents, in each format.

use std::io::Write;

use super::digits::{print_float, print_int, print_uint};
use super::forms;
use super::options::{Format, Inexact, WriteOptions};
use super::print::{WriteError, append_string};
use crate::{Token, UnixTime, UuidText, base64, hex};

/// The seconds of the years 1970 to 9999, in which relaxed dates are strings.
const RELAXED_DATES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;

const OPTIONS: &str = "; it can be rounded, or written as a string";

/// Writes a token that has no children.
pub(super) fn write_leaf(
    token: Token<'_>,
    options: &WriteOptions,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    match token {
        Token::Null => out.extend_from_slice(b"null"),
        Token::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Token::Int(number) => write_int(number, options, out)?,
        Token::UInt(number) => write_uint(number, options, out)?,
        Token::Float(number) => write_float(number, options, out)?,
        Token::String(text) => append_string(text, out),
        Token::Binary(bytes) => write_binary(bytes, "00", out)?,
        Token::Ext(tag, data) => {
            if let Some(id) = token.object_id() {
                write!(out, "{{\"{}\":\"", forms::OBJECT_ID)?;
                id.iter().for_each(|byte| out.extend_from_slice(&hex::digits(*byte)));
                out.extend_from_slice(b"\"}");
            } else if let Some(id) = token.uuid() {
                write_uuid(id, options, out)?;
            } else if let Some(time) = token.timestamp() {
                write_time(time, options, out)?;
            } else {
                write_ext(tag, data, options, out)?;
            }
        }
        Token::Array(_) | Token::Map(_) => return Err(WriteError::Malformed),
    }
    Ok(())
}

fn write_int(number: i64, options: &WriteOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
    match (options.format, i32::try_from(number)) {
        (Format::Canonical, Ok(_)) => write!(out, "{{\"$numberInt\":\"{number}\"}}")?,
        (Format::Canonical, Err(_)) => write!(out, "{{\"$numberLong\":\"{number}\"}}")?,
        _ => print_int(out, number),
    }
    Ok(())
}

fn write_uint(number: u64, options: &WriteOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
    match (options.format, options.inexact) {
        (Format::Full, _) => print_uint(out, number),
        (_, Inexact::Refuse) => {
            return Err(WriteError::unheld("an integer above 2^63-1", OPTIONS));
        }
        (_, Inexact::Round) => write_float(number as f64, options, out)?,
        (_, Inexact::Text) => write!(out, "\"{number}\"")?,
    }
    Ok(())
}

fn write_float(number: f64, options: &WriteOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let form = forms::NUMBER_DOUBLE;
    match (forms::special_name(number), options.format) {
        (Some(name), _) => write!(out, "{{\"{form}\":\"{name}\"}}")?,
        // `{:?}` keeps the point, which distinguishes floats from integers.
        (None, Format::Canonical) => write!(out, "{{\"{form}\":\"{number:?}\"}}")?,
        (None, _) => print_float(out, number)?,
    }
    Ok(())
}

fn write_binary(bytes: &[u8], subtype: &str, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let (form, base64) = (forms::BINARY, base64::encode(bytes));
    Ok(write!(out, "{{\"{form}\":{{\"base64\":\"{base64}\",\"subType\":\"{subtype}\"}}}}")?)
}

fn write_uuid(id: [u8; 16], options: &WriteOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
    if options.format != Format::Full {
        return write_binary(&id, "04", out);
    }
    Ok(write!(out, "{{\"{}\":\"{}\"}}", forms::UUID, UuidText(id))?)
}

fn write_time(time: UnixTime, options: &WriteOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let form = forms::DATE;
    if options.format == Format::Full {
        return Ok(write!(out, "{{\"{form}\":\"{time}\"}}")?);
    }
    let milli = time.nanos() / 1_000_000;
    let millis = time.secs().checked_mul(1000).and_then(|secs| secs.checked_add(milli.into()));
    let is_exact = time.nanos().is_multiple_of(1_000_000);
    let millis = match (millis, options.inexact) {
        (_, Inexact::Text) if !is_exact || millis.is_none() => {
            return Ok(write!(out, "\"{time}\"")?);
        }
        (Some(millis), Inexact::Round) => millis,
        (Some(millis), _) if is_exact => millis,
        (Some(_), _) => {
            return Err(WriteError::unheld("a time finer than a millisecond", OPTIONS));
        }
        (None, _) => {
            let way_out = "; it can be written as a string";
            return Err(WriteError::unheld("a time beyond 64 bits of milliseconds", way_out));
        }
    };
    let rounded = UnixTime::new(time.secs(), milli * 1_000_000);
    match rounded.filter(|time| RELAXED_DATES.contains(&time.secs())) {
        Some(time) if options.format == Format::Relaxed => {
            write!(out, "{{\"{form}\":\"{time}\"}}")?;
        }
        _ => write!(out, "{{\"{form}\":{{\"$numberLong\":\"{millis}\"}}}}")?,
    }
    Ok(())
}

fn write_ext(
    tag: i8,
    data: &[u8],
    options: &WriteOptions,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let base64 = base64::encode(data);
    match (options.format, options.inexact) {
        (Format::Full, _) => {
            write!(out, "{{\"{}\":{{\"type\":{tag},\"base64\":\"{base64}\"}}}}", forms::EXT)?;
        }
        (_, Inexact::Text) => write!(out, "\"{base64}\"")?,
        _ => {
            let way_out = "; it can be written as a string";
            return Err(WriteError::unheld("an extension of MessagePack", way_out));
        }
    }
    Ok(())
}
