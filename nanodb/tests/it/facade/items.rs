//! The public items of the facade, found in the sources: what `nanodb` exports, from which crate
//! it comes, its documentation and its signatures.
//!
//! Reads text, not a syntax tree: it knows the few forms that our sources have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose items the facade exports.
const CRATES: [&str; 6] = [
    "nanodb-database",
    "nanodb-collection",
    "nanodb-query",
    "nanodb-document",
    "nanodb-msgpack",
    "nanodb-pager",
];

/// Where an item is defined: a crate and a name.
pub(super) type Origin = (String, String);

/// A public item: a type, a function, a method, a constant or a macro.
pub(super) struct Item {
    /// `Collection::insert`, by the name that the facade gives the type.
    pub(super) name: String,
    pub(super) docs: String,
    /// What it says to its users, beside its name: arguments, results, fields, variants.
    pub(super) signature: String,
    /// The crate and the file, for messages and for names.
    pub(super) crate_name: String,
    pub(super) file: String,
}

/// All sources of the crates, and what their roots export.
pub(super) struct Sources {
    files: Vec<Source>,
    /// For each crate and exported name where that is defined.
    exports: BTreeMap<String, BTreeMap<String, Origin>>,
}

struct Source {
    crate_name: String,
    path: String,
    text: String,
    /// The same, as long, with spaces in place of comments and of what is in quotes.
    code: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Sources {
    pub(super) fn read() -> Self {
        let mut files = Vec::new();
        for crate_name in CRATES {
            let mut folders = vec![root().join(crate_name).join("src")];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(&folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                    } else if path.extension().is_some_and(|extension| extension == "rs")
                        && !path.ends_with("tests.rs")
                    {
                        let text = fs::read_to_string(&path).unwrap();
                        let code = code_of(&text);
                        let path = path.strip_prefix(root()).unwrap();
                        let path = path.to_string_lossy().replace('\\', "/");
                        files.push(Source { crate_name: crate_name.to_owned(), path, text, code });
                    }
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut sources = Self { files, exports: BTreeMap::new() };
        // From the ground up, so that what comes from below is known.
        for crate_name in CRATES.iter().rev() {
            let exports = sources.exports_of(crate_name, &format!("{crate_name}/src/lib.rs"));
            sources.exports.insert((*crate_name).to_owned(), exports);
        }
        sources
    }

    /// What a file makes public of its own crate and of those below.
    fn exports_of(&self, crate_name: &str, file: &str) -> BTreeMap<String, Origin> {
        let mut exports = BTreeMap::new();
        for (path, name, alias) in public_uses(&code_of(&read(file))) {
            let origin = match path.split("::").next().and_then(crate_of) {
                Some(below) if path.ends_with("::json") => {
                    self.module_exports(below, "json").get(&name).cloned()
                }
                Some(below) => self.exports[below].get(&name).cloned(),
                None => None,
            };
            let origin = origin.unwrap_or_else(|| (crate_name.to_owned(), name.clone()));
            exports.insert(alias, origin);
        }
        // Macros are at the root wherever they are defined.
        for source in self.files.iter().filter(|source| source.crate_name == crate_name) {
            for (at, _) in source.code.match_indices("macro_rules! ") {
                let name = identifier(&source.code[at + "macro_rules! ".len()..]);
                if docs_before(&source.text, at).1.contains("macro_export") {
                    exports.insert(name.to_owned(), (crate_name.to_owned(), name.to_owned()));
                }
            }
        }
        exports
    }

    /// What a public module exports.
    fn module_exports(&self, crate_name: &str, module: &str) -> BTreeMap<String, Origin> {
        self.exports_of(crate_name, &format!("{crate_name}/src/{module}.rs"))
    }

    /// What the facade exports, by the name that it has there.
    pub(super) fn facade(&self) -> BTreeMap<String, Origin> {
        let mut facade = BTreeMap::new();
        for (_, name, alias) in public_uses(&code_of(&read("nanodb/src/lib.rs"))) {
            let modules = [("json", "nanodb-document"), ("storage", "nanodb-database")];
            if let Some((module, crate_name)) = modules.into_iter().find(|(m, _)| *m == name) {
                for (name, origin) in self.module_exports(crate_name, module) {
                    facade.insert(format!("{module}::{name}"), origin);
                }
                continue;
            }
            let origin = self.exports["nanodb-database"].get(&name).cloned();
            let origin = origin.unwrap_or_else(|| panic!("{name} comes from nowhere"));
            facade.insert(alias, origin);
        }
        facade
    }

    /// All public items of the facade but hidden ones.
    pub(super) fn items(&self) -> Vec<Item> {
        let facade = self.facade();
        let mut names: BTreeMap<&Origin, &String> = BTreeMap::new();
        for (name, origin) in &facade {
            names.entry(origin).or_insert(name);
        }
        let mut items = Vec::new();
        for source in &self.files {
            source.items(&names, &mut items);
        }
        items
    }

    /// The errors of conversions from and to what the facade exports: the `Err` and the `Error` of
    /// implementations of traits, each with the file and the type.
    pub(super) fn associated_errors(&self) -> Vec<(String, String, String)> {
        let facade: BTreeSet<Origin> = self.facade().into_values().collect();
        let mut found = Vec::new();
        for source in &self.files {
            let mut owner = "";
            for line in source.code.lines().map(str::trim) {
                if let Some((_, of)) = line.strip_prefix("impl").and_then(|l| l.split_once(" for "))
                {
                    owner = of;
                }
                let is_error = |line: &str| {
                    let name =
                        line.strip_prefix("type Err = ").or(line.strip_prefix("type Error = "));
                    name.and_then(|name| name.strip_suffix(';')).map(str::to_owned)
                };
                let Some(error) = is_error(line) else { continue };
                let name = identifier(owner.trim_start_matches(['&', '$'])).to_owned();
                let is_exported = facade.contains(&(source.crate_name.clone(), name.clone()));
                // Within a macro, it is for several types of ours.
                if is_exported || owner.starts_with('$') {
                    found.push((source.path.clone(), name, error));
                }
            }
        }
        found
    }

    /// What a name in a file of a crate means, if it is one of ours.
    pub(super) fn origin(&self, item: &Item, name: &str) -> Option<Origin> {
        if let Some(origin) = self.exports[&item.crate_name].get(name) {
            return Some(origin.clone());
        }
        let source = self.files.iter().find(|source| source.path == item.file)?;
        for (path, used, alias) in uses(&source.code, "use ") {
            if alias != name {
                continue;
            }
            return match path.split("::").next().and_then(crate_of) {
                Some(below) => self.exports[below].get(&used).cloned(),
                None if path.starts_with("std") || path.starts_with("serde") => None,
                None => Some((item.crate_name.clone(), used)),
            };
        }
        ["struct", "enum", "trait"]
            .iter()
            .any(|kind| source.code.contains(&format!("{kind} {name}")))
            .then(|| (item.crate_name.clone(), name.to_owned()))
    }
}

impl Source {
    fn items(&self, names: &BTreeMap<&Origin, &String>, items: &mut Vec<Item>) {
        let exported = |name: &str| {
            names.get(&(self.crate_name.clone(), name.to_owned())).map(|name| (*name).clone())
        };
        for (at, head) in self.top_level() {
            let body = || block(&self.code[at..]);
            let mut words = head.split_whitespace().skip_while(|word| {
                ["pub", "const", "async", "unsafe"].contains(word)
                    && !head.starts_with("pub const ")
                    || *word == "pub"
            });
            let kind = words.next().unwrap_or_default();
            match kind {
                _ if kind.starts_with("impl") && !head.starts_with("pub") => {
                    let header = without_generics(head.trim_start_matches("impl"));
                    if header.contains(" for ") {
                        continue;
                    }
                    let Some(owner) = exported(identifier(header.trim())) else { continue };
                    self.members(at, body(), &owner, "pub ", items);
                }
                "struct" | "enum" | "trait" | "fn" | "const" | "type"
                    if head.starts_with("pub ") =>
                {
                    let after = head.split_once(kind).unwrap().1.trim_start();
                    let Some(name) = exported(identifier(after)) else { continue };
                    let signature = match kind {
                        "enum" => variants(body()),
                        "struct" => public_fields(head, body()),
                        _ => head.to_owned(),
                    };
                    self.add(at, name.clone(), signature, items);
                    if kind == "trait" {
                        self.members(at, body(), &name, "", items);
                    }
                }
                "macro_rules!" => {
                    let Some(name) = exported(identifier(words.next().unwrap_or_default())) else {
                        continue;
                    };
                    self.add(at, format!("{name}!"), String::new(), items);
                }
                _ => {}
            }
        }
    }

    /// Where something begins outside of all braces, and its text up to its body.
    fn top_level(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        for line in self.code.split_inclusive('\n') {
            let starts = ["pub ", "impl", "macro_rules! "];
            if depth == 0 && starts.iter().any(|start| line.starts_with(start)) {
                let rest = &self.code[at..];
                let end = rest.find(['{', ';']).unwrap_or(rest.len());
                found.push((at, rest[..end].trim()));
            }
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
            at += line.len();
        }
        found
    }

    /// Adds the functions and constants of a block.
    fn members(&self, start: usize, body: &str, owner: &str, public: &str, items: &mut Vec<Item>) {
        let mut depth = 0;
        let mut at = body.as_ptr().addr() - self.code.as_ptr().addr();
        assert!(at >= start);
        for line in body.split_inclusive('\n') {
            let code = line.trim_start();
            let starts = ["fn ", "const ", "const fn "].map(|start| format!("{public}{start}"));
            if depth == 1 && starts.iter().any(|start| code.starts_with(start.as_str())) {
                let begin = at + line.len() - code.len();
                let rest = &self.code[begin..];
                let end = rest.find(['{', ';']).unwrap_or(rest.len());
                let head = rest[..end].trim();
                let after = head.split_once("fn ").or_else(|| head.split_once("const ")).unwrap().1;
                self.add(begin, format!("{owner}::{}", identifier(after)), head.to_owned(), items);
            }
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
            at += line.len();
        }
    }

    fn add(&self, at: usize, name: String, signature: String, items: &mut Vec<Item>) {
        let (docs, attributes) = docs_before(&self.text, at);
        if !attributes.contains("doc(hidden)") {
            let (crate_name, file) = (self.crate_name.clone(), self.path.clone());
            items.push(Item { name, docs, signature, crate_name, file });
        }
    }
}

/// `nanodb_query` is `nanodb-query`.
fn crate_of(name: &str) -> Option<&'static str> {
    CRATES.into_iter().find(|known| known.replace('-', "_") == name)
}

fn public_uses(code: &str) -> Vec<(String, String, String)> {
    uses(code, "pub use ")
}

/// Of each name that is used: the path before it, the name, and the name that it gets.
fn uses(code: &str, start: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(start) {
        if at > 0 && !code[..at].ends_with(['\n', ' '])
            || start == "use " && code[..at].ends_with("pub ")
        {
            continue;
        }
        let Some((statement, _)) = code[at + start.len()..].split_once(';') else { continue };
        let (path, names) = match statement.split_once('{') {
            Some((path, names)) => (path, names.trim_end().trim_end_matches('}')),
            None => statement.rsplit_once("::").unwrap_or(("", statement)),
        };
        let path = path.trim_end_matches("::").trim_start_matches("self::").to_owned();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let (name, alias) = name.split_once(" as ").unwrap_or((name, name));
            found.push((path.clone(), name.to_owned(), alias.to_owned()));
        }
    }
    found
}

/// The documentation and the attributes that stand before a place.
fn docs_before(text: &str, at: usize) -> (String, String) {
    let (mut docs, mut attributes) = (Vec::new(), String::new());
    for line in text[..at].trim_end_matches(' ').lines().rev() {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
        } else if line.is_empty() || line.ends_with([';', '}', '{']) && !line.starts_with('#') {
            break;
        } else {
            attributes.push_str(line);
        }
    }
    docs.reverse();
    (docs.join("\n"), attributes)
}

/// A block in braces, these included; empty if a semicolon comes first.
fn block(code: &str) -> &str {
    let Some(start) = code.find(['{', ';']) else { return "" };
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if byte == b'}' { &code[start..=at] } else { "" };
        }
    }
    ""
}

fn public_fields(head: &str, body: &str) -> String {
    let fields = body.lines().chain(head.split(['(', ',']));
    fields.filter(|line| line.trim_start().starts_with("pub ")).collect::<Vec<_>>().join("\n")
}

/// The body of an enum without the names of its variants.
fn variants(body: &str) -> String {
    let mut depth = 0;
    let mut types = String::new();
    for line in without_attributes(body).lines() {
        let line = line.trim_start();
        types.push_str(if depth == 1 { &line[identifier(line).len()..] } else { line });
        types.push('\n');
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
    }
    types
}

fn without_attributes(code: &str) -> String {
    let mut rest = code;
    let mut kept = String::new();
    while let Some((before, attribute)) = rest.split_once("#[") {
        kept.push_str(before);
        let mut depth = 1;
        let end = attribute.find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            depth == 0
        });
        rest = end.and_then(|end| attribute.get(end + 1..)).unwrap_or_default();
    }
    kept + rest
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// All that a signature names: words that begin with a capital, but for those of the standard
/// library that stand behind its name, and what keeps others from implementing a trait.
pub(super) fn type_names(signature: &str) -> BTreeSet<&str> {
    signature
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .filter(|path| {
            !["io::", "fmt::", "std::", "sealed::"].iter().any(|of| path.starts_with(of))
        })
        .flat_map(|path| path.split(':'))
        .filter(|word| word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase))
        .collect()
}

/// Without `<...>` at the beginning.
fn without_generics(header: &str) -> &str {
    let header = header.trim_start();
    if !header.starts_with('<') {
        return header;
    }
    let mut depth = 0;
    for (at, c) in header.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !header[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &header[at + 1..];
        }
    }
    header
}

/// The same text with spaces in place of comments and of what is between quotes.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut blank = |from: usize, to: usize| {
        let part = code.get_mut(from..to).unwrap_or_default();
        part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text.as_bytes()[at..];
        let len = match rest {
            [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
            [b'r', b'"', ..] => 3 + find(&rest[2..], b"\""),
            [b'r', b'#', b'"', ..] => 5 + find(&rest[3..], b"\"#"),
            [b'"', ..] => string_len(rest),
            [b'\'', b'\\', ..] => 3 + find(&rest[3..], b"'") + 1,
            [b'\'', _, b'\'', ..] => 3,
            _ => {
                at += 1;
                continue;
            }
        };
        blank(at, at + len);
        at += len;
    }
    String::from_utf8(code).unwrap_or_else(|error| {
        // A character of several bytes in quotes.
        String::from_utf8_lossy(error.as_bytes()).replace('\u{fffd}', " ")
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap_or(bytes.len())
}

fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}
