//! In which order a checkpoint writes.

use nanodb_pager::{Durability, PAGE_SIZE};
use nanodb_sim::{Action, Event};

use crate::support::{add_page, assert_space, change_page, new_file, numbers};

/// What a journal did: `d` wrote pages, `0` and `1` a copy of the header, `l` set the
/// length, `|` synced the file; `L` and `S` wrote a log and the double-write buffer, `!` and `:`
/// synced them, `c` and `/` made a file and synced the directory.
fn order(journal: &[Event]) -> String {
    let letter = |Event { file, action }: &Event| match (file.as_str(), action) {
        ("", Action::Write { offset: 0, .. }) => '0',
        ("", Action::Write { offset, .. }) if *offset == PAGE_SIZE as u64 => '1',
        ("", Action::Write { .. }) => 'd',
        ("", Action::SetLen { .. }) => 'l',
        ("", Action::Sync) => '|',
        ("-dwb", Action::Write { .. }) => 'S',
        ("-dwb", Action::Sync) => ':',
        ("-log0" | "-log1", Action::Write { .. }) => 'L',
        ("-log0" | "-log1", Action::Sync) => '!',
        (_, Action::Create) => 'c',
        (_, Action::SyncDirectory) => '/',
        _ => '?',
    };
    journal.iter().map(letter).collect()
}

#[test]
fn the_log_comes_first_then_the_images_then_the_pages_and_the_header_last() {
    let (storage, pager) = new_file();
    let mut old = add_page(&pager, b"old");
    pager.checkpoint().unwrap();
    for _ in 0..4 {
        let page = add_page(&pager, b"x");
        change_page(&pager, old, b"y");
        // Only in memory yet: the checkpoint itself has to write the log.
        let mut tx = pager.begin();
        tx.set_durability(Durability::Relaxed);
        tx.commit(b"note").unwrap();
        old = page;
        storage.start_journal();
        pager.checkpoint().unwrap();
        let order = order(&storage.take_journal());
        let rest = order.strip_prefix("L!").unwrap();
        // The streams go where nothing durable refers to.
        let rest = rest.trim_start_matches(['l', 'd']);
        let rest = rest.strip_prefix("S:");
        let rest = rest.unwrap_or_else(|| panic!("images: {order}"));
        let pages = rest.trim_start_matches('d');
        assert!(pages.len() < rest.len(), "pages: {order}");
        // The file may be cut once the header that needs no more is on stable storage.
        let header = pages.strip_suffix('l').unwrap_or(pages);
        assert!(["|0|1", "|1|0"].contains(&header), "the header: {order}");
    }
}

#[test]
fn a_checkpoint_of_new_pages_alone_needs_no_images() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    storage.start_journal();
    pager.checkpoint().unwrap();
    let order = order(&storage.take_journal());
    assert!(!order.contains(['S', ':']) && order.contains('d'), "{order}");
}

/// How many pages the file has.
fn pager_pages(storage: &nanodb_sim::SimStorage) -> u64 {
    storage.contents().len() as u64 / PAGE_SIZE as u64
}

#[test]
fn a_checkpoint_with_nothing_to_write_writes_nothing() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    pager.checkpoint().unwrap();
    storage.start_journal();
    pager.checkpoint().unwrap();
    assert_eq!(storage.take_journal(), []);
    storage.start_journal();
    pager.close().unwrap();
    // Nothing but what is kept for a full disk goes: free pages, both logs and the double-write
    // buffer.
    let events: Vec<_> = storage.take_journal().into_iter().map(|e| (e.file, e.action)).collect();
    let is_header = |(file, action): &(String, Action)| {
        let event = Event { file: file.clone(), action: action.clone() };
        ["0", "1"].contains(&&*order(&[event]))
    };
    let (header, rest): (Vec<_>, Vec<_>) = events.iter().cloned().partition(is_header);
    assert_eq!((header.len(), is_header(&events[4])), (1, true), "the header says so");
    let removed = |name: &str| (name.to_owned(), Action::Remove);
    let of_file = |action| (String::new(), action);
    let cut = of_file(Action::SetLen { len: pager_pages(&storage) * PAGE_SIZE as u64 });
    let (named, synced) = (of_file(Action::SyncDirectory), of_file(Action::Sync));
    let [log0, log1, side] = ["-log0", "-log1", "-dwb"].map(removed);
    assert_eq!(rest, [cut, log0, side, named.clone(), synced, log1, named]);
    assert_eq!(storage.files().len(), 1);
}

#[test]
fn the_streams_of_the_last_checkpoint_are_not_written_over() {
    let (storage, pager) = new_file();
    let page = add_page(&pager, b"x");
    for round in 0..20_u8 {
        let own: Vec<u32> = numbers(&pager.space().own).filter(|&page| page > 1).collect();
        change_page(&pager, page, &[round]);
        pager.begin().commit(&[round; 700]).unwrap();
        storage.start_journal();
        pager.checkpoint().unwrap();
        for event in storage.take_journal() {
            if let Event { file, action: Action::Write { offset, data } } = event
                && file.is_empty()
            {
                let start = offset / PAGE_SIZE as u64;
                let end = start + (data.len() / PAGE_SIZE) as u64;
                assert!(own.iter().all(|&own| !(start..end).contains(&u64::from(own))));
            }
        }
        assert_space(&pager, [page.get()]);
    }
    let page_count = pager.space().page_count;
    assert!(page_count < 25, "the pager reuses its pages: {page_count}");
}

/// Panics when it is first called.
#[derive(Default)]
struct PanicsOnce(std::sync::atomic::AtomicBool);

impl nanodb_pager::CheckpointHooks for PanicsOnce {
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let panicked = self.0.swap(true, std::sync::atomic::Ordering::Relaxed);
        assert!(panicked, "as arranged");
        crate::support::Concatenate.apply(root, metadata)
    }
}

#[test]
fn a_panic_in_the_middle_of_a_checkpoint_loses_nothing() {
    let storage = nanodb_sim::SimStorage::new();
    let options = nanodb_pager::Options::default().background(false);
    let hooks = std::sync::Arc::new(PanicsOnce::default());
    let pager =
        nanodb_pager::Pager::open(std::sync::Arc::new(storage.clone()), hooks, options).unwrap();
    let page = crate::support::add_page(&pager, b"first");
    pager.begin().commit(b"note").unwrap();
    let checkpoint = std::panic::AssertUnwindSafe(|| pager.checkpoint());
    assert!(std::panic::catch_unwind(checkpoint).is_err());
    // Whoever caught it may go on.
    let _ = pager.begin().commit(b"more");
    let _ = pager.close();
    let pager = crate::support::open(&storage).unwrap();
    assert!(pager.metadata_root().starts_with(b"note"), "{:?}", pager.metadata_root());
    assert_eq!(&crate::support::first_bytes(&pager, page).unwrap(), b"first");
}
