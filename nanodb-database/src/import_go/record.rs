//! The data of a record: a document, the list of a collection's vectors, or a collection.
//!
//! A document is a MessagePack map, in which every number of the user's is a float of 8 bytes and
//! `_id` an unsigned integer. It is stored as it is, but for the place of `_id`, which comes first.

use nanodb_document::{DocView, Encode, ID_FIELD, IdRef, same_key};
use nanodb_msgpack::{Cursor, Token};

/// The id of the record that lists a collection's vectors.
const VECTORS_ID: u64 = 1;

/// How a float of 4 bytes begins. No number that came as JSON is written so.
const FLOAT32: u8 = 0xca;

/// What a record of a collection holds.
pub(super) enum Content {
    /// A document, which is now in the buffer, in stored form.
    Document,
    /// Where the program keeps the collection's vectors: nothing that a user has stored.
    Vectors,
}

/// Reads a record of a collection. A document is put into `out`, in place of what was there.
pub(super) fn read(id: u64, data: &[u8], out: &mut Vec<u8>) -> Result<Content, String> {
    out.clear();
    if id == VECTORS_ID && is_vectors(data).is_some() {
        return Ok(Content::Vectors);
    }
    let id = IdRef::from(id);
    let draft = DocView::from_bytes(data).encode(Some(id), out);
    let draft = draft.map_err(|why| format!("the one with the id {id}: {why}"))?;
    match draft.key(out) {
        Some(key) if same_key(key, &id.to_key()) && draft.range() == (0..out.len()) => {
            Ok(Content::Document)
        }
        _ => Err(format!("the one that is stored under the id {id} has another `_id`")),
    }
}

/// Whether this is `{_id: 1, type: "bucket_config", buckets: [{root, vec}, ...]}` with an integer
/// for each `root` and floats of 4 bytes in each `vec`, neither of which comes from JSON.
fn is_vectors(data: &[u8]) -> Option<()> {
    let mut cursor = Cursor::new(data);
    let (mut has_id, mut has_type, mut has_buckets) = (false, false, false);
    for _ in 0..cursor.read_map_len().filter(|&len| len == 3)? {
        match cursor.read_string_bytes()? {
            name if name == ID_FIELD.as_bytes() => has_id = cursor.read()? == Token::Int(1),
            b"type" => has_type = cursor.read()? == Token::String(b"bucket_config"),
            b"buckets" => has_buckets = take_buckets(&mut cursor)?,
            _ => return None,
        }
    }
    (has_id && has_type && has_buckets && cursor.rest().is_empty()).then_some(())
}

/// Steps over the buckets; returns whether there are any.
fn take_buckets(cursor: &mut Cursor<'_>) -> Option<bool> {
    let buckets = cursor.read_array_len()?;
    for _ in 0..buckets {
        let (mut has_root, mut has_vector) = (false, false);
        for _ in 0..cursor.read_map_len().filter(|&len| len == 2)? {
            match cursor.read_string_bytes()? {
                b"root" => has_root = matches!(cursor.read()?, Token::Int(_)),
                b"vec" => {
                    for _ in 0..cursor.read_array_len()? {
                        cursor.peek().filter(|&marker| marker == FLOAT32)?;
                        cursor.read()?;
                    }
                    has_vector = true;
                }
                _ => return None,
            }
        }
        (has_root && has_vector).then_some(())?;
    }
    Some(buckets > 0)
}

/// A collection, as the list of collections has it.
pub(super) struct Listed<'a> {
    pub(super) name: &'a [u8],
    pub(super) root: u32,
    /// Whether it has an index on pages of its own, which the earlier of the two versions does not
    /// know.
    pub(super) has_tree: bool,
}

impl<'a> Listed<'a> {
    /// Reads `{ len: u8, name, root: u32 }`, behind which the later version has the index's root.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let (&len, rest) = data.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(len))?;
        let (root, index) = rest.split_first_chunk()?;
        let has_tree = match index.len() {
            0 => false,
            4 => true,
            _ => return None,
        };
        Some(Self { name, root: u32::from_le_bytes(*root), has_tree })
    }
}
