//! The directory as the operating system asks for it.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::files::{Inode, ROOT, Refused, State};
use crate::lock;

/// Nothing is kept by the system: what is asked for is answered here.
const KEPT_FOR: Duration = Duration::ZERO;

pub(crate) struct Disk(pub(crate) Arc<Mutex<State>>);

fn errno(refused: Refused) -> Errno {
    match refused {
        Refused::Device => Errno::EIO,
        Refused::NoEntry => Errno::ENOENT,
        Refused::Exists => Errno::EEXIST,
    }
}

fn attributes(number: u64, inode: Option<&Inode>) -> FileAttr {
    let size = inode.map_or(0, |inode| inode.bytes.len() as u64);
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if inode.is_some() { FileType::RegularFile } else { FileType::Directory },
        perm: inode.map_or(0o755, |inode| inode.mode),
        nlink: inode.map_or(2, |inode| u32::from(inode.name.is_some())),
        uid: inode.map_or(0, |inode| inode.owner.0),
        gid: inode.map_or(0, |inode| inode.owner.1),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// Names are ours, so they are text.
fn text(name: &OsStr) -> &str {
    name.to_str().unwrap_or_default()
}

fn finish(reply: ReplyEmpty, done: Result<(), Refused>) {
    match done {
        Ok(()) => reply.ok(),
        Err(refused) => reply.error(errno(refused)),
    }
}

impl Filesystem for Disk {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let state = lock(&self.0);
        let found = state.find(text(name)).ok_or(Refused::NoEntry);
        match found.and_then(|number| Ok((number, state.inode(number)?))) {
            Ok((number, inode)) => {
                reply.entry(&KEPT_FOR, &attributes(number, Some(inode)), Generation(0));
            }
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        if ino.0 == ROOT {
            return reply.attr(&KEPT_FOR, &attributes(ROOT, None));
        }
        match lock(&self.0).inode(ino.0) {
            Ok(inode) => reply.attr(&KEPT_FOR, &attributes(ino.0, Some(inode))),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = lock(&self.0);
        let cut = size.map_or(Ok(()), |len| state.set_len(ino.0, len));
        let done = cut.and_then(|()| state.inode_mut(ino.0)).map(|inode| {
            let kept = u32::from(inode.mode);
            inode.mode = u16::try_from(mode.unwrap_or(kept) & 0o7777).unwrap_or(inode.mode);
            inode.owner = (uid.unwrap_or(inode.owner.0), gid.unwrap_or(inode.owner.1));
            attributes(ino.0, Some(inode))
        });
        match done {
            Ok(attributes) => reply.attr(&KEPT_FOR, &attributes),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        finish(reply, lock(&self.0).remove(text(name)));
    }

    fn rename(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        _: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = lock(&self.0);
        if !flags.is_empty() && state.find(text(new_name)).is_some() {
            return reply.error(Errno::EEXIST);
        }
        finish(reply, state.rename(text(name), text(new_name)));
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        lock(&self.0).opened(ino.0);
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn create(
        &self,
        request: &Request,
        _: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let mut state = lock(&self.0);
        let mode = u16::try_from(mode & !umask & 0o7777).unwrap_or(0o600);
        let made = state.create(text(name), mode, (request.uid(), request.gid()));
        match made {
            Ok(number) => {
                state.opened(number);
                let attributes = attributes(number, state.inode(number).ok());
                let flags = FopenFlags::FOPEN_DIRECT_IO;
                reply.created(&KEPT_FOR, &attributes, Generation(0), FileHandle(0), flags);
            }
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match lock(&self.0).inode(ino.0) {
            Ok(inode) => {
                let len = inode.bytes.len();
                let start = usize::try_from(offset).unwrap_or(len).min(len);
                let end = start.saturating_add(size as usize).min(len);
                reply.data(&inode.bytes[start..end]);
            }
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match lock(&self.0).write(ino.0, offset, data) {
            // No request is so long.
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(refused) => reply.error(errno(refused)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        lock(&self.0).released(ino.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        finish(reply, lock(&self.0).sync(ino.0));
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        finish(reply, lock(&self.0).sync_directory());
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let state = lock(&self.0);
        let entries = state.names().zip(1..).skip(usize::try_from(offset).unwrap_or(usize::MAX));
        for ((name, number), next) in entries {
            if reply.add(INodeNo(number), next, FileType::RegularFile, name) {
                break;
            }
        }
        reply.ok();
    }
}
