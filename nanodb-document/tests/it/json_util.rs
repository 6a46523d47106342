//! MongoDB's formats as MongoDB's own reader for Python takes them, `bson.json_util`.
//!
//! Skipped, and said so, where there is no Python with pymongo; `NANODB_PYTHON` names another one
//! than `python3`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use nanodb_document::json::{Format, Inexact, ReadOptions, WriteOptions};
use nanodb_document::{DocView, Document, doc, to_bytes};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::any::document;

/// Reads a text a line and prints what it has read in canonical form, a line each.
const SCRIPT: &str = r#"
import sys
from bson import json_util
from bson.binary import UuidRepresentation
from bson.codec_options import DatetimeConversion
from bson.json_util import JSONMode, JSONOptions
options = JSONOptions(json_mode=JSONMode.CANONICAL, tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    uuid_representation=UuidRepresentation.STANDARD)
for line in sys.stdin.buffer:
    value = json_util.loads(line.decode("utf-8"), json_options=options)
    text = json_util.dumps(value, json_options=options, separators=(",", ":"), ensure_ascii=False)
    sys.stdout.buffer.write((text + "\n").encode("utf-8"))
"#;

fn write(document: &Document, format: Format) -> String {
    let bytes = to_bytes(document).unwrap();
    let mut out = String::new();
    // What MongoDB can't hold is rounded in both formats, or else written as text in both.
    for inexact in [Inexact::Round, Inexact::Text] {
        let options = WriteOptions::new().format(format).inexact(inexact);
        out.clear();
        if DocView::from_bytes(&bytes).write_json(&options, &mut out).is_ok() {
            return out;
        }
    }
    // Names that say a type.
    "{}".to_owned()
}

/// MongoDB has no `$literal`: a document whose first name begins with a dollar stands as it is.
fn parse(text: &str) -> Document {
    Document::parse_json_with(text.as_bytes(), &ReadOptions::new().operators(true)).unwrap()
}

fn has_json_util(python: &str) -> bool {
    let mut command = Command::new(python);
    let found = command.args(["-c", "import bson.json_util"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

#[test]
fn pythons_reader_reads_the_same_values_from_both_formats() {
    let python = std::env::var("NANODB_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !has_json_util(&python) {
        eprintln!("skipped: {python} has no bson.json_util; pip install pymongo");
        return;
    }
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    let mut runner = TestRunner::default();
    let mut documents: Vec<Document> = (0..if long { 20_000 } else { 500 })
        .map(|_| document().new_tree(&mut runner).unwrap().current())
        .collect();
    documents
        .push(doc! { "nan": f64::NAN, "inf": f64::NEG_INFINITY, "zero": (-0.0), "big": 1e300 });
    // A document of these names alone is a form to Python, too, wherever it stands.
    documents.retain(|document| !document.keys().any(|name| name.starts_with('$')));
    let canonical: Vec<String> =
        documents.iter().map(|document| write(document, Format::Canonical)).collect();
    let relaxed = documents.iter().map(|document| write(document, Format::Relaxed));
    let lines: Vec<String> = canonical.iter().cloned().chain(relaxed).collect();

    let mut child = Command::new(&python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());

    let read: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(read.len(), lines.len());
    let (from_canonical, from_relaxed) = read.split_at(canonical.len());
    for (index, expected) in canonical.iter().enumerate() {
        // Python writes floats in its own way: both are compared as we read them.
        let expected = parse(expected);
        assert_eq!(parse(&from_canonical[index]), expected);
        assert_eq!(parse(&from_relaxed[index]), expected, "{}", lines[index]);
    }
    let refused = canonical.iter().filter(|text| *text == "{}").count();
    eprintln!("{} documents, {refused} of them not held, read alike by {python}", documents.len());
}
