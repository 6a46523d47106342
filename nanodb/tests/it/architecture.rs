//! The direction of the crates and other promises of ARCHITECTURE.md that files can show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a section of a manifest.
fn section(manifest: &str, name: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == format!("[{name}]");
        } else if inside
            && !line.starts_with('#')
            && let Some((key, _)) = line.split_once(['.', ' ', '='])
        {
            names.insert(key.to_owned());
        }
    }
    names
}

fn ours(names: &BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).filter(|name| name.starts_with("nanodb")).collect()
}

#[test]
fn crates_depend_downwards_only() {
    let expected: [(&str, &[&str]); 16] = [
        ("nanodb-page", &[]),
        ("nanodb-msgpack", &[]),
        ("nanodb-document", &["nanodb-msgpack"]),
        ("nanodb-query", &["nanodb-document", "nanodb-msgpack"]),
        ("nanodb-index", &[]),
        ("nanodb-sorted", &[]),
        ("nanodb-pager", &[]),
        ("nanodb-collection", &["nanodb-document", "nanodb-index", "nanodb-page", "nanodb-pager"]),
        (
            "nanodb-database",
            &[
                "nanodb-collection",
                "nanodb-document",
                "nanodb-msgpack",
                "nanodb-pager",
                "nanodb-query",
            ],
        ),
        ("nanodb", &["nanodb-database"]),
        ("nanodb-ffi", &["nanodb", "nanodb-msgpack"]),
        ("nanodb-cli", &["nanodb"]),
        ("nanodb-bench", &["nanodb"]),
        ("nanodb-sim", &["nanodb", "nanodb-pager"]),
        ("nanodb-loom", &[]),
        ("nanodb-fuse", &["nanodb-sim"]),
    ];
    for (name, depends_on) in expected {
        let manifest = read(&format!("{name}/Cargo.toml"));
        assert_eq!(ours(&section(&manifest, "dependencies")), depends_on, "{name}");
        let dev = section(&manifest, "dev-dependencies");
        let harness: &[&str] = match name {
            "nanodb-fuse" => &["nanodb"],
            // For its examples, which speak of what users hold.
            "nanodb-collection" | "nanodb-pager" => &["nanodb-database", "nanodb-sim"],
            // For queries at random, which no document could hold.
            "nanodb" => &["nanodb-query", "nanodb-sim"],
            _ => &["nanodb-sim"],
        };
        // Itself and what it depends on, with more features: its tests are of all.
        let is_more = |dev: &str| dev == name || depends_on.contains(&dev);
        let mut dev = ours(&dev).into_iter();
        assert!(dev.all(|dev| harness.contains(&dev) || is_more(dev)), "{name}");
    }
}

#[test]
fn what_cargo_deny_allows_is_what_the_manifests_say() {
    let quoted = |text: &str| -> BTreeSet<String> {
        text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let deny = read("deny.toml");
    for member in members() {
        let rule = deny.lines().find(|line| line.contains(&format!("crate = \"{member}\"")));
        let allowed = rule.map(|rule| quoted(rule.split_once("wrappers").unwrap().1));
        let users = members().into_iter().filter(|user| *user != member).filter(|user| {
            let manifest = read(&format!("{user}/Cargo.toml"));
            [
                "dependencies",
                "dev-dependencies",
                "target.'cfg(loom)'.dependencies",
                "target.'cfg(target_os = \"linux\")'.dependencies",
            ]
            .iter()
            .any(|kind| section(&manifest, kind).contains(&member))
        });
        assert_eq!(allowed.unwrap_or_default(), users.collect(), "{member}");
    }
}

#[test]
fn every_dependency_is_named_once_used_and_explained() {
    let workspace = section(&read("Cargo.toml"), "workspace.dependencies");
    let explained = read("docs/decisions/0011-dependencies.md");
    let mut used = BTreeSet::new();
    for member in members() {
        let manifest = read(&format!("{member}/Cargo.toml"));
        for kind in [
            "dependencies",
            "dev-dependencies",
            "target.'cfg(loom)'.dependencies",
            "target.'cfg(unix)'.dependencies",
            "target.'cfg(target_os = \"linux\")'.dependencies",
        ] {
            used.extend(section(&manifest, kind));
        }
    }
    assert_eq!(used, workspace);
    for name in workspace.iter().filter(|name| !name.starts_with("nanodb")) {
        assert!(explained.contains(&format!("`{name}`")), "{name} is not explained");
    }
}

fn members() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let members = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
    members
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|m| !m.is_empty())
        .collect()
}

/// All Rust files below a folder, with their contents.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn only_the_pager_touches_files() {
    let is_allowed = |name: &str| {
        name.starts_with("nanodb-pager/src/file/storage/") || name.ends_with("/tests.rs")
    };
    let crates = [
        "nanodb-page",
        "nanodb-msgpack",
        "nanodb-document",
        "nanodb-query",
        "nanodb-index",
        "nanodb-sorted",
        "nanodb-pager",
        "nanodb-collection",
        "nanodb-database",
        "nanodb",
    ];
    for crate_name in crates {
        for (name, text) in sources(&format!("{crate_name}/src")) {
            assert!(!text.contains("std::fs") || is_allowed(&name), "{name}");
        }
    }
}

#[test]
fn the_facade_has_no_logic() {
    for (name, text) in sources("nanodb/src") {
        for word in ["fn ", "struct ", "enum ", "impl ", "macro_rules"] {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(code.clone().all(|line| !line.contains(word)), "{name}: {word}");
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let workspace = read("Cargo.toml");
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    // A pointer of C's, and an LMDB environment, cannot be opened without `unsafe`.
    let with_unsafe = ["nanodb-ffi", "nanodb-bench"];
    for member in members().iter().filter(|member| !with_unsafe.contains(&member.as_str())) {
        let manifest = read(&format!("{member}/Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
    // These two have the same lints but for that one, and no other crate has `unsafe`.
    for member in with_unsafe {
        let manifest = read(&format!("{member}/Cargo.toml"));
        for kind in ["rust", "clippy"] {
            let mut lints = section(&workspace, &format!("workspace.lints.{kind}"));
            lints.retain(|lint| !["unsafe_code", "unexpected_cfgs"].contains(&lint.as_str()));
            let own = section(&manifest, &format!("lints.{kind}"));
            assert!(lints.is_subset(&own), "{member}: {lints:?} {own:?}");
        }
    }
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let mut documents: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "nanodb/README.md"]
            .map(|name| root().join(name))
            .into();
    for folder in ["docs", "docs/decisions", "docs/guide/src", "data"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        documents.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = link.0.split('#').next().unwrap();
            let outside = target.is_empty() || target.contains("://");
            let there = outside || document.parent().unwrap().join(target).exists();
            assert!(there, "{}: {target}", document.display());
        }
    }
    assert!(read("ARCHITECTURE.md").lines().count() < 200);
}
