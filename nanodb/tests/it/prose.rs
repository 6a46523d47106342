//! No line of prose is wider than the code: rustfmt wraps neither comments nor documents.

use std::fs;
use std::path::Path;

const COLUMNS_MAX: usize = 100;

/// Whether a line can't be wrapped: a row of a table, or one link or word.
fn is_one_piece(line: &str) -> bool {
    let item = line.trim_start_matches(|c: char| c.is_ascii_digit() || "*-. ".contains(c));
    let is_link = item.starts_with('[') || item.starts_with('<');
    let is_only_link = is_link && line.matches("](").count() <= 1 && line.ends_with([')', '>']);
    line.starts_with('|') || is_only_link || !item.trim().contains(' ')
}

/// The lines of a document or of a file's comments that are too wide, by number.
fn wide_lines(text: &str, is_code: bool) -> Vec<usize> {
    let (mut wide, mut is_fenced) = (Vec::new(), false);
    for (number, line) in (1..).zip(text.lines()) {
        let text = line.trim_start();
        let comment = text.trim_start_matches('/').trim_start_matches('!').trim_start();
        if is_code && !text.starts_with("//") {
            is_fenced = false;
        } else if comment.starts_with("```") {
            is_fenced = !is_fenced;
        } else if line.chars().count() > COLUMNS_MAX && !is_fenced && !is_one_piece(comment) {
            wide.push(number);
        }
    }
    wide
}

/// Looks through all files below a folder.
fn look_through(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if name.starts_with('.') || name == "target" {
            continue;
        } else if path.is_dir() {
            look_through(&path, found);
        } else if let Some(extension @ ("md" | "rs")) = extension {
            let lines = wide_lines(&fs::read_to_string(&path).unwrap(), extension == "rs");
            found.extend(lines.iter().map(|line| format!("{}:{line}", path.display())));
        }
    }
}

#[test]
fn no_line_of_prose_is_wider_than_a_hundred_columns() {
    let mut found = Vec::new();
    look_through(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn tables_code_and_links_may_be_wide() {
    let wide = "wide ".repeat(21);
    let link = format!("1. [link](https://example.com/{})", "a".repeat(100));
    let text = format!("{wide}\n\n```text\n{wide}\n```\n| {wide} |\n{link}\n* {wide}\n");
    assert_eq!(wide_lines(&text, false), [1, 8]);
    let code = format!("    /// {wide}\nlet a = \"{wide}\";\n// {link}\n//! {wide}\n");
    assert_eq!(wide_lines(&code, true), [1, 4]);
}
