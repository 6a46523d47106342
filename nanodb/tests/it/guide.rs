//! Every page of the guide is in its table of contents, and every example in it is a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of pages in a text, each between these two strings.
fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let rest = text.split(before).skip(1);
    rest.map(|rest| rest.split_once(after).unwrap().0.to_owned()).collect()
}

#[test]
fn every_page_is_listed_and_tested() {
    let folder = root().join("docs/guide/src");
    let mut pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(pages.remove("SUMMARY.md"));
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    assert_eq!(between(&summary, "](", ")"), pages);
    let facade = fs::read_to_string(root().join("nanodb/src/lib.rs")).unwrap();
    assert_eq!(between(&facade, "include_str!(\"../../docs/guide/src/", "\")]"), pages);
}

#[test]
fn every_program_in_the_guide_is_rust_or_says_what_it_is() {
    // Those in JavaScript and Python are run by the tests of their packages in `bindings`, those in
    // C by `nanodb-ffi/test-c.sh`.
    let known = ["rust", "toml", "console", "sh", "json", "text", "js", "python", "c"];
    for entry in fs::read_dir(root().join("docs/guide/src")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let fences = text.lines().filter_map(|line| line.strip_prefix("```"));
        for fence in fences.step_by(2) {
            // Nothing such as `ignore` or `no_run`: what is shown is run.
            assert!(known.contains(&fence), "{}: {fence}", path.display());
        }
    }
}
