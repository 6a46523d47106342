//! What somebody writes at first try and does not compile: the compiler's words name the right way.
//!
//! Each file of `tests/ui` is a program. The text beside it is what the compiler says of it: lines
//! that follow each other in its output, with others between them. So a compiler that words or
//! draws its messages in another way is no failure, and one that says something else is.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The programs, by name, each with what is expected of the compiler.
fn programs(folder: &Path) -> BTreeMap<String, String> {
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let expected = path.with_extension("txt");
            let expected = fs::read_to_string(&expected)
                .unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
            programs.insert(name, expected);
        }
    }
    programs
}

/// Has cargo check all programs, as those of a crate that depends on `nanodb`; what the compiler
/// says of each.
fn check(folder: &Path, names: &[&String]) -> BTreeMap<String, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = env::var_os("CARGO_TARGET_DIR").map_or(here.join("../target"), Into::into);
    let made = target.join("ui");
    fs::create_dir_all(&made).unwrap();
    let mut manifest = format!(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nnanodb = {{ path = {here:?} }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n",
    );
    for name in names {
        let path = folder.join(name).with_extension("rs");
        manifest += &format!("\n[[bin]]\nname = \"{name}\"\npath = {path:?}\n");
    }
    fs::write(made.join("Cargo.toml"), manifest).unwrap();
    // The versions that are there already.
    fs::copy(here.join("../Cargo.lock"), made.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--keep-going", "--message-format=json"])
        .arg("--manifest-path")
        .arg(made.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", made.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let program = line["target"]["name"].as_str().unwrap_or_default();
        let rendered = line["message"]["rendered"].as_str().unwrap_or_default();
        said.entry(program.to_owned()).or_default().push_str(rendered);
    }
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn what_does_not_compile_says_what_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let programs = programs(&folder);
    let said = check(&folder, &programs.keys().collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (name, expected) in &programs {
        let text = said.get(name).map_or("", String::as_str);
        if !text.contains("error") {
            wrong.push(format!("{name} compiles"));
        }
        let mut rest = text;
        for line in expected.lines().filter(|line| !line.is_empty()) {
            match rest.split_once(line) {
                Some((_, after)) => rest = after,
                None => {
                    wrong.push(format!("{name} does not say `{line}`, but\n{rest}"));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
