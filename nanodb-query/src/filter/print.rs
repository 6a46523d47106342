//! Filters as JSON text, which is read back as the same filter.

use std::fmt::{self, Write};

use super::regex::Pattern;
use super::tree::{Choice, Condition, Conjunction, Junction, Test};
use crate::json::{print_string, print_value};

/// Prints a filter, or a branch of one.
///
/// An object can't name a field or an operator twice, and a change of order would make another
/// tree: what does not fit into one object goes into the next one of an `$and`.
pub(super) fn print_conjunction(conjunction: &Conjunction, out: &mut dyn Write) -> fmt::Result {
    let objects = split(conjunction);
    match objects.as_slice() {
        [] => out.write_str("{}"),
        [only] => only.print(out),
        objects => {
            out.write_str(r#"{"$and": "#)?;
            print_list(objects, out, Object::print)?;
            out.write_char('}')
        }
    }
}

/// The content of one JSON object.
#[derive(Default)]
struct Object<'a> {
    fields: Vec<(&'a str, Vec<NamedTest<'a>>)>,
    junctions: Vec<(&'static str, &'a [Conjunction])>,
}

/// An operator's name, and the test that it stands for.
struct NamedTest<'a> {
    name: &'static str,
    test: &'a Test,
}

fn split(conjunction: &Conjunction) -> Vec<Object<'_>> {
    let mut objects: Vec<Object<'_>> = Vec::new();
    for condition in conjunction.groups.iter().flat_map(|group| &group.conditions) {
        if !objects.last_mut().is_some_and(|object| object.take(condition)) {
            let mut object = Object::default();
            object.take(condition);
            objects.push(object);
        }
    }
    for junction in &conjunction.others {
        let (name, branches) = match junction {
            Junction::Or(branches) => ("$or", branches),
            Junction::Nor(branches) => ("$nor", branches),
        };
        match objects.last_mut() {
            Some(object) if object.junctions.iter().all(|&(there, _)| there != name) => {
                object.junctions.push((name, branches));
            }
            _ => objects.push(Object { fields: Vec::new(), junctions: vec![(name, branches)] }),
        }
    }
    objects
}

impl<'a> Object<'a> {
    /// Adds a condition, if that neither changes the order nor names anything twice.
    fn take(&mut self, condition: &'a Condition) -> bool {
        let path = condition.path.as_str();
        match self.fields.iter().position(|&(there, _)| there == path) {
            None => {
                let name = operator(&condition.test, &[]);
                let named = name.map(|name| NamedTest { name, test: &condition.test });
                self.fields.push((path, named.into_iter().collect()));
                true
            }
            Some(at) if at + 1 == self.fields.len() => {
                let Some((_, tests)) = self.fields.last_mut() else { return false };
                let Some(name) = operator(&condition.test, tests) else { return false };
                tests.push(NamedTest { name, test: &condition.test });
                true
            }
            Some(_) => false,
        }
    }

    fn print(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_char('{')?;
        let mut first = true;
        for (path, tests) in &self.fields {
            separate(&mut first, out)?;
            print_string(path, out)?;
            out.write_str(": ")?;
            match tests.as_slice() {
                [NamedTest { test: Test::Equal(operand), .. }] if !operand.has_dollar() => {
                    print_value(operand.value(), out)?;
                }
                tests => print_operators(tests, out)?,
            }
        }
        for (name, branches) in &self.junctions {
            separate(&mut first, out)?;
            write!(out, r#""{name}": "#)?;
            print_list(branches, out, print_conjunction)?;
        }
        out.write_char('}')
    }
}

fn separate(first: &mut bool, out: &mut dyn Write) -> fmt::Result {
    if std::mem::take(first) { Ok(()) } else { out.write_str(", ") }
}

fn print_list<T>(
    items: &[T],
    out: &mut dyn Write,
    print: impl Fn(&T, &mut dyn Write) -> fmt::Result,
) -> fmt::Result {
    let mut first = true;
    out.write_char('[')?;
    for item in items {
        separate(&mut first, out)?;
        print(item, out)?;
    }
    out.write_char(']')
}

/// Returns the shortest name for a test that is not among those `taken`.
fn operator(test: &Test, taken: &[NamedTest<'_>]) -> Option<&'static str> {
    let names: &[&'static str] = match test {
        Test::Equal(_) => &["$eq"],
        Test::Greater(_) => &["$gt"],
        Test::GreaterOrEqual(_) => &["$gte"],
        Test::Less(_) => &["$lt"],
        Test::LessOrEqual(_) => &["$lte"],
        Test::In(_) => &["$in"],
        Test::Exists(_) => &["$exists"],
        Test::Type(_) => &["$type"],
        Test::Regex(_) => &["$regex"],
        Test::Size(_) => &["$size"],
        Test::Mod { .. } => &["$mod"],
        Test::Bits(bits) => return free(bits.name(), taken),
        Test::All(_) => &["$all"],
        Test::ElementDocument(_) | Test::ElementValue(_) => &["$elemMatch"],
        Test::Not(tests) => match tests.as_slice() {
            [Test::Equal(_)] => &["$ne", "$not"],
            [Test::In(_)] => &["$nin", "$not"],
            _ => &["$not"],
        },
    };
    names.iter().copied().find_map(|name| free(name, taken))
}

fn free(name: &'static str, taken: &[NamedTest<'_>]) -> Option<&'static str> {
    taken.iter().all(|named| named.name != name).then_some(name)
}

fn print_operators(tests: &[NamedTest<'_>], out: &mut dyn Write) -> fmt::Result {
    let mut first = true;
    out.write_char('{')?;
    for NamedTest { name, test } in tests {
        separate(&mut first, out)?;
        write!(out, r#""{name}": "#)?;
        print_operand(name, test, out)?;
    }
    out.write_char('}')
}

fn print_operand(name: &str, test: &Test, out: &mut dyn Write) -> fmt::Result {
    match test {
        Test::Equal(operand)
        | Test::Greater(operand)
        | Test::GreaterOrEqual(operand)
        | Test::Less(operand)
        | Test::LessOrEqual(operand) => print_value(operand.value(), out),
        Test::In(choice) => print_choice(choice, out),
        Test::Exists(wanted) => write!(out, "{wanted}"),
        Test::Type(types) => {
            let names: Vec<_> = types.names().collect();
            match names.as_slice() {
                [only] => write!(out, r#""{only}""#),
                names => print_list(names, out, |name, out| write!(out, r#""{name}""#)),
            }
        }
        Test::Regex(pattern) => {
            print_string(pattern.text(), out)?;
            if !pattern.options().is_empty() {
                write!(out, r#", "$options": "{}""#, pattern.options())?;
            }
            Ok(())
        }
        Test::Size(len) => write!(out, "{len}"),
        Test::Mod { divisor, remainder } => write!(out, "[{divisor}, {remainder}]"),
        Test::Bits(bits) => print_value(bits.operand().value(), out),
        Test::All(tests) => print_list(tests, out, print_member),
        Test::ElementDocument(conjunction) => print_conjunction(conjunction, out),
        Test::ElementValue(tests) => print_tests(tests, out),
        Test::Not(tests) => match (name, tests.as_slice()) {
            ("$ne" | "$nin", [test]) => print_operand("", test, out),
            (_, tests) => print_tests(tests, out),
        },
    }
}

/// Prints tests that were read from one object, so that there are names for all of them.
pub(super) fn print_tests(tests: &[Test], out: &mut dyn Write) -> fmt::Result {
    let mut named = Vec::with_capacity(tests.len());
    for test in tests {
        let name = operator(test, &named).ok_or(fmt::Error)?;
        named.push(NamedTest { name, test });
    }
    print_operators(&named, out)
}

fn print_choice(choice: &Choice, out: &mut dyn Write) -> fmt::Result {
    let mut first = true;
    out.write_char('[')?;
    for value in &choice.values {
        separate(&mut first, out)?;
        print_value(value.value(), out)?;
    }
    for pattern in &choice.patterns {
        separate(&mut first, out)?;
        print_pattern(pattern, out)?;
    }
    out.write_char(']')
}

fn print_member(test: &Test, out: &mut dyn Write) -> fmt::Result {
    match test {
        Test::Regex(pattern) => print_pattern(pattern, out),
        Test::Equal(operand) => print_value(operand.value(), out),
        test => print_tests(std::slice::from_ref(test), out),
    }
}

fn print_pattern(pattern: &Pattern, out: &mut dyn Write) -> fmt::Result {
    out.write_str(r#"{"$regularExpression": {"pattern": "#)?;
    print_string(pattern.text(), out)?;
    write!(out, r#", "options": "{}"}}}}"#, pattern.options())
}
