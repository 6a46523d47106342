//! From an update in MessagePack to changes and their tree.
//!
//! As with filters, text has been turned into MessagePack before, and the input is well-formed and
//! within the limits.

use super::array::{Each, ElementSort, Push};
use super::changes::Changes;
use super::filters::ArrayFilter;
use super::number::{BitOperation, Bits, whole};
use super::operator::{Change, Operator, OperatorName};
use crate::Sort;
use crate::entries::{Entry, elements, entries};
use crate::error::Problem;
use crate::fault::{Fault, fault, refuse};
use crate::filter::{ElementFilter, Operand, operand};
use crate::limits::check_patterns;
use crate::path::Path;
use nanodb_msgpack::Token;
use nanodb_msgpack::{RawValue, TypeBracket};

/// Reads a document of operators.
pub(super) fn parse(
    document: RawValue<'_>,
    filters: Vec<ArrayFilter>,
) -> Result<Changes, Fault<'_>> {
    let mut changes = Changes::new(filters);
    for operator in entries(document) {
        let name = OperatorName::parse(operator.name).ok_or_else(|| no_operator(operator))?;
        if !operator.value.is_map() {
            return Err(refuse(operator.name, "", "a document of fields", operator.value));
        }
        for field in entries(operator.value) {
            let at_name = |problem| Fault { problem, tail: field.tail };
            let path = Path::parse(field.name).map_err(at_name)?;
            let change = Change { path, operator: parse_operator(name, field)? };
            changes.add(change).map_err(at_name)?;
        }
    }
    let unused = changes.unused_filter().map(str::to_owned);
    match unused {
        None => Ok(changes),
        Some(identifier) => {
            let problem = Problem::ArrayFilter { identifier, problem: "is used by no path" };
            Err(fault(problem, document))
        }
    }
}

fn parse_operator<'a>(name: OperatorName, field: Entry<'a>) -> Result<Operator, Fault<'a>> {
    let Entry { name: path, value, .. } = field;
    Ok(match name {
        OperatorName::Set => Operator::Set(operand(value)?),
        OperatorName::SetOnInsert => Operator::SetOnInsert(operand(value)?),
        OperatorName::Unset => Operator::Unset,
        OperatorName::Increase => Operator::Increase(parse_number(name, path, value)?),
        OperatorName::Multiply => Operator::Multiply(parse_number(name, path, value)?),
        OperatorName::Min => Operator::Min(operand(value)?),
        OperatorName::Max => Operator::Max(operand(value)?),
        OperatorName::CurrentDate => parse_current_date(path, value)?,
        OperatorName::Rename => parse_rename(path, value)?,
        OperatorName::Bits => Operator::Bits(parse_bits(path, value)?),
        OperatorName::Push => Operator::Push(parse_push(path, value)?),
        OperatorName::AddToSet => Operator::AddToSet(parse_add_to_set(path, value)?),
        OperatorName::Pull => {
            check_patterns(value)?;
            Operator::Pull(ElementFilter::parse_fault(path, value)?)
        }
        OperatorName::PullAll => Operator::PullAll(parse_each(name.as_str(), path, value)?),
        OperatorName::Pop => parse_pop(path, value)?,
    })
}

fn parse_number<'a>(
    name: OperatorName,
    path: &str,
    value: RawValue<'a>,
) -> Result<Operand, Fault<'a>> {
    match value.token().ok().and_then(Token::number) {
        Some(_) => operand(value),
        None => Err(refuse(name.as_str(), path, "a number", value)),
    }
}

fn parse_current_date<'a>(path: &str, value: RawValue<'a>) -> Result<Operator, Fault<'a>> {
    let expected = "true or `{\"$type\": \"date\"}`";
    if let Ok(Token::Bool(_)) = value.token() {
        return Ok(Operator::CurrentDate);
    }
    let mut fields = entries(value);
    match (fields.next(), fields.next()) {
        (Some(Entry { name: "$type", value: kind, .. }), None)
            if matches!(kind.token(), Ok(Token::String(b"date" | b"timestamp"))) =>
        {
            Ok(Operator::CurrentDate)
        }
        _ => Err(refuse("$currentDate", path, expected, value)),
    }
}

fn parse_rename<'a>(path: &str, value: RawValue<'a>) -> Result<Operator, Fault<'a>> {
    let to = value.token().ok().and_then(Token::text);
    let to = to.ok_or_else(|| refuse("$rename", path, "the new name of the field", value))?;
    if [path, to].iter().any(|path| path.split('.').any(|part| part.starts_with('$'))) {
        return Err(refuse("$rename", path, "paths without `$`", value));
    }
    let to = Path::parse(to).map_err(|problem| fault(problem, value))?;
    Ok(Operator::Rename { to })
}

fn parse_bits<'a>(path: &str, value: RawValue<'a>) -> Result<Bits, Fault<'a>> {
    let expected = "a document of `and`, `or` or `xor`, each with an integer";
    let bits = entries(value).map(|entry| {
        let operation = BitOperation::named(entry.name);
        let number = entry.value.token().ok().and_then(Token::number).and_then(whole);
        operation.zip(number).ok_or_else(|| refuse("$bit", path, expected, entry.value))
    });
    let bits = bits.collect::<Result<Vec<_>, _>>()?;
    if bits.is_empty() {
        return Err(refuse("$bit", path, expected, value));
    }
    Ok(Bits(bits))
}

fn parse_pop<'a>(path: &str, value: RawValue<'a>) -> Result<Operator, Fault<'a>> {
    match value.token().ok().and_then(|token| token.number()?.as_whole()) {
        Some(1) => Ok(Operator::Pop { first: false }),
        Some(-1) => Ok(Operator::Pop { first: true }),
        _ => Err(refuse("$pop", path, "1 or -1", value)),
    }
}

fn parse_push<'a>(path: &str, value: RawValue<'a>) -> Result<Push, Fault<'a>> {
    let mut push = Push { values: Vec::new(), position: None, sort: None, slice: None };
    if !has_modifiers("$push", "$each", path, value)? {
        push.values.push(operand(value)?);
        return Ok(push);
    }
    for entry in entries(value) {
        match entry.name {
            "$each" => push.values = parse_values("$each", path, entry.value)?,
            "$position" => push.position = Some(parse_count("$position", path, entry.value)?),
            "$slice" => push.slice = Some(parse_count("$slice", path, entry.value)?),
            "$sort" => push.sort = Some(parse_sort(path, entry.value)?),
            _ => return Err(unknown(entry, path)),
        }
    }
    Ok(push)
}

fn parse_add_to_set<'a>(path: &str, value: RawValue<'a>) -> Result<Each, Fault<'a>> {
    if !has_modifiers("$addToSet", "$each", path, value)? {
        return each(vec![operand(value)?], value);
    }
    match entries(value).find(|entry| entry.name != "$each") {
        Some(other) => Err(unknown(other, path)),
        None => match entries(value).next() {
            Some(entry) => parse_each("$each", path, entry.value),
            None => each(Vec::new(), value),
        },
    }
}

/// Returns whether a value says how to add elements, rather than being one.
fn has_modifiers<'a>(
    operator: &str,
    wanted: &str,
    path: &str,
    value: RawValue<'a>,
) -> Result<bool, Fault<'a>> {
    if entries(value).any(|entry| entry.name == wanted) {
        return Ok(true);
    }
    match entries(value).next().filter(|first| first.name.starts_with('$')) {
        None => Ok(false),
        Some(first) if matches!(first.name, "$position" | "$slice" | "$sort") => {
            Err(refuse(operator, path, "`$each` beside its modifiers", value))
        }
        Some(first) => Err(unknown(first, path)),
    }
}

fn unknown<'a>(entry: Entry<'a>, path: &str) -> Fault<'a> {
    let (operator, path) = (entry.name.to_owned(), path.to_owned());
    Fault { problem: Problem::UnknownOperator { operator, path }, tail: entry.tail }
}

/// Returns the fault that an update has a name which is no operator of it.
fn no_operator(entry: Entry<'_>) -> Fault<'_> {
    if entry.name.starts_with('$') {
        return unknown(entry, "");
    }
    Fault { problem: Problem::NotAnOperator { name: entry.name.to_owned() }, tail: entry.tail }
}

fn parse_each<'a>(name: &str, path: &str, value: RawValue<'a>) -> Result<Each, Fault<'a>> {
    each(parse_values(name, path, value)?, value)
}

fn each(values: Vec<Operand>, at: RawValue<'_>) -> Result<Each, Fault<'_>> {
    Each::new(values).map_err(|_| fault(Problem::Malformed, at))
}

fn parse_values<'a>(
    name: &str,
    path: &str,
    value: RawValue<'a>,
) -> Result<Vec<Operand>, Fault<'a>> {
    if !value.is_array() {
        return Err(refuse(name, path, "an array of values", value));
    }
    elements(value).map(operand).collect()
}

fn parse_count<'a>(name: &str, path: &str, value: RawValue<'a>) -> Result<i64, Fault<'a>> {
    let number = value.token().ok().and_then(|token| token.number()?.as_whole());
    let number = number.ok_or_else(|| refuse(name, path, "a whole number", value))?;
    Ok(i64::try_from(number).unwrap_or(i64::MAX))
}

fn parse_sort<'a>(path: &str, value: RawValue<'a>) -> Result<ElementSort, Fault<'a>> {
    let expected = "1, -1 or a document of paths with 1 or -1";
    match value.token().ok().and_then(|token| token.number()?.as_whole()) {
        Some(1) => return Ok(ElementSort::Whole { descending: false }),
        Some(-1) => return Ok(ElementSort::Whole { descending: true }),
        _ => {}
    }
    match value.bracket() {
        Ok(TypeBracket::Document) if entries(value).next().is_some() => {
            Sort::parse_value(value).map(ElementSort::By)
        }
        _ => Err(refuse("$sort", path, expected, value)),
    }
}
