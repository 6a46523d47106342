//! From a projection document to the tree.

use super::{Mode, Node, Projection, Slice};
use crate::entries::{Entry, elements, entries};
use crate::error::Problem;
use crate::fault::{Fault, fault, refuse};
use crate::filter::ElementFilter;
use crate::limits::check_patterns;
use nanodb_msgpack::Token;
use nanodb_msgpack::{RawValue, TypeBracket};

/// What a projection says of one path.
enum Rule {
    Field(Mode),
    Special(Node),
}

pub(super) fn parse(value: RawValue<'_>) -> Result<Projection, Fault<'_>> {
    if !value.is_map() {
        let found = value.bracket().unwrap_or(TypeBracket::Null);
        return Err(fault(Problem::NotADocument { what: "a projection", found }, value));
    }
    check_patterns(value)?;
    let mut parser =
        Parser { mode: None, id: None, slices: false, matches: false, result: Projection::all() };
    parser.read_fields("", value)?;
    if parser.id.is_some() && parser.result.fields.contains_key("_id") {
        return Err(fault(super::collision("_id", "_id"), value));
    }
    Ok(parser.finish())
}

struct Parser {
    /// What the fields other than `_id` say.
    mode: Option<Mode>,
    /// What is said about `_id`.
    id: Option<Mode>,
    /// Whether there is a `$slice`, and an `$elemMatch`.
    slices: bool,
    matches: bool,
    result: Projection,
}

impl Parser {
    fn read_fields<'a>(&mut self, above: &str, document: RawValue<'a>) -> Result<(), Fault<'a>> {
        for entry in entries(document) {
            let path = match above {
                "" => entry.name.to_owned(),
                above => format!("{above}.{}", entry.name),
            };
            self.read_field(&path, entry)?;
        }
        Ok(())
    }

    fn read_field<'a>(&mut self, path: &str, entry: Entry<'a>) -> Result<(), Fault<'a>> {
        let at_name = |problem| Fault { problem, tail: entry.tail };
        if let Some(array) = path.strip_suffix(".$") {
            return self.read_positional(array, path, entry);
        }
        if entry.name.split('.').any(|part| part.starts_with('$')) {
            let (operator, path) = (entry.name.to_owned(), path.to_owned());
            return Err(at_name(Problem::Unsupported { operator, path }));
        }
        let below = entry.value.is_map()
            && entries(entry.value).next().is_some_and(|first| !first.name.starts_with('$'));
        if below {
            return self.read_fields(path, entry.value);
        }
        let node = match read_rule(path, entry.value)? {
            Rule::Special(node) => {
                self.slices |= matches!(node, Node::Slice(_));
                self.matches |= matches!(node, Node::ElemMatch(_));
                if self.matches && self.result.needs_match() {
                    return Err(at_name(Problem::MixedProjection { path: path.to_owned() }));
                }
                node
            }
            Rule::Field(mode) if path == "_id" => {
                self.id = Some(mode);
                return Ok(());
            }
            Rule::Field(mode) => {
                if *self.mode.get_or_insert(mode) != mode {
                    return Err(at_name(Problem::MixedProjection { path: path.to_owned() }));
                }
                Node::Whole
            }
        };
        self.result.insert(path, node).map_err(at_name)
    }

    /// Reads `"a.$"`, of which `array` is the path before `.$`.
    fn read_positional<'a>(
        &mut self,
        array: &str,
        path: &str,
        entry: Entry<'a>,
    ) -> Result<(), Fault<'a>> {
        let at_name = |problem| Fault { problem, tail: entry.tail };
        let is_wanted = matches!(read_rule(path, entry.value), Ok(Rule::Field(Mode::Include)));
        if !is_wanted || array.split('.').any(|part| part.starts_with('$')) {
            return Err(refuse(path, "", "1, and `$` only at its end", entry.value));
        }
        let is_mixed =
            self.mode == Some(Mode::Exclude) || self.matches || self.result.needs_match();
        if is_mixed {
            return Err(at_name(Problem::MixedProjection { path: path.to_owned() }));
        }
        self.mode = Some(Mode::Include);
        self.result.insert(array, Node::Matched).map_err(at_name)?;
        self.result.positional = Some(array.into());
        Ok(())
    }

    fn finish(self) -> Projection {
        let Self { mode, id, slices, matches, mut result } = self;
        // What decides if no plain field does.
        let otherwise = if slices {
            id.unwrap_or(Mode::Exclude)
        } else if matches {
            Mode::Include
        } else {
            id.unwrap_or(Mode::Exclude)
        };
        result.mode = mode.unwrap_or(otherwise);
        match (result.mode, id) {
            (Mode::Include, None | Some(Mode::Include)) | (Mode::Exclude, Some(Mode::Exclude)) => {
                result.fields.entry("_id".into()).or_insert(Node::Whole);
            }
            _ => {}
        }
        result
    }
}

fn read_rule<'a>(path: &str, value: RawValue<'a>) -> Result<Rule, Fault<'a>> {
    let expected = "0, 1, `$slice`, `$elemMatch` or a document of fields";
    let token = value.token().ok();
    if let Some(Token::Bool(wanted)) = token {
        return Ok(Rule::Field(if wanted { Mode::Include } else { Mode::Exclude }));
    }
    if let Some(number) = token.and_then(Token::number) {
        let wanted = number != nanodb_msgpack::Number::Int(0);
        return Ok(Rule::Field(if wanted { Mode::Include } else { Mode::Exclude }));
    }
    let mut operators = entries(value);
    let (Some(only), None) = (operators.next(), operators.next()) else {
        return Err(refuse("projection", path, expected, value));
    };
    match only.name {
        "$slice" => read_slice(path, only.value).map(|slice| Rule::Special(Node::Slice(slice))),
        "$elemMatch" if path.contains('.') => {
            Err(refuse("$elemMatch", path, "a field of the document itself", only.value))
        }
        "$elemMatch" if only.value.is_map() => {
            let wanted = ElementFilter::parse_fault(path, only.value)?;
            Ok(Rule::Special(Node::ElemMatch(wanted)))
        }
        "$elemMatch" => Err(refuse("$elemMatch", path, "a document", only.value)),
        name => {
            let (operator, path) = (name.to_owned(), path.to_owned());
            Err(Fault { problem: Problem::UnknownOperator { operator, path }, tail: only.tail })
        }
    }
}

fn read_slice<'a>(path: &str, value: RawValue<'a>) -> Result<Slice, Fault<'a>> {
    let whole = |value: RawValue<'_>| value.token().ok()?.number()?.as_whole();
    let count = |number: i128| u32::try_from(number).unwrap_or(u32::MAX);
    if let Some(number) = whole(value) {
        return Ok(if number < 0 {
            Slice::Last(count(-number))
        } else {
            Slice::First(count(number))
        });
    }
    let numbers: Vec<Option<i128>> = elements(value).map(whole).collect();
    match *numbers {
        [Some(skip), Some(limit)] if limit > 0 => {
            let skip = i64::try_from(skip).unwrap_or(if skip < 0 { i64::MIN } else { i64::MAX });
            Ok(Slice::Range { skip, limit: count(limit) })
        }
        _ => {
            let expected = "a whole number, or an array of how many to skip and how many to take";
            Err(refuse("$slice", path, expected, value))
        }
    }
}
