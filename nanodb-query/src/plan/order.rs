//! Whether an index has documents in the order of a sort.

use super::compound::IndexBounds;
use super::reason::NotUsed;
use crate::index_spec::{IndexField, IndexSpec};
use crate::keys::MultikeyPaths;
use crate::path::Path;
use crate::sort::Sort;

/// How an index gives the order of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedBy {
    /// Whether it must be read from its end to its start.
    pub reverse: bool,
    /// How many first fields have points, and are not sorted by: the ranges of each combination of
    /// their points are in the order of the sort, and several are merged by the rest of the key.
    pub prefix: usize,
    /// How many combinations there are.
    pub points: usize,
}

/// Returns how an index, within bounds, has documents in the order of a sort.
///
/// A document may have several entries within the bounds of a multikey index: it is handed out at
/// the first one.
///
/// ```
/// use nanodb_query::{Index, MultikeyPaths, Sort, field, plan};
///
/// let spec = Index::ascending("city").then_ascending("age").spec()?;
/// let none = MultikeyPaths::default();
/// let bounds = plan::index_bounds(&field("city").eq("Bonn"), &spec, &none).unwrap();
/// let order = plan::sort_order(&Sort::descending("age"), &spec, &none, &bounds[0]).unwrap();
/// assert!(order.reverse && order.prefix == 1 && order.points == 1);
/// # Ok::<(), nanodb_query::Error>(())
/// ```
///
/// # Errors
///
/// [`NotUsed`]: the reason why it does not.
pub fn sort_order(
    sort: &Sort,
    spec: &IndexSpec,
    multikey: &MultikeyPaths,
    bounds: &IndexBounds,
) -> Result<OrderedBy, NotUsed> {
    if sort.checked().is_err() {
        return Err(NotUsed::Refused);
    }
    let fields = spec.fields();
    let is_single = |at: usize| !multikey.is_multikey(at);
    let mut wanted = sort.fields().peekable();
    let (mut reverse, mut prefix, mut points, mut sorted) = (None, 0, 1_usize, Vec::new());
    let mut at = 0;
    while let Some(&(path, descending)) = wanted.peek() {
        // One value that all documents have puts them in no order.
        let is_constant = |(position, field): (usize, &IndexField)| {
            field.path() == path
                && is_single(position)
                && !field.has_number()
                && bounds.points(position) == Some(1)
        };
        if fields.iter().enumerate().any(is_constant) {
            wanted.next();
            continue;
        }
        let Some(field) = fields.get(at) else { return Err(NotUsed::SortFields) };
        if field.path() == path {
            check_path(path, field)?;
            let opposite = field.is_descending() != descending;
            if *reverse.get_or_insert(opposite) != opposite {
                return Err(NotUsed::SortDirections);
            }
            sorted.push(at);
            wanted.next();
        } else {
            match bounds.points(at) {
                Some(1) => {}
                Some(count) if sorted.is_empty() => points = points.saturating_mul(count),
                _ => return Err(NotUsed::SortFields),
            }
            if sorted.is_empty() {
                prefix = at + 1;
            }
        }
        at += 1;
    }
    let with_arrays = sorted.iter().copied().find(|&at| !is_single(at));
    if let Some(at) = with_arrays
        && !is_whole(&sorted, spec, multikey, bounds)
    {
        let path = fields.get(at).map(|field| field.path().to_string()).unwrap_or_default();
        return Err(NotUsed::SortMultikey { path });
    }
    if sorted.is_empty() {
        // Nothing is left to be in order.
        (prefix, points) = (0, 1);
    }
    Ok(OrderedBy { reverse: reverse.unwrap_or(false), prefix, points })
}

fn check_path(path: &Path, field: &IndexField) -> Result<(), NotUsed> {
    if field.has_number() {
        return Err(NotUsed::SortNumber { path: path.to_string() });
    }
    Ok(())
}

/// Returns whether a multikey index has the least entry of a document first: it lacks none, all are
/// read, and no two fields that are sorted by have the keys of one array.
fn is_whole(
    sorted: &[usize],
    spec: &IndexSpec,
    multikey: &MultikeyPaths,
    bounds: &IndexBounds,
) -> bool {
    let parts =
        |at: usize| spec.fields().get(at).map(|field| field.path().parts()).unwrap_or_default();
    let share = |a: usize, b: usize| {
        let common = parts(a).iter().zip(parts(b)).take_while(|(a, b)| a == b).count();
        multikey.parts(a).chain(multikey.parts(b)).any(|part| part < common)
    };
    let is_all = |at| bounds.field(at).is_some_and(|ranges| ranges.is_all());
    !spec.is_sparse()
        && (0..spec.fields().len()).all(is_all)
        && sorted.iter().enumerate().all(|(position, &a)| {
            sorted.get(position + 1..).unwrap_or_default().iter().all(|&b| !share(a, b))
        })
        // What is in front of the first one is not sorted by.
        && sorted.first() == Some(&0)
}
