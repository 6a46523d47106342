//! Copying what is wanted of a document.
//!
//! MessagePack says how many fields a document has before they come, so each level is looked
//! through twice: once to count, once to copy.

use super::{Fields, Mode, Node, Slice};
use crate::error::ApplyError;
use nanodb_msgpack::{Malformed, RawValue, deeper};
use nanodb_msgpack::{write_array_len, write_map_len};

/// What the projection says of all fields.
#[derive(Clone, Copy)]
pub(super) struct Wish<'p> {
    pub(super) mode: Mode,
    /// What `$` stands for.
    pub(super) matched: Option<u32>,
    /// The path that `$` ends; none behind the array where it was used.
    pub(super) positional: Option<&'p str>,
}

impl Wish<'_> {
    /// The element of an array that `$` stands for.
    fn matched<'a>(&self, array: RawValue<'a>) -> Result<RawValue<'a>, ApplyError> {
        let element = self.matched.map(|index| array.element(index)).transpose()?.flatten();
        element.ok_or_else(|| (&super::no_match(self.positional.unwrap_or_default())).into())
    }
}

pub(super) fn apply(
    wish: Wish<'_>,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ApplyError> {
    if !document.is_map() {
        return Err(Malformed.into());
    }
    copy_document(wish, fields, document, out, 0)
}

/// What becomes of a field of a document, or of an element of an array.
enum Fate<'n, 'a> {
    Drop,
    Copy,
    Below(&'n Fields),
    Slice(Slice),
    /// An array of that element alone.
    Single(RawValue<'a>),
}

fn fate<'n, 'a>(
    wish: Wish<'_>,
    node: Option<&'n Node>,
    value: RawValue<'a>,
) -> Result<Fate<'n, 'a>, ApplyError> {
    Ok(match node {
        None if wish.mode == Mode::Include => Fate::Drop,
        None => Fate::Copy,
        Some(Node::Whole) if wish.mode == Mode::Include => Fate::Copy,
        Some(Node::Matched) if value.is_array() && wish.positional.is_some() => {
            Fate::Single(wish.matched(value)?)
        }
        Some(Node::Matched) => Fate::Copy,
        Some(Node::Whole) => Fate::Drop,
        Some(Node::Below(fields)) => below(wish, fields, value),
        Some(Node::Slice(slice)) if value.is_array() => Fate::Slice(*slice),
        Some(Node::Slice(_)) => Fate::Copy,
        Some(Node::ElemMatch(wanted)) => {
            for element in value.elements().into_iter().flatten() {
                let element = element?;
                if wanted.matches(element)? {
                    return Ok(Fate::Single(element));
                }
            }
            Fate::Drop
        }
    })
}

/// What becomes of a value where the path goes on.
fn below<'n, 'a>(wish: Wish<'_>, fields: &'n Fields, value: RawValue<'a>) -> Fate<'n, 'a> {
    if value.is_map() || value.is_array() {
        Fate::Below(fields)
    } else if wish.mode == Mode::Include {
        Fate::Drop
    } else {
        Fate::Copy
    }
}

fn copy_document(
    wish: Wish<'_>,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    let depth = deeper(depth)?;
    // A name that is not UTF-8 is none of those asked for.
    let node = |name| str::from_utf8(name).ok().and_then(|name| fields.get(name));
    let mut len = 0;
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        len += u32::from(!matches!(fate(wish, node(name), value)?, Fate::Drop));
    }
    write_map_len(out, len);
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        let fate = fate(wish, node(name), value)?;
        if !matches!(fate, Fate::Drop) {
            let text = str::from_utf8(name).map_err(|_| Malformed)?;
            if !nanodb_msgpack::write_string(out, text) {
                return Err(Malformed.into());
            }
            copy(wish, fate, value, out, depth)?;
        }
    }
    Ok(())
}

fn copy(
    wish: Wish<'_>,
    fate: Fate<'_, '_>,
    value: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    match fate {
        Fate::Drop => Ok(()),
        Fate::Copy => {
            out.extend_from_slice(value.bytes()?);
            Ok(())
        }
        Fate::Below(fields) if value.is_map() => copy_document(wish, fields, value, out, depth),
        Fate::Below(fields) => copy_array(wish, fields, value, out, depth),
        Fate::Slice(slice) => copy_slice(slice, value, out),
        Fate::Single(element) => {
            write_array_len(out, 1);
            out.extend_from_slice(element.bytes()?);
            Ok(())
        }
    }
}

fn copy_array(
    wish: Wish<'_>,
    fields: &Fields,
    array: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    let depth = deeper(depth)?;
    if wish.positional.is_some() && fields.values().any(leads_to_match) {
        let element = wish.matched(array)?;
        let wish = Wish { positional: None, ..wish };
        let fate = below(wish, fields, element);
        write_array_len(out, u32::from(!matches!(fate, Fate::Drop)));
        return copy(wish, fate, element, out, depth);
    }
    let mut len = 0;
    for element in array.elements().ok_or(Malformed)? {
        len += u32::from(!matches!(below(wish, fields, element?), Fate::Drop));
    }
    write_array_len(out, len);
    for element in array.elements().ok_or(Malformed)? {
        let element = element?;
        copy(wish, below(wish, fields, element), element, out, depth)?;
    }
    Ok(())
}

/// Whether `$` is at a field or below.
fn leads_to_match(node: &Node) -> bool {
    match node {
        Node::Matched => true,
        Node::Below(fields) => fields.values().any(leads_to_match),
        _ => false,
    }
}

fn copy_slice(slice: Slice, array: RawValue<'_>, out: &mut Vec<u8>) -> Result<(), ApplyError> {
    let elements = array.elements().ok_or(Malformed)?;
    let len = elements.len();
    let (skip, limit) = match slice {
        Slice::First(limit) => (0, limit),
        Slice::Last(limit) => (len.saturating_sub(limit), limit),
        Slice::Range { skip, limit } => {
            // From the end no further back than the start.
            let skip = if skip < 0 { (i64::from(len).saturating_add(skip)).max(0) } else { skip };
            (u32::try_from(skip).unwrap_or(u32::MAX), limit)
        }
    };
    let skip = skip.min(len);
    let count = limit.min(len - skip);
    write_array_len(out, count);
    let to_usize = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    for element in elements.skip(to_usize(skip)).take(to_usize(count)) {
        out.extend_from_slice(element?.bytes()?);
    }
    Ok(())
}
