//! Values as JSON text.

use std::fmt::{self, Write};

use super::forms;
use crate::Token;
use crate::raw_value::{Malformed, RawValue};

/// Prints a value as JSON on one line; what is malformed is an error of formatting.
///
/// # Errors
///
/// As [`Write`]'s, and where `value` is malformed.
pub fn print_value(value: RawValue<'_>, out: &mut dyn Write) -> fmt::Result {
    match value.token().map_err(wrong)? {
        Token::Null => out.write_str("null"),
        Token::Bool(value) => write!(out, "{value}"),
        Token::Int(number) => write!(out, "{number}"),
        Token::UInt(number) => write!(out, "{number}"),
        Token::Float(number) if number.is_nan() => form(forms::FLOAT, "NaN", out),
        Token::Float(f64::INFINITY) => form(forms::FLOAT, "Infinity", out),
        Token::Float(f64::NEG_INFINITY) => form(forms::FLOAT, "-Infinity", out),
        // `{:?}` keeps the point, by which floats are told from integers.
        Token::Float(number) => write!(out, "{number:?}"),
        Token::String(text) => print_string(&String::from_utf8_lossy(text), out),
        Token::Binary(bytes) => form(forms::BINARY, &forms::encode(bytes), out),
        Token::Ext(tag, data) => match value.token().ok().and_then(Token::timestamp) {
            Some(time) => form(forms::DATE, &time.to_string(), out),
            None => write!(
                out,
                r#"{{"{}": {{"type": {tag}, "base64": "{}"}}}}"#,
                forms::EXT,
                forms::encode(data)
            ),
        },
        Token::Array(_) => {
            out.write_char('[')?;
            for (index, element) in value.elements().into_iter().flatten().enumerate() {
                if index > 0 {
                    out.write_str(", ")?;
                }
                print_value(element.map_err(wrong)?, out)?;
            }
            out.write_char(']')
        }
        Token::Map(_) => {
            let mut fields = value.fields().into_iter().flatten();
            let literal = match fields.next() {
                Some(Ok((name, _))) => forms::looks_like_form(name, 1 + fields.count()),
                _ => false,
            };
            if literal {
                write!(out, r#"{{"{}": "#, forms::LITERAL)?;
            }
            out.write_char('{')?;
            for (index, field) in value.fields().into_iter().flatten().enumerate() {
                let (name, value) = field.map_err(wrong)?;
                if index > 0 {
                    out.write_str(", ")?;
                }
                print_string(&String::from_utf8_lossy(name), out)?;
                out.write_str(": ")?;
                print_value(value, out)?;
            }
            out.write_str(if literal { "}}" } else { "}" })
        }
    }
}

fn wrong(_: Malformed) -> fmt::Error {
    fmt::Error
}

fn form(name: &str, value: &str, out: &mut dyn Write) -> fmt::Result {
    write!(out, r#"{{"{name}": "{value}"}}"#)
}

/// Prints a string with its quotation marks.
///
/// # Errors
///
/// As [`Write`]'s.
pub fn print_string(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
