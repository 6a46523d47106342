//! A model of the Go program: writes files as either of its versions does.

use nanodb_database::Document;
use nanodb_document::value_to_bytes;

pub(crate) const PAGE_SIZE: usize = 4096;

/// Which version writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// The earlier one, which keeps its index in memory.
    Hash,
    /// The later one, which has a B-tree on pages.
    Tree,
}

pub(crate) const VERSIONS: [Version; 2] = [Version::Hash, Version::Tree];

/// A file as it is written.
#[derive(Clone)]
pub(crate) struct GoWriter {
    version: Version,
    pub(crate) pages: Vec<[u8; PAGE_SIZE]>,
    /// Name, first and last page of each collection.
    collections: Vec<(Vec<u8>, u32, u32)>,
}

impl GoWriter {
    pub(crate) fn new(version: Version) -> Self {
        let mut pages = vec![[0; PAGE_SIZE]];
        pages[0][..10].copy_from_slice(b"AAMN\x01\0\0\x10\0\0");
        let mut writer = Self { version, pages, collections: Vec::new() };
        writer.take_page();
        writer
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut pages = self.pages.clone();
        pages[0][10..14].copy_from_slice(&four(self.pages.len()));
        pages.concat()
    }

    /// Creates a collection, whether there is one of that name or not.
    pub(crate) fn create(&mut self, name: &[u8]) {
        let root = self.take_page();
        let mut data = vec![u8::try_from(name.len()).unwrap()];
        data.extend(name);
        data.extend(root.to_le_bytes());
        if self.version == Version::Tree {
            // What the page had before stays behind the header of a leaf.
            self.pages.push([0x4e; PAGE_SIZE]);
            let tree = self.pages.len() - 1;
            self.pages[tree][..12].copy_from_slice(&[2, 1, 0x4d, 0x4e, 1, 0, 0, 0, 0, 0, 0, 0]);
            data.extend(four(tree));
        }
        self.append(1, 0, &data);
        self.collections.push((name.to_vec(), root, root));
    }

    /// Stores a document at the end of a collection.
    pub(crate) fn insert(&mut self, name: &str, id: u64, document: &Document) {
        self.insert_bytes(name, id, &encoded(id, document));
    }

    pub(crate) fn insert_bytes(&mut self, name: &str, id: u64, data: &[u8]) {
        let at = self.at(name);
        self.collections[at].2 = self.append(self.collections[at].2, id, data);
    }

    /// Changes a document as the earlier version does: to the first page with room. The old record
    /// stays unless it is on that page.
    pub(crate) fn update_first_fit(&mut self, name: &str, id: u64, document: &Document) {
        let at = self.at(name);
        let old = self.find(name, id).unwrap();
        let (root, last) = (self.collections[at].1, self.collections[at].2);
        let page = self.append(root, id, &encoded(id, document));
        if page == old.0 {
            self.mark_deleted(old);
        }
        // The program goes on at the page where it was, and from there by the chain.
        self.collections[at].2 = last;
    }

    /// Deletes a document.
    pub(crate) fn delete(&mut self, name: &str, id: u64) {
        let place = self.find(name, id).unwrap();
        self.mark_deleted(place);
    }

    /// The page and slot of the last record with that id that is not deleted.
    fn find(&self, name: &str, id: u64) -> Option<(u32, usize)> {
        let mut found = None;
        for page in self.chain(name) {
            let bytes = &self.pages[page as usize];
            for slot in 0..usize::from(u16_at(bytes, 0)) {
                let (offset, len) = (u16_at(bytes, 8 + 4 * slot), u16_at(bytes, 10 + 4 * slot));
                if bytes[usize::from(offset)..][..8] == id.to_le_bytes() && len & 0x8000 == 0 {
                    found = Some((page, slot));
                }
            }
        }
        found
    }

    /// The pages of the last collection of that name.
    pub(crate) fn chain(&self, name: &str) -> Vec<u32> {
        let mut pages = vec![self.collections[self.at(name)].1];
        loop {
            let last = *pages.last().unwrap();
            match u32::from_le_bytes(self.pages[last as usize][4..8].try_into().unwrap()) {
                0 => return pages,
                next => pages.push(next),
            }
        }
    }

    fn at(&self, name: &str) -> usize {
        self.collections.iter().rposition(|(own, ..)| own == name.as_bytes()).unwrap()
    }

    fn mark_deleted(&mut self, (page, slot): (u32, usize)) {
        self.pages[page as usize][8 + 4 * slot + 3] |= 0x80;
    }

    fn take_page(&mut self) -> u32 {
        let mut page = [0; PAGE_SIZE];
        page[2..4].copy_from_slice(&two(PAGE_SIZE));
        self.pages.push(page);
        u32::try_from(self.pages.len() - 1).unwrap()
    }

    /// Puts a record on the first page with room, from `page` on; returns which that is.
    fn append(&mut self, mut page: u32, id: u64, data: &[u8]) -> u32 {
        assert!(data.len() <= 4072, "the program would never end");
        loop {
            let bytes = &mut self.pages[page as usize];
            let (slots, free) = (u16_at(bytes, 0), usize::from(u16_at(bytes, 2)));
            let size = 12 + data.len();
            let slots_end = 8 + 4 * usize::from(slots);
            if free >= slots_end + size + 4 {
                let offset = free - size;
                let record = [&id.to_le_bytes()[..], &four(data.len()), data];
                bytes[offset..free].copy_from_slice(&record.concat());
                bytes[slots_end..slots_end + 2].copy_from_slice(&two(offset));
                bytes[slots_end + 2..][..2].copy_from_slice(&two(size));
                bytes[..2].copy_from_slice(&(slots + 1).to_le_bytes());
                bytes[2..4].copy_from_slice(&two(offset));
                return page;
            }
            page = match u32::from_le_bytes(bytes[4..8].try_into().unwrap()) {
                0 => {
                    let next = self.take_page();
                    self.pages[page as usize][4..8].copy_from_slice(&next.to_le_bytes());
                    next
                }
                next => next,
            };
        }
    }
}

/// A document as the program writes it: `_id` anywhere, as an integer of 8 bytes.
pub(crate) fn encoded(id: u64, document: &Document) -> Vec<u8> {
    let others: Vec<_> = document.iter().filter(|(name, _)| *name != "_id").collect();
    let count = others.len() + 1;
    let mut bytes = match count {
        0..=15 => vec![0x80 | two(count)[0]],
        _ => [&[0xde][..], &[two(count)[1], two(count)[0]]].concat(),
    };
    let id_at = usize::from(id.to_le_bytes()[0]) % others.len().max(1);
    for (at, (name, value)) in others.iter().enumerate() {
        if at == id_at {
            put_id(id, &mut bytes);
        }
        value_to_bytes(&(*name).into(), &mut bytes).unwrap();
        value_to_bytes(value, &mut bytes).unwrap();
    }
    if others.is_empty() {
        put_id(id, &mut bytes);
    }
    bytes
}

fn put_id(id: u64, bytes: &mut Vec<u8>) {
    bytes.extend(b"\xa3_id\xcf");
    bytes.extend(id.to_be_bytes());
}

fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap().to_le_bytes()
}

fn four(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_le_bytes()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
