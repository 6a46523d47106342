//! Finding, counting, changing and deleting by filters.

use serde_json::json;

use crate::support::Room;

fn people() -> Room {
    let room = Room::new();
    room.import(
        r#"{"name": "Ada", "age": 36, "tags": ["a", "b"]}
           {"name": "Bob", "age": 25, "tags": ["b"]}
           {"name": "Cy", "age": 36, "born": {"$date": "1990-01-01T00:00:00Z"}}"#,
    );
    room
}

#[test]
fn documents_are_found_sorted_cut_and_projected() {
    let room = people();
    let found = |arguments: &[&str]| {
        let run = room.run(&[["find", "db", "c"].as_slice(), arguments].concat()).ok();
        run.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]).len(), 3);
    assert_eq!(
        found(&[r#"{"age": {"$lt": 30}}"#]),
        [r#"{"_id":2,"name":"Bob","age":25,"tags":["b"]}"#]
    );
    let names = [r#"{"name":"Cy"}"#, r#"{"name":"Ada"}"#, r#"{"name":"Bob"}"#];
    let sorted =
        ["--sort", r#"{"age": -1, "name": -1}"#, "--projection", r#"{"name": 1, "_id": 0}"#];
    assert_eq!(found(&sorted), names);
    let part = [sorted.as_slice(), &["--skip", "1", "--limit", "1"]].concat();
    assert_eq!(found(&part), names[1..2]);
    assert_eq!(found(&["--limit", "0"]).len(), 3);
    let born = r#"{"born": {"$gte": {"$date": "1989-01-01T00:00:00Z"}}}"#;
    assert!(found(&[born])[0].contains(r#""born":{"$date":"1990-01-01T00:00:00Z"}"#));
    assert_eq!(found(&[r#"{"_id": 2}"#, "--explain"]), ["by 1 id: 1 examined, 1 returned"]);
    assert_eq!(found(&["--explain"]), ["by scanning the collection: 3 examined, 3 returned"]);
}

#[test]
fn documents_make_a_table_for_people() {
    let room = people();
    room.pipe(&["import", "db", "c", "-"], "{\"name\": \"E\\u001b[1m\"}".as_bytes()).ok();
    let table = room.run(&["find", "db", "c", "--format", "table"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("_id") && lines[0].contains("born"), "{table}");
    assert!(table.contains("Ada") && table.contains(r#"["a","b"]"#), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
}

#[test]
fn documents_are_counted_and_values_listed_by_filter() {
    let room = people();
    assert_eq!(room.run(&["count", "db", "c", r#"{"age": 36}"#]).ok(), "2\n");
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "3\n");
    assert_eq!(room.run(&["distinct", "db", "c", "age"]).ok(), "25\n36\n");
    assert_eq!(room.run(&["distinct", "db", "c", "tags"]).ok(), "\"a\"\n\"b\"\n");
    assert_eq!(room.run(&["distinct", "db", "c", "tags", r#"{"age": 25}"#]).ok(), "\"b\"\n");
}

#[test]
fn documents_are_updated_and_deleted_by_filter() {
    let room = people();
    let set = r#"{"$set": {"city": "Berlin"}}"#;
    let done = room.run(&["update", "db", "c", r#"{"age": 36}"#, set, "--json"]).json();
    assert_eq!(done, json!({"matched": 2, "modified": 2, "upserted": null}));
    let again = room.run(&["update", "db", "c", r#"{"age": 36}"#, set]).ok();
    assert_eq!(again, "2 documents matched, 0 changed\n");
    let one = room.run(&["update", "db", "c", "{}", r#"{"$inc": {"age": 1}}"#, "--one"]).ok();
    assert_eq!(one, "1 document matched, 1 changed\n");
    let upsert = room.run(&["update", "db", "c", r#"{"name": "Dee"}"#, set, "--upsert"]).ok();
    assert_eq!(upsert, "0 documents matched, 0 changed\ninserted one with the id 4\n");
    let filters = ["--array-filters", r#"[{"x": "b"}]"#];
    let tags = ["update", "db", "c", "{\"tags\": \"b\"}", r#"{"$set": {"tags.$[x]": "B"}}"#];
    room.run(&[tags.as_slice(), &filters].concat()).ok();
    assert_eq!(room.run(&["count", "db", "c", r#"{"tags": "B"}"#]).ok(), "2\n");

    assert_eq!(room.run(&["delete", "db", "c", "{}", "--one"]).ok(), "1 document deleted\n");
    let deleted = room.run(&["delete", "db", "c", r#"{"city": "Berlin"}"#, "--json"]).json();
    assert_eq!(deleted, json!({"deleted": 2}));
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
}

#[test]
fn what_makes_no_sense_is_said_with_its_place_and_changes_nothing() {
    let room = people();
    let message = room.run(&["find", "db", "c", r#"{"age": {"$gtt": 3}}"#]).fails(1);
    assert!(message.starts_with("nanodb: the filter: ") && message.contains("$gtt"), "{message}");
    assert!(room.run(&["find", "db", "c", "{"]).fails(1).contains("line 1"));
    let sort = room.run(&["find", "db", "c", "--sort", r#"{"age": 2}"#]).fails(1);
    assert!(sort.contains("the order: "), "{sort}");
    let update = room.run(&["update", "db", "c", "{}", r#"{"$inc": {"name": 1}}"#]).fails(1);
    assert!(update.contains("$inc") && update.contains("name"), "{update}");
    assert!(room.run(&["delete", "db", "c", r#"{"$where": "1"}"#]).fails(1).contains("$where"));
    // A regular expression that is refused is so with the reason; one to compare with, naming what
    // does.
    let open = room.run(&["find", "db", "c", r#"{"name": {"$regex": "("}}"#]).fails(1);
    assert!(open.contains("the group that begins at byte 0 is not closed"), "{open}");
    let ne = r#"{"name": {"$ne": {"$regularExpression": {"pattern": "^A", "options": "i"}}}}"#;
    assert!(room.run(&["delete", "db", "c", ne]).fails(1).contains("`$not`"));
    let slip = r#"{"$replaceWith": {"$set": {"x": 1}}}"#;
    assert!(room.run(&["update", "db", "c", "{}", slip]).fails(1).contains("`$set`"));
    assert_eq!(room.run(&["count", "db", "c", r#"{"name": {"$exists": true}}"#]).ok(), "3\n");
    room.run(&["delete", "db", "c"]).fails(2);
    assert_eq!(room.run(&["count", "db", "c", r#"{"age": {"$gt": 0}}"#]).ok(), "3\n");
}
