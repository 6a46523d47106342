//! `nanodb demo`: stores, reads and checks real data, and prints how long each step takes.
//!
//! Each step is timed by itself. What it reads is compared with the source: the demo fails if
//! anything differs.

mod cities;
mod report;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nanodb::{Collection, Database, DocView};

use self::cities::{BATCH, CITIES, Cities};
use self::report::Report;
use crate::arguments::Demo;
use crate::database::Opener;
use crate::failure::{Failure, Result};
use crate::figures::{self, Time};

const COLLECTION: &str = "cities";

/// An arbitrary number that makes all runs look up the same ids.
const SEED: u64 = 7;

/// What was stored, for comparison with what is read.
struct Sample {
    ids: Vec<i64>,
    people: i64,
    /// Bytes of the source, as JSON.
    json_bytes: u64,
}

pub(crate) fn run(arguments: &Demo, opener: Opener, out: &mut impl Write) -> Result<()> {
    let temporary;
    let path = match &arguments.keep {
        Some(path) => new_file(path)?,
        None => {
            let folder = std::env::temp_dir();
            temporary = tempfile::tempdir_in(&folder).map_err(|source| Failure::File {
                doing: "making a directory in",
                path: folder,
                source,
            })?;
            temporary.path().join("cities.nanodb")
        }
    };
    let mut report = Report::new(out);
    report.line(&format!("{} {CITIES}", figures::count(cities::COUNT)))?;
    report.line("")?;

    let database = opener.make(&path)?;
    let loaded = load(&database.collection(COLLECTION), &mut report)?;
    look_up(&database.collection(COLLECTION), &loaded, arguments.lookups, &mut report)?;
    let document_bytes = scan(&database.collection(COLLECTION), &loaded, &mut report)?;
    let start = Instant::now();
    database.close()?;
    report.step("close", "a checkpoint is made, the log removed", start.elapsed(), None)?;

    let database = reopen(&path, opener, &loaded, &mut report)?;
    verify(&database.collection(COLLECTION), &mut report)?;
    check(&database, &mut report)?;
    let file_bytes = database.stats()?.file_bytes;
    drop(database);

    sizes(&loaded, document_bytes, file_bytes, &mut report)?;
    if arguments.keep.is_some() {
        report.line(&format!("\nkept: {}", path.display()))?;
    }
    Ok(())
}

/// Returns a path at which no file exists yet: the demo never adds to an existing database.
fn new_file(path: &Path) -> Result<PathBuf> {
    if path.exists() {
        let source = std::io::ErrorKind::AlreadyExists.into();
        return Err(Failure::File { doing: "making", path: path.to_owned(), source });
    }
    Ok(path.to_owned())
}

fn load(cities: &Collection, report: &mut Report<'_>) -> Result<Sample> {
    let mut source = Cities::new()?;
    let mut loaded = Sample { ids: Vec::new(), people: 0, json_bytes: 0 };
    let (mut reading, mut storing) = (Duration::ZERO, Duration::ZERO);
    loop {
        let start = Instant::now();
        let batch = source.next_batch()?;
        reading += start.elapsed();
        if batch.is_empty() {
            break;
        }
        let start = Instant::now();
        let ids = cities.insert_many(&batch)?;
        storing += start.elapsed();
        loaded.ids.extend(ids.iter().filter_map(nanodb::Id::as_i64));
        loaded.people += batch.iter().filter_map(|city| city["population"].as_i64()).sum::<i64>();
    }
    loaded.json_bytes = source.json_bytes();
    let count = loaded.ids.len() as u64;
    let counted = cities.count()?;
    if count != cities::COUNT || counted != count {
        return Err(Failure::Different(format!(
            "{} cities were to be stored, {count} were, and the collection counts {counted}",
            cities::COUNT
        )));
    }
    report.step("read", "the data decompressed and its JSON parsed", reading, Some(count))?;
    let detail =
        format!("in batches of {}, each safe from a power cut", figures::count(BATCH as u64));
    report.step("load", &detail, storing, Some(count))?;
    Ok(loaded)
}

fn look_up(
    cities: &Collection,
    loaded: &Sample,
    lookups: usize,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let ids: Vec<i64> = (0..lookups).filter_map(|_| random.choice(&loaded.ids).copied()).collect();
    let mut wrong = 0;
    let start = Instant::now();
    for &id in &ids {
        let city = cities.get(id)?;
        wrong += u64::from(city.and_then(|city| city.id()?.to_owned().as_i64()) != Some(id));
    }
    let time = start.elapsed();
    if wrong > 0 {
        return Err(Failure::Different(format!("{wrong} ids found nothing, or another city")));
    }
    report.step("look up", "ids at random, one by one", time, Some(ids.len() as u64))
}

/// Scans all documents and returns their total size in bytes.
fn scan(cities: &Collection, loaded: &Sample, report: &mut Report<'_>) -> Result<u64> {
    let (mut count, mut people, mut bytes) = (0, 0, 0);
    let start = Instant::now();
    let mut cursor = cities.scan()?;
    while let Some(city) = cursor.next()? {
        count += 1;
        people += population(city);
        bytes += city.as_bytes().len() as u64;
    }
    let time = start.elapsed();
    if (count, people) != (loaded.ids.len() as u64, loaded.people) {
        return Err(Failure::Different(format!(
            "the scan met {count} cities and {people} people; {} and {} were stored",
            loaded.ids.len(),
            loaded.people
        )));
    }
    let detail = format!("all documents, and their people added up: {}", people_text(people));
    report.step("scan", &detail, time, Some(count))?;
    Ok(bytes)
}

fn population(city: &DocView) -> i64 {
    city.get("population").and_then(|people| people.as_i64()).unwrap_or(0)
}

fn people_text(people: i64) -> String {
    figures::count(people.unsigned_abs()).to_string()
}

fn reopen(
    path: &Path,
    opener: Opener,
    loaded: &Sample,
    report: &mut Report<'_>,
) -> Result<Database> {
    let start = Instant::now();
    let database = opener.change(path)?;
    report.step("reopen", "the file and its list of collections", start.elapsed(), None)?;
    let Some(&id) = loaded.ids.last() else { return Ok(database) };
    let start = Instant::now();
    let found = database.collection(COLLECTION).get(id)?.is_some();
    let time = start.elapsed();
    if !found {
        return Err(Failure::Different(format!("the city {id} is gone after reopening")));
    }
    report.step("first read", "one id: its part of the id index, and its page", time, None)?;
    Ok(database)
}

/// Compares every document with the source, by its id and in the order of a scan.
fn verify(cities: &Collection, report: &mut Report<'_>) -> Result<()> {
    let start = Instant::now();
    let mut source = Cities::new()?;
    let mut cursor = cities.scan()?;
    let mut count = 0;
    loop {
        let batch = source.next_batch()?;
        if batch.is_empty() {
            break;
        }
        for city in &batch {
            let by_scan = cursor.next()?.map(DocView::to_document).transpose();
            let by_id = match city.id() {
                Some(id) => cities.get(id)?,
                None => None,
            };
            let by_id = by_id.map(|city| city.to_document()).transpose();
            let expected = Some(city);
            if by_scan.ok().flatten().as_ref() != expected
                || by_id.ok().flatten().as_ref() != expected
            {
                return Err(Failure::Different(format!(
                    "this city differs after reopening: {city}"
                )));
            }
            count += 1;
        }
    }
    if cursor.next()?.is_some() {
        return Err(Failure::Different("there are more cities than were stored".to_owned()));
    }
    let detail = "all equal to the source, read again: by id and in its order";
    report.step("verify", detail, start.elapsed(), Some(count))
}

fn check(database: &Database, report: &mut Report<'_>) -> Result<()> {
    let start = Instant::now();
    let found = database.check()?;
    let time = start.elapsed();
    if !found.is_clean() || found.documents != cities::COUNT {
        return Err(Failure::Different(format!("the check found: {found}")));
    }
    let detail = format!("no problems on {} pages", figures::count(found.pages));
    report.step("check", &detail, time, Some(found.documents))
}

fn sizes(
    loaded: &Sample,
    document_bytes: u64,
    file_bytes: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    let count = loaded.ids.len().max(1) as f64;
    let each = |bytes: u64| bytes as f64 / count;
    report.line("")?;
    report.size("JSON", loaded.json_bytes, each(loaded.json_bytes), "")?;
    report.size("documents", document_bytes, each(document_bytes), "")?;
    let ratio =
        format!(", {:.3} times the documents", file_bytes as f64 / document_bytes.max(1) as f64);
    report.size("file", file_bytes, each(file_bytes), &ratio)?;
    report.line("")?;
    report.line(
        "Opening a file reads no documents. The id index is in the file, and each part of it",
    )?;
    report
        .line("is loaded when it is first needed: that is most of the first read. The look-ups")?;
    report.line("and the scan found all pages in the cache (64 MiB) and did not wait for the disk.")
}

impl Report<'_> {
    fn step(&mut self, name: &str, detail: &str, time: Duration, count: Option<u64>) -> Result<()> {
        let rate = count.map(|count| format!("{}/s", figures::rate(count, time)));
        let count = count.map(|count| figures::count(count).to_string()).unwrap_or_default();
        self.row(name, &count, &Time(time).to_string(), &rate.unwrap_or_default(), detail)
    }
}
