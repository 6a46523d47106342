//! Forms: how values that JSON lacks are written, and read back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::JsonProblem as Problem;
use super::rfc3339;
use super::text::{Field, Node, Value};
use crate::Timestamp;

pub(super) const BINARY: &str = "$binary";
pub(super) const DATE: &str = "$date";
pub(super) const EXT: &str = "$ext";
pub(super) const FLOAT: &str = "$float";
pub(super) const LITERAL: &str = "$literal";

/// Whether a document whose first field has that name, of `len` fields, looks like a form.
pub(super) fn looks_like_form(first_name: &[u8], len: usize) -> bool {
    let names = [BINARY, DATE, EXT, FLOAT, LITERAL];
    len == 1 && names.iter().any(|name| name.as_bytes() == first_name)
}

/// What a form stands for.
pub(super) enum Form<'a> {
    Binary(Vec<u8>),
    Timestamp(Timestamp),
    Ext(i8, Vec<u8>),
    Float(f64),
    /// The object within is taken as it is.
    Literal(&'a [Field]),
}

/// Reads the object as a form; `None` if it is not one.
pub(super) fn interpret(fields: &[Field]) -> Option<Result<Form<'_>, Problem>> {
    let [Field { name, node, .. }] = fields else { return None };
    Some(match name.as_str() {
        BINARY => read_binary(node)
            .map(Form::Binary)
            .ok_or(Problem::Form { form: BINARY, expected: "a string of base64" }),
        DATE => text(node)
            .and_then(rfc3339::parse)
            .map(Form::Timestamp)
            .ok_or(Problem::Form { form: DATE, expected: "a string like 2023-11-14T22:13:20.5Z" }),
        EXT => read_ext(node).ok_or(Problem::Form {
            form: EXT,
            expected: "an object of `type`, from -128 to 127, and `base64`",
        }),
        FLOAT => text(node).and_then(read_float).map(Form::Float).ok_or(Problem::Form {
            form: FLOAT,
            expected: "\"NaN\", \"Infinity\" or \"-Infinity\"",
        }),
        LITERAL => match &node.value {
            Value::Object(fields) => Ok(Form::Literal(fields)),
            _ => Err(Problem::Form { form: LITERAL, expected: "an object" }),
        },
        _ => return None,
    })
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn member<'a>(fields: &'a [Field], name: &str) -> Option<&'a Node> {
    fields.iter().find(|field| field.name == name).map(|field| &field.node)
}

/// Base64, or the object with a plain subtype that MongoDB's tools write.
fn read_binary(node: &Node) -> Option<Vec<u8>> {
    match &node.value {
        Value::Object(parts) if matches!(text(member(parts, "subType")?)?, "00" | "0") => {
            decode(text(member(parts, "base64")?)?)
        }
        _ => decode(text(node)?),
    }
}

fn read_ext(node: &Node) -> Option<Form<'_>> {
    let Value::Object(parts) = &node.value else { return None };
    let tag = match member(parts, "type")?.value {
        Value::Int(tag) => i8::try_from(tag).ok()?,
        Value::UInt(tag) => i8::try_from(tag).ok()?,
        _ => return None,
    };
    let data = decode(text(member(parts, "base64")?)?)?;
    if parts.len() == 2 { Some(Form::Ext(tag, data)) } else { None }
}

fn read_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
