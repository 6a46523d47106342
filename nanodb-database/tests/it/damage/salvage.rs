//! What can be saved of a damaged file.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanodb_database::{
    Database, Document, Durability, ErrorKind, Id, Problem, ProblemKind, SalvageMode,
    SalvageReport, doc,
};
use nanodb_pager::PAGE_SIZE;
use nanodb_sim::{Failure, Fault, Random, SimStorage};

use super::sample::{Sample, id_of};

type Found = BTreeMap<String, BTreeMap<Id, Document>>;

fn everything(db: &Database) -> Found {
    let mut found = Found::new();
    for info in db.collections().unwrap() {
        let documents = db.collection(&info.name).iter().unwrap();
        let documents = documents.map(|document| document.unwrap().to_document().unwrap());
        let documents: BTreeMap<Id, Document> = documents.map(|d| (id_of(&d), d)).collect();
        assert_eq!(documents.len() as u64, info.count);
        found.insert(info.name, documents);
    }
    found
}

/// Salvages a file, which must stay as it is.
fn salvage(storage: &SimStorage) -> (SalvageReport, Found) {
    let files = storage.files();
    let saved = Database::in_memory().unwrap();
    let report = saved.salvage_on(Arc::new(storage.clone())).unwrap();
    assert!(storage.files() == files, "something was written");
    assert!(saved.check().unwrap().is_clean());
    let found = everything(&saved);
    let counted: u64 = found.values().map(|documents| documents.len() as u64).sum();
    assert_eq!(report.documents(), counted);
    (report, found)
}

/// The documents of a sample that `found` has under these names, each as it was.
fn assert_known(sample: &Sample, found: &Found, case: &str) -> usize {
    let mut count = 0;
    for (name, documents) in found {
        for (id, document) in documents {
            let known = sample.collections.values().filter_map(|known| known.get(id));
            let mut known = known.filter(|known| *known == document);
            assert!(known.next().is_some(), "{case}: {name}: {id} is new or another");
            count += 1;
        }
    }
    count
}

fn noise(page: usize, file: &mut [u8]) {
    Random::new(page as u64 + 1).fill(&mut file[page * PAGE_SIZE..][..PAGE_SIZE]);
}

/// How many documents the file with this page gone has by its own account, page by page.
fn readable(sample: &Sample, file: &[u8]) -> Option<usize> {
    let (db, _) = super::sample::open(file).ok()?;
    let mut count = 0;
    for &name in sample.collections.keys() {
        let documents = db.collection(name).iter().unwrap();
        count += documents.filter(Result::is_ok).count();
    }
    Some(count)
}

#[test]
fn a_sound_file_is_saved_as_a_whole() {
    let sample = Sample::new();
    let (report, found) = salvage(&SimStorage::from_contents(sample.file.clone()));
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(assert_known(&sample, &found, "sound"), sample.len());
}

#[test]
fn whichever_page_is_noise_all_that_is_not_on_it_is_saved() {
    let sample = Sample::new();
    let pages = sample.file.len() / PAGE_SIZE;
    let mut refused = 0;
    for page in 0..pages {
        let mut file = sample.file.clone();
        noise(page, &mut file);
        let case = format!("page {page}");
        let expected = readable(&sample, &file);
        let (report, found) = salvage(&SimStorage::from_contents(file));
        let count = assert_known(&sample, &found, &case);
        match expected {
            Some(expected) => {
                assert_eq!((count, report.how), (expected, SalvageMode::Opened), "{case}");
                let lost = sample.len() - expected;
                assert_eq!(report.is_complete(), lost == 0, "{case}: {report:?}");
                let named = report
                    .problems
                    .iter()
                    .any(|problem| problem.page == Some(u32::try_from(page).unwrap()));
                assert!(lost == 0 || named, "{case}: {report:?}");
            }
            None => {
                // The root: of the documents nothing is lost.
                assert_eq!((count, report.how), (sample.len(), SalvageMode::ByPages), "{case}");
                assert!(!report.is_complete());
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 1);
}

#[test]
fn without_header_the_names_are_found_where_they_were_last_written() {
    let sample = Sample::new();
    for keep_uuid in [true, false] {
        let mut file = sample.file.clone();
        for copy in 0..2 {
            noise(copy, &mut file);
            if keep_uuid {
                let uuid = copy * PAGE_SIZE + 56..copy * PAGE_SIZE + 72;
                file[uuid.clone()].copy_from_slice(&sample.file[uuid]);
            }
        }
        let (report, found) = salvage(&SimStorage::from_contents(file));
        let how = if keep_uuid { SalvageMode::ByPages } else { SalvageMode::Unverified };
        assert_eq!(report.how, how);
        for (name, documents) in &sample.collections {
            for (id, document) in documents {
                assert_eq!(found[*name].get(id), Some(document), "{name}: {id}");
            }
        }
    }
}

#[test]
fn without_any_list_of_collections_documents_are_saved_under_numbers() {
    let sample = Sample::new();
    let mut file = sample.file.clone();
    // Whatever is a stream.
    for page in 0..file.len() / PAGE_SIZE {
        if page < 2 || file[page * PAGE_SIZE + 24] == 2 {
            noise(page, &mut file);
        }
    }
    let (report, found) = salvage(&SimStorage::from_contents(file));
    assert_eq!(report.how, SalvageMode::Unverified);
    assert!(found.keys().all(|name| name.starts_with("collection ")), "{report:?}");
    let all: usize = found.values().map(BTreeMap::len).sum();
    assert!(all >= sample.len());
}

#[test]
fn of_a_file_that_is_cut_off_what_is_left_is_saved() {
    let sample = Sample::new();
    let full = sample.file.len() / PAGE_SIZE;
    let mut last = 0;
    for pages in 3..=full {
        let file = sample.file[..pages * PAGE_SIZE - if pages < full { 100 } else { 0 }].to_vec();
        let (report, mut found) = salvage(&SimStorage::from_contents(file));
        // It was dropped, which nothing says any more.
        found.remove("collection 4");
        let count = assert_known(&sample, &found, "cut");
        assert!(count >= last, "{pages} pages: {count} after {last}");
        assert_eq!(report.is_complete(), pages == full);
        last = count;
    }
    assert_eq!(last, sample.len());
}

#[test]
fn with_a_damaged_log_what_was_in_the_file_is_saved() {
    let storage = SimStorage::new();
    let options = Database::options().durability(Durability::Immediate).background(false);
    let db = options.open_on(Arc::new(storage.clone())).unwrap();
    let users = db.collection("users");
    users.insert(doc! { "_id": 1, "name": "Ada" }).unwrap();
    db.checkpoint().unwrap();
    for id in 2..100 {
        users.insert(doc! { "_id": id, "name": "Bob" }).unwrap();
    }
    let mut files = storage.files();
    drop((users, db));
    let log = files.iter_mut().filter(|(name, _)| name.contains("log"));
    // In the middle of what was synced.
    log.max_by_key(|(_, bytes)| bytes.len()).unwrap().1[60_000..61_000].fill(7);
    let storage = SimStorage::from_files(files);
    assert!(options.open_on(Arc::new(storage.clone())).is_err());
    let (report, found) = salvage(&storage);
    assert_eq!(report.how, SalvageMode::ByPages);
    assert!(found["users"].contains_key(&Id::from(1)));
    assert!(!report.problems.is_empty());
}

/// What a process leaves that is killed: a log beside the file, in which most is.
fn left_by_a_kill(sample: &Sample) -> SimStorage {
    let storage = SimStorage::from_contents(sample.file.clone());
    let options = Database::options().durability(Durability::Immediate).background(false);
    let db = options.open_on(Arc::new(storage.clone())).unwrap();
    let numbers = db.collection("numbers");
    numbers.insert(doc! { "_id": 1000, "text": "x".repeat(7_000) }).unwrap();
    assert!(numbers.delete(1).unwrap());
    let left = SimStorage::from_files(storage.files());
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    left
}

#[test]
fn a_file_that_a_killed_process_has_left_stays_as_it_is_and_so_do_its_logs() {
    let sample = Sample::new();
    let storage = left_by_a_kill(&sample);
    assert!(storage.files().len() > 1);
    let (report, found) = salvage(&storage);
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.documents(), sample.len() as u64);
    assert!(found["numbers"].contains_key(&Id::from(1000)));
    assert!(!found["numbers"].contains_key(&Id::from(1)));
}

#[test]
fn one_header_copy_torn_and_a_tail_too_long_are_left_as_they_are() {
    let sample = Sample::new();
    for page in 0..2 {
        let mut file = sample.file.clone();
        noise(page, &mut file);
        file.resize(file.len() + 3 * PAGE_SIZE + 7, 9);
        let (report, found) = salvage(&SimStorage::from_contents(file));
        assert_eq!(report.how, SalvageMode::Opened);
        assert_eq!(assert_known(&sample, &found, "torn"), sample.len());
    }
}

#[test]
fn an_empty_file_stays_empty_and_gives_nothing() {
    let (report, found) = salvage(&SimStorage::new());
    assert!(found.is_empty() && !report.is_complete(), "{report:?}");
}

#[test]
fn whatever_read_of_the_source_fails_it_is_told_or_nothing_is_lost() {
    let sample = Sample::new();
    let mut without_root = sample.file.clone();
    let forgery = nanodb_sim::Forgery::of(&sample.file);
    let stream = (0..forgery.pages()).find(|&page| forgery.kind(page) == 2).unwrap();
    noise(stream, &mut without_root);
    let sources = [
        left_by_a_kill(&sample).files(),
        SimStorage::from_contents(without_root).files(),
        SimStorage::from_contents(vec![7; 9 * PAGE_SIZE]).files(),
    ];
    let (mut refused, mut told, mut partial) = (0, 0, 0);
    for files in sources {
        let (whole, _) = salvage(&SimStorage::from_files(files.clone()));
        for for_ever in [false, true] {
            for after in 0.. {
                let storage = SimStorage::from_files(files.clone());
                let fault = Fault { for_ever, ..Fault::once(after, Failure::Device) };
                storage.set_fault(fault);
                let saved = Database::in_memory().unwrap();
                let done = saved.salvage_on(Arc::new(storage.clone()));
                let struck = storage.failed() > 0;
                let case = format!("call {after}, for ever {for_ever}");
                assert!(storage.files() == files, "{case}: something was written");
                let report = saved.check().unwrap();
                assert!(report.is_clean(), "{case}: {report}");
                let found = everything(&saved);
                let count = found.values().map(BTreeMap::len).sum::<usize>() as u64;
                match done {
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Io, "{case}: {error:?}");
                        assert!(count <= whole.documents(), "{case}");
                        refused += 1;
                    }
                    Ok(report) => {
                        assert_eq!(report.documents(), count, "{case}");
                        // Looking at an index that can't be read costs no document.
                        if report != whole {
                            assert!(!report.is_complete(), "{case}");
                            let says =
                                |problem: &Problem| problem.to_string().contains("simulated");
                            assert!(report.problems.iter().any(says), "{case}: {report:?}");
                            let is_less = count <= whole.documents();
                            assert!(is_less || report.uncertain, "{case}: {report:?}");
                            told += 1;
                            partial += usize::from(0 < count && count < whole.documents());
                        }
                    }
                }
                // A fault of the past is forgotten.
                storage.clear_fault();
                if !struck {
                    break;
                }
                let (again, _) = salvage(&SimStorage::from_files(storage.files()));
                assert_eq!(again, whole, "{case}");
                assert!(after < 10_000);
            }
        }
    }
    assert!(
        refused + told > 50 && partial > 5,
        "{refused} refused, {told} told, {partial} in part"
    );
}

#[test]
fn whatever_call_of_the_target_fails_what_it_has_is_whole_and_can_be_told() {
    let sample = Sample::new();
    let source = left_by_a_kill(&sample);
    let files = source.files();
    let open = |storage: &SimStorage| {
        let options = Database::options().cache_bytes_max(64 << 10).background(false);
        options.open_on(Arc::new(storage.clone()))
    };
    let mut refused = 0;
    for failure in [Failure::Device, Failure::NoSpace, Failure::Short] {
        for for_ever in [false, true] {
            for after in 0.. {
                let target = SimStorage::new();
                let saved = open(&target).unwrap();
                target.set_fault(Fault { for_ever, ..Fault::once(after, failure) });
                let done = saved.salvage_on(Arc::new(source.clone()));
                let struck = target.failed() > 0;
                let case = format!("call {after}, {failure:?}, for ever {for_ever}");
                assert!(source.files() == files, "{case}: something was written");
                let left = SimStorage::from_files(target.files());
                target.clear_fault();
                for found in [everything(&saved), everything(&open(&left).unwrap())] {
                    let all = found.values().flatten();
                    let known = |(id, document): (&Id, &Document)| {
                        let mut known = sample.collections.values().filter_map(|all| all.get(id));
                        *id == Id::from(1000) || known.any(|known| known == document)
                    };
                    assert!(all.clone().all(known), "{case}");
                    match &done {
                        Ok(report) => {
                            assert_eq!(report.documents(), all.count() as u64, "{case}")
                        }
                        Err(error) => {
                            let kinds = [ErrorKind::Io, ErrorKind::Poisoned];
                            assert!(kinds.contains(&error.kind()), "{case}: {error:?}");
                            refused += 1;
                        }
                    }
                }
                let again = open(&left).unwrap();
                let report = again.check().unwrap();
                assert!(report.is_clean(), "{case}: {report}");
                // Again, into what is there: what is missing comes to it.
                again.salvage_on(Arc::new(source.clone())).unwrap();
                let found = everything(&again);
                let count = found.values().map(BTreeMap::len).sum::<usize>();
                assert_eq!(count, sample.len(), "{case}");
                if !struck {
                    break;
                }
                assert!(after < 10_000);
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn what_is_no_database_gives_nothing() {
    let (report, found) = salvage(&SimStorage::from_contents(vec![0x55; 20 * PAGE_SIZE]));
    assert_eq!(report.how, SalvageMode::Unverified);
    assert!(found.is_empty() && !report.is_complete());
}

/// The page numbers of a file's streams: the root and the free map, where there are two.
fn streams(file: &[u8]) -> Vec<usize> {
    (2..file.len() / PAGE_SIZE).filter(|page| file[page * PAGE_SIZE + 24] == 2).collect()
}

fn padded(id: i64, state: &str) -> Document {
    doc! { "_id": id, "state": state, "pad": ("p".repeat(900)) }
}

/// A database with little memory, so that transactions write pages early, and 50 documents.
fn small_cache() -> (SimStorage, Database) {
    let storage = SimStorage::new();
    let options = Database::options().cache_bytes_max(256 << 10).background(false);
    let db = options.open_on(Arc::new(storage.clone())).unwrap();
    let a = db.collection("a");
    a.insert_many((0..50).map(|id| padded(id, "committed"))).unwrap();
    a.insert(doc! { "_id": "more", "state": "committed" }).unwrap();
    (storage, db)
}

/// Writes what is never committed, over the committed documents' ids and beside them.
fn roll_back(db: &Database, collection: &str) {
    let tx = db.begin_write();
    for id in 0..50 {
        tx.collection("a").delete(id).unwrap();
    }
    let made = (0..1000).map(|id| padded(id, "rolled back"));
    tx.collection(collection).insert_many(made).unwrap();
    tx.rollback();
}

/// What a process leaves that is killed.
fn killed(storage: &SimStorage, db: Database) -> SimStorage {
    let left = SimStorage::from_files(storage.files());
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(db);
    left
}

/// The states of all documents that are saved, by how many have each.
fn states(found: &Found) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for document in found.values().flat_map(BTreeMap::values) {
        let state = document.get("state").unwrap().as_str().unwrap();
        *states.entry(state.to_owned()).or_default() += 1;
    }
    states
}

#[test]
fn salvaging_brings_back_nothing_that_was_never_committed() {
    // Which of the streams are damaged, whether a checkpoint follows what is rolled back, and
    // whether the log is damaged, too.
    for (damaged, later, log) in [
        (0b11, false, false),
        (0b01, false, false),
        (0b10, false, false),
        (0b01, true, false),
        (0b10, true, false),
        (0b10, true, true),
    ] {
        let (storage, db) = small_cache();
        db.checkpoint().unwrap();
        roll_back(&db, "a");
        db.collection("a").insert(doc! { "_id": "after", "state": "committed" }).unwrap();
        db.collection("new").insert(doc! { "_id": 1, "state": "committed" }).unwrap();
        if later {
            db.checkpoint().unwrap();
        }
        for count in 0..if log { 100 } else { 0 } {
            let new = doc! { "_id": 1, "state": "committed", "count": count };
            assert!(db.collection("new").replace(1, new).unwrap());
        }
        let mut files = killed(&storage, db).files();
        if log {
            let logs = files.iter_mut().filter(|(name, _)| name.contains("log"));
            let (_, bytes) = logs.max_by_key(|(_, bytes)| bytes.len()).unwrap();
            // In the middle of what was synced.
            bytes[60_000..61_000].fill(7);
        }
        let left = SimStorage::from_files(files);
        let mut file = left.contents();
        for (at, page) in streams(&file).into_iter().enumerate() {
            if damaged >> (at % 2) & 1 == 1 {
                file[page * PAGE_SIZE + 2000] ^= 1;
            }
        }
        left.set_contents(file);
        let case = format!("damaged: {damaged:#b}, later: {later}, log: {log}");
        let (report, found) = salvage(&left);
        // A damaged free map alone keeps nobody from opening the file.
        let opens = damaged == 0b10 && !log;
        let how = if opens { SalvageMode::Opened } else { SalvageMode::ByPages };
        assert_eq!(report.how, how, "{case}");
        assert_eq!(states(&found), BTreeMap::from([("committed".to_owned(), 53)]), "{case}");
        assert_eq!(report.uncertain, damaged == 0b11, "{case}");
    }
}

#[test]
fn salvaging_prefers_no_document_that_was_never_committed() {
    let (storage, db) = small_cache();
    db.checkpoint().unwrap();
    roll_back(&db, "a");
    let left = killed(&storage, db);
    let mut file = left.contents();
    for page in streams(&file) {
        file[page * PAGE_SIZE + 2000] ^= 1;
    }
    left.set_contents(file);
    let (report, found) = salvage(&left);
    assert_eq!(states(&found), BTreeMap::from([("committed".to_owned(), 51)]));
    let left_out = |problem: &&Problem| problem.to_string().contains("left out");
    assert_eq!(report.problems.iter().filter(left_out).count(), 1, "{report:?}");
}

#[test]
fn a_collection_that_was_rolled_back_shares_its_number_with_none() {
    let (storage, db) = small_cache();
    roll_back(&db, "b");
    db.collection("c").insert(doc! { "_id": 1, "state": "committed" }).unwrap();
    db.checkpoint().unwrap();
    let left = killed(&storage, db);
    let mut file = left.contents();
    // Nothing tells any more what was committed, but whose it was.
    let pages: Vec<usize> = [0, 1].into_iter().chain(streams(&file)).collect();
    let uuid = file[PAGE_SIZE + 56..PAGE_SIZE + 72].to_vec();
    for page in pages {
        noise(page, &mut file);
    }
    file[56..72].copy_from_slice(&uuid);
    left.set_contents(file);
    let (report, found) = salvage(&left);
    assert!(report.uncertain);
    assert_eq!(found["collection 3"].len(), 1, "{report:?}");
    assert!(!found["collection 2"].is_empty(), "{report:?}");
}

#[test]
fn salvaging_goes_on_behind_sectors_that_can_not_be_read() {
    let sample = Sample::new();
    let pages = sample.file.len() / PAGE_SIZE;
    for page in 0..pages {
        let mut file = sample.file.clone();
        noise(page, &mut file);
        // One header copy serves, but opening for good does not rely on it.
        let expected = if page < 2 { None } else { readable(&sample, &file) };
        let storage = SimStorage::from_contents(sample.file.clone());
        let sector = (page * PAGE_SIZE + 1024) as u64;
        storage.set_unreadable(std::iter::once(sector..sector + 512).collect());
        let case = format!("page {page}");
        let (report, found) = salvage(&storage);
        let count = assert_known(&sample, &found, &case);
        assert_eq!(count, expected.unwrap_or(sample.len()), "{case}");
        let says = |problem: &Problem| problem.to_string().contains("simulated");
        if count < sample.len() || expected.is_none() {
            assert!(!report.is_complete(), "{case}");
            assert!(report.problems.iter().any(says), "{case}: {report:?}");
        }
    }
}

#[test]
fn of_a_file_with_long_stretches_that_can_not_be_read_the_rest_is_saved_and_they_are_counted() {
    let sample = Sample::new();
    let storage = SimStorage::from_contents(sample.file.clone());
    let all = streams(&sample.file);
    let of_page = |page: usize| (page * PAGE_SIZE) as u64;
    // All that says what is where, and a stretch of pages.
    let mut bad = vec![0..of_page(2), of_page(6)..of_page(9)];
    bad.extend(all.iter().map(|&page| of_page(page)..of_page(page) + 1));
    storage.set_unreadable(bad);
    let (report, found) = salvage(&storage);
    assert_eq!(report.how, SalvageMode::Unverified);
    assert!(report.uncertain && !found.is_empty());
    let unreadable: u32 = report
        .problems
        .iter()
        .filter_map(|problem| match problem.kind {
            ProblemKind::UnreadablePages { pages, .. } => Some(pages),
            _ => None,
        })
        .sum();
    let in_stretch = all.iter().filter(|page| (6..9).contains(*page)).count();
    assert_eq!(unreadable as usize, 3 + all.len() - in_stretch, "{report:?}");
}
