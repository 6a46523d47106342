//! The lists of steps and answers that every language's package runs: `bindings/conformance`.
//!
//! Arguments are handed to the library as the text that they are; answers are compared as values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nanodb::{Document, Value};
use nanodb_ffi::*;
use serde_json::value::RawValue;

use crate::c::{Coll, Cur, Db, Failed, at, call, text, updated};

type Members = BTreeMap<String, Box<RawValue>>;

/// What a case has open.
struct World {
    db: Option<Db>,
    transactions: BTreeMap<String, nanodb_transaction>,
    snapshots: BTreeMap<String, nanodb_snapshot>,
    cursors: BTreeMap<String, Cur>,
    directory: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.transactions.values().for_each(|handle| nanodb_transaction_free(*handle));
        self.snapshots.values().for_each(|handle| nanodb_snapshot_free(*handle));
    }
}

struct Step {
    members: Members,
    args: Members,
}

impl Step {
    fn new(line: &str) -> Self {
        let members: Members = serde_json::from_str(line).unwrap();
        let args = members.get("args").map(|args| serde_json::from_str(args.get()).unwrap());
        Self { args: args.unwrap_or_default(), members }
    }

    fn word(&self, name: &str) -> Option<String> {
        self.members.get(name).map(|text| serde_json::from_str(text.get()).unwrap())
    }

    /// Returns an argument as text; nothing if it is not there, or null.
    fn arg(&self, name: &str) -> &str {
        self.args.get(name).map(|text| text.get()).filter(|text| *text != "null").unwrap_or("")
    }

    fn string(&self, name: &str) -> String {
        serde_json::from_str(self.arg(name)).unwrap()
    }

    /// Returns options made of arguments, each under the name that it has here.
    fn options(&self, names: &[(&str, &str)], more: &[String]) -> String {
        let set = names.iter().filter(|(from, _)| !self.arg(from).is_empty());
        let mut all: Vec<String> = set
            .map(|(from, to)| {
                format!("{}: {}", Value::from(*to).to_json().unwrap(), self.arg(from))
            })
            .collect();
        all.extend(more.iter().cloned());
        format!("{{{}}}", all.join(", "))
    }

    /// Returns the sort, which is written as pairs, as an option.
    fn sort(&self) -> Option<String> {
        let pairs: Vec<(String, i32)> = match self.arg("sort") {
            "" => return None,
            pairs => serde_json::from_str(pairs).unwrap(),
        };
        let all: Vec<String> = pairs
            .iter()
            .map(|(path, way)| format!("{}: {way}", serde_json::to_string(path).unwrap()))
            .collect();
        Some(format!("\"sort\": {{{}}}", all.join(", ")))
    }

    fn searching(&self, more: &[String]) -> String {
        let same = ["projection", "skip", "limit"].map(|name| (name, name));
        let more: Vec<String> = self.sort().into_iter().chain(more.iter().cloned()).collect();
        self.options(&same, &more)
    }
}

/// The members of an answer, as text.
type Answer = Vec<(&'static str, String)>;

fn or_null(text: Option<String>) -> String {
    text.unwrap_or_else(|| "null".to_owned())
}

fn members(document: &str, names: &[(&str, &'static str)]) -> Answer {
    let all: Members = serde_json::from_str(document).unwrap();
    let found = names.iter().filter_map(|(from, to)| Some((*to, all.get(*from)?.get().to_owned())));
    found.collect()
}

fn changed((matched, modified, upserted): crate::c::Updated) -> Answer {
    vec![
        ("matched_count", matched.to_string()),
        ("modified_count", modified.to_string()),
        ("upserted_id", or_null(upserted)),
    ]
}

impl World {
    fn new() -> Self {
        Self {
            db: None,
            transactions: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            cursors: BTreeMap::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn db(&mut self) -> nanodb_db {
        self.db.get_or_insert_with(Db::in_memory).0
    }

    fn collection(&mut self, step: &Step) -> Result<Coll, Failed> {
        let name = step.word("collection").unwrap();
        // Of no bytes, it is a name still.
        let (name, len) = (name.as_ptr().cast(), name.len());
        let mut collection = nanodb_collection::default();
        let db = self.db();
        match step.word("in") {
            None => call!(nanodb_db_collection(db, name, len, &mut collection))?,
            Some(of) => match (self.transactions.get(&of), self.snapshots.get(&of)) {
                (Some(of), _) => {
                    call!(nanodb_transaction_collection(*of, name, len, &mut collection))?;
                }
                (_, of) => {
                    call!(nanodb_snapshot_collection(*of.unwrap(), name, len, &mut collection))?;
                }
            },
        }
        Ok(Coll(collection))
    }

    fn run(&mut self, step: &Step) -> Result<Answer, Failed> {
        let op = step.word("op").unwrap();
        if step.word("collection").is_some() {
            let collection = self.collection(step)?;
            return self.run_on(&op, step, &collection);
        }
        let name = step.word("as").or_else(|| step.word("in")).unwrap_or_default();
        match op.as_str() {
            "begin" => {
                let (mut transaction, db) = (nanodb_transaction::default(), self.db());
                call!(nanodb_db_begin(db, &mut transaction))?;
                self.transactions.insert(name, transaction);
            }
            "commit" => call!(nanodb_transaction_commit(self.transactions[&name]))?,
            "rollback" => call!(nanodb_transaction_rollback(self.transactions[&name]))?,
            "snapshot" => {
                let (mut snapshot, db) = (nanodb_snapshot::default(), self.db());
                call!(nanodb_db_snapshot(db, &mut snapshot))?;
                self.snapshots.insert(name, snapshot);
            }
            "close_snapshot" => nanodb_snapshot_free(self.snapshots[&name]),
            "next" => {
                let (documents, count) = self.cursors[&name].next(1)?;
                let one = documents.map(|text| text[1..text.len() - 1].to_owned());
                assert!(count <= 1);
                return Ok(vec![("document", or_null(one))]);
            }
            "next_many" => {
                let count = step.arg("count").parse().unwrap();
                let documents = self.cursors[&name].next(count)?.0;
                return Ok(vec![("documents", documents.unwrap_or_else(|| "[]".to_owned()))]);
            }
            "close_cursor" => nanodb_cursor_free(self.cursors[&name].0),
            "list_collection_names" => {
                let (mut all, db) = (nanodb_buf::default(), self.db());
                match step.word("in") {
                    Some(of) if self.snapshots.contains_key(&of) => {
                        call!(nanodb_snapshot_collections(
                            self.snapshots[&of],
                            NANODB_JSON,
                            &mut all
                        ))?;
                    }
                    _ => call!(nanodb_db_collections(db, NANODB_JSON, &mut all))?,
                }
                let all: Vec<Members> = serde_json::from_str(&text(all).unwrap()).unwrap();
                let names: Vec<&str> = all.iter().map(|one| one["name"].get()).collect();
                return Ok(vec![("names", format!("[{}]", names.join(",")))]);
            }
            "open" => {
                let names = ["read_only", "create", "file_bytes_max", "transaction_bytes_max"];
                let options = step.options(&names.map(|name| (name, name)), &[]);
                self.db = None;
                let mut db = nanodb_db::default();
                let path = self.directory.path().join("case.nanodb");
                let path = path.to_str().unwrap();
                if step.arg("file") == "true" {
                    let (options, len) = (at(&options), options.len());
                    call!(nanodb_open(at(path), path.len(), options, len, NANODB_JSON, &mut db))?;
                } else {
                    let (options, len) = (at(&options), options.len());
                    call!(nanodb_open_in_memory(options, len, NANODB_JSON, &mut db))?;
                }
                self.db = Some(Db(db));
            }
            "close" => {
                let (mut others, db) = (0, self.db());
                call!(nanodb_close(db, &mut others))?;
            }
            other => panic!("there is no operation {other}"),
        }
        Ok(Vec::new())
    }

    fn run_on(&mut self, op: &str, step: &Step, on: &Coll) -> Result<Answer, Failed> {
        let filter = step.arg("filter");
        let (at_filter, filter_len) = (at(filter), filter.len());
        let json = NANODB_JSON;
        let changing = step.options(
            &[
                ("upsert", "upsert"),
                ("array_filters", "array_filters"),
                ("projection", "projection"),
            ],
            &step
                .sort()
                .into_iter()
                .chain(
                    (step.arg("return_document") == "\"after\"")
                        .then(|| "\"return_new\": true".to_owned()),
                )
                .collect::<Vec<_>>(),
        );
        let (at_changing, changing_len) = (at(&changing), changing.len());
        let mut buffer = nanodb_buf::default();
        let mut result = nanodb_update_result::default();
        let mut count = 0;
        Ok(match op {
            "insert_one" => vec![("inserted_id", on.insert(step.arg("document"))?)],
            "insert_many" => vec![("inserted_ids", on.insert_many(step.arg("documents"))?)],
            "get" => vec![("document", or_null(on.get(step.arg("id"))?))],
            "find" => {
                let found = on.find(filter, &step.searching(&[]))?;
                let (documents, _) = found.next(usize::MAX)?;
                vec![("documents", documents.unwrap_or_else(|| "[]".to_owned()))]
            }
            "find_cursor" => {
                let found = on.find(filter, &step.searching(&[]))?;
                self.cursors.insert(step.word("as").unwrap(), found);
                Vec::new()
            }
            "find_one" => {
                let options = step.searching(&[]);
                let (options, len) = (at(&options), options.len());
                call!(nanodb_find_one(
                    on.0,
                    at_filter,
                    filter_len,
                    options,
                    len,
                    json,
                    &mut buffer
                ))?;
                vec![("document", or_null(text(buffer)))]
            }
            "explain" => {
                let options = step.searching(&["\"analyze\": true".to_owned()]);
                let (options, len) = (at(&options), options.len());
                call!(nanodb_explain(
                    on.0,
                    at_filter,
                    filter_len,
                    options,
                    len,
                    json,
                    &mut buffer
                ))?;
                let names = [
                    ("access_path", "access_path"),
                    ("ids", "ids"),
                    ("documents_examined", "examined"),
                    ("documents_returned", "returned"),
                ];
                members(&text(buffer).unwrap(), &names)
            }
            "count_documents" => {
                let options = step.searching(&[]);
                let (options, len) = (at(&options), options.len());
                call!(nanodb_count_documents(
                    on.0, at_filter, filter_len, options, len, json, &mut count
                ))?;
                vec![("count", count.to_string())]
            }
            "estimated_document_count" => vec![("count", on.count()?.to_string())],
            "distinct" => {
                let key = step.string("key");
                let (key, len) = (at(&key), key.len());
                call!(nanodb_distinct(on.0, key, len, at_filter, filter_len, json, &mut buffer))?;
                vec![("values", text(buffer).unwrap())]
            }
            "update_one" | "update_many" | "replace_one" => {
                let new = step.arg(if op == "replace_one" { "replacement" } else { "update" });
                let (new, len) = (at(new), new.len());
                let (options, options_len) = (at_changing, changing_len);
                match op {
                    "update_one" => call!(nanodb_update_one(
                        on.0,
                        at_filter,
                        filter_len,
                        new,
                        len,
                        options,
                        options_len,
                        json,
                        &mut result
                    ))?,
                    "update_many" => call!(nanodb_update_many(
                        on.0,
                        at_filter,
                        filter_len,
                        new,
                        len,
                        options,
                        options_len,
                        json,
                        &mut result
                    ))?,
                    _ => call!(nanodb_replace_one(
                        on.0,
                        at_filter,
                        filter_len,
                        new,
                        len,
                        options,
                        options_len,
                        json,
                        &mut result
                    ))?,
                }
                changed(updated(result))
            }
            "delete_one" => {
                call!(nanodb_delete_one(on.0, at_filter, filter_len, json, &mut count))?;
                vec![("deleted_count", count.to_string())]
            }
            "delete_many" => {
                call!(nanodb_delete_many(on.0, at_filter, filter_len, json, &mut count))?;
                vec![("deleted_count", count.to_string())]
            }
            "find_one_and_update" => {
                let update = step.arg("update");
                let (update, len) = (at(update), update.len());
                call!(nanodb_find_one_and_update(
                    on.0,
                    at_filter,
                    filter_len,
                    update,
                    len,
                    at_changing,
                    changing_len,
                    json,
                    &mut buffer
                ))?;
                vec![("document", or_null(text(buffer)))]
            }
            "find_one_and_replace" => {
                let new = step.arg("replacement");
                let (new, len) = (at(new), new.len());
                call!(nanodb_find_one_and_replace(
                    on.0,
                    at_filter,
                    filter_len,
                    new,
                    len,
                    at_changing,
                    changing_len,
                    json,
                    &mut buffer
                ))?;
                vec![("document", or_null(text(buffer)))]
            }
            "find_one_and_delete" => {
                call!(nanodb_find_one_and_delete(
                    on.0,
                    at_filter,
                    filter_len,
                    at_changing,
                    changing_len,
                    json,
                    &mut buffer
                ))?;
                vec![("document", or_null(text(buffer)))]
            }
            "bulk_write" => {
                let operations = step.arg("operations");
                let (operations, len) = (at(operations), operations.len());
                call!(nanodb_bulk_write(on.0, operations, len, json, &mut buffer))?;
                let result = text(buffer).unwrap();
                let names = [
                    ("inserted", "inserted_count"),
                    ("matched", "matched_count"),
                    ("modified", "modified_count"),
                    ("deleted", "deleted_count"),
                    ("upserted", "upserted_count"),
                ];
                let mut answer = members(&result, &names);
                let all: Members = serde_json::from_str(&result).unwrap();
                let ids: Vec<Members> = serde_json::from_str(all["upserted_ids"].get()).unwrap();
                let by_position: Vec<String> = ids
                    .iter()
                    .map(|one| format!("\"{}\": {}", one["operation"].get(), one["id"].get()))
                    .collect();
                answer.push(("upserted_ids", format!("{{{}}}", by_position.join(", "))));
                answer
            }
            "drop" => {
                let (mut dropped, db, name) = (false, self.db(), step.word("collection").unwrap());
                call!(nanodb_db_drop_collection(db, at(&name), name.len(), &mut dropped))?;
                vec![("dropped", dropped.to_string())]
            }
            "rename" => {
                let (db, from, to) =
                    (self.db(), step.word("collection").unwrap(), step.string("to"));
                call!(nanodb_db_rename_collection(db, at(&from), from.len(), at(&to), to.len()))?;
                Vec::new()
            }
            other => panic!("there is no operation {other}"),
        })
    }
}

/// Returns what is wrong with the answer to a step, if anything.
fn judge(step: &Step, answer: Result<Answer, Failed>) -> Option<String> {
    let answer = match (step.word("error"), answer) {
        (None, Err(failed)) => return Some(format!("failed: {failed:?}")),
        (Some(code), Ok(answer)) => return Some(format!("no error {code}, but {answer:?}")),
        (Some(code), Err(failed)) => {
            // SAFETY: the name is static.
            let name = unsafe { std::ffi::CStr::from_ptr(nanodb_status_name(failed.status)) };
            let name = name.to_str().unwrap().trim_start_matches("NANODB_").to_lowercase();
            let says = step.word("message").is_none_or(|part| failed.message.contains(&part));
            let path = step.word("path").is_none_or(|path| {
                let details: BTreeMap<String, serde_json::Value> =
                    serde_json::from_str(&failed.details).unwrap();
                details.get("path").and_then(|path| path.as_str()) == Some(path.as_str())
            });
            return (name != code || !says || !path).then(|| format!("{failed:?}"));
        }
        (None, Ok(answer)) => answer,
    };
    let expected: Members = match step.members.get("result") {
        Some(result) => serde_json::from_str(result.get()).unwrap(),
        None => return None,
    };
    for (name, expected) in expected {
        let Some((_, found)) = answer.iter().find(|(of, _)| *of == name) else {
            return Some(format!("no {name} in {answer:?}"));
        };
        let value = |text: &str| {
            // A document of as many levels as there may be is too deep within a value.
            let parsed =
                Value::parse_json(text).or_else(|_| Document::parse_json(text).map(Value::from));
            parsed.unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let (expected, found) = (value(expected.get()), value(found));
        let printed = |value: &Value| format!("{value}");
        if expected != found || printed(&expected) != printed(&found) {
            return Some(format!("{name} is {found}"));
        }
    }
    None
}

#[test]
fn c_behaves_as_every_language_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/conformance");
    let mut lists: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    lists.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    lists.sort();
    let (mut cases, mut wrong) = (0, Vec::new());
    for list in lists {
        let lines = fs::read_to_string(&list).unwrap();
        let (mut case, mut world) = (String::new(), World::new());
        for (number, line) in (1..).zip(lines.lines()) {
            let step = Step::new(line);
            // C has the engine's calls.
            if step.word("api").is_some_and(|api| api == "driver") {
                continue;
            }
            let this = step.word("case").unwrap();
            if this != case {
                (case, world, cases) = (this, World::new(), cases + 1);
            }
            let answer = world.run(&step);
            if let Some(why) = judge(&step, answer) {
                wrong.push(format!("{}:{number} ({case}): {why}", list.display()));
            }
        }
    }
    println!("{cases} cases");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 250, "{cases}");
}
