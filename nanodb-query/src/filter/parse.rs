//! From a filter in MessagePack to the tree.
//!
//! Text has been turned into MessagePack before, so there is one parser. Its input has passed
//! [`check`](crate::limits::check): it is well-formed and within the limits, which bounds the
//! recursion.

use super::bits::{BitTest, Bits};
use super::operand::Operand;
use super::regex::{Pattern, are_options};
use super::tree::{Choice, Conjunction, Junction, Test};
use super::types::Types;
use crate::entries::{Entry, elements, entries};
use crate::error::Problem;
use crate::fault::{Fault, fault, refuse};
use crate::json::begins_with_operator;
use crate::limits::check_patterns;
use crate::path::Path;
use nanodb_msgpack::{RawValue, Token, TypeBracket};

fn unknown<'a>(entry: Entry<'a>, path: &str) -> Fault<'a> {
    let (operator, path) = (entry.name.to_owned(), path.to_owned());
    let problem = match entry.name {
        "$expr" | "$where" | "$jsonSchema" | "$text" | "$near" | "$nearSphere" | "$geoWithin"
        | "$geoIntersects" => Problem::Unsupported { operator, path },
        _ => Problem::UnknownOperator { operator, path },
    };
    Fault { problem, tail: entry.tail }
}

/// Reads a whole filter.
pub(super) fn parse_filter(value: RawValue<'_>) -> Result<Conjunction, Fault<'_>> {
    if !value.is_map() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotADocument { what: "a filter", found }, value));
    }
    check_patterns(value)?;
    parse_conjunction(value)
}

/// Reads the fields and junctions of a filter, or of a branch of one.
pub(super) fn parse_conjunction(document: RawValue<'_>) -> Result<Conjunction, Fault<'_>> {
    let mut conjunction = Conjunction::default();
    for entry in entries(document) {
        match entry.name {
            "$and" => {
                for branch in parse_branches(entry)? {
                    conjunction.add_all(branch);
                }
            }
            "$or" => conjunction.others.push(Junction::Or(parse_branches(entry)?)),
            "$nor" => conjunction.others.push(Junction::Nor(parse_branches(entry)?)),
            // Text for those who read logs.
            "$comment" => {}
            name if name.starts_with('$') => return Err(unknown(entry, "")),
            name => {
                let path = Path::parse(name);
                let path = path.map_err(|problem| Fault { problem, tail: entry.tail })?;
                for test in parse_tests(&path, entry.value)? {
                    conjunction.add(path.clone(), test);
                }
            }
        }
    }
    Ok(conjunction)
}

fn parse_branches(entry: Entry<'_>) -> Result<Vec<Conjunction>, Fault<'_>> {
    let expected = "an array of filters that is not empty";
    if entry.value.elements().is_none_or(|elements| elements.is_empty()) {
        return Err(refuse(entry.name, "", expected, entry.value));
    }
    elements(entry.value)
        .map(|branch| {
            if branch.is_map() {
                parse_conjunction(branch)
            } else {
                Err(refuse(entry.name, "", expected, branch))
            }
        })
        .collect()
}

/// Reads what must hold of a path: operators, or a value to be equal to.
fn parse_tests<'a>(path: &Path, value: RawValue<'a>) -> Result<Vec<Test>, Fault<'a>> {
    if let Some(pattern) = parse_regex_form(path.as_str(), value)? {
        return Ok(vec![Test::Regex(pattern)]);
    }
    if are_operators(path.as_str(), value)? {
        return parse_operators(path.as_str(), value);
    }
    Ok(vec![Test::Equal(operand(value)?)])
}

/// Returns whether a value is a document of operators.
pub(super) fn are_operators<'a>(path: &str, value: RawValue<'a>) -> Result<bool, Fault<'a>> {
    let Some(first) = entries(value).next() else { return Ok(false) };
    let operators = first.name.starts_with('$');
    match entries(value).find(|entry| entry.name.starts_with('$') != operators) {
        None => Ok(operators),
        Some(Entry { name, tail, .. }) => {
            let problem = Problem::Mixed { name: name.to_owned(), path: path.to_owned() };
            Err(Fault { problem, tail })
        }
    }
}

/// Reads the operators of a document, all of which must hold.
pub(super) fn parse_operators<'a>(
    path: &str,
    document: RawValue<'a>,
) -> Result<Vec<Test>, Fault<'a>> {
    let mut tests = Vec::new();
    for entry in entries(document) {
        tests.extend(parse_operator(path, entry, document)?);
    }
    Ok(tests)
}

fn parse_operator<'a>(
    path: &str,
    entry: Entry<'a>,
    document: RawValue<'a>,
) -> Result<Option<Test>, Fault<'a>> {
    let Entry { name, value, .. } = entry;
    Ok(Some(match name {
        "$eq" => Test::Equal(comparand(name, path, value)?),
        "$ne" => Test::Not(vec![Test::Equal(comparand(name, path, value)?)]),
        "$gt" => Test::Greater(comparand(name, path, value)?),
        "$gte" => Test::GreaterOrEqual(comparand(name, path, value)?),
        "$lt" => Test::Less(comparand(name, path, value)?),
        "$lte" => Test::LessOrEqual(comparand(name, path, value)?),
        "$in" => Test::In(parse_choice(name, path, value)?),
        "$nin" => Test::Not(vec![Test::In(parse_choice(name, path, value)?)]),
        "$exists" => Test::Exists(parse_truth(path, value)?),
        "$type" => Test::Type(parse_types(path, value)?),
        "$size" => {
            let len = value.token().ok().and_then(Token::number);
            let len = len.and_then(|len| u32::try_from(len.as_whole()?).ok());
            Test::Size(len.ok_or_else(|| refuse(name, path, "a whole number from 0", value))?)
        }
        "$mod" => parse_mod(path, value)?,
        "$bitsAllSet" | "$bitsAllClear" | "$bitsAnySet" | "$bitsAnyClear" => {
            let expected = "a whole number from 0, binary, or an array of positions from 0";
            let bits = BitTest::named(name).and_then(|test| Bits::new(test, value));
            Test::Bits(bits.ok_or_else(|| refuse(name, path, expected, value))?)
        }
        "$all" => parse_all(path, value)?,
        "$elemMatch" => parse_element(path, value)?,
        "$not" => parse_not(path, value)?,
        "$regex" => parse_regex(path, value, document)?,
        "$options" if entries(document).any(|entry| entry.name == "$regex") => return Ok(None),
        _ => return Err(unknown(entry, path)),
    }))
}

/// Reads the operand of an operator that compares. A regular expression is refused: no stored value
/// is one, so none equals it or is above it.
pub(super) fn comparand<'a>(
    operator: &str,
    path: &str,
    value: RawValue<'a>,
) -> Result<Operand, Fault<'a>> {
    let first = entries(value).next();
    if first.is_some_and(|first| matches!(first.name, "$regex" | "$regularExpression")) {
        let (operator, path) = (operator.to_owned(), path.to_owned());
        return Err(fault(Problem::RegexOperand { operator, path }, value));
    }
    operand(value)
}

pub(crate) fn operand(value: RawValue<'_>) -> Result<Operand, Fault<'_>> {
    Operand::new(value).map_err(|_| fault(Problem::Malformed, value))
}

fn parse_choice<'a>(operator: &str, path: &str, value: RawValue<'a>) -> Result<Choice, Fault<'a>> {
    let expected = "an array of values or regular expressions";
    if !value.is_array() {
        return Err(refuse(operator, path, expected, value));
    }
    let (mut values, mut patterns) = (Vec::new(), Vec::new());
    for element in elements(value) {
        if let Some(pattern) = parse_pattern(path, element)? {
            patterns.push(pattern);
        } else if begins_with_operator(element) {
            return Err(refuse(operator, path, expected, element));
        } else {
            values.push(operand(element)?);
        }
    }
    Ok(Choice::new(values, patterns))
}

fn parse_truth<'a>(path: &str, value: RawValue<'a>) -> Result<bool, Fault<'a>> {
    match value.token() {
        Ok(Token::Bool(wanted)) => Ok(wanted),
        Ok(token) if token.number().is_some() => {
            Ok(token.number().is_some_and(|number| number != nanodb_msgpack::Number::Int(0)))
        }
        _ => Err(refuse("$exists", path, "true or false", value)),
    }
}

fn parse_types<'a>(path: &str, value: RawValue<'a>) -> Result<Types, Fault<'a>> {
    let expected = "the name or number of a type, or an array of such";
    let single = |value: RawValue<'a>| {
        let token = value.token().ok();
        let named = token.and_then(Token::text).and_then(Types::named);
        let numbered = || Types::numbered(token?.number()?.as_whole()?);
        named.or_else(numbered).ok_or_else(|| refuse("$type", path, expected, value))
    };
    if value.elements().is_none_or(|elements| elements.is_empty()) {
        return single(value);
    }
    elements(value).try_fold(Types::default(), |types, value| Ok(types.and(single(value)?)))
}

fn parse_mod<'a>(path: &str, value: RawValue<'a>) -> Result<Test, Fault<'a>> {
    let expected = "an array of a divisor, not 0, and a remainder";
    let numbers: Vec<Option<i64>> = elements(value)
        .map(|value| i64::try_from(value.token().ok()?.number()?.truncated()?).ok())
        .collect();
    match *numbers {
        [Some(divisor), Some(remainder)] if divisor != 0 => Ok(Test::Mod { divisor, remainder }),
        _ => Err(refuse("$mod", path, expected, value)),
    }
}

fn parse_all<'a>(path: &str, value: RawValue<'a>) -> Result<Test, Fault<'a>> {
    let expected = "an array of values, regular expressions or `$elemMatch`";
    if !value.is_array() {
        return Err(refuse("$all", path, expected, value));
    }
    let test = |element: RawValue<'a>| {
        if let Some(pattern) = parse_pattern(path, element)? {
            return Ok(Test::Regex(pattern));
        }
        if !begins_with_operator(element) {
            return Ok(Test::Equal(operand(element)?));
        }
        let mut operators = entries(element);
        match (operators.next(), operators.next()) {
            (Some(only), None) if only.name == "$elemMatch" => parse_element(path, only.value),
            _ => Err(refuse("$all", path, expected, element)),
        }
    };
    Ok(Test::All(elements(value).map(test).collect::<Result<_, _>>()?))
}

/// Reads `$elemMatch`, whose operand is a filter of documents or operators for values.
fn parse_element<'a>(path: &str, value: RawValue<'a>) -> Result<Test, Fault<'a>> {
    if !value.is_map() {
        return Err(refuse("$elemMatch", path, "a document", value));
    }
    if !is_value_filter(value) {
        return Ok(Test::ElementDocument(Box::new(parse_conjunction(value)?)));
    }
    if let Some(pattern) = parse_regex_form(path, value)? {
        return Ok(Test::ElementValue(vec![Test::Regex(pattern)]));
    }
    are_operators(path, value)?;
    Ok(Test::ElementValue(parse_operators(path, value)?))
}

fn parse_not<'a>(path: &str, value: RawValue<'a>) -> Result<Test, Fault<'a>> {
    if let Some(pattern) = parse_regex_form(path, value)? {
        return Ok(Test::Not(vec![Test::Regex(pattern)]));
    }
    if !are_operators(path, value)? {
        return Err(refuse("$not", path, "operators or a regular expression", value));
    }
    Ok(Test::Not(parse_operators(path, value)?))
}

/// Reads `$regex`, with the `$options` next to it.
fn parse_regex<'a>(
    path: &str,
    value: RawValue<'a>,
    document: RawValue<'a>,
) -> Result<Test, Fault<'a>> {
    let options = entries(document).find(|entry| entry.name == "$options").map(|entry| entry.value);
    compile(path, ("$regex", value), ("$options", options)).map(Test::Regex)
}

/// Reads a regular expression within a list: a form, or an object of `$regex`.
fn parse_pattern<'a>(path: &str, value: RawValue<'a>) -> Result<Option<Pattern>, Fault<'a>> {
    let Some(first) = entries(value).find(|entry| entry.name == "$regex") else {
        return parse_regex_form(path, value);
    };
    match entries(value).find(|entry| !matches!(entry.name, "$regex" | "$options")) {
        Some(other) => Err(unknown(other, path)),
        None => match parse_regex(path, first.value, value)? {
            Test::Regex(pattern) => Ok(Some(pattern)),
            _ => Ok(None),
        },
    }
}

/// Reads `{"$regularExpression": {"pattern": "^a", "options": "i"}}`, the JSON form of `/^a/i`.
pub(super) fn parse_regex_form<'a>(
    path: &str,
    value: RawValue<'a>,
) -> Result<Option<Pattern>, Fault<'a>> {
    const FORM: &str = "$regularExpression";
    let expected = "a document of `pattern` and `options`";
    let Some(first) = entries(value).next().filter(|first| first.name == FORM) else {
        return Ok(None);
    };
    let known = |entry: Entry<'_>| matches!(entry.name, "pattern" | "options");
    let part =
        |name| entries(first.value).find(|entry| entry.name == name).map(|found| found.value);
    match part("pattern") {
        Some(pattern) if entries(value).count() == 1 && entries(first.value).all(known) => {
            compile(path, (FORM, pattern), (FORM, part("options"))).map(Some)
        }
        _ => Err(refuse(FORM, path, expected, value)),
    }
}

fn compile<'a>(
    path: &str,
    (pattern_of, pattern): (&str, RawValue<'a>),
    (options_of, options): (&str, Option<RawValue<'a>>),
) -> Result<Pattern, Fault<'a>> {
    let text = pattern.token().ok().and_then(Token::text);
    let text = text.ok_or_else(|| refuse(pattern_of, path, "a string", pattern))?;
    let letters = match options {
        None => "",
        Some(value) => {
            let letters = value.token().ok().and_then(Token::text);
            let letters = letters.filter(|letters| are_options(letters));
            letters.ok_or_else(|| {
                refuse(options_of, path, "a string of `i`, `m`, `s`, `x` and `u`", value)
            })?
        }
    };
    Pattern::new(text, letters).map_err(|reason| {
        let (pattern_text, path) = (text.to_owned(), path.to_owned());
        fault(Problem::Regex { pattern: pattern_text, path, reason }, pattern)
    })
}

/// Returns whether a document holds operators for values, and not a filter of documents.
pub(super) fn is_value_filter(document: RawValue<'_>) -> bool {
    entries(document).find(|entry| entry.name != "$comment").is_some_and(|first| {
        first.name.starts_with('$') && !matches!(first.name, "$and" | "$or" | "$nor")
    })
}
