//! A page that is being read.

use std::fmt;
use std::sync::Arc;

use crate::file::page::Frame;
use crate::ids::{Owner, PageId, PageKind, Seq};

/// What stands in where there is nothing to borrow; see [`PageGuard::frame`].
static NO_FRAME: Frame = Frame::ZERO;

/// One version of a page, kept alive as long as the guard is.
///
/// Its bytes never change. Holding a guard blocks nobody; it only keeps 4 KiB of
/// memory from being reused. Cloning one costs a reference count.
pub struct PageGuard(FrameHold);

enum FrameHold {
    /// Borrowed from the page table without touching a reference count.
    Borrowed(arc_swap::Guard<Option<Arc<Frame>>>),
    Owned(Arc<Frame>),
}

impl PageGuard {
    pub(crate) fn borrowed(guard: arc_swap::Guard<Option<Arc<Frame>>>) -> Self {
        Self(FrameHold::Borrowed(guard))
    }

    pub(crate) fn owned(frame: Arc<Frame>) -> Self {
        Self(FrameHold::Owned(frame))
    }

    #[inline]
    fn frame(&self) -> &Frame {
        match &self.0 {
            // A guard is made only of a frame that is there, so the default is
            // never taken; it merely keeps the borrow free of a panic.
            FrameHold::Borrowed(guard) => guard.as_deref().unwrap_or(&NO_FRAME),
            FrameHold::Owned(frame) => frame,
        }
    }

    /// Returns the page's number.
    #[inline]
    pub fn id(&self) -> PageId {
        self.frame().id()
    }

    /// Returns the commit that wrote this version.
    #[inline]
    pub fn seq(&self) -> Seq {
        self.frame().seq()
    }

    /// Returns the page's owner.
    #[inline]
    pub fn owner(&self) -> Owner {
        self.frame().owner()
    }

    /// Returns what kind of page it is.
    #[inline]
    pub fn kind(&self) -> PageKind {
        self.frame().kind()
    }

    /// Returns the page without its header: [`BODY_SIZE`](crate::BODY_SIZE) bytes.
    #[inline]
    pub fn body(&self) -> &[u8] {
        self.frame().body()
    }
}

impl Clone for PageGuard {
    fn clone(&self) -> Self {
        match &self.0 {
            FrameHold::Borrowed(guard) => match guard.as_ref() {
                Some(frame) => Self::owned(Arc::clone(frame)),
                None => Self::owned(Arc::new(Frame::ZERO)),
            },
            FrameHold::Owned(frame) => Self::owned(Arc::clone(frame)),
        }
    }
}

impl fmt::Debug for PageGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageGuard")
            .field("id", &self.id())
            .field("seq", &self.seq())
            .field("owner", &self.owner())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
