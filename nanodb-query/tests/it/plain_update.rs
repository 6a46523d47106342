//! MongoDB's rules for updates once more, on decoded values: one change after the other, without a
//! tree.

use std::cmp::Ordering;

use rmpv::Value;

use crate::plain;

/// Stands for an element that is missing since one after it was set; it is null in the end.
fn hole() -> Value {
    Value::Ext(99, vec![])
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) struct Refused;

struct Change<'a> {
    operator: &'a str,
    path: Vec<String>,
    operand: &'a Value,
}

/// Whether two changes meet.
pub(crate) fn conflicts(update: &Value) -> bool {
    let mut paths = Vec::new();
    for change in changes(update) {
        if change.operator == "$rename" {
            paths.push(split(change.operand.as_str().unwrap()));
        }
        paths.push(change.path);
    }
    let bad = |a: &[String], b: &[String]| {
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        match (a.get(same), b.get(same)) {
            (Some(a), Some(b)) => (a == "$[]") != (b == "$[]"),
            _ => true,
        }
    };
    let mut pairs =
        paths.iter().enumerate().flat_map(|(i, a)| paths[..i].iter().map(move |b| (a, b)));
    pairs.any(|(a, b)| bad(a, b))
}

/// What becomes of a document.
pub(crate) fn apply(update: &Value, document: &Value) -> Result<Value, Refused> {
    let mut expanded: Vec<Change<'_>> = Vec::new();
    for change in changes(update) {
        for path in expand(&change.path, Some(document))? {
            expanded.push(Change { path, ..change });
        }
    }
    let mut document = document.clone();
    for change in &expanded {
        if change.operator == "$rename" {
            rename(&mut document, &change.path, &split(change.operand.as_str().unwrap()))?;
        } else {
            change_at(&mut document, &change.path, change)?;
        }
    }
    fill(&mut document);
    Ok(document)
}

fn split(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

fn changes(update: &Value) -> Vec<Change<'_>> {
    let operators = update.as_map().unwrap().iter();
    let fields = operators.flat_map(|(name, fields)| {
        fields.as_map().unwrap().iter().map(move |(path, operand)| (name, path, operand))
    });
    fields
        .map(|(name, path, operand)| Change {
            operator: name.as_str().unwrap(),
            path: split(path.as_str().unwrap()),
            operand,
        })
        .collect()
}

fn expand(path: &[String], value: Option<&Value>) -> Result<Vec<Vec<String>>, Refused> {
    let Some((first, rest)) = path.split_first() else { return Ok(vec![vec![]]) };
    let prefixed = |name: &str, value| {
        let paths = expand(rest, value)?;
        Ok(paths.into_iter().map(|path| [vec![name.to_owned()], path].concat()).collect())
    };
    if first != "$[]" {
        return prefixed(first, value.and_then(|value| child(value, first)));
    }
    let elements = value.and_then(Value::as_array).ok_or(Refused)?;
    let mut all: Vec<Vec<String>> = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let paths: Result<Vec<_>, _> = prefixed(&index.to_string(), Some(element));
        all.extend(paths?);
    }
    Ok(all)
}

fn child<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let found = match value {
        Value::Map(fields) => fields.iter().find(|(n, _)| n.as_str() == Some(name)).map(|(_, v)| v),
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    };
    found.filter(|found| **found != hole())
}

fn child_mut<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    child(value, name)?;
    match value {
        Value::Map(fields) => {
            fields.iter_mut().find(|(n, _)| n.as_str() == Some(name)).map(|(_, v)| v)
        }
        Value::Array(elements) => elements.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Puts a new child into a value, or says that there can be none.
fn put<'a>(value: &'a mut Value, name: &str, new: Value) -> Result<&'a mut Value, Refused> {
    match value {
        Value::Map(fields) => {
            fields.push((name.into(), new));
            Ok(&mut fields.last_mut().unwrap().1)
        }
        Value::Array(elements) => {
            let index: usize = name.parse().map_err(|_| Refused)?;
            while elements.len() <= index {
                elements.push(hole());
            }
            elements[index] = new;
            Ok(&mut elements[index])
        }
        _ => Err(Refused),
    }
}

fn change_at(container: &mut Value, path: &[String], change: &Change<'_>) -> Result<(), Refused> {
    let (name, rest) = path.split_first().unwrap();
    let can_have = container.is_map() || container.is_array() && name.parse::<usize>().is_ok();
    let creates = !matches!(change.operator, "$unset" | "$pull" | "$pullAll" | "$pop");
    if !creates && !can_have {
        return Ok(());
    }
    if change.operator == "$setOnInsert" {
        return Ok(());
    }
    if !can_have {
        return Err(Refused);
    }
    if rest.is_empty() {
        if change.operator == "$unset" {
            remove(container, name);
            return Ok(());
        }
        match child_mut(container, name) {
            Some(value) => *value = changed(change, Some(value))?,
            None if creates => drop(put(container, name, changed(change, None)?)?),
            None => {}
        }
        return Ok(());
    }
    match child_mut(container, name) {
        Some(below) => change_at(below, rest, change),
        None if creates => change_at(put(container, name, Value::Map(vec![]))?, rest, change),
        None => Ok(()),
    }
}

fn remove(container: &mut Value, name: &str) {
    if child(container, name).is_none() {
        return;
    }
    match container {
        Value::Map(fields) => fields.retain(|(n, _)| n.as_str() != Some(name)),
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = Value::Nil,
        _ => {}
    }
}

fn rename(document: &mut Value, from: &[String], to: &[String]) -> Result<(), Refused> {
    let mut value = &*document;
    let mut in_array = false;
    for name in from {
        in_array |= value.is_array();
        match child(value, name) {
            Some(below) => value = below,
            None if value.is_map() || value.is_array() && name.parse::<usize>().is_ok() => {
                return Ok(());
            }
            None => return Err(Refused),
        }
    }
    let value = value.clone();
    let mut target = &*document;
    for name in to {
        in_array |= target.is_array();
        match child(target, name) {
            Some(below) => target = below,
            None => break,
        }
    }
    if in_array {
        return Err(Refused);
    }
    let set = Change { operator: "$set", path: to.to_vec(), operand: &value };
    change_at(document, to, &set)?;
    let (last, parents) = from.split_last().unwrap();
    let parent = parents.iter().try_fold(document, |value, name| child_mut(value, name));
    remove(parent.unwrap(), last);
    Ok(())
}

/// The new value of a field.
fn changed(change: &Change<'_>, old: Option<&Value>) -> Result<Value, Refused> {
    let operand = change.operand;
    Ok(match change.operator {
        "$set" => operand.clone(),
        "$min" | "$max" => {
            let wanted = if change.operator == "$min" { Ordering::Less } else { Ordering::Greater };
            match old {
                Some(old) if plain::compare(operand, old) != wanted => old.clone(),
                _ => operand.clone(),
            }
        }
        "$inc" | "$mul" => {
            let zero = if operand.is_f64() { 0.0.into() } else { 0.into() };
            let Some(old) = old else {
                return Ok(if change.operator == "$inc" { operand.clone() } else { zero });
            };
            match (integer(old), integer(operand)) {
                (Some(a), Some(b)) => {
                    let new =
                        if change.operator == "$inc" { Some(a + b) } else { a.checked_mul(b) };
                    of_integer(new.ok_or(Refused)?)?
                }
                _ => {
                    let (a, b) = (old.as_f64().ok_or(Refused)?, operand.as_f64().unwrap());
                    (if change.operator == "$inc" { a + b } else { a * b }).into()
                }
            }
        }
        "$bit" => {
            let zero = Value::from(0);
            let mut number = integer(old.unwrap_or(&zero)).ok_or(Refused)?;
            for (name, operand) in operand.as_map().unwrap() {
                let operand = integer(operand).unwrap();
                number = match name.as_str().unwrap() {
                    "and" => number & operand,
                    "or" => number | operand,
                    _ => number ^ operand,
                };
            }
            of_integer(number)?
        }
        _ => {
            let mut elements = match old {
                None => vec![],
                Some(old) => old.as_array().ok_or(Refused)?.clone(),
            };
            change_elements(change, &mut elements);
            Value::Array(elements)
        }
    })
}

fn change_elements(change: &Change<'_>, elements: &mut Vec<Value>) {
    let operand = change.operand;
    let part = |name: &str| child(operand, name);
    let each =
        || part("$each").map_or(vec![operand.clone()], |each| each.as_array().unwrap().clone());
    let count = |name| part(name).map(|count| count.as_i64().unwrap());
    let equal = |a: &Value, b: &Value| plain::compare(a, b).is_eq();
    match change.operator {
        "$push" => {
            let len = elements.len() as i64;
            let at = match count("$position") {
                Some(position) if position < 0 => (len + position).max(0),
                Some(position) => position.min(len),
                None => len,
            };
            elements.splice(at as usize..at as usize, each());
            if let Some(sort) = part("$sort") {
                let key = |value: &Value| match sort.as_map() {
                    None => value.clone(),
                    Some(fields) if value.is_map() => {
                        child(value, fields[0].0.as_str().unwrap()).cloned().unwrap_or(Value::Nil)
                    }
                    Some(_) => Value::Nil,
                };
                let direction = sort.as_map().map_or(sort, |fields| &fields[0].1).as_i64();
                elements.sort_by(|a, b| {
                    let order = plain::compare(&key(a), &key(b));
                    if direction == Some(1) { order } else { order.reverse() }
                });
            }
            let len = elements.len();
            match count("$slice") {
                Some(slice) if slice < 0 => {
                    drop(elements.drain(..len.saturating_sub(slice.unsigned_abs() as usize)));
                }
                Some(slice) => elements.truncate(slice as usize),
                None => {}
            }
        }
        "$addToSet" => {
            for value in each() {
                if !elements.iter().any(|element| equal(element, &value)) {
                    elements.push(value);
                }
            }
        }
        "$pullAll" => elements.retain(|element| {
            !operand.as_array().unwrap().iter().any(|value| equal(element, value))
        }),
        "$pull" => elements.retain(|element| {
            let filter = |value: &Value| Value::Map(vec![("x".into(), value.clone())]);
            let operators = operand.as_map().is_some_and(|fields| {
                fields.first().is_some_and(|(name, _)| name.as_str().unwrap().starts_with('$'))
            });
            !match operand {
                Value::Map(_) if operators => plain::matches(&filter(operand), &filter(element)),
                Value::Map(_) => element.is_map() && plain::matches(operand, element),
                _ => equal(element, operand),
            }
        }),
        "$pop" if operand.as_i64() == Some(-1) => drop(elements.drain(..elements.len().min(1))),
        "$pop" => drop(elements.pop()),
        operator => panic!("{operator}"),
    }
}

fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or(value.as_u64().map(i128::from))
}

fn of_integer(number: i128) -> Result<Value, Refused> {
    let negative = i64::try_from(number).map(Value::from);
    negative.or_else(|_| u64::try_from(number).map(Value::from)).map_err(|_| Refused)
}

fn fill(value: &mut Value) {
    match value {
        Value::Map(fields) => fields.iter_mut().for_each(|(_, value)| fill(value)),
        Value::Array(elements) => elements.iter_mut().for_each(fill),
        value if *value == hole() => *value = Value::Nil,
        _ => {}
    }
}
