//! The files of one directory, and the record of what is done to them.

use std::collections::{BTreeMap, HashMap};

use nanodb_sim::{Action, Event, Files};

use crate::Plan;

/// The directory's own number.
pub(crate) const ROOT: u64 = 1;

/// Why a call does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// The power has gone, or the device says that a sync has failed.
    Device,
    NoEntry,
    Exists,
}

#[derive(Debug)]
pub(crate) struct State {
    names: BTreeMap<String, u64>,
    inodes: HashMap<u64, Inode>,
    next: u64,
    journal: Vec<Event>,
    calls: u64,
    cut: bool,
    plan: Plan,
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct Inode {
    pub(crate) bytes: Vec<u8>,
    /// None once it was removed: then nothing of it is recorded.
    pub(crate) name: Option<String>,
    pub(crate) mode: u16,
    pub(crate) owner: (u32, u32),
    open: u64,
}

impl State {
    pub(crate) fn new(files: &Files, plan: Plan) -> Self {
        let mut state = Self {
            names: BTreeMap::new(),
            inodes: HashMap::new(),
            next: ROOT + 1,
            journal: Vec::new(),
            calls: 0,
            cut: false,
            plan,
        };
        for (name, bytes) in files {
            let inode = state.add(name, 0o644, (0, 0));
            if let Some(inode) = state.inodes.get_mut(&inode) {
                inode.bytes.clone_from(bytes);
            }
        }
        state
    }

    pub(crate) fn set_plan(&mut self, plan: Plan) {
        (self.plan, self.calls) = (plan, 0);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn journal(&self) -> &[Event] {
        &self.journal
    }

    pub(crate) fn find(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names.iter().map(|(name, &inode)| (name.as_str(), inode))
    }

    pub(crate) fn inode(&self, inode: u64) -> Result<&Inode, Refused> {
        self.inodes.get(&inode).ok_or(Refused::NoEntry)
    }

    pub(crate) fn inode_mut(&mut self, inode: u64) -> Result<&mut Inode, Refused> {
        self.inodes.get_mut(&inode).ok_or(Refused::NoEntry)
    }

    pub(crate) fn opened(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.open += 1;
        }
    }

    /// Removes a file without a name that no process has open any more.
    pub(crate) fn released(&mut self, number: u64) {
        let Some(inode) = self.inodes.get_mut(&number) else { return };
        inode.open = inode.open.saturating_sub(1);
        if inode.open == 0 && inode.name.is_none() {
            self.inodes.remove(&number);
        }
    }

    pub(crate) fn create(
        &mut self,
        name: &str,
        mode: u16,
        owner: (u32, u32),
    ) -> Result<u64, Refused> {
        self.call()?;
        if self.names.contains_key(name) {
            return Err(Refused::Exists);
        }
        self.record(name, Action::Create);
        Ok(self.add(name, mode, owner))
    }

    pub(crate) fn write(&mut self, inode: u64, offset: u64, data: &[u8]) -> Result<(), Refused> {
        self.call()?;
        self.perform(inode, Action::Write { offset, data: data.to_vec() })
    }

    pub(crate) fn set_len(&mut self, inode: u64, len: u64) -> Result<(), Refused> {
        self.call()?;
        self.perform(inode, Action::SetLen { len })
    }

    pub(crate) fn sync(&mut self, inode: u64) -> Result<(), Refused> {
        self.call()?;
        let forgets = self.plan.forget_at.is_some_and(|at| self.calls > at);
        if forgets && self.inode(inode)?.name.is_some() {
            self.plan.forget_at = None;
            self.perform(inode, Action::Forget)?;
            return Err(Refused::Device);
        }
        self.perform(inode, Action::Sync)
    }

    pub(crate) fn sync_directory(&mut self) -> Result<(), Refused> {
        self.call()?;
        self.record("", Action::SyncDirectory);
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Refused> {
        self.call()?;
        let inode = self.names.remove(name).ok_or(Refused::NoEntry)?;
        self.record(name, Action::Remove);
        self.unname(inode);
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        self.call()?;
        let inode = self.names.remove(from).ok_or(Refused::NoEntry)?;
        self.record(from, Action::Replace { to: to.to_owned() });
        if let Some(replaced) = self.names.insert(to.to_owned(), inode) {
            self.unname(replaced);
        }
        self.inode_mut(inode)?.name = Some(to.to_owned());
        Ok(())
    }

    /// Counts a call, unless the power has gone.
    fn call(&mut self) -> Result<(), Refused> {
        self.cut |= self.plan.cut_at.is_some_and(|at| self.calls >= at);
        if self.cut {
            return Err(Refused::Device);
        }
        self.calls += 1;
        Ok(())
    }

    fn add(&mut self, name: &str, mode: u16, owner: (u32, u32)) -> u64 {
        let number = self.next;
        self.next += 1;
        let inode = Inode { name: Some(name.to_owned()), mode, owner, ..Inode::default() };
        self.inodes.insert(number, inode);
        self.names.insert(name.to_owned(), number);
        number
    }

    fn unname(&mut self, number: u64) {
        let Some(inode) = self.inodes.get_mut(&number) else { return };
        inode.name = None;
        if inode.open == 0 {
            self.inodes.remove(&number);
        }
    }

    /// Does something to a file, and records it if the file has a name.
    fn perform(&mut self, inode: u64, action: Action) -> Result<(), Refused> {
        let inode = self.inode_mut(inode)?;
        action.apply(&mut inode.bytes);
        if let Some(name) = inode.name.clone() {
            self.record(&name, action);
        }
        Ok(())
    }

    fn record(&mut self, name: &str, action: Action) {
        self.journal.push(Event { file: name.to_owned(), action });
    }
}
