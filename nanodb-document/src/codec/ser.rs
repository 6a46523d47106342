//! Writing values.

use serde_core::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::error::CodecError;
use super::ext::pair_to_ext;
use super::key::{KeySerializer, key_text};
use crate::DOCUMENT_DEPTH_MAX;
use crate::ext::EXT_STRUCT_NAME;
use nanodb_msgpack::{
    write_array_len, write_binary, write_bool, write_float, write_int, write_map_len, write_null,
    write_string, write_uint,
};

/// A serializer that appends one value to `out`.
pub(super) struct ValueSerializer<'o> {
    out: &'o mut Vec<u8>,
    /// The number of containers around the value.
    depth: usize,
}

impl<'o> ValueSerializer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    fn container(self, is_map: bool, len: Option<usize>) -> Result<Container<'o>, CodecError> {
        if self.depth == DOCUMENT_DEPTH_MAX {
            return Err(CodecError::too_deep());
        }
        let start = self.out.len();
        // A wrong length, and one that is not known, is mended at the end.
        let claimed = len.and_then(|len| u32::try_from(len).ok()).unwrap_or_default();
        write_len(self.out, is_map, claimed);
        let within = self.out.len();
        let depth = self.depth + 1;
        Ok(Container { out: self.out, depth, is_map, start, within, claimed, count: 0, at: 0 })
    }

    /// Begins a map of one field, the name of a variant.
    fn variant(self, name: &str) -> Result<Self, CodecError> {
        if self.depth == DOCUMENT_DEPTH_MAX {
            return Err(CodecError::too_deep());
        }
        write_map_len(self.out, 1);
        let fits = write_string(self.out, name);
        if fits { Ok(Self { depth: self.depth + 1, ..self }) } else { Err(CodecError::too_long()) }
    }
}

fn write_len(out: &mut Vec<u8>, is_map: bool, len: u32) {
    if is_map { write_map_len(out, len) } else { write_array_len(out, len) }
}

macro_rules! integers {
    ($($verb:ident($type:ty) $write:ident;)*) => {$(
        #[inline]
        fn $verb(self, number: $type) -> Result<(), CodecError> {
            $write(self.out, number.into());
            Ok(())
        }
    )*};
}

impl<'o> Serializer for ValueSerializer<'o> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Container<'o>;
    type SerializeTuple = Container<'o>;
    type SerializeTupleStruct = Container<'o>;
    type SerializeTupleVariant = Variant<'o>;
    type SerializeMap = Container<'o>;
    type SerializeStruct = Container<'o>;
    type SerializeStructVariant = Variant<'o>;

    integers! {
        serialize_i8(i8) write_int;
        serialize_i16(i16) write_int;
        serialize_i32(i32) write_int;
        serialize_i64(i64) write_int;
        serialize_u8(u8) write_uint;
        serialize_u16(u16) write_uint;
        serialize_u32(u32) write_uint;
        serialize_u64(u64) write_uint;
        serialize_f32(f32) write_float;
        serialize_f64(f64) write_float;
    }

    fn serialize_i128(self, number: i128) -> Result<(), CodecError> {
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => write_int(self.out, number),
            (_, Ok(number)) => write_uint(self.out, number),
            _ => return Err(out_of_range(number)),
        }
        Ok(())
    }

    fn serialize_u128(self, number: u128) -> Result<(), CodecError> {
        let narrow = u64::try_from(number).map_err(|_| out_of_range(number))?;
        write_uint(self.out, narrow);
        Ok(())
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), CodecError> {
        write_bool(self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CodecError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        if write_string(self.out, text) { Ok(()) } else { Err(CodecError::too_long()) }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), CodecError> {
        if write_binary(self.out, bytes) { Ok(()) } else { Err(CodecError::too_long()) }
    }

    #[inline]
    fn serialize_none(self) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), CodecError> {
        write_null(self.out);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CodecError> {
        write_array_len(self.out, 0);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        if name != EXT_STRUCT_NAME {
            return value.serialize(self);
        }
        let start = self.out.len();
        value.serialize(ValueSerializer { out: &mut *self.out, depth: self.depth })?;
        pair_to_ext(self.out, start)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        value.serialize(self.variant(variant)?).map_err(|error| error.at_field(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Container<'o>, CodecError> {
        self.container(false, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Container<'o>, CodecError> {
        self.container(false, Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'o>, CodecError> {
        self.container(false, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Variant<'o>, CodecError> {
        let within = self.variant(variant)?.container(false, Some(len));
        Ok(Variant { within: within.map_err(|error| error.at_field(variant))?, variant })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Container<'o>, CodecError> {
        self.container(true, len)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'o>, CodecError> {
        self.container(true, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Variant<'o>, CodecError> {
        let within = self.variant(variant)?.container(true, Some(len));
        Ok(Variant { within: within.map_err(|error| error.at_field(variant))?, variant })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cold]
fn out_of_range(number: impl std::fmt::Display) -> CodecError {
    let (least, most) = (i64::MIN, u64::MAX);
    CodecError::new(format_args!(
        "the integer {number} can't be stored: integers are from {least} to {most}; store it as a \
         string"
    ))
}

/// An array or a map whose children are being written.
pub(super) struct Container<'o> {
    out: &'o mut Vec<u8>,
    /// The number of containers around its children.
    depth: usize,
    is_map: bool,
    /// The offset of its header, and what follows it.
    start: usize,
    within: usize,
    /// The length in the header, and the number of children written.
    claimed: u32,
    count: u32,
    /// The offset of the last key.
    at: usize,
}

impl Container<'_> {
    #[inline]
    fn child(&mut self) -> ValueSerializer<'_> {
        ValueSerializer { out: &mut *self.out, depth: self.depth }
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        let index = self.count;
        self.count = index.checked_add(1).ok_or_else(CodecError::too_long)?;
        value.serialize(self.child()).map_err(|error| error.at_index(index))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), CodecError> {
        self.count = self.count.checked_add(1).ok_or_else(CodecError::too_long)?;
        if !write_string(self.out, name) {
            return Err(CodecError::too_long());
        }
        value.serialize(self.child()).map_err(|error| error.at_field(name))
    }

    #[inline]
    fn finish(self) -> Result<(), CodecError> {
        if self.count != self.claimed {
            let Self { out, is_map, start, within, count, .. } = self;
            replace_head(out, start, within, |out| write_len(out, is_map, count));
        }
        Ok(())
    }
}

/// Writes `head` in place of the bytes from `start` to `end`, before what follows them.
pub(super) fn replace_head(
    out: &mut Vec<u8>,
    start: usize,
    end: usize,
    head: impl FnOnce(&mut Vec<u8>),
) {
    let before = out.len();
    head(out);
    let size = out.len() - before;
    if let Some(tail) = out.get_mut(start..) {
        tail.rotate_right(size);
    }
    out.drain(start + size..end + size);
}

impl SerializeSeq for Container<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.element(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.finish()
    }
}

impl SerializeTuple for Container<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.element(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.finish()
    }
}

impl SerializeTupleStruct for Container<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.element(value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.finish()
    }
}

impl SerializeMap for Container<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodecError> {
        self.count = self.count.checked_add(1).ok_or_else(CodecError::too_long)?;
        self.at = self.out.len();
        key.serialize(KeySerializer::new(&mut *self.out))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        let result = value.serialize(self.child());
        result.map_err(|error| error.at_field(&key_text(self.out, self.at)))
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.finish()
    }
}

impl SerializeStruct for Container<'_> {
    type Ok = ();
    type Error = CodecError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.field(name, value)
    }

    #[inline]
    fn end(self) -> Result<(), CodecError> {
        self.finish()
    }
}

/// The array or map of a variant.
pub(super) struct Variant<'o> {
    within: Container<'o>,
    variant: &'static str,
}

impl SerializeTupleVariant for Variant<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.within.element(value).map_err(|error| error.at_field(self.variant))
    }

    fn end(self) -> Result<(), CodecError> {
        self.within.finish()
    }
}

impl SerializeStructVariant for Variant<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.within.field(name, value).map_err(|error| error.at_field(self.variant))
    }

    fn end(self) -> Result<(), CodecError> {
        self.within.finish()
    }
}
