//! `nanodb get`: prints the document with an id.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nanodb::{Id, ObjectId, Uuid};

use crate::arguments::{Get, IdType};
use crate::database::{self, Opener};
use crate::failure::{Failure, Result};
use crate::json::print;

pub(crate) fn run(arguments: &Get, opener: Opener, out: &mut impl Write) -> Result<()> {
    let id = parse_id(&arguments.id, arguments.id_type).map_err(Failure::NoDocument)?;
    let database = opener.read(&arguments.database)?;
    let collection = database::existing_collection(&database, &arguments.collection)?;
    let Some(document) = collection.get(&id)? else {
        return Err(Failure::NoDocument(not_found(arguments, &id)));
    };
    let mut text = Vec::new();
    let printed = if arguments.pretty {
        print::print_pretty(&document, &mut text)
    } else {
        print::print_document(&document, &mut text)
    };
    printed.map_err(Failure::Output)?;
    text.push(b'\n');
    out.write_all(&text)?;
    Ok(())
}

/// Returns the id that a text on the command line means, or why it is not an id.
fn parse_id(text: &str, id_type: IdType) -> Result<Id, String> {
    match id_type {
        IdType::String => Ok(text.into()),
        IdType::Integer => parse_integer(text)
            .ok_or_else(|| format!("{text:?} is not an integer from -2^63 to 2^64-1")),
        IdType::Binary => match STANDARD.decode(text) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(format!("{text:?} is not base64: {error}")),
        },
        IdType::ObjectId => {
            let id = text.parse::<ObjectId>().map(Id::from);
            id.map_err(|error| format!("{text:?} is {error}"))
        }
        IdType::Uuid => {
            let id = text.parse::<Uuid>().map(Id::from);
            id.map_err(|error| format!("{text:?} is {error}"))
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

fn not_found(arguments: &Get, id: &Id) -> String {
    let mut message =
        format!("collection {:?} has no document with the id {id}", arguments.collection);
    if arguments.id_type == IdType::Auto && id.as_str().is_none() {
        message.push_str(", an integer; --id-type string looks for the string");
    }
    message
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
            assert_eq!(parse_id(text, IdType::Auto), Ok(id), "{text}");
        }
    }

    #[test]
    fn an_id_is_what_the_command_line_says_it_is() {
        assert_eq!(parse_id("5", IdType::String), Ok(Id::from("5")));
        assert_eq!(parse_id("007", IdType::Integer), Ok(Id::from(7)));
        assert_eq!(parse_id("AQID", IdType::Binary), Ok(Id::from([1, 2, 3])));
        let (oid, uuid) = ("65a1b2c3d4e5f60718293a4b", "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(parse_id(oid, IdType::ObjectId).unwrap().to_string(), format!("oid'{oid}'"));
        assert_eq!(parse_id(uuid, IdType::Uuid).unwrap().to_string(), format!("uuid'{uuid}'"));
        let error = parse_id("65a1", IdType::ObjectId).unwrap_err();
        assert_eq!(error, "\"65a1\" is not 24 hexadecimal digits");
        assert!(parse_id(oid, IdType::Uuid).is_err());
        assert!(parse_id("x", IdType::Integer).is_err());
        assert!(parse_id("%", IdType::Binary).is_err());
    }
}
