//! The program on a terminal: tables, colours, questions.
//!
//! The terminal is a pseudo-terminal that this test holds the other end of. What it receives is
//! compared with `golden/NAME-WIDTH.txt`, in which `␛` is the escape character; `NANODB_BLESS=1`
//! writes those files anew.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::support::{Room, data_file};

/// What a run of the program left on the terminal.
struct Shown {
    code: i32,
    text: String,
}

impl Shown {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.text);
        self.text
    }
}

/// Runs a command on a terminal with so many columns, whose user types `typed`.
fn run_on_terminal(mut command: Command, columns: u16, typed: &[u8]) -> Shown {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let user = openpt(flags).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let path = ptsname(&user, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    // What is typed is not shown: it may come before the question.
    let mut modes = tcgetattr(&terminal).unwrap();
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Now, &modes).unwrap();

    command.env("TERM", "xterm-256color");
    for variable in ["CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.stdin(terminal.try_clone().unwrap());
    command.stdout(terminal.try_clone().unwrap());
    command.stderr(terminal);
    let mut child = command.spawn().unwrap();
    // Only the child keeps the terminal open, so that reading ends with it.
    drop(command);
    let mut user = File::from(user);
    user.write_all(typed).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    // Its end is an error on Linux.
    while let Ok(size @ 1..) = user.read(&mut part) {
        bytes.extend_from_slice(&part[..size]);
    }
    let code = child.wait().unwrap().code().unwrap();
    // Terminals want a return to the first column.
    Shown { code, text: String::from_utf8(bytes).unwrap().replace("\r\n", "\n") }
}

impl Room {
    fn on_terminal(&self, columns: u16, arguments: &[&str]) -> Shown {
        self.typing(columns, arguments, b"")
    }

    fn typing(&self, columns: u16, arguments: &[&str], typed: &[u8]) -> Shown {
        let mut command = self.command(arguments);
        command.env_remove("NO_COLOR");
        run_on_terminal(command, columns, typed)
    }
}

/// Compares what `find` shows at each width with the golden files of a name.
fn compare(name: &str, room: &Room, arguments: &[&str]) {
    for columns in [60, 80, 200] {
        let arguments = [["find", "db", "c"].as_slice(), arguments].concat();
        let shown = room.on_terminal(columns, &arguments).ok().replace('\u{1b}', "␛");
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/it/golden/{name}-{columns}.txt"));
        if std::env::var_os("NANODB_BLESS").is_some() {
            fs::write(&path, &shown).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        assert!(shown == expected, "{}:\n{shown}\nexpected:\n{expected}", path.display());
    }
}

#[test]
fn a_table_of_cities_ends_after_fifty_and_says_how_many_more() {
    let room = Room::new();
    let cities =
        BufReader::new(MultiGzDecoder::new(File::open(data_file("cities.jsonl.gz")).unwrap()));
    let cities: Vec<String> = cities.lines().take(300).map(|line| line.unwrap()).collect();
    let import = ["import", "db", "c", "-", "--id-field", "cityId"];
    room.pipe(&import, cities.join("\n").as_bytes()).ok();
    compare("cities", &room, &[]);
    let shown = |arguments: &[&str]| {
        let arguments = [["find", "db", "c", "--color", "never"].as_slice(), arguments].concat();
        room.on_terminal(80, &arguments).ok()
    };
    let all = shown(&["--limit", "0"]);
    assert_eq!(all.lines().filter(|line| line.contains("PPL")).count(), 300);
    assert!(!all.contains("--limit"), "{all}");
    assert_eq!(shown(&["--limit", "60"]).lines().filter(|line| line.contains("PPL")).count(), 60);
    assert!(shown(&["--skip", "200"]).contains("… 50 more: --limit N"));
    assert!(!shown(&["--skip", "250"]).contains("more: --limit"));
    assert!(shown(&["--width", "30"]).lines().next().is_some_and(|line| line.len() <= 30));
    assert_eq!(shown(&["--format", "lines"]).lines().count(), 300);
}

#[test]
fn values_of_every_type_are_in_a_table() {
    let room = Room::new();
    room.import(concat!(
        r#"{"name": "Ada", "age": 36, "tags": ["a", "b"], "born": {"$date": "1990-01-01T00:00:00Z"}}"#,
        r#"{"name": "Bob Meierhofer von und zu Hohenzollern", "age": 5.25, "tags": ["b"]}"#,
        r#"{"name": null, "age": 12345678901234567, "home": {"city": "Köln", "at": [6.96, 50.94]}}"#,
        r#"{"ok": true, "key": {"$uuid": "123e4567-e89b-12d3-a456-426614174000"}}"#,
        r#"{"ok": false, "key": {"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "00"}}}"#,
        r#"{"age": {"$numberDouble": "NaN"}, "oid": {"$oid": "65a1b2c3d4e5f60718293a4b"}}"#,
        r#"{"name": {"$binary": {"base64": "AQID", "subType": "00"}}, "age": -1e300}"#,
    ));
    compare("nested", &room, &["--sort", "_id"]);
}

#[test]
fn letters_of_all_widths_stand_in_their_columns_and_control_nothing() {
    let room = Room::new();
    for name in [
        "東京都千代田区丸の内一丁目九番一号東京駅",
        "e\u{301}cole de la re\u{301}publique franc\u{327}aise et de ses e\u{301}coles",
        "👩‍👩‍👧‍👦 family 👍🏽 thumb 🇩🇪 flag",
        "\u{1b}[31mred\u{1b}[0m\nnext line\ttab",
        "\u{202e}backwards\u{202c} \u{2066}isolated\u{2069}",
        "zero\u{200b}width\u{200d}joiner",
        "한국어 텍스트",
        "שלום עולם",
        "",
    ] {
        let name = serde_json::to_string(name).unwrap();
        room.import(&format!("{{\"name\": {name}, \"after\": \"|\"}}"));
    }
    compare("unicode", &room, &[]);
}

#[test]
fn columns_that_do_not_fit_are_named_below_the_table() {
    let room = Room::new();
    let fields: Vec<String> = (0..40).map(|n| format!("\"field {n}\": {}", n * n)).collect();
    room.import(&format!("{{{}}}{{\"field 7\": 5}}", fields.join(", ")));
    compare("many", &room, &[]);
}

#[test]
fn long_texts_are_cut_and_ids_and_numbers_are_not() {
    let room = Room::new();
    let text = "A long text about nothing in particular. ".repeat(20);
    room.import(&format!(
        "{{\"_id\": {{\"$uuid\": \"123e4567-e89b-12d3-a456-426614174000\"}}, \
          \"number\": 12345678901234567890, \"text\": \"{text}\", \"more\": \"{text}\", \
          \"short\": \"s\", \"list\": [\"{text}\"], \"last\": 1}}"
    ));
    compare("wide", &room, &[]);
}

#[test]
fn nothing_found_is_said() {
    let room = Room::new();
    room.import("{\"a\": 1}");
    compare("empty", &room, &["{\"a\": 2}"]);
    let run = room.run(&["find", "db", "c", "{\"a\": 2}", "--format", "table"]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "", "nothing found\n"));
    assert_eq!(room.run(&["find", "db", "c", "{\"a\": 2}"]).ok(), "");
}

#[test]
fn a_pipe_gets_lines_without_colours() {
    let room = Room::new();
    room.import("{\"a\": \"x\"}");
    for arguments in
        [["find", "db", "c"].as_slice(), &["get", "db", "c", "1"], &["export", "db", "c"]]
    {
        assert_eq!(room.run(arguments).ok(), "{\"_id\":1,\"a\":\"x\"}\n");
    }
}

#[test]
fn colours_are_for_terminals_that_have_them_and_for_who_asks() {
    let room = Room::new();
    room.import("{\"a\": \"x\", \"b\": null}");
    let get = ["get", "db", "c", "1"];
    let painted = "{\n  \u{1b}[36m\"_id\"\u{1b}[0m: 1,\n  \u{1b}[36m\"a\"\u{1b}[0m: \
        \u{1b}[32m\"x\"\u{1b}[0m,\n  \u{1b}[36m\"b\"\u{1b}[0m: \u{1b}[2mnull\u{1b}[0m\n}\n";
    assert_eq!(room.on_terminal(80, &get).ok(), painted);
    let plain = "{\n  \"_id\": 1,\n  \"a\": \"x\",\n  \"b\": null\n}\n";
    assert_eq!(room.on_terminal(80, &[&get[..], &["--color", "never"]].concat()).ok(), plain);
    let mut command = room.command(&get);
    command.env("NO_COLOR", "1");
    assert_eq!(run_on_terminal(command, 80, b"").ok(), plain);
    let asked = [&get[..], &["--color", "always", "--pretty"]].concat();
    assert_eq!(room.run(&asked).ok(), painted);
    let failed = room.on_terminal(80, &["get", "db", "c", "2"]);
    assert_eq!(failed.code, 1);
    assert!(failed.text.contains("nanodb:\u{1b}[0m collection"), "{}", failed.text);
}

#[test]
fn deleting_everything_asks_and_only_yes_is_yes() {
    let room = Room::new();
    room.import(&"{}".repeat(1_234));
    let delete = ["delete", "db", "c", "{}"];
    let drop = ["drop", "db", "c"];
    let count = || room.run(&["count", "db", "c"]).ok();
    for typed in [b"n\n".as_slice(), b"\n", b"yess\n", b"\x04"] {
        for (command, question) in [
            (&delete[..], "delete all 1,234 documents of \"c\"? [y/N] "),
            (&drop[..], "drop the collection \"c\" with 1,234 documents? [y/N] "),
        ] {
            let shown = room.typing(80, command, typed);
            assert_eq!(shown.code, 1, "{}", shown.text);
            assert!(shown.text.starts_with(question), "{}", shown.text);
            assert!(shown.text.contains("nothing was changed"), "{}", shown.text);
        }
    }
    assert_eq!(count(), "1234\n");
    let shown = room.typing(80, &delete, b"y\n").ok();
    assert!(shown.ends_with("1,234 documents deleted\n"), "{shown}");
    assert_eq!(count(), "0\n");
    room.import("{}");
    assert!(room.typing(80, &drop, b"Yes\n").ok().ends_with("1 document deleted\n"));
    assert_eq!(room.run(&["collections", "db"]).ok(), "");
}

#[test]
fn what_is_not_everything_is_deleted_without_a_question() {
    let room = Room::new();
    room.import("{\"a\": 1}{\"a\": 2}{\"a\": 3}");
    let shown = |arguments: &[&str]| room.on_terminal(80, arguments).ok();
    assert_eq!(shown(&["delete", "db", "c", "{\"a\": 1}"]), "1 document deleted\n");
    assert_eq!(shown(&["delete", "db", "c", "{}", "--one"]), "1 document deleted\n");
    assert_eq!(shown(&["delete", "db", "c", "{}", "--yes"]), "1 document deleted\n");
}

#[test]
fn an_import_shows_its_progress_and_removes_it() {
    let room = Room::new();
    room.write("in", "{}\n".repeat(50_000));
    let shown = room.on_terminal(80, &["import", "db", "c", "in"]).ok();
    assert!(shown.contains(" documents") && shown.contains('%'), "{shown:?}");
    let last = shown.rsplit("\r\u{1b}[K").next().unwrap();
    assert!(last.starts_with("50,000 documents inserted in "), "{shown:?}");
}

#[test]
fn counts_of_values_are_a_table_too() {
    let room = Room::new();
    room.import("{\"a\": \"x\"}{\"a\": \"y\"}{\"a\": \"y\"}");
    let count = ["distinct", "db", "c", "a", "--count", "--color", "never"];
    let expected = "value  count\n─────  ─────\ny          2\nx          1\n";
    assert_eq!(room.on_terminal(80, &count).ok(), expected);
    assert_eq!(room.on_terminal(80, &["distinct", "db", "c", "missing"]).ok(), "");
}
