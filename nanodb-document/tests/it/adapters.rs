//! Types behind serde's adapters, which `flatten` and tagged enums put before the codec: what comes
//! back, and what does not. The guide's page on Rust types says why.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanodb_document::{
    Document, Id, ObjectId, Timestamp, Uuid, Value, doc, from_document, to_document,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Plain<T> {
    v: T,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct FlatStruct<T> {
    a: u8,
    #[serde(flatten)]
    inner: Plain<T>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct FlatMap<T> {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, T>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum External<T> {
    A { v: T },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent<T> {
    A { v: T },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t")]
enum Internal<T> {
    A { v: T },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t")]
enum InternalNewtype<T> {
    A(Plain<T>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Untagged<T> {
    A { v: T },
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Newtype<T>(T);

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct AsUuid(#[serde(with = "nanodb_document::as_uuid")] uuid::Uuid);

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct AsTimestamp(#[serde(with = "nanodb_document::as_timestamp")] SystemTime);

/// What became of a value: it came back, or it was refused when it was written, or when it was
/// read, or it came back as another.
fn outcome<T>(value: &T, path: &str, as_stored: Option<&Value>) -> &'static str
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Ok(document) = to_document(value) else { return "refused" };
    if let Some(as_stored) = as_stored {
        assert_eq!(document.get_path(path), Some(as_stored), "stored as everywhere else");
    }
    match from_document::<T>(&document) {
        Ok(back) if back == *value => "yes",
        Ok(_) => "CHANGED",
        Err(_) => "unread",
    }
}

/// Adds the line of a type to the table.
fn line<T>(table: &mut String, name: &str, v: T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + Clone,
{
    let stored = to_document(&Plain { v: v.clone() }).unwrap();
    let stored = stored.get("v");
    let rest = BTreeMap::from([("v".to_owned(), v.clone())]);
    let outcomes = [
        outcome(&Plain { v: v.clone() }, "v", stored),
        outcome(&External::A { v: v.clone() }, "A.v", stored),
        outcome(&Adjacent::A { v: v.clone() }, "c.v", stored),
        outcome(&Internal::A { v: v.clone() }, "v", stored),
        outcome(&InternalNewtype::A(Plain { v: v.clone() }), "v", stored),
        outcome(&Untagged::A { v: v.clone() }, "v", stored),
        outcome(&FlatStruct { a: 1, inner: Plain { v } }, "v", stored),
        outcome(&FlatMap { a: 1, rest }, "v", stored),
    ];
    let _ = write!(table, "{name:21}");
    for outcome in outcomes {
        let _ = write!(table, " {outcome:8}");
    }
    table.truncate(table.trim_end().len());
    table.push('\n');
}

/// The places: a field; a variant as serde has it by itself, and one with `tag` and `content`; a
/// variant with fields and one with a struct, with `tag`; `untagged`; a struct and a map with
/// `flatten`.
const TABLE: &str = "\
bool                  yes      yes      yes      yes      yes      yes      yes      yes
i64                   yes      yes      yes      yes      yes      yes      yes      yes
u64                   yes      yes      yes      yes      yes      yes      yes      yes
i128                  yes      yes      yes      unread   unread   unread   unread   unread
f64                   yes      yes      yes      yes      yes      yes      yes      yes
char                  yes      yes      yes      yes      yes      yes      yes      yes
String                yes      yes      yes      yes      yes      yes      yes      yes
()                    yes      yes      yes      yes      yes      yes      yes      yes
Option                yes      yes      yes      yes      yes      yes      yes      yes
Vec<u8>               yes      yes      yes      yes      yes      yes      yes      yes
struct                yes      yes      yes      yes      yes      yes      yes      yes
enum                  yes      yes      yes      yes      yes      yes      yes      yes
Timestamp             yes      yes      yes      yes      yes      yes      yes      yes
ObjectId              yes      yes      yes      yes      yes      yes      yes      yes
Uuid                  yes      yes      yes      yes      yes      yes      yes      yes
Option<Timestamp>     yes      yes      yes      yes      yes      yes      yes      yes
Newtype(Timestamp)    yes      yes      yes      yes      yes      yes      yes      yes
Value                 yes      yes      yes      yes      yes      yes      yes      yes
Value, binary         yes      yes      yes      yes      yes      yes      yes      yes
Newtype(Value)        yes      yes      yes      yes      yes      yes      yes      yes
Newtype(Newtype(..))  yes      yes      yes      yes      yes      yes      yes      yes
Value, extension      yes      yes      yes      yes      yes      yes      yes      yes
Document              yes      yes      yes      yes      yes      yes      yes      yes
Id                    yes      yes      yes      yes      yes      yes      yes      yes
Newtype(Id)           yes      yes      yes      yes      yes      yes      yes      yes
Id, string            yes      yes      yes      yes      yes      yes      yes      yes
as_timestamp          yes      yes      yes      yes      yes      yes      yes      yes
as_uuid               yes      yes      yes      yes      yes      yes      yes      yes
uuid::Uuid            yes      yes      yes      yes      yes      yes      yes      yes
SystemTime            yes      yes      yes      yes      yes      yes      yes      yes
Duration              yes      yes      yes      yes      yes      yes      yes      yes
Ipv4Addr              yes      yes      yes      unread   unread   unread   unread   unread
IpAddr                yes      yes      yes      unread   unread   unread   unread   unread
SocketAddr            yes      yes      yes      unread   unread   unread   unread   unread
keys: String          yes      yes      yes      yes      yes      yes      yes      yes
keys: u16             yes      yes      yes      unread   unread   unread   unread   unread
keys: bool            yes      yes      yes      unread   unread   unread   unread   unread
keys: Ipv4Addr        yes      yes      yes      yes      yes      yes      yes      yes
keys: Uuid            yes      yes      yes      yes      yes      yes      yes      yes
keys: Id, string      yes      yes      yes      yes      yes      yes      yes      yes
keys: Id, integer     yes      yes      yes      CHANGED  CHANGED  CHANGED  CHANGED  CHANGED
keys: Id, ObjectId    yes      yes      yes      CHANGED  CHANGED  CHANGED  CHANGED  CHANGED
";

#[test]
fn what_comes_back_from_behind_serdes_adapters() {
    let (time, uuid) = (Timestamp::new(5, 6).unwrap(), Uuid::from_bytes([1; 16]));
    let object_id = ObjectId::from_bytes([2; 12]);
    let system = UNIX_EPOCH + Duration::new(5, 6);
    let address = Ipv4Addr::LOCALHOST;
    let theirs = uuid::Uuid::from_bytes([1; 16]);
    let id = |key: Id| BTreeMap::from([(key, 1_u8)]);
    let mut table = String::new();
    let lines = &mut table;
    line(lines, "bool", true);
    line(lines, "i64", -5_i64);
    line(lines, "u64", u64::MAX);
    line(lines, "i128", 5_i128);
    line(lines, "f64", 1.5);
    line(lines, "char", 'x');
    line(lines, "String", "text".to_owned());
    line(lines, "()", ());
    line(lines, "Option", Some(5));
    line(lines, "Vec<u8>", vec![1_u8, 2]);
    line(lines, "struct", Plain { v: 1 });
    line(lines, "enum", External::A { v: 1 });
    line(lines, "Timestamp", time);
    line(lines, "ObjectId", object_id);
    line(lines, "Uuid", uuid);
    line(lines, "Option<Timestamp>", Some(time));
    line(lines, "Newtype(Timestamp)", Newtype(time));
    line(lines, "Value", Value::from(time));
    line(lines, "Value, binary", Value::Binary(vec![1]));
    line(lines, "Newtype(Value)", Newtype(Value::from(time)));
    line(lines, "Newtype(Newtype(..))", Newtype(Newtype(Value::from(uuid))));
    line(lines, "Value, extension", Newtype(Value::Ext(5, vec![1])));
    line(lines, "Document", doc! { "at": time, "list": [uuid, { "$date": 5 }] });
    line(lines, "Id", Id::from(object_id));
    line(lines, "Newtype(Id)", Newtype(Id::from(uuid)));
    line(lines, "Id, string", Id::from("5"));
    line(lines, "as_timestamp", AsTimestamp(system));
    line(lines, "as_uuid", AsUuid(theirs));
    line(lines, "uuid::Uuid", theirs);
    line(lines, "SystemTime", system);
    line(lines, "Duration", Duration::new(5, 6));
    line(lines, "Ipv4Addr", address);
    line(lines, "IpAddr", IpAddr::from(address));
    line(lines, "SocketAddr", SocketAddr::from((address, 80)));
    line(lines, "keys: String", BTreeMap::from([("5".to_owned(), 1)]));
    line(lines, "keys: u16", BTreeMap::from([(5_u16, 1)]));
    line(lines, "keys: bool", BTreeMap::from([(true, 1)]));
    line(lines, "keys: Ipv4Addr", BTreeMap::from([(address, 1)]));
    line(lines, "keys: Uuid", BTreeMap::from([(uuid, 1)]));
    line(lines, "keys: Id, string", id("text".into()));
    line(lines, "keys: Id, integer", id(5.into()));
    line(lines, "keys: Id, ObjectId", id(object_id.into()));
    assert_eq!(table, TABLE, "\n{table}");
}

/// A UUID is stored as one or as binary, and either is read, but by types that know no extensions.
#[test]
fn a_uuid_is_read_from_behind_serdes_adapters_as_it_was_stored() {
    fn is_read<T: DeserializeOwned>(stored: &Document) -> bool {
        let read = from_document::<FlatStruct<T>>(stored).is_ok();
        assert_eq!(from_document::<Internal<T>>(stored).is_ok(), read);
        assert_eq!(from_document::<Untagged<T>>(stored).is_ok(), read);
        read
    }
    let uuid = Uuid::from_bytes([1; 16]);
    let binary = doc! { "t": "A", "a": 1, "v": uuid.bytes() };
    let uuid = doc! { "t": "A", "a": 1, "v": uuid };
    assert!(is_read::<Uuid>(&uuid) && is_read::<Uuid>(&binary));
    assert!(is_read::<AsUuid>(&uuid) && is_read::<AsUuid>(&binary));
    assert!(!is_read::<uuid::Uuid>(&uuid) && is_read::<uuid::Uuid>(&binary));
    // No array of a number and bytes is an extension, and no other value is a time.
    for other in
        [Value::from((-1, b"\x00\x00\x00\x05")), 5.into(), "x".into(), doc! { "5": b"" }.into()]
    {
        let document = doc! { "t": "A", "a": 1, "v": &other };
        assert!(!is_read::<Uuid>(&document) && !is_read::<ObjectId>(&document), "{other}");
        let back = from_document::<FlatStruct<Newtype<Value>>>(&document).unwrap();
        assert_eq!(back.inner.v.0, other);
    }
}
