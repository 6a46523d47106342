//! What the command line says of strings in the input: that some are times, and what the ids are.

use nanodb::{Document, ID_FIELD, Timestamp, Value};

use crate::arguments::IdType;
use crate::id_text;

/// Turns the strings that a path leads to into times. Other values, and missing ones, stay.
///
/// The path goes through arrays, and each string of an array at its end is one.
///
/// # Errors
///
/// What a string is that is no time.
pub(super) fn read_dates(document: &mut Document, path: &str) -> Result<(), String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let Some(value) = document.get_mut(name) else { return Ok(()) };
    read_dates_in(value, rest)
}

fn read_dates_in(value: &mut Value, rest: Option<&str>) -> Result<(), String> {
    match (value, rest) {
        (Value::Array(elements), rest) => {
            elements.iter_mut().try_for_each(|element| read_dates_in(element, rest))
        }
        (Value::Document(document), Some(rest)) => read_dates(document, rest),
        (value @ Value::String(_), None) => {
            let text = value.as_str().unwrap_or_default();
            let time: Timestamp = text.parse().map_err(|error: nanodb::Error| error.to_string())?;
            *value = time.into();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Turns an id into one of a type. A document without an id stays so.
///
/// # Errors
///
/// What the id is that is not of the type.
pub(super) fn read_id(document: &mut Document, id_type: IdType) -> Result<(), String> {
    let Some(value) = document.get_mut(ID_FIELD) else { return Ok(()) };
    let id = match (&*value, id_type) {
        (Value::String(text), _) => id_text::parse(text, id_type)?,
        (_, IdType::Auto)
        | (Value::Int(_) | Value::UInt(_) | Value::Float(_), IdType::Integer)
        | (Value::Binary(_), IdType::Binary)
        | (Value::ObjectId(_), IdType::ObjectId)
        | (Value::Uuid(_), IdType::Uuid) => return Ok(()),
        (Value::Int(number), IdType::String) => number.to_string().into(),
        (Value::UInt(number), IdType::String) => number.to_string().into(),
        (other, _) => {
            return Err(format!("the id is of the type {}, not a string", other.value_type()));
        }
    };
    *value = id.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use nanodb::{Uuid, doc};

    use super::*;

    #[test]
    fn strings_at_a_path_become_times_whatever_lies_between() {
        let epoch = Timestamp::new(0, 0).unwrap();
        let text = "1970-01-01T00:00:00Z";
        let mut document = doc! {
            "a": text,
            "b": { "c": [{ "d": text }, { "d": 5 }, { "e": text }] },
            "f": [text, "1970-01-01T01:00:00+01:00", ()],
            "g": text,
        };
        for path in ["a", "b.c.d", "f", "missing", "g.h"] {
            read_dates(&mut document, path).unwrap();
        }
        let expected = doc! {
            "a": epoch,
            "b": { "c": [{ "d": epoch }, { "d": 5 }, { "e": text }] },
            "f": [epoch, epoch, ()],
            "g": text,
        };
        assert_eq!(document, expected);
        for text in ["soon", "", "2023-11-14", "2023-11-14 22:13", "1970-01-01T00:00:00"] {
            let error = read_dates(&mut doc! { "a": text }, "a").unwrap_err();
            assert!(error.contains("is not a time like"), "{error}");
        }
    }

    #[test]
    fn an_id_becomes_what_the_command_line_says() {
        let uuid = "00112233-4455-6677-8899-aabbccddeeff";
        let read = |value: Value, id_type| {
            let mut document = doc! { "_id": value };
            read_id(&mut document, id_type).map(|()| document["_id"].clone())
        };
        let id = uuid.parse::<Uuid>().unwrap();
        assert_eq!(read(uuid.into(), IdType::Uuid), Ok(Value::Uuid(id)));
        assert_eq!(read(Value::Uuid(id), IdType::Uuid), Ok(Value::Uuid(id)));
        assert_eq!(read(uuid.into(), IdType::Auto), Ok(Value::from(uuid)));
        assert_eq!(read("5".into(), IdType::Auto), Ok(Value::from(5)));
        assert_eq!(read("05".into(), IdType::Auto), Ok(Value::from("05")));
        assert_eq!(read(5.into(), IdType::Auto), Ok(Value::from(5)));
        assert_eq!(read("007".into(), IdType::Integer), Ok(Value::from(7)));
        assert_eq!(read(5.into(), IdType::String), Ok(Value::from("5")));
        assert!(read("x".into(), IdType::Uuid).unwrap_err().contains("not a UUID"));
        assert!(read(5.into(), IdType::Uuid).unwrap_err().contains("integer"));
        assert_eq!(read_id(&mut doc! { "a": 1 }, IdType::Uuid), Ok(()));
    }
}
