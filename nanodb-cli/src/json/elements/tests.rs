//! Streams of every shape, whole and in pieces.

use nanodb::{Document, doc};

use super::*;

/// Hands out so many bytes a call.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(self.0.len()).min(buf.len());
        let (now, later) = self.0.split_at(size);
        buf[..size].copy_from_slice(now);
        self.0 = later;
        Ok(size)
    }
}

fn read_with(text: &[u8], piece: usize, layout: Option<Layout>) -> (Vec<Document>, Option<String>) {
    let mut elements = Elements::new(Drip(text, piece), layout);
    let mut documents = Vec::new();
    loop {
        let result = match elements.next() {
            Ok(None) => return (documents, None),
            Ok(Some(element)) => element.parse(),
            Err(error) => Err(error),
        };
        match result {
            Ok(document) => documents.push(document),
            Err(error) => return (documents, Some(error.to_string())),
        }
    }
}

/// The documents, and the error that ends them; the same however the text arrives.
fn read(text: &str) -> (Vec<Document>, Option<String>) {
    let whole = read_with(text.as_bytes(), usize::MAX, None);
    for piece in [1, 2, 3, 7] {
        assert_eq!(read_with(text.as_bytes(), piece, None), whole, "in pieces of {piece}: {text}");
    }
    whole
}

fn error(text: &str) -> String {
    read(text).1.unwrap_or_else(|| panic!("no error in {text}"))
}

fn documents(text: &str) -> Vec<Document> {
    match read(text) {
        (documents, None) => documents,
        (_, Some(error)) => panic!("{error} in {text}"),
    }
}

#[test]
fn an_array_a_line_each_or_all_on_one_line_are_the_same() {
    let expected = vec![doc! { "a": 1 }, doc! { "b": [{ "c": "]}" }, []] }, doc! {}];
    assert_eq!(documents("[{\"a\":1},{\"b\":[{\"c\":\"]}\"},[]]},{}]"), expected);
    assert_eq!(documents("{\"a\":1}\n{\"b\":[{\"c\":\"]}\"},[]]}\n{}\n"), expected);
    assert_eq!(documents("{\"a\":1}{\"b\":[{\"c\":\"]}\"},[]]} {}"), expected);
    assert_eq!(
        documents(" \r\n[\n {\n  \"a\" : 1 } ,\t{\"b\":[ {\"c\":\"]}\"}, []]}\n,{ }\n] \n"),
        expected
    );
}

#[test]
fn nothing_is_no_documents() {
    for text in ["", " \n\t", "[]", " [ ] ", "\u{feff}", "\u{feff}[]"] {
        assert_eq!(documents(text), [], "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped_and_has_no_width() {
    assert_eq!(documents("\u{feff}{\"a\":1}"), [doc! { "a": 1 }]);
    assert!(error("\u{feff}{\"a\":x}").starts_with("line 1, column 6:"));
    let (_, utf16) = read_with(b"\xff\xfe{\0}\0", 100, None);
    assert!(utf16.unwrap().contains("UTF-16"));
}

#[test]
fn escapes_and_brackets_in_strings_end_nothing() {
    let text = r#"{"a\"}": "\\", "b": "}]\\\"{", "c": "\u007d"}"#;
    assert_eq!(documents(text), [doc! { "a\"}": "\\", "b": "}]\\\"{", "c": "}" }]);
}

#[test]
fn errors_tell_line_and_column() {
    for (text, expected) in [
        ("{\"a\":1}\n{\"a\":}\n", "line 2, column 6: expected value"),
        ("{\"a\":1}\n  {\"a\":1,}\n", "line 2, column 10: trailing comma"),
        ("[{},\n {\"a\" 1}]", "line 2, column 7: expected `:`"),
        ("[{\n\"a\":\n1]}]", "line 3, column 2: expected `,` or `}`"),
        ("{} 5", "line 1, column 4: expected a document, which begins with `{`, found a number"),
        (
            "{}\n\"x\"",
            "line 2, column 1: expected a document, which begins with `{`, found a string",
        ),
        ("[[{}]]", "line 1, column 2: expected a document, which begins with `{`, found an array"),
        ("[{}]\n[{}]", "line 2, column 1: expected nothing after the array's end, found an array"),
        ("[{} {}]", "line 1, column 5: expected `,` or `]`, found `{`"),
        ("[{},]", "line 1, column 5: expected a document, which begins with `{`, found `]`"),
        ("[,{}]", "line 1, column 2: expected a document, which begins with `{`, found `,`"),
        ("{\"a\":1e999}", "line 1, column 10: number out of range"),
        (
            "\u{e9}",
            "line 1, column 1: expected a document, which begins with `{`, found the byte 0xc3",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn what_is_cut_off_is_an_error_at_its_end() {
    for (text, expected) in [
        ("[{}", "line 1, column 4: expected `,` or `]`, found the end of the input"),
        (
            "[",
            "line 1, column 2: expected a document, which begins with `{`, found the end of the input",
        ),
        (
            "[{},",
            "line 1, column 5: expected a document, which begins with `{`, found the end of the input",
        ),
        ("{\"a\":", "line 1, column 5: EOF while parsing a value"),
        ("{}\n{\"a\": [1,\n 2", "line 3, column 2: EOF while parsing a list"),
        ("{\"a\": \"b", "line 1, column 8: EOF while parsing a string"),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn documents_before_an_error_come_out() {
    let (before, error) = read("{\"n\":1}\n{\"n\":2}\n{\"n\":}\n{\"n\":4}\n");
    assert_eq!(before, [doc! { "n": 1 }, doc! { "n": 2 }]);
    assert!(error.unwrap().starts_with("line 3"));
}

#[test]
fn a_forgotten_quote_is_told_on_its_own_line() {
    let text = "{\"a\":\"b}\n{\"a\":\"b\"}\n".repeat(1000);
    assert_eq!(
        error(&text),
        "line 2, column 0: control character (\\u0000-\\u001F) found while parsing a string"
            .replace("line 2, column 0", "line 2, column 1")
    );
}

#[test]
fn a_forgotten_bracket_is_found_without_reading_everything() {
    let mut text = "{\"a\":{\"b\":1}\n".to_owned();
    text.push_str(&"{\"a\":{\"b\":1}}\n".repeat(500_000));
    let mut elements = Elements::new(text.as_bytes(), None);
    let error = elements.next().unwrap_err().to_string();
    assert_eq!(error, "line 2, column 1: expected `,` or `}`");
    assert!(elements.reader.len() > text.len() / 2);
}

#[test]
fn a_large_object_comes_out_whole() {
    let text = format!("[{{\"a\":[{}0]}},{{}}]", "{\"b\":\"[\"},".repeat(400_000));
    let (found, error) = read_with(text.as_bytes(), usize::MAX, None);
    assert_eq!(error, None);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["a"].as_array().unwrap().len(), 400_001);
}

#[test]
fn a_layout_that_was_asked_for_is_insisted_on() {
    let (_, error) = read_with(b"[{}]", 9, Some(Layout::Lines));
    assert_eq!(
        error.unwrap(),
        "line 1, column 1: expected a document, which begins with `{`, found an array"
    );
    let (_, error) = read_with(b"{}", 9, Some(Layout::Array));
    assert_eq!(error.unwrap(), "line 1, column 1: expected `[`, found `{`");
    assert_eq!(read_with(b"[{}]", 9, Some(Layout::Array)), (vec![doc! {}], None));
}

#[test]
fn positions_are_those_of_the_documents_first_bytes() {
    let mut elements = Elements::new(&b"[{},\n  {\"a\":\n1}, {}]"[..], None);
    let mut found = Vec::new();
    while let Some(element) = elements.next().unwrap() {
        found.push((element.at.line, element.at.column));
    }
    assert_eq!(found, [(1, 2), (2, 3), (3, 5)]);
}
