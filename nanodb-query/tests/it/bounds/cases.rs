//! Documents, filters and indexes at random, that meet often: few names, few values, many arrays.

use nanodb_query::{Index, Sort};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use rmpv::Value;

use crate::generate::map;

/// Documents, an index, a filter and a sort.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) documents: Vec<Value>,
    pub(super) filter: Value,
    fields: Vec<(&'static str, bool)>,
    sort: Vec<(usize, bool)>,
    kind: u8,
}

impl Case {
    pub(super) fn index(&self) -> Index {
        let index = self.fields.iter().fold(Index::default(), |index, &(path, descending)| {
            if descending { index.then_descending(path) } else { index.then_ascending(path) }
        });
        match self.kind {
            0 => index.sparse(),
            1 => index.partial(nanodb_query::field("b").gt(0)),
            2 => index.partial(nanodb_query::field("a").exists(true)),
            _ => index,
        }
    }

    /// A sort by some of the fields.
    pub(super) fn sort(&self) -> Sort {
        self.sort.iter().fold(Sort::default(), |sort, &(field, descending)| {
            let (path, _) = self.fields[field % self.fields.len()];
            if descending { sort.then_descending(path) } else { sort.then_ascending(path) }
        })
    }
}

/// Paths of one name for each level; most of arrays.
const PATHS: [&str; 11] =
    ["a", "b", "a.b", "a.a", "a.b.a", "a.0", "a.0.b", "b.1", "a.b.0", "0", "a.0.0"];

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATHS.to_vec())
}

/// What stands for the paths of a case, of which there are two, so that conditions and fields meet.
const PLACES: [&str; 3] = ["$p", "$p", "$q"];

/// Puts the paths of a case into its filter.
fn put(filter: Value, paths: [&'static str; 2]) -> Value {
    match filter {
        Value::Map(fields) => Value::Map(
            fields
                .into_iter()
                .map(|(name, value)| match name.as_str().unwrap() {
                    "$p" => (paths[0].into(), value),
                    "$q" => (paths[1].into(), value),
                    "$and" | "$or" | "$nor" => (name, put(value, paths)),
                    _ => (name, value),
                })
                .collect(),
        ),
        Value::Array(branches) => {
            Value::Array(branches.into_iter().map(|branch| put(branch, paths)).collect())
        }
        other => other,
    }
}

/// A path without numbers.
pub(super) fn name_path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "a.b", "a.a", "a.b.a", "b.a"])
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        60 => (-1_i64..3).prop_map(Value::from),
        2 => prop::sample::select(vec![0.5, 1.0, -0.0, f64::NAN, f64::INFINITY, 9e15, 1e300])
            .prop_map(Value::from),
        1 => prop::sample::select(vec![(1 << 53) + 1, 1 << 53, i64::MAX]).prop_map(Value::from),
        4 => prop::sample::select(vec!["", "a", "ab", "b", "ba", "A", "a\0", "c\na", "\u{212a}"])
            .prop_map(Value::from),
        3 => Just(Value::Nil),
        2 => any::<bool>().prop_map(Value::from),
        1 => (0_u32..2).prop_map(|secs| Value::Ext(-1, secs.to_be_bytes().to_vec())),
        1 => (0_u8..2).prop_map(|byte| Value::Binary(vec![byte; 16])),
        1 => prop::sample::select(vec![(4, 16), (7, 12), (9, 1)])
            .prop_map(|(tag, len)| Value::Ext(tag, vec![0; len])),
        1 => long().prop_map(Value::from),
    ]
}

/// Strings around the length at which keys are cut.
fn long() -> impl Strategy<Value = String> {
    (1_008_usize..1_026, prop::sample::select(vec!["", "a", "b", "abc", "zzzzzzzzzzzzzzzzzz"]))
        .prop_map(|(len, end)| "x".repeat(len) + end)
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "b", "a", "b", "0"]);
    prop::collection::vec((name, value), 0..4).prop_map(distinct)
}

fn distinct(mut fields: Vec<(&'static str, Value)>) -> Value {
    let mut seen = std::collections::HashSet::new();
    fields.retain(|(name, _)| seen.insert(*name));
    map(fields)
}

fn value() -> BoxedStrategy<Value> {
    scalar()
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                2 => prop::collection::vec(scalar(), 1..4).prop_map(Value::Array),
                2 => prop::collection::vec(fields(inner.clone()), 1..4).prop_map(Value::Array),
                2 => fields(inner),
            ]
        })
        .boxed()
}

pub(super) fn document() -> impl Strategy<Value = Value> {
    fields(value())
}

/// A value that a filter names: mostly a small one.
fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::Array),
        1 => value(),
    ]
}

fn pattern() -> impl Strategy<Value = Value> {
    let texts =
        vec!["^a", "a", "^a|b", "^(a|b)", "^", "^a?b", "a$", "^\\x{212a}", "^a\\x00", "^[ab]"];
    let options = vec!["", "", "i", "m", "s", "x", "im"];
    (prop::sample::select(texts), prop::sample::select(options))
        .prop_map(|(text, options)| map([("$regex", text.into()), ("$options", options.into())]))
}

/// One operator with its operand.
fn operator(inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let compared = prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let lists = prop::sample::select(vec!["$in", "$in", "$nin", "$all"]);
    let types = vec!["null", "number", "string", "object", "array", "bool", "int", "binData"];
    let listed = prop_oneof![5 => operand(), 1 => pattern()];
    prop_oneof![
        20 => (compared, operand()).prop_map(|(name, value)| map([(name, value)])),
        4 => (lists, prop::collection::vec(listed, 0..4))
            .prop_map(|(name, values)| map([(name, Value::Array(values))])),
        2 => any::<bool>().prop_map(|wanted| map([("$exists", wanted.into())])),
        1 => (0_u32..3).prop_map(|len| map([("$size", len.into())])),
        1 => prop::sample::select(types).prop_map(|name| map([("$type", name.into())])),
        1 => (1_i64..3, 0_i64..2)
            .prop_map(|(d, r)| map([("$mod", Value::Array(vec![d.into(), r.into()]))])),
        1 => (0_u32..3).prop_map(|bits| map([("$bitsAllSet", bits.into())])),
        1 => pattern(),
        2 => inner.prop_map(|filter| map([("$elemMatch", filter)])),
    ]
    .boxed()
}

/// Operators that hold together, some turned round.
fn operators(inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let some = prop::collection::vec(operator(inner), 1..3).prop_map(|all| {
        let mut seen = std::collections::HashSet::new();
        let fields = all.into_iter().flat_map(|one| match one {
            Value::Map(fields) => fields,
            _ => Vec::new(),
        });
        Value::Map(fields.filter(|(name, _)| seen.insert(name.to_string())).collect())
    });
    some.prop_recursive(2, 4, 1, |inner| {
        prop_oneof![
            3 => inner.clone(),
            2 => inner.clone().prop_map(|operators| map([("$not", operators)])),
            1 => inner.clone().prop_map(|operators| map([("$elemMatch", operators)])),
            1 => inner.prop_map(|one| map([
                ("$all", Value::Array(vec![map([("$elemMatch", one)])])),
            ])),
        ]
    })
    .boxed()
}

/// A filter whose paths are those of indexes, or, below `$elemMatch`, ends of them.
fn filter(paths: BoxedStrategy<&'static str>) -> BoxedStrategy<Value> {
    let ends = prop::sample::select(vec!["a", "b", "b.a", "0", "0.b", "b.0"]).boxed();
    let leaf = |paths: BoxedStrategy<&'static str>| {
        (paths, operand()).prop_map(|(path, value)| map([(path, value)])).boxed()
    };
    let below = leaf(ends.clone())
        .prop_recursive(2, 8, 2, move |inner| conditions(ends.clone(), inner.boxed()));
    let own = paths.clone();
    let whole = prop_oneof![1 => leaf(paths), 4 => conditions(own, below.boxed())];
    whole
        .prop_recursive(2, 8, 2, |inner| {
            let branches = prop::collection::vec(inner.clone(), 1..3).prop_map(Value::Array);
            prop_oneof![
                3 => inner,
                2 => (prop::sample::select(vec!["$and", "$or", "$nor"]), branches)
                    .prop_map(|(name, branches)| map([(name, branches)])),
            ]
        })
        .boxed()
}

fn conditions(
    paths: BoxedStrategy<&'static str>,
    inner: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    let condition = prop_oneof![1 => operand(), 5 => operators(inner)];
    prop::collection::vec((paths, condition), 1..4).prop_map(distinct).boxed()
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(document(), 1..6),
        filter(prop::sample::select(PLACES.to_vec()).boxed()),
        (path(), path(), prop::option::weighted(0.1, path())),
        prop::collection::vec(any::<bool>(), 3),
        prop::collection::vec((0_usize..3, any::<bool>()), 0..3),
        0_u8..9,
    )
        .prop_map(|(documents, filter, (p, q, other), directions, sort, kind)| {
            let mut seen = std::collections::HashSet::new();
            let paths = [p, q].into_iter().chain(other).filter(|path| seen.insert(*path));
            let fields = paths.zip(directions).collect();
            Case { documents, filter: put(filter, [p, q]), fields, sort, kind }
        })
}

/// Two filters on few paths, so that the one often implies the other.
pub(super) fn related_filters() -> impl Strategy<Value = (Value, Value)> {
    let path = || prop::sample::select(vec!["a", "a", "a.b", "a.0"]).boxed();
    let other = || {
        let wanted = prop_oneof![
            operand(),
            prop::sample::select(vec!["$gt", "$gte", "$lt", "$lte"])
                .prop_flat_map(|name| operand().prop_map(move |value| map([(name, value)]))),
            Just(map([("$exists", true.into())])),
            prop::sample::select(vec!["number", "string", "null", "array", "int"])
                .prop_map(|name| map([("$type", name.into())])),
            prop::collection::vec(operand(), 0..4)
                .prop_map(|values| map([("$in", Value::Array(values))])),
        ];
        (path(), wanted).prop_map(|(path, wanted)| map([(path, wanted)]))
    };
    let either = prop::collection::vec(other(), 1..3)
        .prop_map(|branches| map([("$or", Value::Array(branches))]));
    (filter(path()), prop_oneof![4 => other(), 1 => either])
}
