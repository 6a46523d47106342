//! In which order a checkpoint writes.

use nanodb_pager::PAGE_SIZE;
use nanodb_sim::Event;

use crate::support::{add_page, assert_space, change_page, new_file, numbers};

/// What a journal did: `d` wrote pages, `0` and `1` a copy of the header, `|` synced.
fn order(journal: &[Event]) -> String {
    let letters = journal.iter().map(|event| match event {
        Event::Write { offset: 0, .. } => '0',
        Event::Write { offset, .. } if *offset == PAGE_SIZE as u64 => '1',
        Event::Write { .. } => 'd',
        Event::SetLen { .. } => 'l',
        Event::Sync => '|',
    });
    letters.collect()
}

#[test]
fn the_header_follows_what_it_speaks_of_and_its_copies_never_share_a_sync() {
    let (storage, pager) = new_file();
    for _ in 0..4 {
        let page = add_page(&pager, b"x");
        pager.begin().commit(b"note").unwrap();
        change_page(&pager, page, b"y");
        storage.start_journal();
        pager.checkpoint().unwrap();
        let order = order(&storage.take_journal());
        let (before, after) = order.split_at(order.find('|').unwrap());
        assert!(before.chars().all(|what| what == 'd' || what == 'l'), "{order}");
        assert!(["|0|1|", "|1|0|"].contains(&after), "{order}");
    }
}

#[test]
fn a_checkpoint_with_nothing_to_write_writes_nothing() {
    let (storage, pager) = new_file();
    add_page(&pager, b"x");
    pager.checkpoint().unwrap();
    storage.start_journal();
    pager.checkpoint().unwrap();
    pager.close().unwrap();
    assert_eq!(storage.take_journal(), []);
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
            if let Event::Write { offset, data } = event {
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
