//! Which call fails, and how.

use std::io;

/// What kind of call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallKind {
    /// `read_at`.
    Read,
    /// `write_at`.
    Write,
    /// `set_len`.
    SetLen,
    /// `sync`.
    Sync,
    /// `len`.
    Len,
    /// `sidecar`, `has_sidecar`, `remove_sidecar`, `replace_sidecar`, `add_name`,
    /// `sync_directory`; `replace_by_sidecar` is two of them.
    Directory,
    /// `temp_file`, and all calls to the file it returns.
    TempFile,
}

/// What a failing call does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// Nothing; the device reports an error (`EIO`).
    Device,
    /// Nothing; no space is left (`ENOSPC`).
    NoSpace,
    /// A write writes the first half of its bytes, then no space is left. Another
    /// kind of call does nothing.
    Short,
    /// Nothing; a signal came in between (`EINTR`).
    Interrupted,
    /// The device reports an error, and a sync marks as clean what it should have saved, as
    /// some systems do: reads go on returning it, no later sync saves it, a power cut
    /// takes it, unless it is written again. Another kind of call does nothing.
    Forgets,
}

impl Failure {
    /// Every failure that the process it happens to can tell from the others.
    pub const ALL: [Self; 4] = [Self::Device, Self::NoSpace, Self::Short, Self::Interrupted];

    pub(crate) fn error(self) -> io::Error {
        match self {
            Self::Device | Self::Forgets => io::Error::other("simulated device error"),
            Self::NoSpace | Self::Short => io::ErrorKind::StorageFull.into(),
            Self::Interrupted => io::ErrorKind::Interrupted.into(),
        }
    }
}

/// Which call fails: the `after`-th of the kind, counted from 0 when the fault is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Only calls of this kind count and fail; of any kind if there is none.
    pub kind: Option<CallKind>,
    /// Only calls to this file count and fail, "" or a sidecar's suffix; to any if there is none.
    pub file: Option<&'static str>,
    /// How many such calls still succeed.
    pub after: u64,
    /// Whether all further such calls fail too.
    pub for_ever: bool,
    /// What a failing call does.
    pub failure: Failure,
}

impl Fault {
    /// Fails one call: that which follows `after` successful ones of any kind.
    pub fn once(after: u64, failure: Failure) -> Self {
        Self { kind: None, file: None, after, for_ever: false, failure }
    }

    /// Limits the fault to calls of one kind.
    #[must_use]
    pub fn of(self, kind: CallKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Limits the fault to calls to one file: "" or a sidecar's suffix.
    #[must_use]
    pub fn in_file(self, file: &'static str) -> Self {
        Self { file: Some(file), ..self }
    }

    /// Makes all further calls fail, too.
    #[must_use]
    pub fn for_ever(self) -> Self {
        Self { for_ever: true, ..self }
    }

    /// Counts a call; says how it fails if it does.
    pub(crate) fn strike(
        &mut self,
        file: &str,
        kind: CallKind,
        armed: &mut bool,
    ) -> Option<Failure> {
        let is_other = self.kind.is_some_and(|only| only != kind)
            || self.file.is_some_and(|only| only != file);
        if !*armed || is_other {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        *armed = self.for_ever;
        Some(self.failure)
    }
}
