//! The dialect against its table, against `serde_json`, and against itself.

use proptest::prelude::*;

use super::*;
use crate::{
    RawValue, TIMESTAMP_EXT, UnixTime, compare, write_array_len, write_binary, write_bool,
    write_ext, write_float, write_int, write_map_len, write_null, write_string, write_uint,
};

fn read_with(value: &str, options: &ReadOptions) -> Result<Vec<u8>, String> {
    to_msgpack(format!("{{\"v\":{value}}}").as_bytes(), options).map_err(|error| error.to_string())
}

fn read(value: &str) -> Result<Vec<u8>, String> {
    read_with(value, &ReadOptions::new())
}

/// What is written for a document of the field `v`, without the brackets around it.
fn write_with(document: &[u8], options: &WriteOptions) -> Result<String, String> {
    let mut out = String::new();
    write_document(RawValue::new(document), options, &mut out).map_err(|e| e.to_string())?;
    Ok(out.strip_prefix("{\"v\":").and_then(|out| out.strip_suffix('}')).unwrap().to_owned())
}

fn write(document: &[u8]) -> String {
    write_with(document, &WriteOptions::new()).unwrap()
}

#[test]
fn each_form_is_read_and_written_as_the_table_says() {
    let uuid = r#"{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}"#;
    for (text, written) in [
        ("null", "null"),
        (r#"{"$undefined":true}"#, "null"),
        ("5", "5"),
        (r#"{"$numberInt":"-5"}"#, "-5"),
        (r#"{"$numberLong":"7000000000"}"#, "7000000000"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e19"),
        ("-9223372036854775809", "-9.223372036854776e18"),
        ("-0", "-0.0"),
        ("1E2", "100.0"),
        ("1e300", "1e300"),
        (r#"{"$numberDouble":"5.0"}"#, "5.0"),
        (r#"{"$numberDouble":"5"}"#, "5.0"),
        (r#"{"$numberDouble":"-Infinity"}"#, r#"{"$numberDouble":"-Infinity"}"#),
        (r#"{"$float":"NaN"}"#, r#"{"$numberDouble":"NaN"}"#),
        (r#"{"$symbol":"a"}"#, r#""a""#),
        (r#""a\"\n\u0001\u00e9\ud83d\ude00\/""#, "\"a\\\"\\n\\u0001é\u{1f600}/\""),
        (r#"{"$binary":"AQID"}"#, r#"{"$binary":{"base64":"AQID","subType":"00"}}"#),
        (r#"{"$binary":"AQID","$type":"00"}"#, r#"{"$binary":{"base64":"AQID","subType":"00"}}"#),
        (r#"{"$type":0,"$binary":"AQID"}"#, r#"{"$binary":{"base64":"AQID","subType":"00"}}"#),
        (
            r#"{"$binary":{"subType":"0","base64":"AQID"}}"#,
            r#"{"$binary":{"base64":"AQID","subType":"00"}}"#,
        ),
        (r#"{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}"#, uuid),
        (r#"{"$binary":"ABEiM0RVZneImaq7zN3u/w==","$type":"04"}"#, uuid),
        (r#"{"$uuid":"00112233-4455-6677-8899-AABBCCDDEEFF"}"#, uuid),
        (r#"{"$oid":"65A1b2c3d4e5f60718293a4b"}"#, r#"{"$oid":"65a1b2c3d4e5f60718293a4b"}"#),
        (r#"{"$date":1700000000500}"#, r#"{"$date":"2023-11-14T22:13:20.5Z"}"#),
        (r#"{"$date":-1}"#, r#"{"$date":"1969-12-31T23:59:59.999Z"}"#),
        (r#"{"$date":{"$numberLong":"1700000000500"}}"#, r#"{"$date":"2023-11-14T22:13:20.5Z"}"#),
        (r#"{"$date":"2023-11-14T22:13:20.500+0000"}"#, r#"{"$date":"2023-11-14T22:13:20.5Z"}"#),
        (r#"{"$date":"-043-03-15T00:00:00Z"}"#, r#"{"$date":"-000043-03-15T00:00:00Z"}"#),
        (r#"{"$ext":{"type":5,"base64":"AQ=="}}"#, r#"{"$ext":{"type":5,"base64":"AQ=="}}"#),
        (r#"{"$ext":{"type":7,"base64":"AQ=="}}"#, r#"{"$ext":{"type":7,"base64":"AQ=="}}"#),
        (r#"{"$literal":{"$gt":5,"a":1}}"#, r#"{"$literal":{"$gt":5,"a":1}}"#),
        (
            r#"{"$literal":{"$literal":{"$date":"x"}}}"#.replace("\"$date\":\"x\"", "").as_str(),
            r#"{"$literal":{"$literal":{}}}"#,
        ),
        (
            r#"{"$literal":{"a":{"$oid":"65a1b2c3d4e5f60718293a4b"}}}"#,
            r#"{"a":{"$oid":"65a1b2c3d4e5f60718293a4b"}}"#,
        ),
        (r#"{"$ref":"c","$id":5}"#, r#"{"$ref":"c","$id":5}"#),
        (r#"{"a":{},"$date":1}"#, r#"{"a":{},"$date":1}"#),
        (r#"[[],{},[{"$date":0}]]"#, r#"[[],{},[{"$date":"1970-01-01T00:00:00Z"}]]"#),
    ] {
        let bytes = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(write(&bytes), written, "{text}");
        assert_eq!(read(written), Ok(bytes), "{written}");
    }
}

#[test]
fn what_has_no_meaning_is_refused_with_its_place_and_what_to_write() {
    for (text, message) in [
        (r#"{"$date":"soon"}"#, "`$date` must be a string like"),
        (r#"{"$date":5.5}"#, "`$date` must be"),
        (r#"{"$date":5,"a":1}"#, "`$date` must be"),
        (r#"{"$binary":"%"}"#, "`$binary` must be"),
        (r#"{"$binary":{"base64":"AQ==","subType":"04"}}"#, "`$binary` must be"),
        (r#"{"$binary":{"base64":"AQ==","subType":"80"}}"#, "`$binary` must be"),
        (r#"{"$type":"00"}"#, "`$binary` must be"),
        (r#"{"$ext":{"type":128,"base64":""}}"#, "`$ext` must be"),
        (r#"{"$ext":{"type":-1,"base64":""}}"#, "`$ext` must be"),
        (r#"{"$float":"5"}"#, "`$float` must be"),
        (r#"{"$numberInt":"2147483648"}"#, "`$numberInt` must be"),
        (r#"{"$numberInt":5}"#, "`$numberInt` must be"),
        (r#"{"$numberLong":"+5"}"#, "`$numberLong` must be"),
        (r#"{"$numberDouble":"inf"}"#, "`$numberDouble` must be"),
        (r#"{"$numberDecimal":"1.10"}"#, "`$numberDecimal` is no value here: have decimals read"),
        (r#"{"$oid":"65a1b2c3d4e5f60718293a4"}"#, "`$oid` must be a string of 24"),
        (r#"{"$uuid":"001122334455-6677-8899-aabbccddeeff"}"#, "`$uuid` must be"),
        (r#"{"$undefined":false}"#, "`$undefined` must be true"),
        (r#"{"$literal":5}"#, "`$literal` must be an object"),
        (r#"{"$literal":{},"b":1}"#, "`$literal` must be an object"),
        (r#"{"$timestamp":{"t":1,"i":1}}"#, "`$timestamp` is no value here: write a point in time"),
        (r#"{"$minKey":1}"#, "`$minKey` is no value here"),
        (r#"{"$maxKey":1}"#, "`$maxKey` is no value here"),
        (r#"{"$regularExpression":{"pattern":"a","options":""}}"#, "store the pattern as a string"),
        (r#"{"$regex":"a","$options":"i"}"#, "`$regex` is no value here"),
        (r#"{"$code":"f()","$scope":{}}"#, "`$code` is no value here"),
        (
            r#"{"$dbPointer":{"$ref":"c","$id":{"$oid":"65a1b2c3d4e5f60718293a4b"}}}"#,
            "`$dbPointer`",
        ),
        (r#"{"$oidd":"65a1b2c3d4e5f60718293a4b"}"#, "unknown form `$oidd`; a document whose first"),
        ("NaN", r#"JSON has no NaN; write {"$numberDouble": "NaN"}"#),
        ("Infinity", r#"JSON has no Infinity; write {"$numberDouble": "Infinity"}"#),
        ("-Infinity", r#"JSON has no -Infinity; write {"$numberDouble": "-Infinity"}"#),
        (r#""cut \ud83d""#, "`\\ud83d` is half of a surrogate pair"),
        (r#""\ude00\ud83d""#, "`\\ude00` is half of a surrogate pair"),
        (r#"{"x":1,"y":{"x":1,"x":2}}"#, "the field `x` occurs twice"),
    ] {
        let error = read(&format!("\n[{text}]")).unwrap_err();
        assert!(error.contains(message), "{text}: {error}");
        assert!(error.contains("at line 2, column "), "{text}: {error}");
    }
}

#[test]
fn half_surrogates_and_decimals_are_read_as_one_asks() {
    let options = ReadOptions::new().replace_surrogates(true);
    for (text, expected) in [
        (r#""cut \ud83d""#, "\"cut \u{fffd}\""),
        (r#""\ud83d\u0041\ude00x""#, "\"\u{fffd}A\u{fffd}x\""),
        (r#""\ud83d\ude00""#, "\"\u{1f600}\""),
    ] {
        assert_eq!(write(&read_with(text, &options).unwrap()), expected, "{text}");
    }
    for (decimals, expected) in [(Decimals::String, "\"1.10\""), (Decimals::Double, "1.1")] {
        let options = ReadOptions::new().decimals(decimals);
        let bytes = read_with(r#"{"$numberDecimal":"1.10"}"#, &options).unwrap();
        assert_eq!(write(&bytes), expected);
    }
}

#[test]
fn a_name_twice_among_many_is_found() {
    let names: Vec<String> = (0..100).map(|n| format!("\"n{n}\":{n}")).collect();
    let object = format!("{{{}}}", names.join(","));
    assert_eq!(write(&read(&object).unwrap()), object);
    for twice in ["n0", "n15", "n16", "n99"] {
        let object = format!("{{{},\"{twice}\":1}}", names.join(","));
        assert!(read(&object).unwrap_err().contains(&format!("`{twice}` occurs twice")));
    }
}

#[test]
fn nesting_is_counted_by_values_and_not_by_forms() {
    let nested =
        |levels: usize, inner: &str| format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels));
    for inner in ["1", r#"{"$binary":{"base64":"AQID","subType":"00"}}"#] {
        // The document around it is one level.
        let text = nested(99, inner);
        assert_eq!(write(&read(&text).unwrap()), text);
        assert!(read(&nested(100, inner)).unwrap_err().contains("deeper than 100 levels"));
    }
    let mut document = vec![0x81, 0xa1, b'v'];
    document.extend([0x81, 0xa2, b'$', b'a'].repeat(99));
    document.push(1);
    assert_eq!(read(&write(&document)), Ok(document));
    for deep in ["{\"a\":", "[", "{\"$date\":", "{\"$literal\":"] {
        assert!(to_msgpack(deep.repeat(100_000).as_bytes(), &ReadOptions::new()).is_err());
    }
}

#[test]
fn places_and_literals_are_those_of_the_bytes() {
    let many = (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"{{"many":[{many}],"a":{{"$literal":{{"$gt":{{"$date":5}}}}}},"b":{{"$gt":7}}}}"#
    );
    let options = ReadOptions::new().operators(true);
    let read = Text::parse(text.as_bytes(), &options).unwrap();
    let (a, b) = (read.value().field("a").unwrap().unwrap(), read.value().field("b").unwrap());
    assert!(read.is_literal(a.tail()) && !read.is_literal(b.unwrap().tail()));
    assert_eq!(read.position_of(a.tail()).offset, text.find("{\"$literal").unwrap());
    let date = a.field("$gt").unwrap().unwrap();
    assert_eq!(read.position_of(date.tail()).offset, text.find("{\"$date").unwrap());
    let seven = b.unwrap().field("$gt").unwrap().unwrap();
    assert_eq!(read.position_of(seven.tail()).offset, text.find("7}").unwrap());
    let last = read.value().field("many").unwrap().unwrap().element(19).unwrap().unwrap();
    assert_eq!(read.position_of(last.tail()).offset, text.find("19]").unwrap());
}

#[test]
fn queries_keep_their_operators_and_have_forms_too() {
    let options = ReadOptions::new().operators(true);
    for operator in [r#"{"$regex":"a","$options":"i"}"#, r#"{"$type":"int"}"#, r#"{"$foo":1}"#] {
        let bytes = read_with(operator, &options).unwrap();
        assert_eq!(write(&bytes), format!("{{\"$literal\":{operator}}}"));
    }
    assert!(read_with(r#"{"$minKey":1}"#, &options).is_err());
    let limit = ReadOptions::new().values_max(3);
    assert!(read_with("[1,2]", &limit).unwrap_err().contains("more than 3 values"));
    assert!(read_with("[1]", &limit).is_ok());
}

#[test]
fn mongodbs_formats_hold_what_they_hold_and_name_the_rest() {
    let (relaxed, canonical) = (Format::Relaxed, Format::Canonical);
    let written = |text: &str, format, inexact| {
        write_with(&read(text).unwrap(), &WriteOptions::new().format(format).inexact(inexact))
    };
    for (text, in_relaxed, in_canonical) in [
        ("5", "5", r#"{"$numberInt":"5"}"#),
        ("7000000000", "7000000000", r#"{"$numberLong":"7000000000"}"#),
        ("5.0", "5.0", r#"{"$numberDouble":"5.0"}"#),
        (
            r#"{"$date":"2023-11-14T22:13:20.5Z"}"#,
            r#"{"$date":"2023-11-14T22:13:20.5Z"}"#,
            r#"{"$date":{"$numberLong":"1700000000500"}}"#,
        ),
        (
            r#"{"$date":-1}"#,
            r#"{"$date":{"$numberLong":"-1"}}"#,
            r#"{"$date":{"$numberLong":"-1"}}"#,
        ),
        (
            r#"{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}"#,
            r#"{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}"#,
            r#"{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}"#,
        ),
        (r#"{"$literal":{"$gt":"x"}}"#, r#"{"$gt":"x"}"#, r#"{"$gt":"x"}"#),
    ] {
        assert_eq!(written(text, relaxed, Inexact::Refuse).as_deref(), Ok(in_relaxed));
        assert_eq!(written(text, canonical, Inexact::Refuse).as_deref(), Ok(in_canonical));
    }
    let big = "[0,9223372036854775808]";
    let fine = r#"{"t":{"$date":"1969-12-31T23:59:59.999999999Z"}}"#;
    let ext = r#"{"$ext":{"type":5,"base64":"AQ=="}}"#;
    for format in [relaxed, canonical] {
        for (text, path) in [(big, "v.1"), (fine, "v.t"), (ext, "v")] {
            let error = written(text, format, Inexact::Refuse).unwrap_err();
            assert!(error.contains(&format!(" at `{path}` has no form")), "{error}");
        }
        let error = written(r#"{"a":1,"$date":5}"#, format, Inexact::Text).unwrap_err();
        assert!(error.contains(" at `v.$date` has no form"), "{error}");
        let millis = r#"{"t":{"$date":{"$numberLong":"-1"}}}"#;
        assert_eq!(written(fine, format, Inexact::Round).as_deref(), Ok(millis));
        assert!(written(ext, format, Inexact::Round).is_err());
        assert_eq!(written(ext, format, Inexact::Text).as_deref(), Ok("\"AQ==\""));
    }
    assert_eq!(written(big, relaxed, Inexact::Round).as_deref(), Ok("[0,9.223372036854776e18]"));
    assert_eq!(written(big, relaxed, Inexact::Text).as_deref(), Ok(r#"[0,"9223372036854775808"]"#));
    let text = r#"{"t":"1969-12-31T23:59:59.999999999Z"}"#;
    assert_eq!(written(fine, relaxed, Inexact::Text).as_deref(), Ok(text));
}

#[test]
fn white_space_goes_where_one_asks() {
    let document = read(r#"[1,{"a":{"$date":0},"b":[]}]"#).unwrap();
    let lines = WriteOptions::new().layout(Layout::Lines);
    let expected = "[\n    1,\n    {\n      \"a\": {\"$date\":\"1970-01-01T00:00:00Z\"},\n      \"b\": []\n    }\n  ]";
    let mut out = String::new();
    write_document(RawValue::new(&document), &lines, &mut out).unwrap();
    assert_eq!(out, format!("{{\n  \"v\": {expected}\n}}"));
    let spaced = WriteOptions::new().layout(Layout::Spaced);
    let mut out = String::new();
    write_document(RawValue::new(&document), &spaced, &mut out).unwrap();
    assert_eq!(out, r#"{"v": [1, {"a": {"$date":"1970-01-01T00:00:00Z"}, "b": []}]}"#);
}

#[test]
fn the_elements_of_an_array_are_read_as_if_each_were_alone() {
    let options = ReadOptions::new().operators(true);
    let deep = format!("{}1{}", "[".repeat(99), "]".repeat(99));
    let sixteen: String = (0..16).map(|n| format!(",\"f{n}\":[\"\\u00e9\",-{n}]")).collect();
    let elements = [
        "{}".to_owned(),
        r#"{"$date":5,"a":{"$date":5}}"#.to_owned(),
        format!("{{\"a\":{deep}}}"),
        format!("{{\"a\":1{sixteen}}}"),
        r#""text""#.to_owned(),
    ];
    for count in [0, 1, elements.len(), 16, 70_000] {
        let chosen: Vec<&str> = elements.iter().cycle().take(count).map(|text| &**text).collect();
        let mut expected = Vec::new();
        write_array_len(&mut expected, u32::try_from(count).unwrap());
        let alone = elements.each_ref().map(|text| to_msgpack(text.as_bytes(), &options).unwrap());
        alone.iter().cycle().take(count).for_each(|bytes| expected.extend_from_slice(bytes));
        let text = format!(" [ {} ] ", chosen.join(" , "));
        assert_eq!(elements_to_msgpack(text.as_bytes(), &options).unwrap(), expected);
    }
    for wrong in ["", " ", "{}", "5", "[", "[{}", "[{},", "[{},]", "[,]", "[{} {}]", "[{}] 1"] {
        assert!(elements_to_msgpack(wrong.as_bytes(), &options).is_err(), "{wrong}");
    }
    let too_deep = format!("[{{\"a\":[{deep}]}}]");
    assert!(elements_to_msgpack(too_deep.as_bytes(), &options).is_err());
}

#[test]
fn what_cannot_be_appended_leaves_the_bytes_as_they_were() {
    let mut out = b"[".to_vec();
    let options = WriteOptions::new();
    append_document(RawValue::new(b"\x81\xa1a\xa3\"\xc3\xa9"), &options, &mut out).unwrap();
    let expected = "[{\"a\":\"\\\"\u{e9}\"}";
    assert_eq!(out, expected.as_bytes());
    // A string and a name that are not UTF-8, one that is cut off, and no document.
    for wrong in [&b"\x81\xa1a\xa1\xff"[..], b"\x81\xa1\xc3\xa1a", b"\x81\xa1a\xa2b", b"\x91\x01"] {
        append_document(RawValue::new(wrong), &options, &mut out).unwrap_err();
        assert_eq!(out, expected.as_bytes());
        for before in ["", "before"] {
            let mut text = before.to_owned();
            write_document(RawValue::new(wrong), &options, &mut text).unwrap_err();
            assert_eq!(text, before);
        }
    }
    let big = [0x81, 0xa1, b'a', 0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0];
    let canonical = options.format(Format::Canonical);
    append_document(RawValue::new(&big), &canonical, &mut out).unwrap_err();
    assert_eq!(out, expected.as_bytes());
}

/// Any value, in MessagePack.
#[derive(Clone, Debug)]
enum Any {
    Leaf(Vec<u8>),
    Array(Vec<Any>),
    Map(Vec<(String, Any)>),
}

impl Any {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Leaf(bytes) => out.extend_from_slice(bytes),
            Self::Array(elements) => {
                write_array_len(out, u32::try_from(elements.len()).unwrap());
                elements.iter().for_each(|element| element.write(out));
            }
            Self::Map(fields) => {
                write_map_len(out, u32::try_from(fields.len()).unwrap());
                for (name, value) in fields {
                    assert!(write_string(out, name));
                    value.write(out);
                }
            }
        }
    }
}

fn leaf(write: impl FnOnce(&mut Vec<u8>)) -> Any {
    let mut out = Vec::new();
    write(&mut out);
    Any::Leaf(out)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a", "b", "", "$date", "$literal", "$gt", "$binary", "$oid", "$type", "$ref", "$id",
            "base64", "type", "$ext", "$regex",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Any> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    let leaves = prop_oneof![
        Just(leaf(write_null)),
        any::<bool>().prop_map(|value| leaf(|out| write_bool(out, value))),
        any::<i64>().prop_map(|number| leaf(|out| write_int(out, number))),
        any::<u64>().prop_map(|number| leaf(|out| write_uint(out, number))),
        prop::num::f64::ANY.prop_map(|number| leaf(|out| write_float(out, number))),
        name().prop_map(|text| leaf(|out| assert!(write_string(out, &text)))),
        bytes().prop_map(|bytes| leaf(|out| assert!(write_binary(out, &bytes)))),
        (any::<i64>(), 0_u32..1_000_000_000).prop_map(|(secs, nanos)| leaf(|out| {
            let time = UnixTime::new(secs, nanos).unwrap();
            assert!(time.with_ext(|data| write_ext(out, TIMESTAMP_EXT, data)));
        })),
        (0..=127_i8, bytes())
            .prop_map(|(tag, data)| leaf(|out| assert!(write_ext(out, tag, &data)))),
        any::<[u8; 12]>().prop_map(|id| leaf(|out| assert!(write_ext(out, 7, &id)))),
        any::<[u8; 16]>().prop_map(|id| leaf(|out| assert!(write_ext(out, 4, &id)))),
    ];
    leaves.prop_recursive(5, 40, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Any::Array),
            prop::collection::vec((name(), inner), 0..20).prop_map(|mut fields| {
                let mut seen = std::collections::HashSet::new();
                fields.retain(|(name, _)| seen.insert(name.clone()));
                Any::Map(fields)
            }),
        ]
    })
}

/// A text that is nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\x\"",
        "\"é",
        "\"",
        "1",
        "-1",
        "0",
        "01",
        "1.5",
        "1.",
        ".5",
        "1e5",
        "1E+400",
        "-",
        "null",
        "nul",
        "true",
        "false",
        " ",
        "\n",
        "\t",
        "\u{1}",
        "-0",
        "123456789012345678901234567890",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What `serde_json` read, in MessagePack; `None` where an object names a field twice.
fn to_any(value: &serde_json::Value) -> Any {
    match value {
        serde_json::Value::Null => leaf(write_null),
        serde_json::Value::Bool(value) => leaf(|out| write_bool(out, *value)),
        serde_json::Value::Number(number) => leaf(|out| match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => write_int(out, number),
            (None, Some(number)) => write_uint(out, number),
            _ => write_float(out, number.as_f64().unwrap()),
        }),
        serde_json::Value::String(text) => leaf(|out| assert!(write_string(out, text))),
        serde_json::Value::Array(elements) => Any::Array(elements.iter().map(to_any).collect()),
        serde_json::Value::Object(fields) => {
            Any::Map(fields.iter().map(|(name, value)| (name.clone(), to_any(value))).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back_to_the_last_byte(value in any_value(), lines in any::<bool>()) {
        let mut document = vec![0x81, 0xa1, b'v'];
        value.write(&mut document);
        let layout = if lines { Layout::Lines } else { Layout::Compact };
        let mut text = String::new();
        let options = WriteOptions::new().layout(layout);
        write_document(RawValue::new(&document), &options, &mut text).unwrap();
        let read = to_msgpack(text.as_bytes(), &ReadOptions::new()).map_err(|error| {
            TestCaseError::fail(format!("{error}: {text}"))
        })?;
        // All NaNs are one.
        if read != document {
            let (a, b) = (RawValue::new(&read), RawValue::new(&document));
            prop_assert!(compare(a, b).unwrap().is_eq(), "{}", text);
            prop_assert!(text.contains("NaN"), "{}", text);
        }
    }

    #[test]
    fn json_is_what_serde_json_takes_for_it(text in nearly_json()) {
        let ours = to_msgpack(text.as_bytes(), &ReadOptions::new());
        match (serde_json::from_str::<serde_json::Value>(&text), ours) {
            (Ok(theirs), Ok(ours)) => {
                let mut bytes = Vec::new();
                to_any(&theirs).write(&mut bytes);
                let (a, b) = (RawValue::new(&ours), RawValue::new(&bytes));
                // serde_json's object does not keep the order of fields.
                prop_assert!(ours.len() == bytes.len() || compare(a, b).unwrap().is_eq(), "{}", text);
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => {
                let twice = matches!(error.problem(), JsonProblem::DuplicateField { .. });
                prop_assert!(twice, "{}: {}", text, error);
            }
            (Err(error), Ok(_)) => prop_assert!(false, "{}: {}", text, error),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = to_msgpack(&bytes, &ReadOptions::new());
        let _ = Text::parse(&bytes, &ReadOptions::new().operators(true));
        let mut out = String::new();
        let _ = write_value(RawValue::new(&bytes), &WriteOptions::new(), &mut out);
    }
}
