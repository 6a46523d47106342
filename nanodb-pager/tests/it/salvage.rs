//! Reading the pages of files that can't be opened.

use std::sync::Arc;

use nanodb_pager::{Application, PAGE_SIZE, Salvage};
use nanodb_sim::SimStorage;

/// A file without header of so many stream pages, the first half of which all lead to the chain
/// that the second half is.
fn streams(pages: u32) -> SimStorage {
    let mut bytes = vec![0xEE; 2 * PAGE_SIZE];
    for page in 2..2 + pages {
        let mut one = vec![1_u8; PAGE_SIZE];
        one[..32].fill(0);
        one[16..20].copy_from_slice(&page.to_le_bytes());
        one[24] = 2;
        let second_half = 2 + pages / 2;
        let last = page + 1 == 2 + pages;
        let next = if last { 0 } else { (page + 1).max(second_half) };
        one[32..36].copy_from_slice(&next.to_le_bytes());
        bytes.extend_from_slice(&one);
    }
    SimStorage::from_contents(bytes)
}

#[test]
fn streams_that_share_their_pages_cost_no_more_than_the_file_has() {
    for pages in [1000, 2000] {
        let storage = streams(pages);
        let salvage = Salvage::open(Arc::new(storage.clone()), &Application::default()).unwrap();
        assert_eq!(salvage.pages().len(), pages as usize);
        let roots: Vec<Vec<u8>> = salvage.possible_roots().map(Result::unwrap).collect();
        let bytes: usize = roots.iter().map(Vec::len).sum();
        assert!(bytes <= pages as usize * PAGE_SIZE, "{pages} pages: {bytes} bytes");
        let longest = roots.iter().map(Vec::len).max().unwrap();
        assert!(longest > pages as usize / 2 * (PAGE_SIZE - 100));
        let calls = storage.calls();
        assert!(calls < 5 * u64::from(pages), "{pages} pages: {calls} calls");
    }
}
