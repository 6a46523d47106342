//! Indexes of the corpus: which documents each has entries of and how many, which are refused, and
//! that each finds what the queries of the corpus do.
//!
//! `index-sets-NAME.jsonl.gz` belongs to `NAME.jsonl.gz`, in `tests/data` or in the folder that
//! `NANODB_CORPUS` names.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use nanodb_msgpack::{RawValue, compare};
use nanodb_query::bytes::FilterBytes;
use nanodb_query::plan::{self, KeyPosition};
use nanodb_query::{Filter, Index, IndexKeys, IndexSpec, KeysError, MultikeyPaths};

use crate::json::Json;

fn lines(file: &Path) -> Vec<Json> {
    let (bytes, mut text) = (std::fs::read(file).unwrap(), String::new());
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kind(line: &Json) -> &str {
    line.get("kind").and_then(Json::as_str).unwrap_or_default()
}

fn number(line: &Json) -> String {
    line.get("ds").unwrap().to_string()
}

fn spec(index: &Json) -> IndexSpec {
    let keys = index.get("keys").and_then(Json::as_array).unwrap();
    let mut spec = keys.iter().fold(Index::default(), |spec, key| {
        let path = key.as_array().unwrap()[0].as_str().unwrap();
        let descending = key.to_string().ends_with("-1]");
        if descending { spec.then_descending(path) } else { spec.then_ascending(path) }
    });
    let is = |name: &str| index.get(name).is_some_and(Json::is_true);
    if is("unique") {
        spec = spec.unique();
    }
    if is("sparse") {
        spec = spec.sparse();
    }
    if let Some(filter) = index.get("partial") {
        spec = spec.partial(Filter::parse(&filter.to_msgpack()).unwrap());
    }
    spec.name(index.get("name").and_then(Json::as_str).unwrap()).spec().unwrap()
}

/// An index over all documents of a set, if it is not refused.
struct Built {
    spec: IndexSpec,
    multikey: MultikeyPaths,
    keys: Vec<Vec<Vec<u8>>>,
}

fn id(document: &[u8]) -> Vec<u8> {
    RawValue::new(document).field("_id").unwrap().unwrap().bytes().unwrap().to_vec()
}

fn build(index: &Json, documents: &[Vec<u8>]) -> Option<Built> {
    let spec = spec(index);
    let expected = index.get("expectError").and_then(Json::as_str);
    let (mut keys, mut multikey, mut all) =
        (IndexKeys::default(), MultikeyPaths::default(), Vec::new());
    let mut owners: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for (position, document) in documents.iter().enumerate() {
        match keys.enumerate(&spec, document) {
            Ok(()) => {}
            Err(KeysError::ParallelArrays { .. }) if expected == Some("parallel") => return None,
            Err(error) => panic!("{index}: {error}"),
        }
        multikey.add(keys.multikey());
        for key in keys.iter() {
            owners.entry(key.to_vec()).or_default().push(position);
        }
        all.push(keys.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
    }
    assert_ne!(expected, Some("parallel"), "{index}");
    let count = |name: &str| index.get(name).and_then(Json::as_usize);
    let indexed = all.iter().filter(|keys| !keys.is_empty()).count();
    let entries = all.iter().map(Vec::len).sum::<usize>();
    assert_eq!((Some(indexed), Some(entries)), (count("indexedDocs"), count("entries")), "{index}");

    let is_clash = spec.is_unique() && owners.values().any(|owners| owners.len() > 1);
    assert_eq!(is_clash, expected == Some("duplicate"), "{index}");
    if let Some(pair) = index.get("dup") {
        let same = |position: &usize, id_of: &[u8]| {
            let own = id(&documents[*position]);
            compare(RawValue::new(&own), RawValue::new(id_of)).unwrap().is_eq()
        };
        let [a, b] = pair.documents().try_into().unwrap();
        let share = owners
            .values()
            .any(|owners| [&a, &b].iter().all(|id| owners.iter().any(|owner| same(owner, id))));
        assert!(share, "{index}");
    }
    Some(Built { spec, multikey, keys: all })
}

/// Checks that an index has a key of each match in each of its bounds. Returns whether it narrowed.
fn check(query: &Json, filter: &Filter, index: &Built, documents: &[Vec<u8>]) -> bool {
    let Ok(alternatives) = plan::index_bounds(filter, &index.spec, &index.multikey) else {
        return false;
    };
    for bounds in &alternatives {
        let ranges = bounds.scan_ranges(64);
        for (document, keys) in documents.iter().zip(&index.keys) {
            let matches = filter.matches(document).unwrap();
            let is_found = keys.iter().any(|key| {
                bounds.position(key, &mut Vec::new()) == KeyPosition::Inside
                    && ranges.iter().any(|range| range.contains(key))
            });
            assert!(!matches || is_found, "{query} by {}: lost", index.spec);
            assert!(!bounds.covers_filter() || matches == is_found, "{query} by {}", index.spec);
        }
    }
    alternatives.iter().any(|bounds| bounds.why_not_narrowed().is_none())
}

fn run(sets: &Path, cases: &Path) -> (usize, usize, usize) {
    let cases = lines(cases);
    let of_kind = |wanted: &'static str| cases.iter().filter(move |line| kind(line) == wanted);
    let datasets: HashMap<String, Vec<Vec<u8>>> = of_kind("dataset")
        .map(|line| (number(line), line.get("docs").unwrap().documents()))
        .collect();
    let mut queries: HashMap<String, Vec<&Json>> = HashMap::new();
    for query in of_kind("query") {
        queries.entry(number(query)).or_default().push(query);
    }
    let (mut indexes, mut narrowed, mut pairs) = (0, 0, 0);
    for set in lines(sets) {
        let documents = &datasets[&number(&set)];
        for index in set.get("indexes").and_then(Json::as_array).unwrap() {
            indexes += 1;
            let Some(built) = build(index, documents) else { continue };
            for query in queries.get(&number(&set)).into_iter().flatten() {
                let filter = Filter::parse(&query.get("filter").unwrap().to_msgpack()).unwrap();
                pairs += 1;
                narrowed += usize::from(check(query, &filter, &built, documents));
            }
        }
    }
    (indexes, narrowed, pairs)
}

/// The paths that a filter names, but for those below `$elemMatch`.
fn paths<'f>(filter: &'f Json, found: &mut Vec<&'f str>) {
    let Json::Object(fields) = filter else { return };
    for (name, value) in fields {
        match value {
            Json::Array(branches) if name.starts_with('$') => {
                branches.iter().for_each(|branch| paths(branch, found));
            }
            _ if name.starts_with('$') || found.contains(&name.as_str()) => {}
            _ => found.push(name),
        }
    }
}

/// An index over the documents that it does not refuse.
fn index_of(spec: IndexSpec, documents: &[Vec<u8>]) -> (Built, Vec<Vec<u8>>) {
    let mut built = Built { spec, multikey: MultikeyPaths::default(), keys: Vec::new() };
    let (mut keys, mut taken) = (IndexKeys::default(), Vec::new());
    for document in documents {
        if keys.enumerate(&built.spec, document).is_ok() {
            built.multikey.add(keys.multikey());
            built.keys.push(keys.iter().map(<[u8]>::to_vec).collect());
            taken.push(document.clone());
        }
    }
    (built, taken)
}

#[test]
fn indexes_on_the_paths_of_the_queries_lose_nothing() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (mut documents, mut narrowed, mut pairs) = (Vec::new(), 0, 0);
    for line in lines(&data.join("queries-and-updates.jsonl.gz")) {
        match kind(&line) {
            "dataset" => documents = line.get("docs").unwrap().documents(),
            "query" => {
                let json = line.get("filter").unwrap();
                let filter = Filter::parse(&json.to_msgpack()).unwrap();
                let mut found = Vec::new();
                paths(json, &mut found);
                let single = found.iter().map(|path| Index::ascending(path));
                let both = found
                    .iter()
                    .rev()
                    .fold(Index::default().name("all"), |index, path| index.then_descending(path));
                for index in single.chain((found.len() > 1).then_some(both)) {
                    let (built, taken) = index_of(index.spec().unwrap(), &documents);
                    pairs += 1;
                    narrowed += usize::from(check(&line, &filter, &built, &taken));
                }
            }
            _ => {}
        }
    }
    println!("{narrowed} of {pairs} are narrowed");
    assert!(narrowed * 2 > pairs, "{narrowed} of {pairs}");
}

#[test]
fn indexes_of_the_corpus_have_the_entries_that_are_expected_and_lose_nothing() {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let folder = std::env::var_os("NANODB_CORPUS").map_or_else(own, PathBuf::from);
    let mut total = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(cases) = name.strip_prefix("index-sets-") else { continue };
        let (indexes, narrowed, pairs) = run(&path, &folder.join(cases));
        println!("{name}: {indexes} indexes; {narrowed} of {pairs} queries are narrowed");
        total += indexes;
    }
    assert!(total > 100 || std::env::var_os("NANODB_CORPUS").is_some(), "{total}");
}
