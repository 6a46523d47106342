//! Integers of 128 bits: stored as integers if they fit, refused otherwise.
//!
//! MessagePack has none, and `rmp-serde` writes them as sixteen bytes of binary, whatever their
//! value. Then 5 of one type would differ from 5 of another, to filters, sorts and ids. This
//! serializer wraps another one and differs in these two types only; the rest passes calls on, so
//! that it reaches the values within.

pub(super) mod read;

use std::fmt::Display;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A serializer, or what it returns for a container, that stores wide integers as integers.
pub(super) struct Wide<S>(pub(super) S);

/// A value within, which is serialised in the same way.
struct Within<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Within<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Wide(serializer))
    }
}

#[cold]
fn out_of_range<E: Error>(number: impl Display) -> E {
    let (least, most) = (i64::MIN, u64::MAX);
    E::custom(format_args!(
        "the integer {number} can't be stored: integers are from {least} to {most}; store it as a string"
    ))
}

macro_rules! hand_on {
    ($($verb:ident($($name:ident: $type:ty),*) -> $made:ty;)*) => {$(
        #[inline]
        fn $verb(self, $($name: $type),*) -> Result<$made, S::Error> {
            self.0.$verb($($name),*)
        }
    )*};
}

macro_rules! hand_on_containers {
    ($($verb:ident($($name:ident: $type:ty),*) -> $made:ident;)*) => {$(
        #[inline]
        fn $verb(self, $($name: $type),*) -> Result<Wide<S::$made>, S::Error> {
            self.0.$verb($($name),*).map(Wide)
        }
    )*};
}

impl<S: Serializer> Serializer for Wide<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Wide<S::SerializeSeq>;
    type SerializeTuple = Wide<S::SerializeTuple>;
    type SerializeTupleStruct = Wide<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Wide<S::SerializeTupleVariant>;
    type SerializeMap = Wide<S::SerializeMap>;
    type SerializeStruct = Wide<S::SerializeStruct>;
    type SerializeStructVariant = Wide<S::SerializeStructVariant>;

    fn serialize_i128(self, number: i128) -> Result<S::Ok, S::Error> {
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => self.0.serialize_i64(number),
            (_, Ok(number)) => self.0.serialize_u64(number),
            _ => Err(out_of_range(number)),
        }
    }

    fn serialize_u128(self, number: u128) -> Result<S::Ok, S::Error> {
        match u64::try_from(number) {
            Ok(number) => self.0.serialize_u64(number),
            Err(_) => Err(out_of_range(number)),
        }
    }

    hand_on! {
        serialize_bool(value: bool) -> S::Ok;
        serialize_i8(number: i8) -> S::Ok;
        serialize_i16(number: i16) -> S::Ok;
        serialize_i32(number: i32) -> S::Ok;
        serialize_i64(number: i64) -> S::Ok;
        serialize_u8(number: u8) -> S::Ok;
        serialize_u16(number: u16) -> S::Ok;
        serialize_u32(number: u32) -> S::Ok;
        serialize_u64(number: u64) -> S::Ok;
        serialize_f32(number: f32) -> S::Ok;
        serialize_f64(number: f64) -> S::Ok;
        serialize_char(value: char) -> S::Ok;
        serialize_str(text: &str) -> S::Ok;
        serialize_bytes(bytes: &[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(name: &'static str) -> S::Ok;
        serialize_unit_variant(name: &'static str, at: u32, variant: &'static str) -> S::Ok;
    }

    hand_on_containers! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, at: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, at: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Within(value))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Within(value))
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, at, variant, &Within(value))
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! containers {
    ($($container:ident: $($verb:ident($($name:ident: $type:ty)?)),+;)*) => {$(
        impl<S: $container> $container for Wide<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(
                #[inline]
                fn $verb<T: Serialize + ?Sized>(
                    &mut self,
                    $($name: $type,)?
                    value: &T,
                ) -> Result<(), S::Error> {
                    self.0.$verb($($name,)? &Within(value))
                }
            )+

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

containers! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(name: &'static str);
    SerializeStructVariant: serialize_field(name: &'static str);
}
