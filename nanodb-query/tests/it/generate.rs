//! Documents and filters at random: few names and few values, so that they meet.

use proptest::prelude::*;
use rmpv::Value;

pub(crate) fn msgpack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, value).unwrap();
    out
}

pub(crate) fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-3_i64..4).prop_map(Value::from),
        2 => (-6_i32..7).prop_map(|half| Value::from(f64::from(half) / 2.0)),
        2 => prop::sample::select(vec![
            "", "a", "b", "ab", "abc", "xabc", "\u{ff01}", "\u{1f980}", "a\0b", "a\0",
        ])
            .prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Nil),
        1 => prop::collection::vec(0_u8..3, 0..3).prop_map(Value::from),
        1 => prop::sample::select(vec![
            i64::MAX, i64::MIN, (1 << 53) + 1, 1 << 53, (1 << 53) - 1,
        ]).prop_map(Value::from),
        1 => prop::sample::select(vec![u64::MAX, 1 << 63]).prop_map(Value::from),
        1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 9_007_199_254_740_992.0,
            9_223_372_036_854_775_808.0, 18_446_744_073_709_551_616.0, 1e300,
        ]).prop_map(Value::from),
        1 => (0_u32..3).prop_map(|secs| Value::Ext(-1, secs.to_be_bytes().to_vec())),
        1 => (6_i8..8, 0_u8..2).prop_map(|(tag, byte)| Value::Ext(tag, vec![byte; 12])),
        1 => (4_i8..6, 0_u8..2).prop_map(|(tag, byte)| Value::Ext(tag, vec![byte; 16])),
        1 => (0_u8..2).prop_map(|byte| Value::Binary(vec![byte; 16])),
        1 => (-2_i8..2, prop::collection::vec(0_u8..2, 0..2))
            .prop_map(|(tag, data)| Value::Ext(tag, data)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "0", "1"]).prop_map(str::to_owned)
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), value), 0..4).prop_map(|mut fields| {
        let mut seen = std::collections::HashSet::new();
        fields.retain(|(name, _)| seen.insert(name.clone()));
        Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            fields(inner),
        ]
    })
}

pub(crate) fn document() -> impl Strategy<Value = Value> {
    fields(value())
}

pub(crate) fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| names.join("."))
}

fn values() -> impl Strategy<Value = Value> {
    prop::collection::vec(value(), 0..4).prop_map(Value::Array)
}

fn operators(inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let comparison = prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let types =
        vec!["null", "number", "string", "object", "array", "bool", "date", "int", "double"];
    let one = prop_oneof![
        6 => (comparison, value()).prop_map(|(name, value)| (name.to_owned(), value)),
        2 => (prop::sample::select(vec!["$in", "$nin", "$all"]), values())
            .prop_map(|(name, value)| (name.to_owned(), value)),
        1 => any::<bool>().prop_map(|wanted| ("$exists".to_owned(), wanted.into())),
        1 => (0_u32..4).prop_map(|len| ("$size".to_owned(), len.into())),
        1 => prop::sample::select(types).prop_map(|name| ("$type".to_owned(), name.into())),
        1 => (1_i64..4, -1_i64..3)
            .prop_map(|(d, r)| ("$mod".to_owned(), Value::Array(vec![d.into(), r.into()]))),
        1 => prop::sample::select(vec!["a", "^b", "b$", "^$"])
            .prop_map(|text| ("$regex".to_owned(), text.into())),
        1 => inner.prop_map(|filter| ("$elemMatch".to_owned(), filter)),
    ];
    let some = prop::collection::vec(one, 1..3).prop_map(distinct);
    some.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operators| map([("$not", operators)])),
            inner.prop_map(|operators| map([("$elemMatch", operators)])),
        ]
    })
    .boxed()
}

fn distinct(mut fields: Vec<(String, Value)>) -> Value {
    let mut seen = std::collections::HashSet::new();
    fields.retain(|(name, _)| seen.insert(name.clone()));
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

pub(crate) fn filter() -> BoxedStrategy<Value> {
    let leaf = (path(), value()).prop_map(|(path, value)| distinct(vec![(path, value)])).boxed();
    leaf.prop_recursive(3, 16, 3, |inner| {
        let conditions = prop::collection::vec((path(), operators(inner.clone().boxed())), 1..4);
        let branches = prop::collection::vec(inner, 1..3).prop_map(Value::Array);
        prop_oneof![
            3 => conditions.prop_map(distinct),
            1 => (prop::sample::select(vec!["$and", "$or", "$nor"]), branches)
                .prop_map(|(name, branches)| map([(name, branches)])),
        ]
    })
    .boxed()
}

/// Paths of updates, some through all elements of an array.
fn update_path() -> impl Strategy<Value = String> {
    let name = prop_oneof![9 => name(), 1 => Just("$[]".to_owned())];
    let rest = prop::collection::vec(name, 0..3);
    (name_of_field(), rest)
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect::<Vec<_>>().join("."))
}

fn name_of_field() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "0"]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-3_i64..4).prop_map(Value::from),
        2 => (-6_i32..7).prop_map(|half| Value::from(f64::from(half) / 2.0)),
        1 => prop::sample::select(vec![i64::MAX, i64::MIN, 1 << 62]).prop_map(Value::from),
        1 => Just(Value::from(u64::MAX)),
    ]
}

fn added() -> impl Strategy<Value = Value> {
    let each = prop::collection::vec(value(), 0..7);
    prop_oneof![value(), each.prop_map(|each| map([("$each", Value::Array(each))]))]
}

fn pushed() -> impl Strategy<Value = Value> {
    let sort = prop_oneof![
        prop::sample::select(vec![1, -1]).prop_map(Value::from),
        (name(), prop::sample::select(vec![1, -1]))
            .prop_map(|(name, direction)| map([(name.as_str(), direction.into())])),
    ];
    let each = prop::collection::vec(value(), 0..3).prop_map(Value::Array);
    let modifiers = (
        prop::option::of((-4_i64..5).prop_map(Value::from)),
        prop::option::of((-4_i64..5).prop_map(Value::from)),
        prop::option::of(sort),
    );
    let with_modifiers = (each, modifiers).prop_map(|(each, (position, slice, sort))| {
        let fields = [("$position", position), ("$slice", slice), ("$sort", sort)];
        let some = fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        map(std::iter::once(("$each", each)).chain(some))
    });
    prop_oneof![added(), with_modifiers]
}

/// A document of operators, whose paths may conflict.
pub(crate) fn update() -> BoxedStrategy<Value> {
    let bits = (prop::sample::select(vec!["and", "or", "xor"]), -3_i64..20)
        .prop_map(|(name, number)| map([(name, number.into())]));
    let pulled = prop_oneof![value(), operators(filter()), filter()].prop_filter(
        "no operators for documents",
        |value| {
            let first = value.as_map().and_then(|fields| fields.first());
            !first.is_some_and(|(name, _)| matches!(name.as_str(), Some("$and" | "$or" | "$nor")))
        },
    );
    let of_values = vec!["$set", "$min", "$max", "$setOnInsert", "$unset"];
    let one = prop_oneof![
        6 => (prop::sample::select(of_values), update_path(), value()),
        3 => (prop::sample::select(vec!["$inc", "$mul"]), update_path(), number()),
        1 => (Just("$bit"), update_path(), bits),
        3 => (Just("$push"), update_path(), pushed()),
        2 => (Just("$addToSet"), update_path(), added()),
        2 => (Just("$pull"), update_path(), pulled),
        2 => (Just("$pullAll"), update_path(), prop::collection::vec(value(), 0..7).prop_map(Value::Array)),
        1 => (Just("$pop"), update_path(), prop::sample::select(vec![1, -1]).prop_map(Value::from)),
        2 => (Just("$rename"), path(), path().prop_map(Value::from)),
    ];
    prop::collection::vec(one, 1..4)
        .prop_map(|changes| {
            let mut operators: Vec<(&str, Vec<(String, Value)>)> = Vec::new();
            for (operator, path, operand) in changes {
                match operators.iter_mut().find(|(name, _)| *name == operator) {
                    Some((_, fields)) => fields.push((path, operand)),
                    None => operators.push((operator, vec![(path, operand)])),
                }
            }
            map(operators.into_iter().map(|(name, fields)| (name, distinct(fields))))
        })
        .boxed()
}
