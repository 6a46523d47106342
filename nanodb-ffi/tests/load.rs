//! The example in Rust that loads the shared library.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

#[path = "../examples/load.rs"]
mod load;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

#[test]
fn a_program_that_loads_the_shared_library_works() {
    // cargo makes it for each of the crate's tests, and puts it beside them.
    let program = std::env::current_exe().unwrap();
    let library = program.with_file_name(format!("{DLL_PREFIX}nanodb_ffi{DLL_SUFFIX}"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.nanodb");
    let mut written = Vec::new();
    load::run(library.as_os_str(), file.to_str().unwrap(), &mut written).unwrap();
    let written = String::from_utf8(written).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "Ann has the id 1");
    assert_eq!(lines[1], r#"[{"_id":2,"name":"Bob","age":45},{"_id":1,"name":"Ann","age":31}]"#);
    assert!(lines[2].contains("$gtt"), "{written}");
    assert_eq!(lines.len(), 3);
}
