//! Copying what is wanted of a document.
//!
//! MessagePack says how many fields a document has before they come, so each level is looked
//! through twice: once to count, once to copy.

use super::{Fields, Mode, Node, Slice};
use nanodb_msgpack::{Malformed, RawValue, deeper};
use nanodb_msgpack::{write_array_len, write_map_len};

pub(super) fn apply(
    mode: Mode,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    if !document.is_map() {
        return Err(Malformed);
    }
    copy_document(mode, fields, document, out, 0)
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
    mode: Mode,
    node: Option<&'n Node>,
    value: RawValue<'a>,
) -> Result<Fate<'n, 'a>, Malformed> {
    Ok(match node {
        None if mode == Mode::Include => Fate::Drop,
        None => Fate::Copy,
        Some(Node::Whole) if mode == Mode::Include => Fate::Copy,
        Some(Node::Whole) => Fate::Drop,
        Some(Node::Below(fields)) => below(mode, fields, value),
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
fn below<'n, 'a>(mode: Mode, fields: &'n Fields, value: RawValue<'a>) -> Fate<'n, 'a> {
    if value.is_map() || value.is_array() {
        Fate::Below(fields)
    } else if mode == Mode::Include {
        Fate::Drop
    } else {
        Fate::Copy
    }
}

fn copy_document(
    mode: Mode,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Malformed> {
    let depth = deeper(depth)?;
    // A name that is not UTF-8 is none of those asked for.
    let node = |name| str::from_utf8(name).ok().and_then(|name| fields.get(name));
    let mut len = 0;
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        len += u32::from(!matches!(fate(mode, node(name), value)?, Fate::Drop));
    }
    write_map_len(out, len);
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        let fate = fate(mode, node(name), value)?;
        if !matches!(fate, Fate::Drop) {
            let text = str::from_utf8(name).map_err(|_| Malformed)?;
            if !nanodb_msgpack::write_string(out, text) {
                return Err(Malformed);
            }
            copy(mode, fate, value, out, depth)?;
        }
    }
    Ok(())
}

fn copy(
    mode: Mode,
    fate: Fate<'_, '_>,
    value: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Malformed> {
    match fate {
        Fate::Drop => Ok(()),
        Fate::Copy => {
            out.extend_from_slice(value.bytes()?);
            Ok(())
        }
        Fate::Below(fields) if value.is_map() => copy_document(mode, fields, value, out, depth),
        Fate::Below(fields) => copy_array(mode, fields, value, out, depth),
        Fate::Slice(slice) => copy_slice(slice, value, out),
        Fate::Single(element) => {
            write_array_len(out, 1);
            out.extend_from_slice(element.bytes()?);
            Ok(())
        }
    }
}

fn copy_array(
    mode: Mode,
    fields: &Fields,
    array: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Malformed> {
    let depth = deeper(depth)?;
    let mut len = 0;
    for element in array.elements().ok_or(Malformed)? {
        len += u32::from(!matches!(below(mode, fields, element?), Fate::Drop));
    }
    write_array_len(out, len);
    for element in array.elements().ok_or(Malformed)? {
        let element = element?;
        copy(mode, below(mode, fields, element), element, out, depth)?;
    }
    Ok(())
}

fn copy_slice(slice: Slice, array: RawValue<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
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
