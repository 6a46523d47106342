//! The direction of the rooms within the big crates: what a file may name is seen from its place.
//!
//! A room is some modules. It may name those that are listed before it, and its own. `a` is the
//! file `a.rs`; `a/*` is what lies below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const COLLECTION: &[&[&str]] = &[
    &["application", "error", "error/*", "ids"],
    &["reclaim"],
    &["pages", "pages/*"],
    &["catalog/varint", "catalog/edit"],
    &["id_index/run"],
    &["catalog/manifest"],
    &["id_index", "id_index/*"],
    &["lock", "lock/*"],
    &["store", "store/*"],
    &["catalog/binding", "catalog/names", "catalog/reservation"],
    &["write/*"],
    &["catalog"],
    &["write"],
    &["maintenance/relocation_pass", "maintenance/shrink"],
    &["checkpoint"],
    &["open_files"],
    &["engine"],
    &["opening", "opening/*"],
    &["read_view"],
    &["scan"],
    &["txn", "txn/*"],
    &["maintenance", "maintenance/*"],
];

const PAGER: &[&[&str]] = &[
    &["ids", "sync", "process", "random", "hash", "leb128", "durability"],
    &["call_gate", "call_gate/*"],
    &["error", "file/storage", "file/storage/*"],
    &["application"],
    &["options", "open_report"],
    &["file/page", "file/header", "file/header/*", "file/stream"],
    // Data alone: what is shared by all of an open file refers to these.
    &[
        "space/change",
        "space/runs",
        "space/pending",
        "space/free_map",
        "space/unlogged",
        "space/truncated_pages",
        "space/state",
    ],
    &["txn/dirty_ranges", "txn/publication"],
    &[
        "cache/spare_frames",
        "cache/guard",
        "cache/page_table",
        "cache/clock",
        "cache/snapshot_registry",
        "cache/version_file",
        "cache/dirty_page",
        "cache/state",
    ],
    &[
        "wal",
        "wal/segment",
        "wal/record",
        "wal/payload",
        "wal/writer",
        "wal/scan",
        "wal/group_commit",
    ],
    &["checkpoint/double_write", "checkpoint/commit_metadata"],
    &["file/sidecars"],
    &["wal/recovery", "wal/recovery/*"],
    &["wal/state", "checkpoint/state", "checkpoint/hooks", "checkpoint/pages", "shared"],
    // What is done with it.
    &["cache/*", "file/truncate", "space/*", "wal/*", "checkpoint", "checkpoint/*"],
    &["cache", "file", "space"],
    &["background", "handle"],
    &["txn", "txn/*"],
    &["pager", "snapshot"],
    &["open", "inventory", "temp_file"],
    &["salvage", "salvage/*"],
];

const DATABASE: &[&[&str]] = &[
    &["error", "info", "storage", "options", "encode_buffer"],
    &["transaction"],
    &["transaction_collection", "snapshot"],
    &["retry"],
    &["collection"],
    &["query", "query/*", "read"],
    &["write"],
    &["typed"],
    &["database"],
    &["open"],
    &["salvage"],
    &["import_go", "import_go/*"],
];

const MSGPACK: &[&[&str]] = &[
    &["marker", "token", "cursor", "write", "hex", "base64"],
    &["unix_time", "unix_time/*", "text_ids", "number"],
    &["raw_value"],
    &["order", "sort_key"],
    &["json", "json/*"],
];

const DOCUMENT: &[&[&str]] = &[
    &["path", "hash", "seen_names", "leaf_text", "value/value_type", "ext"],
    &["error", "document_error", "typed_get"],
    &["timestamp", "object_id", "object_id/*", "uuid"],
    &["document", "document/*", "value", "value/*", "id", "id/*"],
    &["codec", "codec/*", "for_people"],
    &["encode", "encode/*", "value/rmpv", "view/decode"],
    &["view", "view/*"],
    &["forms", "scalar_serde", "value/serde_impl", "id/serde_impl", "view/serde_impl"],
    &["as_timestamp", "as_uuid", "as_object_id", "json", "msgpack"],
    &["foreign", "foreign/*"],
];

const QUERY: &[&[&str]] = &[
    &["error", "error/*"],
    &["fault", "entries", "path"],
    &["limits"],
    &["json", "json/*"],
    &["filter", "filter/*"],
    &["sort"],
    &["index_spec", "index_spec/*"],
    &["keys", "keys/*"],
    &["plan", "plan/*"],
    &["projection", "projection/*"],
    &["update", "update/*"],
    &["convert", "bytes", "into", "into/*", "msgpack", "operators"],
];

/// The modules that a text names, as paths from the crate's root.
pub(crate) fn named(module: &[&str], text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n");
    let mut found = BTreeSet::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut path: Vec<&str> = if root == "crate::" { Vec::new() } else { module.to_vec() };
            let mut rest = &code[at..];
            while let Some(after) = rest.strip_prefix("super::") {
                path.pop();
                rest = after;
            }
            let rest = rest.trim_start_matches("crate::").trim_start_matches("self::");
            add_paths(&path.join("/"), rest, &mut found);
        }
    }
    found
}

/// Adds each path that a `use` tree, or a path in the code, begins with.
fn add_paths(prefix: &str, tree: &str, found: &mut BTreeSet<String>) {
    let join = |name: &str| match prefix {
        "" => name.to_owned(),
        _ => format!("{prefix}/{name}"),
    };
    if let Some(inside) = tree.strip_prefix('{') {
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    add_paths(prefix, inside[start..at].trim(), found);
                    return;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    add_paths(prefix, inside[start..at].trim(), found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    let (name, rest) = tree.split_at(end);
    if name.is_empty() {
        return;
    }
    match rest.strip_prefix("::") {
        Some(rest) => add_paths(&join(name), rest, found),
        None => drop(found.insert(join(name))),
    }
}

/// The files of a crate, but for its tests, by their modules.
pub(crate) fn modules(crate_name: &str) -> BTreeMap<String, String> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_test = ["tests", "testing", "interleavings", "lib"].contains(&name.as_str());
            if is_test {
                continue;
            }
            let module = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if path.is_dir() {
                walk(&path, &module, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(module, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(crate_name);
    let mut found = BTreeMap::new();
    walk(&source.join("src"), "", &mut found);
    found
}

/// The room of a module: the one that says its name, else the one that says most of its path.
fn room(rooms: &[&[&str]], module: &str) -> Option<usize> {
    let listed = |wanted: &str| rooms.iter().position(|room| room.contains(&wanted));
    let mut above = module;
    listed(module).or_else(|| {
        while let Some((folder, _)) = above.rsplit_once('/') {
            if let Some(room) = listed(&format!("{folder}/*")) {
                return Some(room);
            }
            above = folder;
        }
        None
    })
}

/// What names a room that it may not name.
fn wrong(rooms: &[&[&str]], modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut wrong = BTreeSet::new();
    for (module, text) in modules {
        let Some(own) = room(rooms, module) else {
            wrong.insert(format!("{module} is in no room"));
            continue;
        };
        let path: Vec<&str> = module.split('/').collect();
        for name in named(&path, text) {
            // A path goes on behind the module, to what is in it.
            let other = std::iter::successors(Some(name.as_str()), |name| {
                name.rsplit_once('/').map(|(folder, _)| folder)
            });
            let Some(other) = other.into_iter().find(|name| modules.contains_key(*name)) else {
                continue;
            };
            let is_own = other == module || other.starts_with(&format!("{module}/"));
            if !is_own && room(rooms, other).is_some_and(|other| other > own) {
                wrong.insert(format!("{module} names {other}"));
            }
        }
    }
    wrong
}

#[test]
fn a_room_names_only_those_below_it() {
    let crates = [
        ("nanodb-pager", PAGER, "file/page", "use crate::txn::write_tx::WriteTx;"),
        ("nanodb-collection", COLLECTION, "pages/extents", "use crate::{engine::Engine, error};"),
        ("nanodb-database", DATABASE, "snapshot", "use super::database::{self, Database};"),
        ("nanodb-msgpack", MSGPACK, "order", "use crate::json::print_string;"),
        ("nanodb-document", DOCUMENT, "id", "use crate::{encode::Encode, error};"),
        ("nanodb-query", QUERY, "filter/tree", "use crate::update::Update;"),
    ];
    for (crate_name, rooms, module, import) in crates {
        let mut modules = modules(crate_name);
        assert_eq!(wrong(rooms, &modules), BTreeSet::new(), "{crate_name}");
        // The test would tell.
        let text = modules.get_mut(module).unwrap();
        text.insert_str(0, &format!("{import}\n"));
        assert_eq!(wrong(rooms, &modules).len(), 1, "{crate_name}");
    }
}
