//! Forms: objects that stand for values that JSON has no type for.

use super::error::JsonProblem;
use super::options::{Decimals, ReadOptions};
use crate::base64::decode;
use crate::{
    OBJECT_ID_EXT, RawValue, TIMESTAMP_EXT, Token, UUID_EXT, UnixTime, parse_object_id, parse_uuid,
    write_binary, write_ext, write_float, write_int, write_null, write_string,
};

pub(super) const BINARY: &str = "$binary";
pub(super) const DATE: &str = "$date";
pub(super) const EXT: &str = "$ext";
pub(super) const LITERAL: &str = "$literal";
pub(super) const NUMBER_DOUBLE: &str = "$numberDouble";
pub(super) const OBJECT_ID: &str = "$oid";
pub(super) const UUID: &str = "$uuid";
pub(super) const REFERENCE: &str = "$ref";
const DECIMAL: &str = "$numberDecimal";
const FLOAT: &str = "$float";
const NUMBER_INT: &str = "$numberInt";
const NUMBER_LONG: &str = "$numberLong";
const SYMBOL: &str = "$symbol";
const TYPE: &str = "$type";
const UNDEFINED: &str = "$undefined";

/// The names of forms, except `$type`, which only stands next to `$binary`.
const NAMES: [&str; 13] = [
    BINARY,
    DATE,
    DECIMAL,
    EXT,
    FLOAT,
    LITERAL,
    NUMBER_DOUBLE,
    NUMBER_INT,
    NUMBER_LONG,
    OBJECT_ID,
    SYMBOL,
    UNDEFINED,
    UUID,
];

/// Values of MongoDB that have no counterpart here: the name of the form, whether a query may have
/// an operator with that name, and what to do instead.
const NO_VALUES: [(&str, bool, &str); 9] = [
    ("$timestamp", false, "write a point in time as {\"$date\": ...}"),
    ("$minKey", false, "leave the field out; null sorts below all other values"),
    ("$maxKey", false, "write a value that sorts above the others"),
    ("$regularExpression", true, "store the pattern as a string"),
    ("$regex", true, "store the pattern as a string"),
    ("$options", true, "store the pattern as a string"),
    ("$code", false, "store the code as a string"),
    ("$scope", false, "store the code as a string"),
    ("$dbPointer", false, "store the id as a field, or {\"$ref\": ..., \"$id\": ...}"),
];

/// Returns whether an object that begins with this name stands for something else than itself.
pub(super) fn is_form(first_name: &str) -> bool {
    is_form_in_query(first_name)
        || first_name == TYPE
        || NO_VALUES.iter().any(|&(name, ..)| name == first_name)
}

/// Same as [`is_form`] in a query, where operators have such names, too.
pub(super) fn is_form_in_query(first_name: &str) -> bool {
    NAMES.contains(&first_name)
        || NO_VALUES.iter().any(|&(name, is_operator, _)| name == first_name && !is_operator)
}

/// Returns whether `name` has a meaning to a reader of MongoDB's Extended JSON, wherever it stands.
pub(super) fn is_mongodb_form(name: &str) -> bool {
    is_form(name) && !matches!(name, EXT | FLOAT | LITERAL | TYPE | "$options" | "$scope")
}

/// The value that a form stands for.
pub(super) enum Form {
    Null,
    Int(i64),
    Float(f64),
    String(String),
    Binary(Vec<u8>),
    Timestamp(UnixTime),
    Ext(i8, Vec<u8>),
    /// The document within, and the offset at which it begins.
    Literal {
        skipped: usize,
    },
}

impl Form {
    /// Appends the value. Returns false if it is too long for MessagePack.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Null => write_null(out),
            Self::Int(number) => write_int(out, *number),
            Self::Float(number) => write_float(out, *number),
            Self::String(text) => return write_string(out, text),
            Self::Binary(bytes) => return write_binary(out, bytes),
            Self::Timestamp(time) => {
                return time.with_ext(|data| write_ext(out, TIMESTAMP_EXT, data));
            }
            Self::Ext(tag, data) => return write_ext(out, *tag, data),
            Self::Literal { .. } => {}
        }
        true
    }
}

/// Returns the value, in MessagePack, of an object whose first name begins with a dollar. Forms
/// within it have been replaced by their values already.
///
/// ```
/// use nanodb_msgpack::{RawValue, json::form_to_msgpack};
///
/// // {"$numberLong": "5"}
/// let form = RawValue::new(b"\x81\xab$numberLong\xa15");
/// assert_eq!(form_to_msgpack(form).unwrap(), [5]);
/// ```
///
/// # Errors
///
/// The [`JsonProblem`] of the form: it is unknown or wrong, or stands for no value.
pub fn form_to_msgpack(object: RawValue<'_>) -> Result<Vec<u8>, JsonProblem> {
    let first = object.fields().and_then(|mut fields| fields.next()?.ok());
    let name = first.and_then(|(name, _)| str::from_utf8(name).ok()).unwrap_or_default();
    if !is_form(name) {
        return Err(JsonProblem::UnknownForm { name: name.to_owned() });
    }
    let mut out = Vec::new();
    match interpret(object, &ReadOptions::new())? {
        Form::Literal { .. } => {
            Err(JsonProblem::Form { form: LITERAL, expected: "read before what is within it is" })
        }
        form if form.write(&mut out) => Ok(out),
        _ => Err(JsonProblem::Syntax { message: "a value of more than 4 GiB".to_owned() }),
    }
}

/// The fields of a form, as they were written; what is within them has been interpreted already.
struct Parts<'a>(Vec<(&'a str, RawValue<'a>)>);

impl<'a> Parts<'a> {
    fn of(value: RawValue<'a>) -> Option<Self> {
        let fields = value.fields()?.map(|field| {
            let (name, value) = field.ok()?;
            Some((str::from_utf8(name).ok()?, value))
        });
        fields.collect::<Option<_>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<RawValue<'a>> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(text)
    }
}

fn text(value: RawValue<'_>) -> Option<&str> {
    value.token().ok().and_then(Token::text)
}

fn int(value: RawValue<'_>) -> Option<i64> {
    match value.token() {
        Ok(Token::Int(number)) => Some(number),
        _ => None,
    }
}

/// Reads an object that [`is_form`].
pub(super) fn interpret(object: RawValue<'_>, options: &ReadOptions) -> Result<Form, JsonProblem> {
    let wrong = || JsonProblem::Syntax { message: "a form can't be read".to_owned() };
    let parts = Parts::of(object).ok_or_else(wrong)?;
    let &(first, value) = parts.0.first().ok_or_else(wrong)?;
    if let Some(&(form, _, instead)) = NO_VALUES.iter().find(|(name, ..)| *name == first) {
        return Err(JsonProblem::NoValue { form, instead });
    }
    if matches!(first, BINARY | TYPE) {
        return old_binary(&parts).unwrap_or_else(|| binary(&parts, value));
    }
    let single = parts.0.len() == 1;
    let form = |form, expected| JsonProblem::Form { form, expected };
    let read = |form: Option<Form>| form.filter(|_| single);
    match first {
        DATE => read(date(value)).ok_or_else(|| {
            form(DATE, "a string like 2023-11-14T22:13:20.5Z, or milliseconds since 1970")
        }),
        EXT => read(ext(value, options))
            .ok_or_else(|| form(EXT, "an object of `type`, from -128 to 127, and `base64`")),
        FLOAT => read(text(value).and_then(special).map(Form::Float))
            .ok_or_else(|| form(FLOAT, "\"NaN\", \"Infinity\" or \"-Infinity\"")),
        NUMBER_DOUBLE => read(text(value).and_then(double).map(Form::Float)).ok_or_else(|| {
            form(NUMBER_DOUBLE, "a string of a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
        }),
        NUMBER_INT => read(text(value).and_then(whole::<i32>).map(|n| Form::Int(n.into())))
            .ok_or_else(|| form(NUMBER_INT, "a string of an integer of 32 bits")),
        NUMBER_LONG => read(text(value).and_then(whole::<i64>).map(Form::Int))
            .ok_or_else(|| form(NUMBER_LONG, "a string of an integer of 64 bits")),
        DECIMAL => decimal(text(value).filter(|_| single), options),
        OBJECT_ID => read(text(value).and_then(object_id))
            .ok_or_else(|| form(OBJECT_ID, "a string of 24 hexadecimal digits")),
        UUID => read(text(value).and_then(uuid))
            .ok_or_else(|| form(UUID, "a string like 123e4567-e89b-12d3-a456-426614174000")),
        SYMBOL => read(text(value).map(|text| Form::String(text.to_owned())))
            .ok_or_else(|| form(SYMBOL, "a string")),
        UNDEFINED => read(match value.token() {
            Ok(Token::Bool(true)) => Some(Form::Null),
            _ => None,
        })
        .ok_or_else(|| form(UNDEFINED, "true")),
        LITERAL => {
            let skipped = object.tail().len() - value.tail().len();
            read(value.is_map().then_some(Form::Literal { skipped }))
                .ok_or_else(|| form(LITERAL, "an object, and the only field of its own"))
        }
        _ => Err(wrong()),
    }
}

/// Reads a string, or milliseconds; `{"$numberLong": ...}` has become a number before.
fn date(value: RawValue<'_>) -> Option<Form> {
    match int(value) {
        Some(millis) => Some(Form::Timestamp(UnixTime::from_millis(millis))),
        None => text(value).and_then(UnixTime::parse_rfc3339).map(Form::Timestamp),
    }
}

/// Reads base64, or the object of base64 and a subtype that MongoDB's tools write.
fn binary(parts: &Parts<'_>, value: RawValue<'_>) -> Result<Form, JsonProblem> {
    const EXPECTED: &str = "a string of base64, or an object of `base64` and a `subType` of \
                            \"00\", or \"04\" for a UUID";
    let read = || {
        if parts.0.len() != 1 {
            return None;
        }
        let Some(inner) = Parts::of(value) else {
            return text(value).and_then(decode).map(Form::Binary);
        };
        if inner.0.len() != 2 {
            return None;
        }
        of_subtype(decode(inner.text("base64")?)?, inner.text("subType")?)
    };
    read().ok_or(JsonProblem::Form { form: BINARY, expected: EXPECTED })
}

/// Reads `{"$binary": "AQID", "$type": "00"}`; `None` if it is not of that shape.
fn old_binary(parts: &Parts<'_>) -> Option<Result<Form, JsonProblem>> {
    let subtype = parts.get(TYPE)?;
    let number = int(subtype).map(|number| format!("{number:02x}"));
    let read = || {
        let subtype = number.as_deref().or_else(|| text(subtype))?;
        if parts.0.len() != 2 {
            return None;
        }
        of_subtype(decode(parts.text(BINARY)?)?, subtype)
    };
    const EXPECTED: &str = "a string of base64 beside a `$type` of \"00\", or \"04\" for a UUID";
    Some(read().ok_or(JsonProblem::Form { form: BINARY, expected: EXPECTED }))
}

fn of_subtype(bytes: Vec<u8>, subtype: &str) -> Option<Form> {
    match subtype {
        "00" | "0" => Some(Form::Binary(bytes)),
        "04" | "4" if bytes.len() == 16 => Some(Form::Ext(UUID_EXT, bytes)),
        _ => None,
    }
}

fn ext(value: RawValue<'_>, options: &ReadOptions) -> Option<Form> {
    let parts = Parts::of(value).filter(|parts| parts.0.len() == 2)?;
    let tag = i8::try_from(int(parts.get("type")?)?).ok()?;
    let data = decode(parts.text("base64")?)?;
    match UnixTime::from_ext(&data) {
        Some(time) if tag == TIMESTAMP_EXT => Some(Form::Timestamp(time)),
        // No document contains such a value, but a query may ask for it.
        None if tag == TIMESTAMP_EXT && !options.operators => None,
        _ => Some(Form::Ext(tag, data)),
    }
}

fn decimal(digits: Option<&str>, options: &ReadOptions) -> Result<Form, JsonProblem> {
    let expected = "a string of a number";
    let wrong = JsonProblem::Form { form: DECIMAL, expected };
    let Some((digits, number)) = digits.and_then(|digits| Some((digits, double(digits)?))) else {
        return Err(wrong);
    };
    match options.decimals {
        Decimals::Refuse => Err(JsonProblem::NoValue {
            form: DECIMAL,
            instead: "have decimals read as strings or as floats, or write a string",
        }),
        Decimals::String => Ok(Form::String(digits.to_owned())),
        Decimals::Double => Ok(Form::Float(number)),
    }
}

fn special(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn double(text: &str) -> Option<f64> {
    let is_number = |text: &str| {
        text.bytes().all(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
    };
    special(text).or_else(|| text.parse().ok().filter(|_| is_number(text)))
}

fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

fn object_id(text: &str) -> Option<Form> {
    Some(Form::Ext(OBJECT_ID_EXT, parse_object_id(text)?.to_vec()))
}

fn uuid(text: &str) -> Option<Form> {
    Some(Form::Ext(UUID_EXT, parse_uuid(text)?.to_vec()))
}

/// Returns the name of a float that JSON has no digits for.
pub(super) fn special_name(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number.is_infinite() {
        Some(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        None
    }
}
