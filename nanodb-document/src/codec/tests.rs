//! The codec against `rmp-serde`, which wrote and read documents before: the same bytes, and the
//! same values of them, for everything but integers of 128 bits and keys that are not strings.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde::{Deserialize, Serialize};

use nanodb_msgpack::Cursor;

use super::{CodecError, deserialize, serialize};
use crate::encode::raw;
use crate::ext::EXT_STRUCT_NAME;
use crate::{ObjectId, Timestamp, Uuid};

/// What a type may do with a serializer, and what it may ask of a deserializer.
#[derive(Clone, Debug)]
enum Shape {
    Unit,
    UnitStruct,
    Bool(bool),
    I8(i8),
    I64(i64),
    U16(u16),
    U64(u64),
    F32(f32),
    F64(f64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Ext(i8, Vec<u8>),
    None,
    Some(Box<Shape>),
    Newtype(Box<Shape>),
    Seq(Vec<Shape>, bool),
    Tuple(Vec<Shape>),
    TupleStruct(Vec<Shape>),
    Map(Vec<(String, Shape)>, bool),
    Struct(Vec<Shape>),
    UnitVariant(usize),
    NewtypeVariant(usize, Box<Shape>),
    TupleVariant(usize, Vec<Shape>),
    StructVariant(usize, Vec<Shape>),
}

const NAMES: [&str; 20] = [
    "a",
    "b",
    "_c",
    "",
    "a name longer than fits into a header of one byte",
    "é",
    "6",
    "7",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    "17",
    "18",
    "19",
];

fn name(index: usize) -> &'static str {
    NAMES.get(index).copied().unwrap_or("more")
}

fn leaf() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Unit),
        Just(Shape::UnitStruct),
        any::<bool>().prop_map(Shape::Bool),
        any::<i8>().prop_map(Shape::I8),
        any::<i64>().prop_map(Shape::I64),
        (-200_i64..200).prop_map(Shape::I64),
        any::<u16>().prop_map(Shape::U16),
        any::<u64>().prop_map(Shape::U64),
        any::<f32>().prop_map(Shape::F32),
        any::<f64>().prop_map(Shape::F64),
        any::<char>().prop_map(Shape::Char),
        "\\PC{0,40}".prop_map(Shape::Text),
        (0_usize..70_000).prop_map(|len| Shape::Text("x".repeat(len))),
        vec(any::<u8>(), 0..300).prop_map(Shape::Bytes),
        (0_i8..100, vec(any::<u8>(), 0..300))
            // A UUID may be asked for as bytes here.
            .prop_filter("not a UUID", |(tag, data)| *tag != Uuid::EXT_TYPE || data.len() != 16)
            .prop_map(|(tag, data)| Shape::Ext(tag, data)),
        Just(Shape::None),
        (0_usize..6).prop_map(Shape::UnitVariant),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    leaf().prop_recursive(4, 40, 18, |inner| {
        let few = || vec(inner.clone(), 0..18);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(Shape::Some),
            boxed().prop_map(Shape::Newtype),
            (few(), any::<bool>()).prop_map(|(children, known)| Shape::Seq(children, known)),
            few().prop_map(Shape::Tuple),
            few().prop_map(Shape::TupleStruct),
            (prop::collection::btree_map("[a-z]{0,3}", inner.clone(), 0..18), any::<bool>())
                .prop_map(|(fields, known)| Shape::Map(fields.into_iter().collect(), known)),
            few().prop_map(Shape::Struct),
            (0_usize..6, boxed()).prop_map(|(at, within)| Shape::NewtypeVariant(at, within)),
            (0_usize..6, few()).prop_map(|(at, children)| Shape::TupleVariant(at, children)),
            (0_usize..6, few()).prop_map(|(at, children)| Shape::StructVariant(at, children)),
        ]
    })
}

struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_unit(),
            Self::UnitStruct => serializer.serialize_unit_struct("U"),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I8(number) => serializer.serialize_i8(*number),
            Self::I64(number) => serializer.serialize_i64(*number),
            Self::U16(number) => serializer.serialize_u16(*number),
            Self::U64(number) => serializer.serialize_u64(*number),
            Self::F32(number) => serializer.serialize_f32(*number),
            Self::F64(number) => serializer.serialize_f64(*number),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Ext(tag, data) => {
                serializer.serialize_newtype_struct(EXT_STRUCT_NAME, &(*tag, Raw(data)))
            }
            Self::None => serializer.serialize_none(),
            Self::Some(within) => serializer.serialize_some(within),
            Self::Newtype(within) => serializer.serialize_newtype_struct("N", within),
            Self::Seq(children, known) => {
                let mut seq = serializer.serialize_seq(known.then_some(children.len()))?;
                children.iter().try_for_each(|child| seq.serialize_element(child))?;
                seq.end()
            }
            Self::Tuple(children) => {
                let mut tuple = serializer.serialize_tuple(children.len())?;
                children.iter().try_for_each(|child| tuple.serialize_element(child))?;
                tuple.end()
            }
            Self::TupleStruct(children) => {
                let mut tuple = serializer.serialize_tuple_struct("T", children.len())?;
                children.iter().try_for_each(|child| tuple.serialize_field(child))?;
                tuple.end()
            }
            Self::Map(fields, known) => {
                let mut map = serializer.serialize_map(known.then_some(fields.len()))?;
                fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
            Self::Struct(children) => {
                let mut fields = serializer.serialize_struct("S", children.len())?;
                for (index, child) in children.iter().enumerate() {
                    fields.serialize_field(name(index), child)?;
                }
                fields.end()
            }
            Self::UnitVariant(at) => serializer.serialize_unit_variant("E", 0, name(*at)),
            Self::NewtypeVariant(at, within) => {
                serializer.serialize_newtype_variant("E", 0, name(*at), within)
            }
            Self::TupleVariant(at, children) => {
                let mut tuple =
                    serializer.serialize_tuple_variant("E", 0, name(*at), children.len())?;
                children.iter().try_for_each(|child| tuple.serialize_field(child))?;
                tuple.end()
            }
            Self::StructVariant(at, children) => {
                let mut fields =
                    serializer.serialize_struct_variant("E", 0, name(*at), children.len())?;
                for (index, child) in children.iter().enumerate() {
                    fields.serialize_field(name(index), child)?;
                }
                fields.end()
            }
        }
    }
}

/// What a visitor saw.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Unit,
    Bool(bool),
    I64(i64),
    U64(u64),
    Float(u64),
    Text(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Seen>),
    Newtype(Box<Seen>),
    Seq(Vec<Seen>),
    Map(Vec<(String, Seen)>),
    Variant(String, Box<Seen>),
}

/// Asks for what a shape says.
#[derive(Clone, Copy)]
struct Ask<'a>(&'a Shape);

impl Ask<'_> {
    fn children(&self) -> &[Shape] {
        match self.0 {
            Shape::Seq(children, _)
            | Shape::Tuple(children)
            | Shape::TupleStruct(children)
            | Shape::Struct(children)
            | Shape::TupleVariant(_, children)
            | Shape::StructVariant(_, children) => children,
            _ => &[],
        }
    }

    fn child(&self, index: usize) -> Ask<'_> {
        let of_map = || match self.0 {
            Shape::Map(fields, _) => fields.get(index).map(|(_, value)| value),
            Shape::Some(within) | Shape::Newtype(within) | Shape::NewtypeVariant(_, within) => {
                Some(&**within)
            }
            _ => None,
        };
        // An extension is a pair, of which any type will do.
        Ask(self.children().get(index).or_else(of_map).unwrap_or(&Shape::Unit))
    }
}

impl<'de> DeserializeSeed<'de> for Ask<'_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Seen, D::Error> {
        match self.0 {
            // Asked for as an `Option` or `Value` might.
            Shape::Unit => from.deserialize_any(self),
            Shape::UnitStruct => from.deserialize_unit_struct("U", self),
            Shape::Bool(_) => from.deserialize_bool(self),
            Shape::I8(_) => from.deserialize_i8(self),
            Shape::I64(_) => from.deserialize_i64(self),
            Shape::U16(_) => from.deserialize_u16(self),
            Shape::U64(_) => from.deserialize_u64(self),
            Shape::F32(_) => from.deserialize_f32(self),
            Shape::F64(_) => from.deserialize_f64(self),
            Shape::Char(_) => from.deserialize_char(self),
            Shape::Text(_) => from.deserialize_str(self),
            Shape::Bytes(_) => from.deserialize_bytes(self),
            Shape::Ext(..) => from.deserialize_newtype_struct(EXT_STRUCT_NAME, self),
            Shape::None | Shape::Some(_) => from.deserialize_option(self),
            Shape::Newtype(_) => from.deserialize_newtype_struct("N", self),
            Shape::Seq(..) => from.deserialize_seq(self),
            Shape::Tuple(children) => from.deserialize_tuple(children.len(), self),
            Shape::TupleStruct(children) => {
                from.deserialize_tuple_struct("T", children.len(), self)
            }
            Shape::Map(..) => from.deserialize_map(self),
            Shape::Struct(_) => from.deserialize_struct("S", &NAMES, self),
            Shape::UnitVariant(_)
            | Shape::NewtypeVariant(..)
            | Shape::TupleVariant(..)
            | Shape::StructVariant(..) => from.deserialize_enum("E", &NAMES, self),
        }
    }
}

impl<'de> Visitor<'de> for Ask<'_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Unit)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(Seen::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Seen, E> {
        // A type of an extension, which one of the two visits as wide as it is.
        Ok(u64::try_from(number).map_or(Seen::I64(number), Seen::U64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Seen, E> {
        Ok(Seen::U64(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Seen, E> {
        Ok(Seen::Float(number.to_bits()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Seen, E> {
        Ok(Seen::Text(text.to_owned()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Seen, E> {
        Ok(Seen::Bytes(bytes.to_vec()))
    }

    fn visit_none<E>(self) -> Result<Seen, E> {
        Ok(Seen::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Seen, D::Error> {
        self.child(0).deserialize(from).map(|within| Seen::Some(Box::new(within)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Seen, D::Error> {
        let within = match self.0 {
            Shape::Newtype(_) => self.child(0).deserialize(from),
            _ => from.deserialize_tuple(2, self),
        };
        within.map(|within| Seen::Newtype(Box::new(within)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Seen, A::Error> {
        let mut seen = Vec::new();
        while let Some(element) = seq.next_element_seed(self.child(seen.len()))? {
            seen.push(element);
        }
        Ok(Seen::Seq(seen))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.child(seen.len()))?;
            seen.push((name, value));
        }
        Ok(Seen::Map(seen))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Seen, A::Error> {
        let (name, within) = access.variant::<String>()?;
        let seen = match self.0 {
            Shape::UnitVariant(_) => within.unit_variant().map(|()| Seen::Unit),
            Shape::TupleVariant(_, children) => within.tuple_variant(children.len(), self),
            Shape::StructVariant(..) => within.struct_variant(&NAMES, self),
            _ => within.newtype_variant_seed(self.child(0)),
        };
        seen.map(|seen| Seen::Variant(name, Box::new(seen)))
    }
}

fn by_rmp<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    value.serialize(&mut serializer).unwrap();
    bytes
}

fn by_codec<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    serialize(value, &mut bytes).unwrap();
    bytes
}

/// The stored form of bytes of a map.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let draft = raw::encode(bytes, Some(1.into()), &mut out).unwrap();
    draft.record(&out).to_vec()
}

fn ask_rmp(shape: &Shape, bytes: &[u8]) -> Option<Seen> {
    Ask(shape).deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes)).ok()
}

fn ask_codec(shape: &Shape, bytes: &[u8]) -> Option<Seen> {
    ask_codec_at(shape, &mut Cursor::new(bytes))
}

fn ask_codec_at(shape: &Shape, cursor: &mut Cursor<'_>) -> Option<Seen> {
    Ask(shape).deserialize(super::de::ValueDeserializer::new(cursor)).ok()
}

fn cases() -> ProptestConfig {
    let long = std::env::var_os("NANODB_TEST_LONG").is_some();
    ProptestConfig::with_cases(if long { 20_000 } else { 400 })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_shape_has_the_bytes_that_it_had(shape in shape()) {
        let document = BTreeMap::from([("v", shape)]);
        let ours = by_codec(&document);
        let record = stored(&ours);
        prop_assert_eq!(&record, &stored(&by_rmp(&document)));
        // And in stored form already, but for the id.
        prop_assert_eq!(&record[6..], &ours[1..]);
    }

    #[test]
    fn every_shape_is_read_as_it_was(shape in shape(), other in shape()) {
        let bytes = by_codec(&shape);
        let mut cursor = Cursor::new(&bytes);
        let ours = ask_codec_at(&shape, &mut cursor);
        prop_assert!(ours.is_none() || cursor.rest().is_empty(), "all of the value is read");
        prop_assert!(ours.is_some() || matches!(shape, Shape::Some(_)), "{:?}", shape);
        prop_assert_eq!(&ours, &ask_rmp(&shape, &bytes));
        prop_assert_eq!(ask_codec(&Shape::Unit, &bytes), ask_rmp(&Shape::Unit, &bytes));
        let (ours, theirs) = (ask_codec(&other, &bytes), ask_rmp(&other, &bytes));
        if ours.is_some() && theirs.is_some() {
            prop_assert_eq!(ours, theirs);
        }
        prop_assert!(deserialize::<IgnoredAny>(&bytes).is_ok());
    }

    #[test]
    fn wrong_bytes_are_an_error_or_a_value(
        shape in shape(),
        bytes in vec(any::<u8>(), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = ask_codec(&shape, &bytes);
        let whole = by_codec(&shape);
        let cut = cut.index(whole.len());
        prop_assert_eq!(ask_codec(&Shape::Unit, &whole[..cut]), None);
        prop_assert!(deserialize::<IgnoredAny>(&whole[..cut]).is_err());
    }
}

#[test]
fn bytes_that_nest_without_end_are_refused() {
    for first in [0x91, 0x81] {
        let bytes: Vec<u8> = match first {
            0x91 => vec![0x91; 100_000],
            _ => [0x81, 0xa1, b'a'].repeat(100_000),
        };
        assert!(ask_codec(&Shape::Unit, &bytes).is_none());
        assert!(deserialize::<crate::Value>(&bytes).is_err());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Level {
    Low,
    High,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Wrapped(i16);

/// The keys of a map as they are written; they are read back.
fn keys<K>(keys: impl IntoIterator<Item = K>) -> Vec<String>
where
    K: Ord + Serialize + for<'de> Deserialize<'de> + fmt::Debug,
{
    let map: BTreeMap<K, u8> = keys.into_iter().map(|key| (key, 1)).collect();
    let bytes = by_codec(&map);
    assert_eq!(deserialize::<BTreeMap<K, u8>>(&bytes).unwrap(), map);
    let names: Vec<(String, u8)> =
        deserialize::<BTreeMap<String, u8>>(&bytes).unwrap().into_iter().collect();
    names.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn keys_become_strings_and_come_back() {
    assert_eq!(keys([-5_i8, 7]), ["-5", "7"]);
    assert_eq!(keys([0_u64, u64::MAX]), ["0", "18446744073709551615"]);
    assert_eq!(keys([i128::MIN]), [i128::MIN.to_string()]);
    assert_eq!(keys([u128::MAX]), [u128::MAX.to_string()]);
    assert_eq!(keys([true, false]), ["false", "true"]);
    assert_eq!(keys(['ß']), ["ß"]);
    assert_eq!(keys([Level::Low, Level::High]), ["High", "Low"]);
    assert_eq!(keys([Wrapped(-1)]), ["-1"]);
    assert_eq!(keys([Ipv4Addr::LOCALHOST]), ["127.0.0.1"]);
    assert_eq!(keys(["a".to_owned(), String::new()]), ["", "a"]);
    assert_eq!(keys([Timestamp::new(5, 0).unwrap()]), ["1970-01-01T00:00:05Z"]);
    assert_eq!(keys([ObjectId::from_bytes([1; 12])]), ["01".repeat(12)]);
    assert_eq!(keys([Uuid::from_bytes([1; 16])]), ["01010101-0101-0101-0101-010101010101"]);
}

#[test]
fn an_integer_is_a_key_in_one_form_only() {
    for text in ["05", "+5", "-0", " 5", "5 ", "0x5", "5.0", "300", ""] {
        let bytes = by_codec(&BTreeMap::from([(text, 1)]));
        assert!(deserialize::<BTreeMap<u8, u8>>(&bytes).is_err(), "{text}");
    }
}

fn refusal<T: Serialize>(value: &T) -> CodecError {
    serialize(value, &mut Vec::new()).unwrap_err()
}

#[test]
fn other_keys_are_refused_where_they_are() {
    let error = refusal(&BTreeMap::from([("a", [BTreeMap::from([((1, 2), 3)])])]));
    assert_eq!(
        error.to_string(),
        "`a.0`: a key of a map is a tuple: keys are strings, characters, integers, booleans and \
         variants without fields",
    );
    for (error, what) in [
        (refusal(&BTreeMap::from([(Some(1), 2)])), "an option"),
        (refusal(&BTreeMap::from([(None::<u8>, 2)])), "an option"),
        (refusal(&BTreeMap::from([((), 2)])), "a unit"),
        (refusal(&BTreeMap::from([(vec![1], 2)])), "a list"),
        (refusal(&BTreeMap::from([(BTreeMap::from([(1, 2)]), 2)])), "a map"),
    ] {
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.path(), "");
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Item<N> {
    n: N,
}

#[derive(Debug, Serialize, Deserialize)]
enum Choice<N> {
    One(Item<N>),
    Two(N, N),
    Named { list: Vec<N> },
}

#[derive(Debug, Serialize, Deserialize)]
struct Whole<N> {
    items: Vec<Item<N>>,
    map: BTreeMap<String, Option<N>>,
    choices: Vec<Choice<N>>,
}

fn whole<N: Copy>(small: N, at: [N; 5]) -> Whole<N> {
    let [item, of_map, one, two, named] = at;
    Whole {
        items: vec![Item { n: small }, Item { n: item }],
        map: BTreeMap::from([("k".to_owned(), Some(of_map))]),
        choices: vec![
            Choice::One(Item { n: one }),
            Choice::Two(small, two),
            Choice::Named { list: vec![small, named] },
        ],
    }
}

#[test]
fn errors_have_a_path_on_both_sides() {
    let paths =
        ["items.1.n", "map.k", "choices.0.One.n", "choices.1.Two.1", "choices.2.Named.list.1"];
    for (index, path) in paths.into_iter().enumerate() {
        let mut numbers = [1_i128; 5];
        numbers[index] = 300;
        let error = deserialize::<Whole<u8>>(&by_codec(&whole(1, numbers))).unwrap_err();
        assert_eq!(error.path(), path);
        let text = format!("`{path}`: invalid value: integer `300`, expected u8");
        assert_eq!(error.to_string(), text);
        numbers[index] = i128::MAX;
        let error = refusal(&whole(1, numbers));
        assert_eq!(error.path(), path);
        assert!(error.to_string().contains("can't be stored"), "{error}");
    }
}

#[test]
fn what_is_missing_is_named_where_it_is_missing() {
    let item = BTreeMap::from([("items", [BTreeMap::from([("m", 5)])])]);
    let error = deserialize::<Whole<u8>>(&by_codec(&item)).unwrap_err();
    assert_eq!(error.to_string(), "`items.0`: missing field `n`");
    let error = deserialize::<Item<u8>>(&by_codec(&BTreeMap::from([("m", 5)]))).unwrap_err();
    assert_eq!(error.to_string(), "missing field `n`");
    let error = deserialize::<(u8, u8)>(&by_codec(&[1, 2, 3])).unwrap_err();
    assert_eq!(error.to_string(), "3 elements, expected 2");
}

#[test]
fn bytes_that_are_left_over_are_refused() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }
    let bytes = |bytes: &[u8]| by_codec(&Raw(bytes));
    let two = bytes(&[1, 2]);
    assert_eq!(deserialize::<[u8; 2]>(&two).unwrap(), [1, 2]);
    assert_eq!(deserialize::<Pair>(&two).unwrap(), Pair { a: 1, b: 2 });
    let three = bytes(&[1, 2, 3]);
    assert_eq!(deserialize::<Vec<u8>>(&three).unwrap(), [1, 2, 3]);
    for error in [
        deserialize::<[u8; 2]>(&three).unwrap_err(),
        deserialize::<(u8, u8)>(&three).unwrap_err(),
        deserialize::<Pair>(&three).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "3 bytes, expected 2");
    }
    assert!(deserialize::<[u8; 4]>(&three).is_err());

    // The fields of a variant are read as those of a struct are.
    #[derive(Debug, Deserialize)]
    enum Either {
        Both { a: u8, b: u8 },
    }
    let both = by_codec(&Shape::Map(vec![("Both".to_owned(), Shape::Bytes(vec![1, 2]))], true));
    let Either::Both { a, b } = deserialize(&both).unwrap();
    assert_eq!((a, b), (1, 2));
}

#[test]
fn a_variant_is_its_name_and_not_its_index() {
    assert_eq!(deserialize::<Level>(&by_codec(&"High")).unwrap(), Level::High);
    assert_eq!(
        deserialize::<Level>(&by_codec(&BTreeMap::from([("High", ())]))).unwrap(),
        Level::High
    );
    let error = deserialize::<Level>(&by_codec(&1)).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: integer `1`, expected enum Level");
    for bytes in [by_codec(&Raw(b"High")), by_codec(&[1]), by_codec(&true), by_codec(&())] {
        assert!(deserialize::<Level>(&bytes).is_err());
    }
}
