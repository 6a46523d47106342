//! What the facade owes its users, held against the sources: whatever its signatures name can be
//! named by them, and whatever it exports has an example, or a reason why not.

mod items;

use std::collections::BTreeSet;
use std::fs;

use self::items::{Item, Sources, type_names};

#[test]
fn whatever_a_signature_of_the_facade_names_can_be_named_by_its_user() {
    let sources = Sources::read();
    let facade: BTreeSet<_> = sources.facade().into_values().collect();
    let mut missing = BTreeSet::new();
    for item in sources.items() {
        for name in type_names(&item.signature) {
            match sources.origin(&item, name) {
                // The alias of another crate, with the one error named.
                Some(_) if name == "Result" && item.signature.contains(", Error>") => {}
                Some(origin) if !facade.contains(&origin) => {
                    missing.insert(format!("{}: {}::{}", item.name, origin.0, origin.1));
                }
                _ => {}
            }
        }
    }
    assert!(missing.is_empty(), "not exported by the facade: {missing:#?}");
}

/// Whether a name is that of an error, or of what is wrong within one.
fn is_error(name: &str) -> bool {
    name.ends_with("Error") || name.ends_with("Problem") || name == "Malformed"
}

#[test]
fn no_public_signature_names_another_error() {
    let sources = Sources::read();
    let of = |crate_name: &str, name: &str| Some((crate_name.to_owned(), name.to_owned()));
    let the_error = of("nanodb-document", "Error");
    let mut others = Vec::new();
    for item in sources.items() {
        for name in type_names(&item.signature) {
            let origin = sources.origin(&item, name);
            // What `check` finds wrong with a file is no error of a call.
            let is_finding = origin == of("nanodb-collection", "Problem");
            let is_other = is_error(name) && origin.is_some() && origin != the_error && !is_finding;
            // The crates' own `Result` has their own error, unless another one is named.
            let is_result = name == "Result"
                && origin.is_some()
                && origin != of("nanodb-document", "Result")
                && !item.signature.contains(", Error>");
            if is_other || is_result {
                others.push(format!("{}: {name} of {origin:?}", item.name));
            }
        }
    }
    let associated = sources.associated_errors();
    assert!(associated.len() > 5, "{associated:?}");
    for (file, owner, error) in associated {
        if error != "Error" {
            others.push(format!("{file}: {owner} has {error}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Whether an item's own example shows it, or that of its type.
fn is_shown(item: &Item, items: &[Item]) -> bool {
    let of_type = || {
        let (owner, method) = item.name.rsplit_once("::")?;
        let docs = &items.iter().find(|item| item.name == owner)?.docs;
        let examples: Vec<_> = docs.split("```").skip(1).step_by(2).collect();
        let calls = [format!(".{method}("), format!("::{method}(")];
        Some(examples.iter().any(|text| calls.iter().any(|call| text.contains(call.as_str()))))
    };
    item.docs.contains("```") || of_type().unwrap_or(false)
}

#[test]
fn every_public_item_of_the_facade_has_an_example_or_a_reason_why_not() {
    let items = Sources::read().items();
    assert!(items.len() > 300, "{} items found", items.len());
    let reasons = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/facade/without_example.txt");
    let reasons = fs::read_to_string(reasons).unwrap();
    let mut reasons: Vec<(&str, bool)> = reasons
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (pattern, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            assert!(!reason.trim().is_empty(), "no reason: {line}");
            (pattern, false)
        })
        .collect();
    let mut without = Vec::new();
    for item in &items {
        assert!(!item.docs.is_empty(), "{} is not documented", item.name);
        if is_shown(item, &items) {
            continue;
        }
        let mut is_explained = false;
        for (pattern, is_used) in &mut reasons {
            let matches = match pattern.strip_suffix('*') {
                Some(start) => item.name.starts_with(start),
                None => item.name == *pattern,
            };
            is_explained |= matches;
            *is_used |= matches;
        }
        if !is_explained {
            without.push(item.name.as_str());
        }
    }
    assert!(without.is_empty(), "neither an example nor a reason:\n{}", without.join("\n"));
    let unused: Vec<_> = reasons.iter().filter(|(_, is_used)| !is_used).collect();
    assert!(unused.is_empty(), "reasons for nothing: {unused:?}");
}

/// `Returns`, `Sets`, `Makes`: what the function does, and not what it is called.
#[test]
fn the_documentation_of_every_function_begins_with_a_verb() {
    let mut others = Vec::new();
    for item in Sources::read().items() {
        let first = item.docs.lines().next().unwrap_or_default();
        let word = first.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_function = item.signature.contains("fn ");
        if is_function && !word.ends_with('s') && word != "Same" {
            others.push(format!("{}: {first}", item.name));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}
