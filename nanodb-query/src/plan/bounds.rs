//! From a filter to the ranges of an index.
//!
//! A filter is taken apart into *predicates*: each says of one field of the index that some key of
//! a matching document is within a set. One predicate alone always holds of an entry. Several hold
//! of the same entry only if nothing between them can be two elements of an array:
//!
//! * Two fields, or two predicates of one, part ways at the end of what their paths have in common.
//!   If an array was met on that common part, each may mean another element of it.
//! * An `$elemMatch` holds of one element with all that it says. So arrays on the path of an
//!   `$elemMatch` that both come from do not count.
//!
//! All predicates that hold of one entry together make one alternative; MongoDB calls the choice
//! arbitrary, here whoever knows the entries chooses.

use super::compound::IndexBounds;
use super::implies::{has_condition, missing_condition};
use super::ranges::KeyRanges;
use super::reason::NotUsed;
use super::tests_of_values::{Asked, Keys, Silent};
use crate::filter::{Condition, Conjunction, Filter, Junction, Test};
use crate::index_spec::{INDEX_FIELDS_MAX, IndexSpec};
use crate::keys::MultikeyPaths;
use crate::path::Part;

/// The most predicates of one field; the rest of the filter narrows nothing.
const PREDICATES_MAX: usize = 16;

/// The most alternatives.
const ALTERNATIVES_MAX: usize = 16;

/// Returns the ranges in which an index has an entry of every document that matches a filter: the
/// alternatives, those with the most points first.
///
/// `multikey` is what all documents that the index has entries of have set.
///
/// An index that nothing narrows has one alternative, with all keys:
/// [`IndexBounds::why_not_narrowed`] says why. It may still be wanted for its order, or by a hint.
///
/// ```
/// use nanodb_query::{Index, MultikeyPaths, field, plan};
///
/// let spec = Index::ascending("city").then_descending("age").spec()?;
/// let filter = field("city").eq("Bonn").and(field("age").lt(30));
/// let bounds = plan::index_bounds(&filter, &spec, &MultikeyPaths::default()).unwrap();
/// assert!(bounds[0].covers_filter());
/// assert_eq!(bounds[0].scan_ranges(64).len(), 1);
///
/// let other = field("age").lt(30);
/// let bounds = plan::index_bounds(&other, &spec, &MultikeyPaths::default()).unwrap();
/// let reason = plan::NotUsed::FirstField { path: "city".to_owned() };
/// assert_eq!(bounds[0].why_not_narrowed(), Some(&reason));
/// # Ok::<(), nanodb_query::Error>(())
/// ```
///
/// # Errors
///
/// [`NotUsed`], if the index may lack entries of documents that match: it is sparse or partial and
/// the filter does not say enough, or the filter is refused.
pub fn index_bounds(
    filter: &Filter,
    spec: &IndexSpec,
    multikey: &MultikeyPaths,
) -> Result<Vec<IndexBounds>, NotUsed> {
    if filter.checked().is_err() {
        return Err(NotUsed::Refused);
    }
    if let Some(partial) = spec.partial()
        && let Some(condition) = missing_condition(filter, partial)
    {
        return Err(NotUsed::Partial { condition });
    }
    let mut collector = Collector { spec, multikey, found: Vec::new(), silent: None, marks: 0 };
    collector.collect(filter.root(), &Within::document());
    let Collector { mut found, silent, .. } = collector;
    if spec.is_sparse() && !is_present(filter.root(), spec, &found) {
        return Err(NotUsed::Sparse);
    }
    let is_limited = limit(&mut found);
    let is_covered = !is_limited && covers(filter.root(), spec, multikey);
    let reason = || match silent {
        Some(Silent { operator, by_array }) => {
            let path = first_path(spec);
            match by_array {
                true => NotUsed::ArrayOperand { path, operator },
                false => NotUsed::Operator { path, operator },
            }
        }
        None => NotUsed::FirstField { path: first_path(spec) },
    };
    let alternatives = alternatives(&found, multikey, spec);
    let mut bounds: Vec<IndexBounds> = Vec::with_capacity(alternatives.len());
    for chosen in alternatives {
        let of_field = |field: usize| {
            let predicates = chosen.iter().filter_map(|&at| found.get(at));
            let mut own = predicates.filter(|predicate| predicate.field == field);
            let Some(first) = own.next() else { return KeyRanges::all() };
            let first = first.keys.ranges.clone();
            own.fold(first, |ranges, next| ranges.intersection(&next.keys.ranges))
        };
        let fields: Vec<KeyRanges> = (0..spec.fields().len()).map(of_field).collect();
        bounds.extend(with_entries(fields, spec).map(|fields| {
            let is_narrowed = fields.first().is_some_and(|first| !first.is_all());
            IndexBounds::new(fields, spec, is_covered, (!is_narrowed).then(reason))
        }));
    }
    if bounds.is_empty() {
        let fields = vec![KeyRanges::all(); spec.fields().len()];
        bounds.push(IndexBounds::new(fields, spec, false, Some(reason())));
    }
    bounds.sort_by_key(IndexBounds::breadth);
    Ok(bounds)
}

fn first_path(spec: &IndexSpec) -> String {
    spec.fields().first().map(|field| field.path().to_string()).unwrap_or_default()
}

/// What a filter says of one field of an index.
#[derive(Clone, Debug)]
struct Predicate {
    field: usize,
    keys: Keys,
    /// The `$elemMatch`es that it lies within, from the outermost.
    marks: Vec<Mark>,
}

/// One `$elemMatch` of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    number: usize,
    /// How many parts of a path lead to it.
    parts: usize,
}

/// Where in a filter a condition stands.
struct Within<'f> {
    /// The parts of paths that lead to the elements that are asked.
    prefix: Vec<&'f Part>,
    marks: Vec<Mark>,
}

impl Within<'_> {
    fn document() -> Self {
        Self { prefix: Vec::new(), marks: Vec::new() }
    }
}

struct Collector<'s> {
    spec: &'s IndexSpec,
    multikey: &'s MultikeyPaths,
    found: Vec<Predicate>,
    /// Why a condition on the first field says nothing of its keys.
    silent: Option<Silent>,
    /// How many `$elemMatch`es there have been.
    marks: usize,
}

impl Collector<'_> {
    fn collect<'f>(&mut self, conjunction: &'f Conjunction, within: &Within<'f>) {
        for Condition { path, test } in conjunction.groups.iter().flat_map(|g| &g.conditions) {
            if is_asked(path.parts(), within) {
                self.take(path.parts(), test, within);
            }
        }
        for junction in &conjunction.others {
            match junction {
                Junction::Or(branches) => self.take_branches(branches, within),
                Junction::Nor(branches) => {
                    for branch in branches {
                        self.take_negated(branch, within);
                    }
                }
            }
        }
    }

    /// Takes a test of a path below `within`.
    fn take<'f>(&mut self, parts: &'f [Part], test: &'f Test, within: &Within<'f>) {
        match test {
            // Each holds of the path.
            Test::All(tests) if !tests.is_empty() => {
                tests.iter().for_each(|test| self.take(parts, test, within));
                return;
            }
            Test::ElementDocument(inner) => {
                let mut below =
                    Within { prefix: within.prefix.clone(), marks: within.marks.clone() };
                below.prefix.extend(parts);
                below.marks.push(Mark { number: self.marks, parts: below.prefix.len() });
                self.marks += 1;
                self.collect(inner, &below);
            }
            Test::Equal(_)
            | Test::Greater(_)
            | Test::GreaterOrEqual(_)
            | Test::Less(_)
            | Test::LessOrEqual(_)
            | Test::In(_)
            | Test::Exists(_)
            | Test::Type(_)
            | Test::Regex(_)
            | Test::Size(_)
            | Test::Mod { .. }
            | Test::Bits(_)
            | Test::All(_)
            | Test::ElementValue(_)
            | Test::Not(_) => {}
        }
        self.add(parts, within, |asked| Keys::of(test, asked));
    }

    /// Takes a branch of `$nor`, none of which holds.
    fn take_negated<'f>(&mut self, branch: &'f Conjunction, within: &Within<'f>) {
        let mut conditions = branch.groups.iter().flat_map(|group| &group.conditions);
        if let (Some(only), None, []) =
            (conditions.next(), conditions.next(), branch.others.as_slice())
            && is_asked(only.path.parts(), within)
        {
            self.add(only.path.parts(), within, |asked| Keys::of_not([&only.test], asked));
        }
    }

    /// Takes the branches of `$or`: what all of them say of a field.
    fn take_branches<'f>(&mut self, branches: &'f [Conjunction], within: &Within<'f>) {
        let mut unions: Vec<Option<KeyRanges>> =
            vec![Some(KeyRanges::none()); self.spec.fields().len()];
        for branch in branches {
            let (spec, multikey) = (self.spec, self.multikey);
            let mut of_branch =
                Collector { spec, multikey, found: Vec::new(), silent: None, marks: self.marks };
            of_branch.collect(branch, within);
            self.marks = of_branch.marks;
            self.silent = self.silent.or(of_branch.silent);
            limit(&mut of_branch.found);
            for (field, union) in unions.iter_mut().enumerate() {
                let own = best_of(field, &of_branch.found, multikey, spec);
                *union = union.take().zip(own).map(|(union, own)| union.union(&own));
            }
        }
        for (field, union) in unions.into_iter().enumerate() {
            if let Some(ranges) = union {
                let keys = Keys { ranges, is_exact: false };
                self.found.push(Predicate { field, keys, marks: within.marks.clone() });
            }
        }
    }

    /// Adds what a condition says of the fields that its path is the path of.
    fn add(
        &mut self,
        parts: &[Part],
        within: &Within<'_>,
        keys: impl Fn(Asked) -> Result<Keys, Silent>,
    ) {
        for (field, indexed) in self.spec.fields().iter().enumerate() {
            let path = within.prefix.iter().copied().chain(parts);
            if !path.eq(indexed.path().parts()) {
                continue;
            }
            let pinned = within.marks.last().map_or(0, |mark| mark.parts);
            let multikey = has_arrays(self.multikey.bits(field), pinned..usize::MAX);
            match keys(Asked::Path { multikey, number: indexed.has_number() }) {
                Ok(keys) => {
                    self.found.push(Predicate { field, keys, marks: within.marks.clone() });
                }
                Err(silent) if field == 0 => self.silent = self.silent.or(Some(silent)),
                Err(_) => {}
            }
        }
    }
}

/// Returns whether conditions on a path are asked of what the index has keys of. Within
/// `$elemMatch`, a path that begins with a number is asked of arrays, whose elements it lacks.
fn is_asked(parts: &[Part], within: &Within<'_>) -> bool {
    within.marks.is_empty() || parts.first().is_some_and(|part| part.index().is_none())
}

/// Returns whether arrays were met at some parts of a path.
fn has_arrays(bits: u128, parts: std::ops::Range<usize>) -> bool {
    (parts.start..parts.end.min(128)).any(|part| bits >> part & 1 == 1)
}

/// Returns whether two predicates hold of the same entry, if both hold.
fn hold_together(a: &Predicate, b: &Predicate, multikey: &MultikeyPaths, spec: &IndexSpec) -> bool {
    let parts = |field: usize| {
        spec.fields().get(field).map(|field| field.path().parts()).unwrap_or_default()
    };
    let (of_a, of_b) = (parts(a.field), parts(b.field));
    let common = of_a.iter().zip(of_b).take_while(|(a, b)| a == b).count();
    let marks = a.marks.iter().zip(&b.marks).take_while(|(a, b)| a == b);
    let pinned = marks.last().map_or(0, |(mark, _)| mark.parts);
    let bits = multikey.bits(a.field) | multikey.bits(b.field);
    !has_arrays(bits, pinned..common)
}

/// Leaves no more predicates of a field than can be compared with each other. Returns whether there
/// were more.
fn limit(found: &mut Vec<Predicate>) -> bool {
    let (mut counts, before) = ([0; INDEX_FIELDS_MAX], found.len());
    found.retain(|predicate| {
        counts.get_mut(predicate.field).is_some_and(|count| {
            *count += 1;
            *count <= PREDICATES_MAX
        })
    });
    found.len() < before
}

/// Returns the predicates from the narrowest on, as far as that can be seen: those with few points.
fn in_order(found: &[Predicate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&at| {
        found.get(at).map(|predicate| {
            let ranges = &predicate.keys.ranges;
            let points = ranges.points().unwrap_or(usize::MAX);
            (points, ranges.ranges().len(), predicate.field)
        })
    });
    order
}

/// Returns the sets of predicates that hold of one entry together, such that each predicate is in
/// one; or one empty set.
fn alternatives(
    found: &[Predicate],
    multikey: &MultikeyPaths,
    spec: &IndexSpec,
) -> Vec<Vec<usize>> {
    let order = in_order(found);
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for &first in &order {
        if sets.len() == ALTERNATIVES_MAX || sets.iter().any(|set| set.contains(&first)) {
            continue;
        }
        let mut set = vec![first];
        for &next in &order {
            let fits = |&there: &usize| match (found.get(there), found.get(next)) {
                (Some(a), Some(b)) => hold_together(a, b, multikey, spec),
                _ => false,
            };
            if next != first && set.iter().all(fits) {
                set.push(next);
            }
        }
        sets.push(set);
    }
    if sets.is_empty() {
        sets.push(Vec::new());
    }
    sets
}

/// Returns what predicates say of one field together, or the narrowest of them.
fn best_of(
    field: usize,
    found: &[Predicate],
    multikey: &MultikeyPaths,
    spec: &IndexSpec,
) -> Option<KeyRanges> {
    let of_field: Vec<Predicate> =
        found.iter().filter(|predicate| predicate.field == field).cloned().collect();
    let sets = alternatives(&of_field, multikey, spec);
    let mut chosen = sets.first()?.iter().filter_map(|&at| of_field.get(at));
    let first = chosen.next()?.keys.ranges.clone();
    Some(chosen.fold(first, |ranges, next| ranges.intersection(&next.keys.ranges)))
}

/// Returns the ranges of the fields, unless a sparse index may lack the keys within: those of which
/// every part is of something missing. If nothing is narrowed, any key of a document will do.
fn with_entries(fields: Vec<KeyRanges>, spec: &IndexSpec) -> Option<Vec<KeyRanges>> {
    let has_entries = !spec.is_sparse()
        || fields.iter().any(|ranges| !ranges.contains(&NULL_KEY))
        || fields.iter().all(KeyRanges::is_all);
    has_entries.then_some(fields)
}

/// The key of null, and of what is missing.
const NULL_KEY: [u8; 1] = [0x10];

/// Returns whether every document that matches has entries in a sparse index: whether one of its
/// fields is something else than null, or it has one field, which exists.
fn is_present(root: &Conjunction, spec: &IndexSpec, found: &[Predicate]) -> bool {
    if found.iter().any(|predicate| !predicate.keys.ranges.contains(&NULL_KEY)) {
        return true;
    }
    let [only] = spec.fields() else { return false };
    let mut conditions = root.groups.iter().flat_map(|group| &group.conditions);
    conditions
        .any(|condition| condition.path == *only.path() && condition.test == Test::Exists(true))
}

/// Returns whether a document matches if and only if its one key is within the bounds.
fn covers(root: &Conjunction, spec: &IndexSpec, multikey: &MultikeyPaths) -> bool {
    let is_covered = |condition: &Condition| {
        // Every entry is of a document that matches the partial filter.
        let is_implied = spec.partial().is_some_and(|partial| has_condition(partial, condition));
        let mut fields = spec.fields().iter();
        let field = fields.find(|field| field.path() == &condition.path);
        is_implied || field.is_some_and(|field| is_exact(&condition.test, field.has_number()))
    };
    let mut conditions = root.groups.iter().flat_map(|group| &group.conditions);
    !multikey.is_any() && root.others.is_empty() && conditions.all(is_covered)
}

/// Returns whether a test holds of the one value of a path if and only if its key is within.
fn is_exact(test: &Test, number: bool) -> bool {
    match test {
        Test::All(tests) if !tests.is_empty() => tests.iter().all(|test| is_exact(test, number)),
        test => {
            let asked = Asked::Path { multikey: false, number };
            Keys::of(test, asked).is_ok_and(|keys| keys.is_exact)
        }
    }
}
