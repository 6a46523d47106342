//! The header is what the sources say.
//!
//! `NANODB_FFI_HEADER=write cargo test -p nanodb-ffi --test header` makes it anew.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the header, in its order.
const SOURCES: [&str; 16] = [
    "types.rs",
    "status.rs",
    "memory.rs",
    "api/library.rs",
    "api/database.rs",
    "api/maintenance.rs",
    "api/collection.rs",
    "api/transaction.rs",
    "api/snapshot.rs",
    "api/insert.rs",
    "api/by_id.rs",
    "api/search.rs",
    "api/cursor.rs",
    "api/update.rs",
    "api/find_one_and.rs",
    "api/bulk.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The header of all functions, and that of the Go program's.
fn made() -> [(&'static str, String); 2] {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut of_go =
        cbindgen::Config { include_guard: Some("NANODB_GO_H".to_owned()), ..config.clone() };
    of_go.after_includes = None;
    of_go.header = Some(HEADER_OF_GO.to_owned());
    [("nanodb.h", of_sources(&SOURCES, config)), ("nanodb_go.h", of_sources(&["dropin.rs"], of_go))]
}

const HEADER_OF_GO: &str = "\
/*
 * The interface of the Go program's library, for programs that were written for it.
 *
 * A text ends with a zero byte, and is UTF-8. What is returned is the caller's, who frees it with
 * NanoFree. There is one database for the process. docs/guide/src/migrations.md says what differs.
 */";

fn of_sources(sources: &[&str], config: cbindgen::Config) -> String {
    let builder = sources.iter().fold(cbindgen::Builder::new(), |builder, name| {
        builder.with_src(root().join("src").join(name))
    });
    let mut out = Vec::new();
    builder.with_config(config).generate().unwrap().write(&mut out);
    without_safety(&String::from_utf8(out).unwrap())
}

/// What is said of safety is for Rust: C's rules are at the head of the header. Behind a directive
/// a comment that C89 has no form for would be a part of it.
fn without_safety(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_skipped = false;
    for line in text.lines() {
        if line.trim() == "* # Safety" {
            is_skipped = true;
            // The empty line before it.
            kept.pop();
        }
        is_skipped &= line.trim() != "*/";
        if !is_skipped {
            let line = if line.starts_with('#') { line.split("//").next().unwrap() } else { line };
            kept.push(line.trim_end());
        }
    }
    kept.join("\n") + "\n"
}

#[test]
fn the_headers_are_what_the_sources_say() {
    for (name, made) in made() {
        let path = root().join("include").join(name);
        if std::env::var_os("NANODB_FFI_HEADER").is_some_and(|wish| wish == "write") {
            fs::write(&path, &made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let first = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
        assert!(
            kept == made,
            "include/{name} differs from line {:?}: make it anew with NANODB_FFI_HEADER=write",
            first.map(|line| line + 1)
        );
    }
}

#[test]
fn the_header_has_every_function_of_the_library_and_no_other() {
    let header = fs::read_to_string(root().join("include/nanodb.h")).unwrap();
    let mut exported = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let functions = text.split("#[unsafe(no_mangle)]").skip(1);
            let name =
                |text: &str| text.split_once("fn ").unwrap().1.split('(').next().map(str::to_owned);
            exported.extend(functions.filter_map(name));
        }
    }
    exported.retain(|name| name.starts_with("nanodb_"));
    exported.sort();
    assert!(exported.len() > 50, "{exported:?}");
    for name in &exported {
        assert!(
            header.contains(&format!(" {name}(")) || header.contains(&format!("*{name}(")),
            "{name}"
        );
    }
    let declared = header.lines().filter(|line| {
        let is_code = !line.trim_start().starts_with('*') && !line.starts_with("typedef");
        is_code && line.split_once('(').is_some_and(|(before, _)| before.contains("nanodb_"))
    });
    assert_eq!(declared.count(), exported.len());
}

#[test]
fn the_version_in_the_header_is_the_crates() {
    let [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"].map(|part| {
        std::env::var(format!("CARGO_PKG_VERSION_{part}")).unwrap().parse::<u32>().unwrap()
    });
    assert_eq!(nanodb_ffi::NANODB_VERSION_NUMBER, major * 1_000_000 + minor * 1000 + patch);
    assert_eq!(nanodb_ffi::nanodb_version_number(), nanodb_ffi::NANODB_VERSION_NUMBER);
}
