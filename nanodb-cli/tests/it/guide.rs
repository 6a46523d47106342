//! The guide's examples of the command line are run, in the order in which they stand there.
//!
//! In a block marked `console`, a line that begins with `$ ` is run by a shell, and what follows is
//! what it prints. A line `…` stands for any lines; one that ends in `…` after a space or a colon,
//! for any that begin so.

use std::path::Path;
use std::process::Command;

use crate::support::Room;

const PEOPLE: &str = r#"{"name": "Ada", "age": 36, "city": "London", "joined": "2023-11-14T22:13:20Z"}
{"name": "Bob", "age": 25, "city": "Bonn", "joined": "2024-02-29T08:00:00+01:00"}
{"name": "Cy", "age": 36, "city": "London", "tags": ["admin", "night"]}
"#;

/// A command of the guide, and the lines that it prints.
#[derive(PartialEq, Eq, Debug)]
struct Example<'a> {
    line: usize,
    command: &'a str,
    output: Vec<&'a str>,
}

/// Returns the commands of all `console` blocks.
fn examples(page: &str) -> Vec<Example<'_>> {
    let (mut examples, mut is_console) = (Vec::<Example<'_>>::new(), false);
    for (number, line) in (1..).zip(page.lines()) {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if is_console {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    examples.push(Example { line: number, command, output: Vec::new() });
                }
                None => examples.last_mut().unwrap().output.push(line),
            }
        }
    }
    examples
}

/// Returns whether lines are as the guide has them.
fn is_like(found: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"…", rest)) => (0..=found.len()).any(|skipped| is_like(&found[skipped..], rest)),
        Some((line, rest)) => found.split_first().is_some_and(|(first, found)| {
            let is_same = match line.strip_suffix('…') {
                Some(begin) if begin.ends_with([' ', ':']) => first.starts_with(begin),
                _ => first == line,
            };
            is_same && is_like(found, rest)
        }),
    }
}

#[cfg(unix)]
#[test]
fn the_page_on_operations_shows_what_the_commands_print() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/src/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let room = Room::new();
    room.write("people.jsonl", PEOPLE);
    let program = Path::new(env!("CARGO_BIN_EXE_nanodb")).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap();
    let examples = examples(&page);
    assert!(examples.len() > 20);
    for Example { line, command, output } in examples {
        let mut shell = Command::new("sh");
        shell.current_dir(room.path("")).env("PATH", format!("{}:{path}", program.display()));
        // Messages are part of what one sees.
        shell.env("LC_ALL", "C").args(["-c", &format!("exec 2>&1; {command}")]);
        let found = shell.output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let lines: Vec<&str> = found.lines().collect();
        assert!(
            is_like(&lines, &output),
            "operations.md, line {line}: {command}\nprints\n{found}\nand not\n{}",
            output.join("\n")
        );
    }
}

#[test]
fn what_is_left_out_of_an_example_may_be_anything() {
    let page = "$ no\n```console\n$ a b\nc\n…\n$ d\n```\n```sh\n$ e\n```\n";
    assert_eq!(
        examples(page),
        [
            Example { line: 3, command: "a b", output: vec!["c", "…"] },
            Example { line: 6, command: "d", output: vec![] },
        ]
    );
    for (found, expected, is) in [
        (&["a", "b"][..], &["a", "b"][..], true),
        (&["a", "b"], &["a"], false),
        (&["a"], &["a", "b"], false),
        (&["a", "x", "y", "b"], &["a", "…", "b"], true),
        (&["a", "b"], &["a", "…", "b"], true),
        (&[], &["…"], true),
        (&["in 5 s"], &["in …"], true),
        (&["cut off"], &["cut…"], false),
        (&["cut…"], &["cut…"], true),
    ] {
        assert_eq!(is_like(found, expected), is, "{found:?} {expected:?}");
    }
}
