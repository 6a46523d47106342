//! Extensions: the pair of the type and the data that serde's data model has them as.
//!
//! Who asks for the pair gets it. Who asks for anything, as serde's adapters do that keep a value
//! for later, gets a map with the type as its only key. No document has a key that is an integer,
//! so what they kept is still an extension when it is read, within newtype structs as well, which
//! take off the newtype struct around it.

use serde_core::de::value::BorrowedBytesDeserializer;
use serde_core::de::{
    DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_core::forward_to_deserialize_any;

use super::error::CodecError;
use super::ser::replace_head;
use nanodb_msgpack::{Cursor, Token, write_ext_head};

/// Makes an extension of the pair of a type and data that was written at `start`, and that nothing
/// follows.
pub(super) fn pair_to_ext(out: &mut Vec<u8>, start: usize) -> Result<(), CodecError> {
    let wrong = || CodecError::new("an extension that is not a pair of a type and bytes");
    let mut cursor = Cursor::new(out.get(start..).unwrap_or_default());
    let parts = (cursor.read(), cursor.read(), cursor.read());
    let (Some(Token::Array(2)), Some(Token::Int(tag)), Some(Token::Binary(data))) = parts else {
        return Err(wrong());
    };
    let (tag, len) = (i8::try_from(tag).map_err(|_| wrong())?, data.len());
    let mut fits = true;
    replace_head(out, start, out.len() - len, |out| fits = write_ext_head(out, tag, len));
    if fits { Ok(()) } else { Err(CodecError::too_long()) }
}

/// A deserializer of a type and data.
pub(super) struct ExtDeserializer<'de> {
    pub(super) tag: i8,
    pub(super) data: &'de [u8],
}

impl<'de> Deserializer<'de> for ExtDeserializer<'de> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_map(self.parts())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_seq(self.parts())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_seq(self.parts())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_seq(self.parts())
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct map struct enum identifier ignored_any
    }
}

impl<'de> ExtDeserializer<'de> {
    fn parts(&self) -> Parts<'de> {
        Parts { tag: Some(self.tag), data: Some(self.data) }
    }
}

struct Parts<'de> {
    tag: Option<i8>,
    data: Option<&'de [u8]>,
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        if let Some(tag) = self.tag.take() {
            return seed.deserialize(tag.into_deserializer()).map(Some);
        }
        let data = self.data.take().map(BorrowedBytesDeserializer::new);
        data.map(|data| seed.deserialize(data)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(usize::from(self.tag.is_some()) + usize::from(self.data.is_some()))
    }
}

impl<'de> MapAccess<'de> for Parts<'de> {
    type Error = CodecError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        self.tag.take().map(|tag| seed.deserialize(tag.into_deserializer())).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        // A map is asked for the value of each key once.
        seed.deserialize(BorrowedBytesDeserializer::new(self.data.take().unwrap_or_default()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(usize::from(self.tag.is_some()))
    }
}
