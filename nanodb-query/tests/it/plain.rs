//! MongoDB's rules once more, on decoded values: short and slow, after its manual and its tests.

use std::cmp::Ordering;

use rmpv::Value;

/// Whether a document passes a filter.
pub(crate) fn matches(filter: &Value, document: &Value) -> bool {
    filter.as_map().unwrap().iter().all(|(name, operand)| {
        let any = |operand: &Value| {
            operand.as_array().unwrap().iter().any(|branch| matches(branch, document))
        };
        match name.as_str().unwrap() {
            "$and" => operand.as_array().unwrap().iter().all(|branch| matches(branch, document)),
            "$or" => any(operand),
            "$nor" => !any(operand),
            path => holds_at(operand, &lookup(document, &path.split('.').collect::<Vec<_>>())),
        }
    })
}

/// One end of a path: the value, if there is one, and whether its elements stand for it too.
struct End<'a> {
    value: Option<&'a Value>,
    spreads: bool,
}

fn child<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Map(fields) => {
            fields.iter().find(|(n, _)| n.as_str() == Some(name)).map(|(_, value)| value)
        }
        Value::Array(elements) => elements.get(index(name)?),
        _ => None,
    }
}

fn index(name: &str) -> Option<usize> {
    name.parse().ok().filter(|index: &usize| index.to_string() == name)
}

fn lookup<'a>(container: &'a Value, names: &[&str]) -> Vec<End<'a>> {
    let (name, rest) = names.split_first().unwrap();
    let Some(value) = child(container, name) else {
        return vec![End { value: None, spreads: false }];
    };
    if rest.is_empty() {
        return vec![End { value: Some(value), spreads: true }];
    }
    match value {
        Value::Map(_) => lookup(value, rest),
        Value::Array(elements) => {
            let mut ends = Vec::new();
            for element in elements.iter().filter(|element| element.is_map()) {
                ends.extend(lookup(element, rest));
            }
            if let Some(element) = child(value, rest[0]) {
                if rest.len() == 1 {
                    ends.push(End { value: Some(element), spreads: false });
                } else if element.is_map() || element.is_array() {
                    ends.extend(lookup(element, &rest[1..]));
                }
            }
            ends
        }
        _ => vec![End { value: None, spreads: false }],
    }
}

/// Whether a value, or operators, hold of the ends of a path.
fn holds_at(condition: &Value, ends: &[End<'_>]) -> bool {
    let operators = condition
        .as_map()
        .filter(|fields| fields.first().is_some_and(|(name, _)| is_operator(name)));
    match operators {
        None => holds("$eq", condition, ends),
        Some(operators) => {
            operators.iter().all(|(name, operand)| holds(name.as_str().unwrap(), operand, ends))
        }
    }
}

fn is_operator(name: &Value) -> bool {
    name.as_str().unwrap().starts_with('$')
}

fn holds(name: &str, operand: &Value, ends: &[End<'_>]) -> bool {
    match name {
        "$ne" => !holds("$eq", operand, ends),
        "$nin" => !holds("$in", operand, ends),
        "$not" => !holds_at(operand, ends),
        "$exists" if operand == &Value::from(false) => !holds("$exists", &true.into(), ends),
        "$all" => {
            let values = operand.as_array().unwrap();
            !values.is_empty() && values.iter().all(|value| holds("$eq", value, ends))
        }
        _ => ends.iter().any(|end| {
            let spread = !matches!(name, "$exists" | "$size" | "$elemMatch") && end.spreads;
            let elements = end.value.and_then(Value::as_array).filter(|_| spread);
            let elements = elements.into_iter().flatten().map(Some);
            elements.chain([end.value]).any(|value| holds_of_one(name, operand, value))
        }),
    }
}

fn holds_of_one(name: &str, operand: &Value, value: Option<&Value>) -> bool {
    let order = || {
        let value = value.unwrap_or(&Value::Nil);
        let nan = |value: &Value| value.as_f64().is_some_and(f64::is_nan);
        let comparable = rank(value) == rank(operand) && nan(value) == nan(operand);
        comparable.then(|| compare(value, operand))
    };
    match name {
        "$eq" => order() == Some(Ordering::Equal),
        "$gt" => order() == Some(Ordering::Greater),
        "$gte" => order().is_some_and(Ordering::is_ge),
        "$lt" => order() == Some(Ordering::Less),
        "$lte" => order().is_some_and(Ordering::is_le),
        "$in" => operand.as_array().unwrap().iter().any(|one| holds_of_one("$eq", one, value)),
        "$exists" => value.is_some(),
        "$size" => {
            value.and_then(Value::as_array).map(Vec::len)
                == operand.as_u64().map(|len| usize::try_from(len).unwrap())
        }
        "$type" => value.is_some_and(|value| is_type(operand.as_str().unwrap(), value)),
        "$regex" => {
            let text = operand.as_str().unwrap();
            value.and_then(Value::as_str).is_some_and(|value| match text {
                "a" => value.contains('a'),
                "^b" => value.starts_with('b'),
                "b$" => value.ends_with('b'),
                _ => value.is_empty(),
            })
        }
        "$mod" => {
            let [divisor, remainder] = operand.as_array().unwrap().as_slice() else { return false };
            let whole = match value {
                Some(Value::F64(number)) if (-2e18..2e18).contains(number) => {
                    Some(number.trunc() as i128)
                }
                // The only larger ones that fit.
                Some(Value::F64(number)) if *number == 9_223_372_036_854_775_808.0 => Some(1 << 63),
                Some(value) if value.is_i64() || value.is_u64() => Some(whole(value)),
                _ => None,
            };
            whole.is_some_and(|whole| {
                whole % i128::from(divisor.as_i64().unwrap())
                    == i128::from(remainder.as_i64().unwrap())
            })
        }
        "$elemMatch" => value.and_then(Value::as_array).is_some_and(|elements| {
            elements.iter().any(|element| {
                let fields = operand.as_map().unwrap();
                let of_values = fields.first().is_some_and(|(name, _)| {
                    is_operator(name) && !matches!(name.as_str(), Some("$and" | "$or" | "$nor"))
                });
                if of_values {
                    holds_at(operand, &[End { value: Some(element), spreads: false }])
                } else {
                    (element.is_map() || element.is_array()) && matches(operand, element)
                }
            })
        }),
        _ => panic!("{name}"),
    }
}

fn whole(value: &Value) -> i128 {
    value.as_i64().map(i128::from).or(value.as_u64().map(i128::from)).unwrap()
}

fn is_type(name: &str, value: &Value) -> bool {
    let small = || i32::try_from(whole(value)).is_ok();
    match value {
        Value::Nil => name == "null",
        Value::Boolean(_) => name == "bool",
        Value::F64(_) | Value::F32(_) => name == "number" || name == "double",
        Value::Integer(_) => name == "number" || (name == "int" && small()),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Map(_) => name == "object",
        Value::Ext(..) => name == "date" && rank(value) == 8,
        Value::Binary(_) => false,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Nil => 0,
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => 1,
        Value::String(_) => 2,
        Value::Map(_) => 3,
        Value::Array(_) => 4,
        Value::Binary(_) => 5,
        Value::Boolean(_) => 7,
        Value::Ext(-1, data) if matches!(data.len(), 4 | 8 | 12) => 8,
        Value::Ext(7, data) if data.len() == 12 => 6,
        Value::Ext(4, data) if data.len() == 16 => 5,
        Value::Ext(..) => 9,
    }
}

/// The order over all values.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Binary(a) | Value::Ext(4, a), Value::Binary(b) | Value::Ext(4, b)) => {
            (a.len(), a).cmp(&(b.len(), b))
        }
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Ext(a, x), Value::Ext(b, y)) => (a, x.len(), x).cmp(&(b, y.len(), y)),
        (Value::Array(a), Value::Array(b)) => {
            let pairs = a.iter().zip(b).map(|(a, b)| compare(a, b));
            pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        (Value::Map(a), Value::Map(b)) => {
            let pairs = a.iter().zip(b).map(|((n, a), (m, b))| {
                rank(a).cmp(&rank(b)).then(n.as_str().cmp(&m.as_str())).then(compare(a, b))
            });
            pairs.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        _ if rank(a) == 1 => compare_numbers(a, b),
        _ => Ordering::Equal,
    })
}

fn compare_numbers(a: &Value, b: &Value) -> Ordering {
    let integer = |value: &Value| matches!(value, Value::Integer(_)).then(|| whole(value));
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (None, Some(_)) => compare_numbers(b, a).reverse(),
        (Some(a), None) => match b.as_f64().unwrap() {
            b if b.is_nan() || b < -1e30 => Ordering::Greater,
            b if b > 1e30 => Ordering::Less,
            b => a.cmp(&(b.floor() as i128)).then(0.0.partial_cmp(&(b - b.floor())).unwrap()),
        },
        (None, None) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
        }
    }
}
