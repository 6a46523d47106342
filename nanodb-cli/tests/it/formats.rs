//! `--format` of the commands that print documents, and `--sort`.

use serde_json::{Value as Json, json};

use crate::support::Room;

fn room() -> Room {
    let room = Room::new();
    room.import(concat!(
        r#"{"name":"Ada, \"A\"","at":{"$date":"1990-01-01T00:00:00Z"},"tags":["a","b"]}"#,
        r#"{"name":null,"n":5.5,"key":{"$uuid":"123e4567-e89b-12d3-a456-426614174000"}}"#,
    ));
    room
}

const LINES: [&str; 2] = [
    r#"{"_id":1,"name":"Ada, \"A\"","at":{"$date":"1990-01-01T00:00:00Z"},"tags":["a","b"]}"#,
    r#"{"_id":2,"name":null,"n":5.5,"key":{"$uuid":"123e4567-e89b-12d3-a456-426614174000"}}"#,
];

const CSV: &str = "_id,name,at,tags,n,key\r\n\
    1,\"Ada, \"\"A\"\"\",1990-01-01T00:00:00Z,\"[\"\"a\"\",\"\"b\"\"]\",,\r\n\
    2,,,,5.5,123e4567-e89b-12d3-a456-426614174000\r\n";

const TABLE: &str = "\
_id  name      at                    tags         n  key
───  ────────  ────────────────────  ─────────  ───  ────────────────────────────────────
  1  Ada, \"A\"  1990-01-01T00:00:00Z  [\"a\",\"b\"]
  2  null                                       5.5  123e4567-e89b-12d3-a456-426614174000
";

#[test]
fn find_and_export_print_each_format_alike() {
    let room = room();
    for command in ["find", "export"] {
        let printed = |format: &str| {
            room.run(&[command, "db", "c", "--format", format, "--width", "200"]).ok()
        };
        let lines = format!("{}\n{}\n", LINES[0], LINES[1]);
        for format in ["auto", "lines", "full"] {
            assert_eq!(printed(format), lines, "{command} {format}");
        }
        assert_eq!(printed("json"), format!("[{},\n{}]\n", LINES[0], LINES[1]));
        assert_eq!(printed("csv"), CSV);
        assert_eq!(printed("table"), TABLE);
        let canonical = printed("canonical");
        assert!(canonical.starts_with("{\"_id\":{\"$numberInt\":\"1\"},"), "{canonical}");
        assert!(printed("relaxed").starts_with("{\"_id\":1,"));
        let pretty = printed("pretty");
        assert!(pretty.starts_with("{\n  \"_id\": 1,\n  \"name\": \"Ada"), "{pretty}");
        assert!(pretty.contains("\n}\n{\n"), "{pretty}");
        // The name that `find` had for it.
        assert_eq!(room.run(&[command, "db", "c", "--output", "lines"]).ok(), lines);
    }
    let nothing = |format| room.run(&["find", "db", "c", "{\"x\": 1}", "--format", format]).ok();
    assert_eq!(nothing("json"), "[]\n");
    assert_eq!(nothing("lines"), "");
    assert_eq!(nothing("csv"), "");
}

#[test]
fn get_prints_one_document_in_each_format() {
    let room = room();
    let get = |format| room.run(&["get", "db", "c", "1", "--format", format]).ok();
    assert_eq!(get("lines"), format!("{}\n", LINES[0]));
    assert_eq!(get("json"), format!("{}\n", LINES[0]));
    assert_eq!(get("pretty"), room.run(&["get", "db", "c", "1", "--pretty"]).ok());
    assert!(get("csv").starts_with("_id,name,at,tags\r\n1,"));
    assert!(get("table").starts_with("_id  name"));
    assert!(get("canonical").contains("$numberLong"));
}

#[test]
fn columns_of_csv_are_those_that_the_projection_names() {
    let room = room();
    let csv = |arguments: &[&str]| {
        room.run(&[["find", "db", "c", "--format", "csv"].as_slice(), arguments].concat()).ok()
    };
    assert_eq!(
        csv(&["--projection", r#"{"n": 1, "name": 1, "_id": 0}"#]).lines().next(),
        Some("n,name")
    );
    assert_eq!(csv(&["--projection", r#"{"n": 1, "x": 1}"#]), "_id,n,x\r\n1,,\r\n2,5.5,\r\n");
    assert_eq!(
        csv(&["--projection", r#"{"key": 0, "at": 0}"#]).lines().next(),
        Some("_id,name,tags,n")
    );
    assert_eq!(csv(&["--limit", "1"]).lines().next(), Some("_id,name,at,tags"));
}

#[test]
fn a_value_that_a_format_lacks_names_its_document() {
    let room = Room::new();
    room.import("{\"_id\":7,\"n\":18446744073709551615}");
    for command in
        [["find", "db", "c"].as_slice(), &["get", "db", "c", "7"], &["export", "db", "c"]]
    {
        let run = room.run(&[command, &["--format", "canonical"]].concat());
        let message = run.fails(1);
        assert!(message.contains("the id 7") && message.contains("--inexact"), "{message}");
        let text = [command, &["--format", "canonical", "--inexact", "text"]].concat();
        assert!(room.run(&text).ok().contains("\"18446744073709551615\""));
    }
}

#[test]
fn an_order_is_written_as_fields_or_as_json() {
    let room = Room::new();
    room.import(r#"{"n":"a","age":3}{"n":"b","age":1}{"n":"c","age":3}{"n":"d","age":2}"#);
    let found = |sort: &[&str]| {
        let find = [["find", "db", "c", "--projection", r#"{"n": 1, "_id": 0}"#].as_slice(), sort];
        let out = room.run(&find.concat()).ok();
        out.lines().map(|line| line[6..7].to_owned()).collect::<String>()
    };
    assert_eq!(found(&["--sort", "age"]), "bdac");
    assert_eq!(found(&["--sort", "-age"]), "acdb");
    assert_eq!(found(&["--sort", "-age,-n"]), "cadb");
    assert_eq!(found(&["--sort=-age,n", "--limit", "2"]), "ac");
    assert_eq!(found(&["--sort", r#"{"age": -1, "n": -1}"#]), "cadb");
    for nonsense in ["age: -1", "[\"age\"]", "", "\"age\""] {
        let message = room.run(&["find", "db", "c", "--sort", nonsense]).fails(1);
        assert!(message.contains("the order: ") && message.contains("-age,name"), "{message}");
        assert!(message.contains("{\"age\": -1"), "{message}");
    }
}

#[test]
fn values_are_counted_the_most_frequent_first() {
    let room = Room::new();
    room.import(
        r#"{"a":"x","n":1}{"a":"y","n":1}{"a":"y","n":2}{"a":["z","y"],"n":2}{"n":2}{"a":"w"}"#,
    );
    let distinct = |arguments: &[&str]| {
        room.run(&[["distinct", "db", "c", "a"].as_slice(), arguments].concat()).ok()
    };
    let counts = distinct(&["--count"]);
    let rows: Vec<Json> = counts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        rows,
        [
            json!({"value": "y", "count": 3}),
            json!({"value": "w", "count": 1}),
            json!({"value": "x", "count": 1}),
            json!({"value": "z", "count": 1}),
        ]
    );
    assert_eq!(distinct(&["--count", "--limit", "1"]).lines().count(), 1);
    assert_eq!(
        distinct(&["{\"n\": 2}", "--count", "--format", "csv"]),
        "value,count\r\ny,2\r\nz,1\r\n"
    );
    assert_eq!(distinct(&["--format", "json"]), "[\"w\",\n\"x\",\n\"y\",\n\"z\"]\n");
    assert_eq!(distinct(&["--limit", "2"]), "\"w\"\n\"x\"\n");
    assert_eq!(distinct(&["--format", "csv", "--limit", "1"]), "value\r\nw\r\n");
    assert_eq!(distinct(&["--format", "pretty", "--limit", "1"]), "\"w\"\n");
}
