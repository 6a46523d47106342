use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::{Error, ErrorBuilder, ErrorKind, ErrorParts};
use crate::{DamagedDocument, Id, IdRef, ObjectId, Uuid};

/// An error with a source, of which the text may tell it.
#[derive(Debug)]
struct Outer {
    text: &'static str,
    source: io::Error,
}

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl StdError for Outer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

fn outer(text: &'static str) -> Outer {
    Outer { text, source: io::Error::new(io::ErrorKind::NotFound, "gone") }
}

fn chain(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut link = error.source();
    while let Some(source) = link {
        texts.push(source.to_string());
        link = source.source();
    }
    texts
}

#[test]
fn a_text_tells_each_reason_once() {
    let error: Error =
        ErrorBuilder::new(ErrorKind::Io, "a.db").because(outer("reading page 7")).into();
    assert_eq!(chain(&error), ["a.db: reading page 7: gone"]);
    let error: Error = ErrorBuilder::new(ErrorKind::Io, "a.db").because(outer("it is gone")).into();
    assert_eq!(chain(&error), ["a.db: it is gone"]);
    let error: Error = ErrorBuilder::telling(ErrorKind::Io, outer("reading page 7")).into();
    assert_eq!(chain(&error), ["reading page 7: gone"]);
    assert_eq!(error.io_error().unwrap().kind(), io::ErrorKind::NotFound);
    let error: Error = ErrorBuilder::before(error, format_args!("operation {}: ", 1)).into();
    assert_eq!(chain(&error), ["operation 1: reading page 7: gone"]);
}

#[cfg(unix)]
#[test]
fn of_several_answers_of_the_system_the_one_with_a_code_is_returned() {
    let answer = io::Error::from_raw_os_error(2);
    let said = format!("4096 bytes more are needed: {answer}");
    let more = Outer { text: Box::leak(said.into_boxed_str()), source: answer };
    let error = io::Error::new(io::ErrorKind::StorageFull, more);
    let error: Error = ErrorBuilder::new(ErrorKind::Io, "a.db").because(error).into();
    assert_eq!(error.io_error().and_then(io::Error::raw_os_error), Some(2));
    // The text tells it once.
    assert_eq!(error.to_string().matches("os error 2").count(), 1, "{error}");
}

#[test]
fn what_the_text_does_not_tell_is_a_source() {
    let error: Error = ErrorBuilder::new(ErrorKind::Io, "it failed").source(outer("why")).into();
    assert_eq!(chain(&error), ["it failed", "why", "gone"]);
    let printed = format!("{error:?}");
    assert_eq!(printed, "it failed [Io]\n  because: why\n  because: gone");
    let error: Error =
        ErrorBuilder::new(ErrorKind::Io, "why it failed").source(outer("why")).into();
    assert_eq!(chain(&error), ["why it failed", "gone"]);
    assert!(error.internal().unwrap().is::<Outer>());
    assert!(error.into_internal().unwrap().is::<Outer>());
}

#[test]
fn it_keeps_every_kind_of_id() {
    let object_id: ObjectId = "65f1c0ffee00000000000001".parse().unwrap();
    let uuid: Uuid = "65f1c0ff-ee00-0000-0000-000000000001".parse().unwrap();
    for id in [
        IdRef::from(5),
        IdRef::from(u64::MAX),
        IdRef::from(-70_000),
        IdRef::from("abc"),
        IdRef::from(&[1, 255]),
        IdRef::ObjectId(object_id),
        IdRef::Uuid(uuid),
    ] {
        let error: Error = ErrorBuilder::new(ErrorKind::DuplicateId, "taken").id(id).into();
        assert_eq!(error.id(), Some(id.to_owned()));
        assert_eq!(error.id().map(|id| id.to_string()), Some(id.to_string()));
    }
}

#[test]
fn damage_is_named_as_far_as_it_is_known() {
    let error = Error::from(DamagedDocument::default());
    assert!(error.is_unnamed_damage());
    assert_eq!(
        error.to_string(),
        "a document is damaged: its bytes are not what was stored; replace or delete it",
    );
    let id = Some(IdRef::from(5));
    let error = Error::from(DamagedDocument { collection: "users", id, page: Some(7) });
    assert!(!error.is_unnamed_damage());
    assert_eq!(
        error.to_string(),
        "the document with the id 5 in collection \"users\", on page 7, is damaged: its bytes are \
         not what was stored; replace or delete it",
    );
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(error.collection(), Some("users"));
    assert_eq!((error.id(), error.page()), (Some(Id::from(5)), Some(7)));
}

#[test]
fn an_error_is_one_word_and_lists_what_it_knows() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    let error: Error = ErrorBuilder::new(ErrorKind::Invalid, "no").path("a.0").operation(3).into();
    let listed = format!("{error:#?}");
    for part in ["kind: Invalid", "text: \"no\"", "\"a.0\"", "3"] {
        assert!(listed.contains(part), "{listed}");
    }
}
