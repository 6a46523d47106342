//! What a disk may hold after a power cut.
//!
//! A write that was not synced may have reached the disk or not, whatever became
//! of the writes before and after it. It may have been torn between sectors of 512
//! bytes, or have garbled a whole block of 4 KiB. A file's length may have been
//! recorded without its bytes. A file created, replaced or removed may be so or not until the
//! directory is synced. What a failed sync has forgotten never reaches the disk.
//!
//! [`Crash`] walks through a journal and, at any event, gives the disks that a power
//! cut there may leave.

use std::collections::BTreeMap;

use crate::journal::{Action, Event, Files, write};
use crate::random::Random;

const SECTOR_SIZE: usize = 512;
const BLOCK_SIZE: usize = 4096;

/// What becomes of the writes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsynced {
    /// None reached the disk.
    Lost,
    /// All did, whole.
    Kept,
    /// All but this one did.
    OneLost(usize),
    /// Only this one did.
    OneKept(usize),
    /// Each fares by chance: kept, lost, torn, garbled, or its length alone kept.
    Random(u64),
}

/// A disk in the course of a journal.
#[derive(Clone, Debug, Default)]
pub struct Crash {
    /// What is on stable storage for certain.
    files: BTreeMap<String, SyncedFile>,
    /// What was done since, in order. Syncs have taken effect and are not here.
    unsynced: Vec<Event>,
    /// How many files have got a name of their own here: see [`tell_apart`](Self::tell_apart).
    told_apart: usize,
}

#[derive(Clone, Debug)]
struct SyncedFile {
    bytes: Vec<u8>,
    /// Whether the directory names it on stable storage.
    named: bool,
}

impl Crash {
    /// Returns a disk with these files, all on stable storage.
    pub fn new(files: &Files) -> Self {
        let synced = |bytes: &Vec<u8>| SyncedFile { bytes: bytes.clone(), named: true };
        Self {
            files: files.iter().map(|(name, bytes)| (name.clone(), synced(bytes))).collect(),
            unsynced: Vec::new(),
            told_apart: 0,
        }
    }

    /// Goes one event further.
    pub fn advance(&mut self, event: &Event) {
        match event.action {
            Action::Create => {
                self.tell_apart(&event.file);
                self.unsynced.push(event.clone());
            }
            Action::Sync => self.sync_file(&event.file),
            // The worst that may become of it.
            Action::Forget => self
                .unsynced
                .retain(|earlier| earlier.file != event.file || is_of_directory(&earlier.action)),
            Action::SyncDirectory => self.sync_directory(),
            _ => self.unsynced.push(event.clone()),
        }
    }

    /// Returns how many calls are not on stable storage.
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// Renames a file in the record if another is about to take its name.
    ///
    /// The earlier file has got another name since, and the directory has not been synced. From now
    /// on the record calls it otherwise, so that the two are not taken for one.
    fn tell_apart(&mut self, name: &str) {
        let is_renamed =
            |event: &Event| event.file == name && matches!(event.action, Action::Replace { .. });
        if !self.unsynced.iter().any(is_renamed) {
            return;
        }
        let other = format!("{name}~{}", self.told_apart);
        self.told_apart += 1;
        for event in self.unsynced.iter_mut().filter(|event| event.file == name) {
            event.file.clone_from(&other);
        }
        if let Some(file) = self.files.remove(name) {
            self.files.insert(other, file);
        }
    }

    fn sync_file(&mut self, name: &str) {
        let file = self
            .files
            .entry(name.to_owned())
            .or_insert(SyncedFile { bytes: Vec::new(), named: false });
        self.unsynced.retain(|event| {
            let stays = event.file != name || is_of_directory(&event.action);
            if !stays {
                event.action.apply(&mut file.bytes);
            }
            stays
        });
    }

    fn sync_directory(&mut self) {
        for event in std::mem::take(&mut self.unsynced) {
            match event.action {
                Action::Create => {
                    let empty = SyncedFile { bytes: Vec::new(), named: true };
                    self.files.entry(event.file).or_insert(empty).named = true;
                }
                Action::Remove => {
                    self.files.remove(&event.file);
                    self.unsynced.retain(|earlier| earlier.file != event.file);
                }
                // Neither is written to between the renaming and the sync of the directory.
                Action::Replace { to } => {
                    let moved = self.files.remove(&event.file);
                    let bytes = moved.map(|file| file.bytes).unwrap_or_default();
                    self.files.insert(to.clone(), SyncedFile { bytes, named: true });
                    self.unsynced.retain(|earlier| earlier.file != to);
                    for earlier in &mut self.unsynced {
                        if earlier.file == event.file {
                            earlier.file.clone_from(&to);
                        }
                    }
                }
                Action::Link { to } => {
                    if let Some(file) = self.files.get(&event.file).cloned() {
                        self.files.insert(to, file);
                    }
                }
                _ => self.unsynced.push(event),
            }
        }
    }

    /// Returns the disk that a power cut now leaves.
    pub fn image(&self, unsynced: Unsynced) -> Files {
        let mut random = match unsynced {
            Unsynced::Random(seed) => Some(Random::new(seed)),
            _ => None,
        };
        let mut files: Files = BTreeMap::new();
        // Bytes may be on the disk while no name leads to them: until the creation
        // comes true they wait here.
        let mut unnamed: Files = BTreeMap::new();
        for (name, file) in &self.files {
            let target = if file.named { &mut files } else { &mut unnamed };
            target.insert(name.clone(), file.bytes.clone());
        }
        for (index, event) in self.unsynced.iter().enumerate() {
            let fate = match (unsynced, &mut random) {
                (Unsynced::Kept, _) => Fate::Kept,
                (Unsynced::OneLost(one), _) if one != index => Fate::Kept,
                (Unsynced::OneKept(one), _) if one == index => Fate::Kept,
                (Unsynced::Random(_), Some(random)) => Fate::random(random),
                _ => Fate::Lost,
            };
            match &event.action {
                // A lost creation loses the file's later writes with it.
                Action::Create if fate != Fate::Lost => {
                    let bytes = unnamed.remove(&event.file).unwrap_or_default();
                    files.entry(event.file.clone()).or_insert(bytes);
                }
                Action::Remove if fate != Fate::Lost => {
                    files.remove(&event.file);
                }
                // The new name leads to the file even if the one it was made with never did.
                Action::Replace { to } if fate != Fate::Lost => {
                    let named = files.remove(&event.file);
                    let bytes = named.or_else(|| unnamed.remove(&event.file)).unwrap_or_default();
                    files.insert(to.clone(), bytes);
                }
                Action::Link { to } if fate != Fate::Lost => {
                    if let Some(bytes) = files.get(&event.file).cloned() {
                        files.insert(to.clone(), bytes);
                    }
                }
                Action::Create | Action::Remove | Action::Replace { .. } | Action::Link { .. } => {}
                action => {
                    if let Some(bytes) = files.get_mut(&event.file) {
                        fate.apply(action, bytes, random.as_mut());
                    }
                }
            }
        }
        files
    }
}

fn is_of_directory(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Remove | Action::Replace { .. } | Action::Link { .. })
}

/// What became of one unsynced call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Kept,
    Lost,
    Torn,
    Garbled,
    LengthOnly,
}

impl Fate {
    fn random(random: &mut Random) -> Self {
        match random.below(10) {
            0..4 => Self::Kept,
            4..7 => Self::Lost,
            7 => Self::Torn,
            8 => Self::Garbled,
            _ => Self::LengthOnly,
        }
    }

    fn apply(self, action: &Action, bytes: &mut Vec<u8>, random: Option<&mut Random>) {
        let Action::Write { offset, data } = action else {
            if self != Self::Lost {
                action.apply(bytes);
            }
            return;
        };
        let Some(random) = random else {
            if self == Self::Kept {
                write(bytes, *offset, data);
            }
            return;
        };
        match self {
            Self::Lost => {}
            Self::Kept => write(bytes, *offset, data),
            Self::Torn => {
                for (index, sector) in data.chunks(SECTOR_SIZE).enumerate() {
                    if random.below(2) == 0 {
                        write(bytes, offset + (index * SECTOR_SIZE) as u64, sector);
                    }
                }
            }
            Self::Garbled => {
                write(bytes, *offset, data);
                garble(bytes, *offset, data.len(), random);
            }
            Self::LengthOnly => {
                let end = usize::try_from(*offset).unwrap_or(usize::MAX) + data.len();
                let len = bytes.len().max(end);
                bytes.resize(len, 0);
            }
        }
    }
}

/// Fills one of the blocks that a write touched with noise, all of it: what stood
/// there before the write is gone as well.
fn garble(bytes: &mut [u8], offset: u64, len: usize, random: &mut Random) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let first = start / BLOCK_SIZE;
    let last = (start + len.max(1) - 1) / BLOCK_SIZE;
    let blocks = last - first + 1;
    let block = first + random.below(blocks);
    let end = ((block + 1) * BLOCK_SIZE).min(bytes.len());
    for byte in &mut bytes[block * BLOCK_SIZE..end] {
        *byte = u8::try_from(random.below(256)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(file: &str, action: Action) -> Event {
        Event { file: file.to_owned(), action }
    }

    fn wrote(file: &str, offset: u64, data: &[u8]) -> Event {
        event(file, Action::Write { offset, data: data.to_vec() })
    }

    #[test]
    fn a_name_that_is_used_again_before_the_directory_is_synced_means_the_later_file() {
        let mut crash = Crash::new(&Files::from([("-log".to_owned(), b"one".to_vec())]));
        for data in [b"two", b"six"] {
            crash.advance(&event("-new", Action::Create));
            crash.advance(&wrote("-new", 0, data));
            crash.advance(&event("-new", Action::Sync));
            crash.advance(&event("-new", Action::Replace { to: "-log".to_owned() }));
        }
        assert_eq!(crash.image(Unsynced::Lost)["-log"], b"one");
        assert_eq!(crash.image(Unsynced::Kept)["-log"], b"six");
        crash.advance(&event("", Action::SyncDirectory));
        assert_eq!(
            crash.image(Unsynced::Lost),
            Files::from([("-log".to_owned(), b"six".to_vec())])
        );
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_may_be() {
        let mut crash = Crash::new(&Files::from([(String::new(), b"old".to_vec())]));
        crash.advance(&wrote("", 0, b"new"));
        assert_eq!(crash.image(Unsynced::Lost)[""], b"old");
        assert_eq!(crash.image(Unsynced::Kept)[""], b"new");
        crash.advance(&event("", Action::Sync));
        crash.advance(&wrote("", 0, b"1"));
        crash.advance(&wrote("", 1, b"2"));
        assert_eq!(crash.image(Unsynced::Lost)[""], b"new");
        assert_eq!(crash.image(Unsynced::OneLost(0))[""], b"n2w");
        assert_eq!(crash.image(Unsynced::OneKept(0))[""], b"1ew");
    }

    #[test]
    fn a_file_is_there_for_certain_once_the_directory_is_synced() {
        let mut crash = Crash::new(&Files::new());
        crash.advance(&event("-log", Action::Create));
        crash.advance(&wrote("-log", 0, b"abc"));
        crash.advance(&event("-log", Action::Sync));
        assert!(crash.image(Unsynced::Lost).is_empty());
        assert_eq!(crash.image(Unsynced::Kept)["-log"], b"abc");
        crash.advance(&event("", Action::SyncDirectory));
        assert_eq!(crash.image(Unsynced::Lost)["-log"], b"abc");
        crash.advance(&event("-log", Action::Remove));
        assert_eq!(crash.image(Unsynced::Lost)["-log"], b"abc");
        assert!(crash.image(Unsynced::Kept).is_empty());
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let mut crash = Crash::new(&Files::from([(String::new(), vec![0; 9000])]));
        crash.advance(&wrote("", 100, &[1; 6000]));
        crash.advance(&wrote("", 5000, &[2; 6000]));
        let images: Vec<Files> = (0..40).map(|s| crash.image(Unsynced::Random(s))).collect();
        assert_eq!(images[7], crash.image(Unsynced::Random(7)));
        assert!(images.iter().any(|image| *image != images[0]));
    }
}
