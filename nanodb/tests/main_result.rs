//! What a program prints whose `main` returns an error: this program, run a second time.

use std::env;
use std::process::Command;

/// The file that the second run is to open.
const OPENS: &str = "NANODB_MAIN_OPENS";

fn main() -> nanodb::Result<()> {
    let Some(path) = env::var_os(OPENS) else {
        is_printed_in_one_line();
        return Ok(());
    };
    nanodb::Database::open(path)?;
    Ok(())
}

#[allow(clippy::unwrap_used, reason = "it is a test")]
fn is_printed_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other");
    std::fs::write(&path, "not what a database begins with ".repeat(300)).unwrap();
    let run = Command::new(env::current_exe().unwrap()).env(OPENS, &path).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let text = format!("Error: opening {}: not a NanoDB file [NotADatabase]\n", path.display());
    assert_eq!(String::from_utf8_lossy(&run.stderr), text);
    println!("test what_main_prints ... ok");
}
