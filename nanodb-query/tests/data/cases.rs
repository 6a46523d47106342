//! The cases in this folder, or in the one that the environment variable `NANODB_CORPUS` names,
//! read and counted. Part of the tests named `corpus` of each crate that answers them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::de::DeserializeOwned;

/// What came of a line.
pub(crate) enum Outcome {
    /// It is part of later cases.
    NoCase,
    /// It is a case of an unknown kind.
    Skipped,
    /// It was answered, rightly or with what is wrong.
    Answered(Result<(), String>),
}

/// Hands every line of all `.jsonl` and `.jsonl.gz` files to `judge`, with what `begin` makes anew
/// for each file. The last line printed is `N passed, N failed, N skipped`.
pub(crate) fn run<C: DeserializeOwned, S>(
    begin: impl Fn() -> S,
    judge: impl Fn(&C, &mut S) -> Outcome,
) -> ExitCode {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../nanodb-query/tests/data");
    let folder = std::env::var_os("NANODB_CORPUS").map_or_else(own, PathBuf::from);
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for file in files(&folder) {
        let mut state = begin();
        for line in read(&file).lines().filter(|line| !line.trim().is_empty()) {
            match judge(&serde_json::from_str(line).expect("a line of JSON"), &mut state) {
                Outcome::NoCase => {}
                Outcome::Skipped => skipped += 1,
                Outcome::Answered(Ok(())) => passed += 1,
                Outcome::Answered(Err(message)) => {
                    failed += 1;
                    println!("{message}\n    {line}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder);
    let mut files: Vec<PathBuf> = entries
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")
        })
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> String {
    let mut bytes = std::fs::read(file).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    String::from_utf8(bytes).unwrap()
}
