//! A database damaged together with the files that a crash left beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use nanodb_pager::{BODY_SIZE, CheckpointHooks, Error, LogLoss, Options, PageId, Pager};
use nanodb_sim::{Action, Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

use crate::support::{self, KIND, OWNER, add_page, change_page, long};

type Pages = BTreeMap<PageId, Vec<u8>>;

/// Keeps the metadata of the last commit, and commits while a checkpoint is under way.
#[derive(Default)]
struct Hooks {
    meanwhile: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl CheckpointHooks for Hooks {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        if let Some(meanwhile) = self.meanwhile.get() {
            meanwhile();
        }
        Ok(metadata.last().unwrap_or(root).to_vec())
    }
}

fn open(files: Files) -> Result<Pager, Error> {
    let options = Options::default().cache_bytes_max(64 * 4096).background(false);
    Pager::open(Arc::new(SimStorage::from_files(files)), Arc::new(Hooks::default()), options)
}

/// Disks as a crash leaves them, and what every commit made of the pages.
struct Left {
    files: Files,
    states: Vec<Pages>,
    /// The last commit of the last group but one: no damage may cut it off silently.
    vouched: usize,
}

const PAGES: usize = 20;

fn commit(pager: &Pager, states: &mut Vec<Pages>, random: &mut Random) {
    let mut pages = states.last().unwrap().clone();
    let mut tx = pager.begin();
    for _ in 0..3 {
        match pages.keys().nth(random.below(PAGES)).copied() {
            Some(page) => {
                let mut bytes = [0; 100];
                random.fill(&mut bytes);
                let at = random.below(BODY_SIZE - bytes.len());
                assert!(tx.page_mut(page).unwrap().write(at, &bytes));
                pages.get_mut(&page).unwrap()[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            None => {
                let page = tx.allocate(KIND, OWNER).unwrap();
                let mut body = vec![0; BODY_SIZE];
                random.fill(&mut body);
                assert!(tx.page_mut(page).unwrap().write(0, &body));
                pages.insert(page, body);
            }
        }
    }
    tx.commit(&(states.len() as u64).to_le_bytes()).unwrap();
    states.push(pages);
}

/// A crash between the pages and the header of a checkpoint, beside which commits went on:
/// both logs, the double-write buffer, and a file half way.
fn left_by_a_checkpoint() -> Left {
    let storage = SimStorage::new();
    let hooks = Arc::new(Hooks::default());
    let options = Options::default().cache_bytes_max(64 * 4096).background(false);
    let pager =
        Pager::open(Arc::new(storage.clone()), Arc::<Hooks>::clone(&hooks), options).unwrap();
    let mut random = Random::new(5);
    let mut states = vec![Pages::new()];
    (0..20).for_each(|_| commit(&pager, &mut states, &mut random));
    pager.checkpoint().unwrap();
    (0..6).for_each(|_| commit(&pager, &mut states, &mut random));

    let shared = Arc::new(std::sync::Mutex::new((states, random)));
    let (inner, handle) = (Arc::clone(&shared), pager.clone());
    let meanwhile = move || {
        let (states, random) = &mut *inner.lock().unwrap();
        (0..3).for_each(|_| commit(&handle, states, random));
    };
    assert!(hooks.meanwhile.set(Box::new(meanwhile)).is_ok());
    let before = storage.files();
    storage.start_journal();
    pager.checkpoint().unwrap();
    let mut crash = Crash::new(&before);
    let is_header = |event: &Event| {
        event.file.is_empty()
            && matches!(event.action, Action::Write { offset, .. } if offset < 2 * 4096)
    };
    let journal = storage.take_journal();
    journal.iter().take_while(|event| !is_header(event)).for_each(|event| crash.advance(event));
    let states = shared.lock().unwrap().0.clone();
    let vouched = states.len() - 2;
    Left { files: crash.image(Unsynced::Kept), states, vouched }
}

impl Left {
    /// Whether the damage was noticed; right answers otherwise.
    fn look_at(&self, files: Files, what: &str) -> bool {
        let pager = match open(files) {
            Ok(pager) => pager,
            Err(Error::Corrupt(_) | Error::NotADatabase | Error::NewerFormat { .. }) => {
                return true;
            }
            Err(error) => panic!("{what}: {error:?}"),
        };
        let seq = usize::try_from(pager.published().get()).unwrap();
        assert!((self.vouched..self.states.len()).contains(&seq), "{what}: commit {seq}");
        assert_eq!(*pager.metadata_root(), (seq as u64).to_le_bytes(), "{what}");
        let mut noticed = !pager.verify().unwrap().is_empty();
        for (&page, body) in &self.states[seq] {
            match pager.page(page, pager.published()) {
                Ok(found) => assert!(found.body() == body, "{what}: {page} differs"),
                Err(Error::Corrupt(corruption)) => {
                    assert!(corruption.page() == page, "{what}: {corruption:?}");
                    noticed = true;
                }
                Err(error) => panic!("{what}: {page}: {error:?}"),
            }
        }
        noticed
    }
}

#[test]
fn a_flipped_bit_in_any_file_that_a_crash_left_gives_right_answers_or_an_error() {
    let left = left_by_a_checkpoint();
    assert!(!left.look_at(left.files.clone(), "sound"));
    let names: Vec<&str> = left.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["", "-dwb", "-log0", "-log1"]);
    assert!(left.files.values().map(Vec::len).sum::<usize>() >= 128 * 1024);
    let step = if long() { 1 } else { 509 };
    for (name, bytes) in &left.files {
        let (mut tried, mut noticed) = (0, 0);
        // The first bytes of a block are where the headers are.
        let picked = (0..bytes.len() * 8)
            .filter(|bit| bit % step == 0 || bit / 8 % 4096 < 88 && bit % 7 == 0);
        for bit in picked {
            let mut files = left.files.clone();
            files.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
            noticed += usize::from(left.look_at(files, &format!("{name:?}, bit {bit}")));
            tried += 1;
        }
        assert!(tried > 500, "{name:?}: {tried}");
        // The pages are whole, so nobody asks the double-write buffer.
        assert_eq!(noticed > 0, name != "-dwb", "{name:?}: {noticed}");
    }
}

#[test]
fn a_page_torn_by_the_crash_comes_from_the_double_write_buffer_or_is_refused() {
    let left = left_by_a_checkpoint();
    let page = *left.states[20].keys().next().unwrap();
    let mut torn = left.files.clone();
    let at = page.get() as usize * 4096;
    torn.get_mut("").unwrap()[at..at + 2048].fill(0xEE);
    assert!(!left.look_at(torn.clone(), "torn"));
    let mut noticed = 0;
    for bit in (0..torn["-dwb"].len() * 8).step_by(if long() { 1 } else { 97 }) {
        let mut files = torn.clone();
        files.get_mut("-dwb").unwrap()[bit / 8] ^= 1 << (bit % 8);
        noticed += usize::from(left.look_at(files, &format!("double-write buffer, bit {bit}")));
    }
    assert!(noticed > 0);
}

/// A log as nobody wrote it: each commit's unlogged page is missing and made whole by the next.
fn forged_log(file: &[u8], commits: u32) -> (String, Vec<u8>) {
    use twox_hash::XxHash3_64;
    let u64_at = |at: usize| u64::from_le_bytes(*file[at..].first_chunk().unwrap());
    let newer = if u64_at(80) > u64_at(4096 + 80) { 0 } else { 4096 };
    let (seq, generation, salt) = (u64_at(newer + 88), u64_at(newer + 128), 5_u64);
    let mut log = vec![0; 24];
    log[8..].copy_from_slice(b"NanoDB log\r\n\x1a\n\0\0");
    log.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    log.extend(&file[newer + 56..newer + 72]);
    for number in [generation, salt, 0, seq + 1] {
        log.extend(number.to_le_bytes());
    }
    let checksum = XxHash3_64::oneshot(&log[8..]).to_le_bytes();
    log[..8].copy_from_slice(&checksum);
    log.resize(4096, 0);
    let mut previous = salt;
    let number = |page: u32| [(page & 127) as u8 | 128, (page >> 7) as u8];
    for commit in 0..commits {
        let start = log.len();
        let mut record = vec![0; 40];
        record[8..16].copy_from_slice(&previous.to_le_bytes());
        record[20] = 1;
        record[24..32].copy_from_slice(&(seq + 1 + u64::from(commit)).to_le_bytes());
        // The first of them takes all pages.
        record.extend([0, u8::from(commit == 0)]);
        if commit == 0 {
            record.extend([number(199), number(commits + 1)].as_flattened());
        }
        record.extend([0, 2]);
        record.extend(number(200 + commit));
        record.extend([2, 1, 2, 3, 4, 5, 6, 7, 8]);
        record.extend(number(199 + commit));
        record.extend([1, 16, 7, 1, 0]);
        record.resize(record.len().next_multiple_of(8), 0);
        let len = (record.len() as u32).to_le_bytes();
        record[16..20].copy_from_slice(&len);
        previous = XxHash3_64::oneshot_with_seed(salt ^ start as u64, &record[8..]);
        record[..8].copy_from_slice(&previous.to_le_bytes());
        log.extend(record);
    }
    (format!("-log{}", generation % 2), log)
}

#[test]
fn a_forged_log_is_not_read_once_for_every_commit_in_it() {
    let (storage, pager) = crate::support::new_file();
    crate::support::add_page(&pager, b"x");
    pager.close().unwrap();
    let calls = |commits| {
        let (name, log) = forged_log(&storage.contents(), commits);
        let mut files = storage.files();
        files.insert(name, log);
        let forged = nanodb_sim::SimStorage::from_files(files);
        let pager = crate::support::open(&forged).unwrap();
        assert_eq!(pager.open_report().commits_replayed, 0);
        forged.calls()
    };
    let calls = [100, 1000].map(calls);
    // Each commit's page is looked at, so the log was taken for one that counts.
    assert!(calls[0] > 100 && calls[1] > 1000, "{calls:?}");
    assert!(calls[1] < 100 + 3 * 1000, "{calls:?}");
    assert!(calls[0] < 100 + 3 * 100, "{calls:?}");
}

#[test]
fn a_damaged_page_that_the_log_changes_costs_only_itself() {
    let storage = SimStorage::new();
    let pager = support::open(&storage).unwrap();
    let pages = [b"first", b"other"].map(|bytes| add_page(&pager, bytes));
    pager.close().unwrap();
    let pager = support::open(&storage).unwrap();
    for page in pages {
        change_page(&pager, page, b"later");
    }
    storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    drop(pager);
    storage.clear_fault();
    let mut bytes = storage.contents();
    bytes[pages[0].get() as usize * 4096 + 100] ^= 1;
    storage.set_contents(bytes);

    let damaged = |pager: &Pager| match pager.page(pages[0], pager.published()) {
        Err(Error::Corrupt(corruption)) => assert_eq!(corruption.page(), pages[0]),
        other => panic!("{other:?}"),
    };
    let mut pager = support::open(&storage).unwrap();
    damaged(&pager);
    for round in [*b"newer", *b"again"] {
        change_page(&pager, pages[1], &round);
        assert_eq!(support::first_bytes(&pager, pages[1]).unwrap(), round);
        damaged(&pager);
        assert!(matches!(pager.begin().page_mut(pages[0]), Err(Error::Corrupt(_))));
        pager.close().unwrap();
        pager = support::open(&storage).unwrap();
    }
    assert_eq!(support::first_bytes(&pager, pages[1]).unwrap(), *b"again");
    damaged(&pager);
}

#[test]
fn opening_what_a_crash_left_writes_nothing() {
    let left = left_by_a_checkpoint();
    let storage = SimStorage::from_files(left.files.clone());
    storage.start_journal();
    let pager = support::open(&storage).unwrap();
    let seq = usize::try_from(pager.published().get()).unwrap();
    for &page in left.states[seq].keys() {
        pager.page(page, pager.published()).unwrap();
    }
    assert_eq!(storage.journal_len(), 0);
    assert!(storage.files() == left.files);
}

#[test]
fn a_crash_soon_after_the_recovery_of_two_logs_loses_nothing() {
    let left = left_by_a_checkpoint();
    let storage = SimStorage::from_files(left.files);
    let options = Options::default().cache_bytes_max(64 * 4096).background(false);
    let pager =
        Pager::open(Arc::new(storage.clone()), Arc::new(Hooks::default()), options).unwrap();
    let seq = pager.published().get();
    assert_eq!(seq, left.states.len() as u64 - 1);
    pager.checkpoint().unwrap();
    assert_eq!(open(storage.files()).unwrap().published().get(), seq);
    pager.begin().commit(b"more").unwrap();
    let reopened = open(storage.files()).unwrap();
    assert_eq!((reopened.published().get(), &*reopened.metadata_root()), (seq + 1, &b"more"[..]));
}

/// A database that was killed in two ways: with a log and a second one that goes on from
/// it. Both began as the same file, and have as many commits in their first logs.
fn two_lives() -> [Files; 2] {
    let (storage, pager) = support::new_file();
    let page = add_page(&pager, b"x");
    pager.close().unwrap();
    [b"one", b"two"].map(|bytes| {
        let life = SimStorage::from_files(storage.files());
        let pager = support::open(&life).unwrap();
        change_page(&pager, page, bytes);
        let before = life.contents();
        pager.checkpoint().unwrap();
        change_page(&pager, page, bytes);
        let mut files = life.files();
        files.insert(String::new(), before);
        files.remove("-dwb");
        files
    })
}

#[test]
fn a_second_log_that_goes_on_from_another_first_one_is_not_read() {
    let [one, two] = two_lives();
    let commits = |files: &Files| {
        let pager = support::open(&SimStorage::from_files(files.clone())).unwrap();
        pager.open_report().commits_replayed
    };
    assert_eq!((commits(&one), commits(&two)), (2, 2));
    let names: Vec<&String> = one.keys().filter(|name| name.starts_with("-log")).collect();
    assert_eq!(names.len(), 2);
    let counts: Vec<u64> = names
        .into_iter()
        .map(|name| {
            let mut mixed = one.clone();
            mixed.insert(name.clone(), two[name].clone());
            commits(&mixed)
        })
        .collect();
    assert_eq!(counts, [1, 1]);
}

#[test]
fn the_log_of_another_database_is_not_read() {
    let file = || {
        let (storage, pager) = support::new_file();
        let page = add_page(&pager, b"x");
        pager.close().unwrap();
        let pager = support::open(&storage).unwrap();
        change_page(&pager, page, b"y");
        storage.files()
    };
    let (mut ours, theirs) = (file(), file());
    let is_log = |name: &String| name.starts_with("-log");
    assert_eq!(ours.keys().filter(|name| is_log(name)).count(), 2);
    ours.retain(|name, _| !is_log(name));
    ours.extend(theirs.into_iter().filter(|(name, _)| is_log(name)));
    let storage = SimStorage::from_files(ours);
    let error = support::open(&storage).unwrap_err();
    let expected = LogLoss::OfAnotherDatabase;
    assert!(matches!(error, Error::LogLost { loss, .. } if loss == expected), "{error:?}");
    let options = Options::default().background(false).allow_missing_log(true);
    let pager = Pager::open(Arc::new(storage), Arc::new(support::Concatenate), options).unwrap();
    assert_eq!((pager.published().get(), pager.open_report().commits_replayed), (1, 0));
}

#[test]
fn a_page_image_of_an_earlier_checkpoint_is_not_taken() {
    let (storage, pager) = support::new_file();
    let page = add_page(&pager, b"one");
    pager.checkpoint().unwrap();
    change_page(&pager, page, b"two");
    pager.checkpoint().unwrap();
    // Held whole by the log, so that the double-write buffer stays as it is.
    let mut tx = pager.begin();
    assert!(tx.init_page(page, KIND, OWNER).unwrap().write(0, b"three"));
    tx.commit(&[]).unwrap();
    pager.checkpoint().unwrap();
    let mut tx = pager.begin();
    assert!(tx.page_mut(page).unwrap().write(100, b"four"));
    tx.commit(&[]).unwrap();
    let mut files = storage.files();
    assert!(files["-dwb"].windows(3).any(|bytes| bytes == b"two"));
    files.get_mut("").unwrap()[page.get() as usize * 4096 + 2000] ^= 1;
    let pager = support::open(&SimStorage::from_files(files)).unwrap();
    let found = pager.page(page, pager.published());
    assert!(matches!(found, Err(Error::Corrupt(_))), "{found:?}");
}
