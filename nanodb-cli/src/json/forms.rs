//! Forms: how values that JSON lacks are written, and read back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nanodb::{Document, Timestamp, Value};

use super::rfc3339;

pub(super) const BINARY: &str = "$binary";
pub(super) const DATE: &str = "$date";
pub(super) const EXT: &str = "$ext";
pub(super) const FLOAT: &str = "$float";
pub(super) const LITERAL: &str = "$literal";

/// Whether a document's fields make it look like a form, so that it must be printed
/// within `$literal`.
///
/// What follows `$literal` is known to be taken literally before it is known whether
/// more fields come, so that name is a form in company too, if a wrong one.
pub(super) fn looks_like_form(first_name: &str, len: usize) -> bool {
    match first_name {
        LITERAL => true,
        BINARY | DATE | EXT | FLOAT => len == 1,
        _ => false,
    }
}

/// The value that a document read from JSON stands for: mostly itself.
pub(super) fn interpret(document: Document) -> Result<Value, &'static str> {
    let len = document.len();
    if let Some((name, value)) = document.iter().next()
        && looks_like_form(name, len)
    {
        return read(name, value, len);
    }
    Ok(Value::Document(document))
}

fn read(name: &str, value: &Value, len: usize) -> Result<Value, &'static str> {
    match name {
        BINARY => read_binary(value).ok_or("`$binary` must be a string of base64"),
        DATE => read_date(value).ok_or("`$date` must be a string like 2023-11-14T22:13:20.5Z"),
        EXT => read_ext(value)
            .ok_or("`$ext` must be an object of `type`, from -128 to 127, and `base64`"),
        FLOAT => read_float(value).ok_or("`$float` must be \"NaN\", \"Infinity\" or \"-Infinity\""),
        _ if len == 1 && value.as_document().is_some() => Ok(value.clone()),
        _ => Err("`$literal` must be an object, and the only field of its own"),
    }
}

/// Base64, or the object with a plain subtype that MongoDB's tools write.
fn read_binary(value: &Value) -> Option<Value> {
    let text = match value {
        Value::Document(parts) if matches!(parts.get("subType")?.as_str()?, "00" | "0") => {
            parts.get("base64")?
        }
        text => text,
    };
    decode(text.as_str()?).map(Value::Binary)
}

fn read_date(value: &Value) -> Option<Value> {
    rfc3339::parse(value.as_str()?).map(Value::Timestamp)
}

fn read_ext(value: &Value) -> Option<Value> {
    let parts = value.as_document().filter(|parts| parts.len() == 2)?;
    let tag = i8::try_from(parts.get("type")?.as_i64()?).ok()?;
    let data = decode(parts.get("base64")?.as_str()?)?;
    if tag == Timestamp::EXT_TYPE {
        return Timestamp::from_ext(&data).map(Value::Timestamp);
    }
    Some(Value::Ext(tag, data))
}

fn read_float(value: &Value) -> Option<Value> {
    Some(Value::Float(match value.as_str()? {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => return None,
    }))
}

/// The name of a float that JSON has no digits for.
pub(super) fn float_name(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number.is_infinite() {
        Some(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        None
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
