//! The bytes of what serde calls shapes: what was stored by one version is what the next one stores
//! and reads.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU8, Wrapping};
use std::ops::Range;
use std::time::{Duration, SystemTime};

use nanodb_document::{
    DocView, Document, Id, ObjectId, Serialized, Timestamp, Uuid, Value, array, doc,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::encode;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Newtype(u16);

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Pair(i8, String);

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
struct Empty {}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Named {
    a: u8,
    b: Option<bool>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Skipped {
    a: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    b: Option<bool>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(transparent)]
struct Transparent {
    within: i32,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum External {
    Unit,
    Newtype(u16),
    Tuple(u8, String),
    Struct { a: u8 },
    Within(Option<Box<External>>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(tag = "t")]
enum Internal {
    Unit,
    Newtype(Named),
    Struct { at: Timestamp },
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Newtype(u16),
    Tuple(u8, u8),
    Struct { a: u8 },
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Struct { a: Uuid },
    Null,
}

/// Bytes, as `serde_bytes` has them.
#[derive(PartialEq, Debug, Clone)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// A list that does not know its length before it is written.
struct Unsized(Vec<u32>);

impl Serialize for Unsized {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut seq = serializer.serialize_seq(None)?;
        self.0.iter().try_for_each(|number| seq.serialize_element(number))?;
        seq.end()
    }
}

/// A map that does not know its length before it is written.
struct UnsizedMap(u32);

impl Serialize for UnsizedMap {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        (0..self.0).try_for_each(|number| map.serialize_entry(&format!("k{number}"), &number))?;
        map.end()
    }
}

/// The value of a field, and nothing else.
#[derive(Serialize, Deserialize)]
struct Holder<T> {
    v: T,
}

struct Shapes(Vec<(&'static str, String)>);

impl Shapes {
    /// Adds what a value becomes within a document.
    fn write(&mut self, name: &'static str, value: impl Serialize) -> Vec<u8> {
        let mut buffer = Vec::new();
        let draft = nanodb_document::Encode::encode(
            &Serialized(&Holder { v: value }),
            Some(1.into()),
            &mut buffer,
        );
        let record = draft.unwrap().record(&buffer).to_vec();
        let hex: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
        // {"_id": 1, "v": ...}
        let value = hex.strip_prefix("82a35f696401a176").unwrap();
        self.0.push((name, value.to_owned()));
        record
    }

    /// Adds a value that is read back.
    fn add<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        &mut self,
        name: &'static str,
        value: T,
    ) {
        let record = self.write(name, &value);
        let back: Holder<T> = DocView::from_bytes(&record).deserialize().unwrap();
        assert_eq!(back.v, value, "{name}");
    }
}

fn scalars(shapes: &mut Shapes) {
    shapes.add("bool", true);
    shapes.add("i8", -128_i8);
    shapes.add("i16", -129_i16);
    shapes.add("i32", i32::MIN);
    shapes.add("i64", i64::MIN);
    shapes.add("u8", 255_u8);
    shapes.add("u16", 65_535_u16);
    shapes.add("u32", u32::MAX);
    shapes.add("u64", u64::MAX);
    shapes.add("i128", -5_i128);
    shapes.add("u128", 5_u128);
    shapes.add("f32", 0.1_f32);
    shapes.add("f64", 0.1_f64);
    shapes.add("char", 'ß');
    shapes.add("string", "text".to_owned());
    shapes.add("long string", "x".repeat(40));
    shapes.add("bytes", Bytes(vec![1, 2, 255]));
    shapes.add("list of bytes", vec![1_u8, 2, 255]);
    shapes.add("none", None::<u8>);
    shapes.add("some", Some(5_u8));
    shapes.add("some of some", Some(Some(5_u8)));
    shapes.write("some of none", Some(None::<u8>));
    shapes.add("unit", ());
    shapes.add("nonzero", NonZeroU8::new(7).unwrap());
    shapes.add("wrapping", Wrapping(7_u32));
    shapes.add("duration", Duration::new(5, 6));
    shapes.add("system time", SystemTime::UNIX_EPOCH + Duration::new(5, 6));
    shapes.add("range", Range { start: 1_u8, end: 3 });
    shapes.add("result", Ok::<u8, String>(5));
    shapes.add("ipv4", IpAddr::V4(Ipv4Addr::LOCALHOST));
    shapes.add("ipv6", Ipv6Addr::LOCALHOST);
    shapes.add("socket", SocketAddr::from(([127, 0, 0, 1], 80)));
}

fn containers(shapes: &mut Shapes) {
    shapes.add("unit struct", Unit);
    shapes.add("newtype struct", Newtype(300));
    shapes.add("tuple struct", Pair(-1, "a".to_owned()));
    shapes.add("empty struct", Empty {});
    shapes.add("struct", Named { a: 1, b: None });
    shapes.add("skipped field", Skipped { a: 1, b: None });
    shapes.add("unskipped field", Skipped { a: 1, b: Some(true) });
    let rest = BTreeMap::from([("x".to_owned(), array![1, "y"].into())]);
    shapes.add("flattened", Flat { a: 1, rest });
    shapes.add("transparent", Transparent { within: -1 });
    shapes.add("tuple", (1_u8, "a".to_owned(), None::<u8>));
    shapes.add("array", [1_u16, 300]);
    shapes.add("empty list", Vec::<u8>::new());
    shapes.add("long list", (0..20_u8).map(i32::from).collect::<Vec<_>>());
    shapes.add("map", BTreeMap::from([("a".to_owned(), 1_u8), ("b".to_owned(), 2)]));
    shapes.write("list of unknown length", Unsized((0..20).collect()));
    shapes.write("short list of unknown length", Unsized(vec![1]));
    shapes.write("map of unknown length", UnsizedMap(17));
}

fn variants(shapes: &mut Shapes) {
    shapes.add("external unit", External::Unit);
    shapes.add("external newtype", External::Newtype(300));
    shapes.add("external tuple", External::Tuple(1, "a".to_owned()));
    shapes.add("external struct", External::Struct { a: 1 });
    let within = External::Within(Some(Box::new(External::Within(None))));
    shapes.add("external within", within);
    shapes.add("internal unit", Internal::Unit);
    shapes.add("internal newtype", Internal::Newtype(Named { a: 1, b: Some(true) }));
    shapes.add("internal struct", Internal::Struct { at: Timestamp::new(5, 6).unwrap() });
    shapes.add("adjacent unit", Adjacent::Unit);
    shapes.add("adjacent newtype", Adjacent::Newtype(300));
    shapes.add("adjacent tuple", Adjacent::Tuple(1, 2));
    shapes.add("adjacent struct", Adjacent::Struct { a: 1 });
    shapes.add("untagged number", Untagged::Number(-5));
    shapes.add("untagged text", Untagged::Text("a".to_owned()));
    shapes.add("untagged struct", Untagged::Struct { a: Uuid::from_bytes([7; 16]) });
    shapes.add("untagged null", Untagged::Null);
}

fn our_own(shapes: &mut Shapes) {
    shapes.add("timestamp of 4 bytes", Timestamp::new(5, 0).unwrap());
    shapes.add("timestamp of 8 bytes", Timestamp::new(5, 6).unwrap());
    shapes.add("timestamp of 12 bytes", Timestamp::new(-5, 6).unwrap());
    shapes.add("uuid", Uuid::from_bytes([7; 16]));
    shapes.add("object id", ObjectId::from_bytes([7; 12]));
    shapes.add("id", Id::from([1_u8, 2]));
    shapes.add("value", Value::from(array![null, 1.5, Value::Ext(9, vec![1; 300])]));
    shapes.add("document", doc! { "b": [Value::Binary(vec![1])], "a": Document::new() });
    let bytes = encode(&doc! { "_id": 1, "a": [1, { "b": null }] }).unwrap();
    shapes.write("view", DocView::from_bytes(&bytes));
}

#[test]
fn shapes_have_the_bytes_that_they_had_before() {
    let mut shapes = Shapes(Vec::new());
    scalars(&mut shapes);
    containers(&mut shapes);
    variants(&mut shapes);
    our_own(&mut shapes);
    let lines: Vec<_> = shapes.0.iter().map(|(name, hex)| format!("{name}: {hex}")).collect();
    let golden = include_str!("shapes.txt");
    assert!(golden.lines().count() >= 60);
    for (line, expected) in lines.iter().zip(golden.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.len(), golden.lines().count(), "{}", lines.join("\n"));
}
