//! No crate has an import cycle of more than four files.
//!
//! Files that import each other in a circle can only be understood together. A few such circles are
//! inherent (a document holds values, a value holds a document), and small ones do no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::rooms::{modules, named};

/// The most files that may import each other in a circle.
const CYCLE_FILES_MAX: usize = 4;

/// The files of a crate by their modules, and the modules that each names.
fn imports(modules: &BTreeMap<String, String>) -> BTreeMap<&str, BTreeSet<&str>> {
    let imports_of = |module: &str, text: &str| {
        let path: Vec<&str> = module.split('/').collect();
        let names = named(&path, text).into_iter();
        names.filter_map(|name| owner(modules, &name)).filter(|&other| other != module).collect()
    };
    modules.iter().map(|(module, text)| (&**module, imports_of(module, text))).collect()
}

/// The file that a path leads into: its longest beginning that is a module.
fn owner<'m>(modules: &'m BTreeMap<String, String>, name: &str) -> Option<&'m str> {
    let beginnings =
        std::iter::successors(Some(name), |name| name.rsplit_once('/').map(|(folder, _)| folder));
    beginnings.filter_map(|name| modules.get_key_value(name)).map(|(module, _)| &**module).next()
}

/// The sets of files of which each reaches each other one by imports, but for single files.
fn cycles(modules: &BTreeMap<String, String>) -> BTreeSet<BTreeSet<String>> {
    let imports = imports(modules);
    let reached = |start: &str| {
        let (mut reached, mut to_visit) = (BTreeSet::new(), vec![start]);
        while let Some(module) = to_visit.pop() {
            for &other in imports.get(module).into_iter().flatten() {
                if reached.insert(other) {
                    to_visit.push(other);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|&module| (module, reached(module))).collect();
    let circle = |module: &str| -> BTreeSet<String> {
        let others = reached[module].iter().filter(|&&other| reached[other].contains(module));
        others.map(|&other| other.to_owned()).collect()
    };
    imports.keys().map(|&module| circle(module)).filter(|circle| circle.len() > 1).collect()
}

fn largest(modules: &BTreeMap<String, String>) -> usize {
    cycles(modules).iter().map(BTreeSet::len).max().unwrap_or(0)
}

/// The names of the crates in the workspace.
fn crates() -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = fs::read_dir(workspace).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("Cargo.toml").is_file() && folder.join("src").is_dir())
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn no_more_than_four_files_import_each_other_in_a_circle() {
    let crates = crates();
    assert!(crates.len() >= 10, "{crates:?}");
    for crate_name in crates {
        let modules = modules(&crate_name);
        for cycle in cycles(&modules) {
            assert!(cycle.len() <= CYCLE_FILES_MAX, "{crate_name}: {cycle:?}");
        }
    }
}

#[test]
fn a_planted_circle_of_five_files_is_found() {
    let mut modules = modules("nanodb-query");
    let planted = ["filter/types", "filter/cost", "sort", "json", "filter/prefilter"];
    for (at, &module) in planted.iter().enumerate() {
        let next = planted[(at + 1) % planted.len()].replace('/', "::");
        let text = modules.get_mut(module).expect(module);
        // Within braces, with a name behind it, as imports are written.
        text.insert_str(0, &format!("use crate::{{{next}::Thing, error::Problem}};\n"));
    }
    assert!(largest(&modules) >= planted.len());
    // One import less, and it is none.
    let text = modules.get_mut("json").unwrap();
    text.replace_range(..text.find('\n').unwrap(), "");
    assert!(largest(&modules) <= CYCLE_FILES_MAX);
}

#[test]
fn two_files_that_name_each_other_are_a_circle_and_one_that_names_itself_is_none() {
    let file = |module: &str, text: &str| (module.to_owned(), text.to_owned());
    let modules = BTreeMap::from([
        file("a", "use super::b::{self, Thing};\nuse crate::a::Own;"),
        file("a/inner", "use super::Own;"),
        file("b", "fn f() -> crate::a::Own {}\n// use crate::c::Thing;"),
        file("c", "use crate::b::Thing;"),
    ]);
    let two = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    assert_eq!(cycles(&modules), BTreeSet::from([two]));
}
