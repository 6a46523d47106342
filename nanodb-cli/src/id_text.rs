//! Ids as texts: on the command line, and in an input whose JSON has strings for them.

use nanodb::{Document, Id, ObjectId, Uuid};

use crate::arguments::IdType;

/// Returns the id that a text means, or why it is not an id of that type.
pub(crate) fn parse(text: &str, id_type: IdType) -> Result<Id, String> {
    match id_type {
        IdType::String => Ok(text.into()),
        IdType::Integer => parse_integer(text)
            .ok_or_else(|| format!("{text:?} is not an integer from -2^63 to 2^64-1")),
        IdType::Binary => parse_base64(text).ok_or_else(|| format!("{text:?} is not base64")),
        IdType::ObjectId => {
            let id = text.parse::<ObjectId>().map(Id::from);
            id.map_err(|_| format!("{text:?} is not an ObjectId: 24 hexadecimal digits"))
        }
        IdType::Uuid => {
            let id = text.parse::<Uuid>().map(Id::from);
            id.map_err(|_| {
                format!("{text:?} is not a UUID: 32 hexadecimal digits, 8-4-4-4-12 with hyphens")
            })
        }
        // 007 and +7 are more likely strings.
        IdType::Auto => Ok(parse_integer(text)
            .filter(|id| id.to_string() == text)
            .unwrap_or_else(|| text.into())),
    }
}

fn parse_integer(text: &str) -> Option<Id> {
    let signed = text.parse::<i64>().ok().map(Id::from);
    signed.or_else(|| text.parse::<u64>().ok().map(Id::from))
}

/// Reads base64 as documents have it.
fn parse_base64(text: &str) -> Option<Id> {
    const NAME: &str = "id";
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !text.bytes().all(is_digit) {
        return None;
    }
    let form = format!(r#"{{"{NAME}": {{"$binary": {{"base64": "{text}", "subType": "00"}}}}}}"#);
    let document = Document::parse_json(&form).ok()?;
    document.get(NAME)?.as_bytes().map(Id::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_an_integer_where_it_looks_like_one() {
        for (text, id) in [
            ("5", Id::from(5)),
            ("-5", Id::from(-5)),
            ("0", Id::from(0)),
            ("18446744073709551615", Id::from(u64::MAX)),
            ("18446744073709551616", Id::from("18446744073709551616")),
            ("007", Id::from("007")),
            ("+7", Id::from("+7")),
            ("5.0", Id::from("5.0")),
            ("", Id::from("")),
        ] {
            assert_eq!(parse(text, IdType::Auto), Ok(id), "{text}");
        }
    }

    #[test]
    fn an_id_is_what_the_command_line_says_it_is() {
        assert_eq!(parse("5", IdType::String), Ok(Id::from("5")));
        assert_eq!(parse("007", IdType::Integer), Ok(Id::from(7)));
        assert_eq!(parse("AQID", IdType::Binary), Ok(Id::from([1, 2, 3])));
        let (oid, uuid) = ("65a1b2c3d4e5f60718293a4b", "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(parse(oid, IdType::ObjectId).unwrap().to_string(), format!("oid'{oid}'"));
        assert_eq!(parse(uuid, IdType::Uuid).unwrap().to_string(), format!("uuid'{uuid}'"));
        let error = parse("65a1", IdType::ObjectId).unwrap_err();
        assert_eq!(error, "\"65a1\" is not an ObjectId: 24 hexadecimal digits");
        assert!(parse(oid, IdType::Uuid).is_err());
        assert!(parse("x", IdType::Integer).is_err());
        for text in ["%", "AQ", "A\"", "AQID\"}"] {
            assert!(parse(text, IdType::Binary).is_err(), "{text}");
        }
    }
}
