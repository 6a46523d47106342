//! Updates as JSON text, which is read back as the same update.

use std::fmt::{self, Write};

use super::array::{ElementSort, Push};
use super::filters::ArrayFilter;
use super::operator::{Change, Operator};
use crate::entries::entries;
use crate::filter::Operand;
use crate::json::{print_string, print_value};
use nanodb_msgpack::RawValue;

/// Prints changes; those of one operator stand together.
pub(super) fn print_changes(changes: &[Change], out: &mut dyn Write) -> fmt::Result {
    if changes.is_empty() {
        // An update has an operator, if only one without fields.
        return out.write_str(r#"{"$set": {}}"#);
    }
    out.write_char('{')?;
    let mut before = None;
    for change in changes {
        let name = change.operator.name();
        if before == Some(name) {
            out.write_str(", ")?;
        } else {
            if before.is_some() {
                out.write_str("}, ")?;
            }
            write!(out, r#""{name}": {{"#)?;
            before = Some(name);
        }
        print_string(change.path.as_str(), out)?;
        out.write_str(": ")?;
        print_operand(&change.operator, out)?;
    }
    out.write_str(if before.is_some() { "}}" } else { "}" })
}

fn print_operand(operator: &Operator, out: &mut dyn Write) -> fmt::Result {
    match operator {
        Operator::Set(value)
        | Operator::SetOnInsert(value)
        | Operator::Increase(value)
        | Operator::Multiply(value)
        | Operator::Min(value)
        | Operator::Max(value) => print_value(value.value(), out),
        Operator::Unset => out.write_str(r#""""#),
        Operator::CurrentDate => out.write_str("true"),
        Operator::Rename { to } => print_string(to.as_str(), out),
        Operator::Bits(bits) => {
            for (index, (operation, number)) in bits.0.iter().enumerate() {
                out.write_str(if index > 0 { ", " } else { "{" })?;
                write!(out, r#""{}": {number}"#, operation.name())?;
            }
            out.write_char('}')
        }
        Operator::Push(push) => print_push(push, out),
        Operator::AddToSet(each) => print_added(each.values(), out),
        Operator::Pull(filter) => filter.print(out),
        Operator::PullAll(each) => print_list(each.values(), out),
        Operator::Pop { first } => out.write_str(if *first { "-1" } else { "1" }),
    }
}

fn print_push(push: &Push, out: &mut dyn Write) -> fmt::Result {
    if push.only_appends() {
        return print_added(&push.values, out);
    }
    out.write_str(r#"{"$each": "#)?;
    print_list(&push.values, out)?;
    if let Some(position) = push.position {
        write!(out, r#", "$position": {position}"#)?;
    }
    if let Some(sort) = &push.sort {
        match sort {
            ElementSort::Whole { descending } => {
                write!(out, r#", "$sort": {}"#, if *descending { -1 } else { 1 })?;
            }
            ElementSort::By(sort) => write!(out, r#", "$sort": {sort}"#)?,
        }
    }
    if let Some(slice) = push.slice {
        write!(out, r#", "$slice": {slice}"#)?;
    }
    out.write_char('}')
}

/// Prints what is added to an array: one value as it is, unless it would be read as modifiers.
fn print_added(values: &[Operand], out: &mut dyn Write) -> fmt::Result {
    if let [only] = values
        && !is_like_modifiers(only.value())
    {
        return print_value(only.value(), out);
    }
    out.write_str(r#"{"$each": "#)?;
    print_list(values, out)?;
    out.write_char('}')
}

fn is_like_modifiers(value: RawValue<'_>) -> bool {
    let mut names = entries(value).map(|entry| entry.name).enumerate();
    names.any(|(index, name)| name == "$each" || (index == 0 && name.starts_with('$')))
}

fn print_list(values: &[Operand], out: &mut dyn Write) -> fmt::Result {
    out.write_char('[')?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        print_value(value.value(), out)?;
    }
    out.write_char(']')
}

pub(super) fn print_filters(filters: &[ArrayFilter], out: &mut dyn Write) -> fmt::Result {
    out.write_char('[')?;
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{}", filter.filter)?;
    }
    out.write_char(']')
}
