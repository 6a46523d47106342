//! Commands beside others that have the database open.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use nanodb::Database;

use crate::support::Room;

/// Commands that read, and what they print of a database with one document in `c`.
const READERS: [&[&str]; 8] = [
    &["get", "db", "c", "1"],
    &["export", "db", "c"],
    &["collections", "db"],
    &["count", "db", "c"],
    &["find", "db", "c", "{}"],
    &["distinct", "db", "c", "_id"],
    &["stats", "db"],
    &["check", "db"],
];

const WRITERS: [&[&str]; 4] = [
    &["import", "db", "c", "in"],
    &["update", "db", "c", "{}", r#"{"$set":{"a":1}}"#],
    &["delete", "db", "c", "{}", "--yes"],
    &["compact", "db"],
];

fn room() -> Room {
    let room = Room::new();
    room.import("{}");
    room.write("in", "{}");
    room
}

#[cfg(target_os = "linux")]
#[test]
fn who_keeps_a_command_out_is_named_by_process_and_program() {
    let room = room();
    let database = Database::open(room.path("db")).unwrap();
    let program = std::env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_str().unwrap();
    let holder = format!("process {} ({program})", std::process::id());
    for arguments in READERS.iter().chain(&WRITERS).chain(&[&["salvage", "db", "new"] as &[&str]]) {
        let said = room.run(arguments).fails(3);
        assert!(said.contains("db: the file is open in ") && said.contains(&holder), "{said}");
        assert!(said.contains("--wait"), "{said}");
    }
    assert!(!room.path("new").exists());
    drop(database);
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
}

#[test]
fn commands_that_read_do_so_beside_another_reader_and_those_that_write_do_not() {
    let room = room();
    let database = Database::options().read_only(true).open(room.path("db")).unwrap();
    READERS.iter().for_each(|arguments| drop(room.run(arguments).ok()));
    WRITERS.iter().for_each(|arguments| drop(room.run(arguments).fails(3)));
    assert!(room.run(&["salvage", "db", "new"]).ok().contains("1 document saved"));
    drop(database);
    WRITERS.iter().for_each(|arguments| drop(room.run(arguments).ok()));
}

#[test]
fn a_command_waits_for_the_database_as_long_as_it_is_told() {
    let room = room();
    let database = Database::open(room.path("db")).unwrap();
    for arguments in READERS.iter().chain(&WRITERS) {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--wait", "0.02"]).collect();
        room.run(&arguments).fails(3);
    }
    let waiting: Vec<_> = [READERS[3], WRITERS[1], &["salvage", "db", "new"]]
        .into_iter()
        .map(|arguments| {
            let mut command = room.command(&[&["--wait", "600"], arguments].concat());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    thread::sleep(Duration::from_millis(50));
    drop(database);
    for child in waiting {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    for nonsense in ["-1", "soon", "NaN", "inf"] {
        room.run(&["count", "db", "c", &format!("--wait={nonsense}")]).fails(2);
    }
}

#[test]
fn commands_that_begin_at_the_same_time_and_wait_all_do_what_they_are_to() {
    let room = room();
    let start = |arguments: &[&str]| {
        let mut command = room.command(&[&["--wait", "600"], arguments].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..6).flat_map(|_| [start(WRITERS[0]), start(READERS[3])]).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "7\n");
}

/// Names, bytes and times of all that a directory holds.
fn listing(directory: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        let changed = entry.metadata().unwrap().modified().unwrap();
        (entry.file_name().into_string().unwrap(), (fs::read(entry.path()).unwrap(), changed))
    };
    let itself = (Vec::new(), fs::metadata(directory).unwrap().modified().unwrap());
    entries.map(read).chain([(String::from("."), itself)]).collect()
}

#[cfg(unix)]
#[test]
fn a_user_who_may_write_nothing_runs_all_commands_that_read_and_changes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let room = Room::new();
    room.import(&"{\"a\":1}\n".repeat(100));
    // What is found after a process was killed: the file as it was, and the log.
    let crashed = Room::new();
    let database = Database::open(room.path("db")).unwrap();
    database.collection("c").insert(nanodb::doc! { "a": 2 }).unwrap();
    for entry in fs::read_dir(room.path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        fs::copy(room.path(&name), crashed.path(&name)).unwrap();
    }
    assert!(fs::read_dir(crashed.path("")).unwrap().count() > 1);
    database.close().unwrap();
    // A program and a directory that everybody may use.
    let tools = Room::new();
    fs::copy(env!("CARGO_BIN_EXE_nanodb"), tools.path("nanodb")).unwrap();
    [tools.path(""), tools.path("nanodb")].iter().for_each(|path| set_mode(path, 0o755));
    fs::create_dir(tools.path("out")).unwrap();
    set_mode(&tools.path("out"), 0o777);

    for (room, new) in [(&room, "clean"), (&crashed, "crashed")] {
        let documents = 101;
        let directory = room.path("");
        for entry in fs::read_dir(&directory).unwrap() {
            set_mode(&entry.unwrap().path(), 0o444);
        }
        set_mode(&directory, 0o555);
        let before = listing(&directory);
        let run = |arguments: &[&str]| {
            let mut command = std::process::Command::new(tools.path("nanodb"));
            command.args(arguments).current_dir(&directory).stdin(Stdio::null());
            command.uid(65534).gid(65534).output()
        };
        if let Err(error) = run(&["--version"]) {
            eprintln!("SKIPPED: running a program as another user: {error}");
            set_mode(&directory, 0o755);
            return;
        }
        let ok = |arguments: &[&str]| {
            let output = run(arguments).unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        READERS.iter().for_each(|arguments| drop(ok(arguments)));
        assert_eq!(ok(&["count", "db", "c"]), format!("{documents}\n"));
        let new = tools.path("out").join(new);
        let saved = ok(&["salvage", "db", new.to_str().unwrap()]);
        assert!(saved.contains(&format!("{documents} documents saved")), "{saved}");
        assert_eq!(ok(&["count", new.to_str().unwrap(), "c"]), format!("{documents}\n"));
        for arguments in WRITERS.iter().filter(|arguments| arguments[0] != "import") {
            let output = run(arguments).unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("Permission denied"), "{said}");
        }
        assert!(listing(&directory) == before, "something was written");
        set_mode(&directory, 0o755);
    }
}
