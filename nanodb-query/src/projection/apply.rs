//! Copying the selected fields of a document.
//!
//! A MessagePack map begins with its number of fields, so each level is walked twice: once to
//! count, once to copy.

use super::{Fields, Mode, Node, Slice};
use crate::error::ApplyError;
use nanodb_msgpack::{Malformed, RawValue, deeper};
use nanodb_msgpack::{write_array_len, write_map_len};

/// What the projection says about all fields.
#[derive(Clone, Copy)]
pub(super) struct Context<'p> {
    pub(super) mode: Mode,
    /// The element that `$` means.
    pub(super) matched: Option<u32>,
    /// The path before `.$`; `None` below the array where it has been used.
    pub(super) positional: Option<&'p str>,
}

impl Context<'_> {
    /// Returns the element of an array that `$` means.
    fn matched<'a>(&self, array: RawValue<'a>) -> Result<RawValue<'a>, ApplyError> {
        let element = self.matched.map(|index| array.element(index)).transpose()?.flatten();
        element.ok_or_else(|| (&super::no_match(self.positional.unwrap_or_default())).into())
    }
}

pub(super) fn apply(
    context: Context<'_>,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ApplyError> {
    if !document.is_map() {
        return Err(Malformed.into());
    }
    copy_document(context, fields, document, out, 0)
}

/// What happens to a field of a document, or to an element of an array.
enum Outcome<'n, 'a> {
    Drop,
    Copy,
    Below(&'n Fields),
    Slice(Slice),
    /// It becomes an array of that element alone.
    Single(RawValue<'a>),
}

fn fate<'n, 'a>(
    context: Context<'_>,
    node: Option<&'n Node>,
    value: RawValue<'a>,
) -> Result<Outcome<'n, 'a>, ApplyError> {
    Ok(match node {
        None if context.mode == Mode::Include => Outcome::Drop,
        None => Outcome::Copy,
        Some(Node::Whole) if context.mode == Mode::Include => Outcome::Copy,
        Some(Node::Matched) if value.is_array() && context.positional.is_some() => {
            Outcome::Single(context.matched(value)?)
        }
        Some(Node::Matched) => Outcome::Copy,
        Some(Node::Whole) => Outcome::Drop,
        Some(Node::Below(fields)) => below(context, fields, value),
        Some(Node::Slice(slice)) if value.is_array() => Outcome::Slice(*slice),
        Some(Node::Slice(_)) => Outcome::Copy,
        Some(Node::ElemMatch(wanted)) => {
            for element in value.elements().into_iter().flatten() {
                let element = element?;
                if wanted.matches(element)? {
                    return Ok(Outcome::Single(element));
                }
            }
            Outcome::Drop
        }
    })
}

/// Returns what happens to a value where the path goes on.
fn below<'n, 'a>(context: Context<'_>, fields: &'n Fields, value: RawValue<'a>) -> Outcome<'n, 'a> {
    if value.is_map() || value.is_array() {
        Outcome::Below(fields)
    } else if context.mode == Mode::Include {
        Outcome::Drop
    } else {
        Outcome::Copy
    }
}

fn copy_document(
    context: Context<'_>,
    fields: &Fields,
    document: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    let depth = deeper(depth)?;
    // A name that is not UTF-8 is in no projection.
    let node = |name| str::from_utf8(name).ok().and_then(|name| fields.get(name));
    let mut len = 0;
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        len += u32::from(!matches!(fate(context, node(name), value)?, Outcome::Drop));
    }
    write_map_len(out, len);
    for field in document.fields().ok_or(Malformed)? {
        let (name, value) = field?;
        let fate = fate(context, node(name), value)?;
        if !matches!(fate, Outcome::Drop) {
            let text = str::from_utf8(name).map_err(|_| Malformed)?;
            if !nanodb_msgpack::write_string(out, text) {
                return Err(Malformed.into());
            }
            copy(context, fate, value, out, depth)?;
        }
    }
    Ok(())
}

fn copy(
    context: Context<'_>,
    fate: Outcome<'_, '_>,
    value: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    match fate {
        Outcome::Drop => Ok(()),
        Outcome::Copy => {
            out.extend_from_slice(value.bytes()?);
            Ok(())
        }
        Outcome::Below(fields) if value.is_map() => {
            copy_document(context, fields, value, out, depth)
        }
        Outcome::Below(fields) => copy_array(context, fields, value, out, depth),
        Outcome::Slice(slice) => copy_slice(slice, value, out),
        Outcome::Single(element) => {
            write_array_len(out, 1);
            out.extend_from_slice(element.bytes()?);
            Ok(())
        }
    }
}

fn copy_array(
    context: Context<'_>,
    fields: &Fields,
    array: RawValue<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ApplyError> {
    let depth = deeper(depth)?;
    if context.positional.is_some() && fields.values().any(leads_to_match) {
        let element = context.matched(array)?;
        let context = Context { positional: None, ..context };
        let fate = below(context, fields, element);
        write_array_len(out, u32::from(!matches!(fate, Outcome::Drop)));
        return copy(context, fate, element, out, depth);
    }
    let mut len = 0;
    for element in array.elements().ok_or(Malformed)? {
        len += u32::from(!matches!(below(context, fields, element?), Outcome::Drop));
    }
    write_array_len(out, len);
    for element in array.elements().ok_or(Malformed)? {
        let element = element?;
        copy(context, below(context, fields, element), element, out, depth)?;
    }
    Ok(())
}

/// Returns whether a `$` is at a field or below it.
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
            // At most back to the start.
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
