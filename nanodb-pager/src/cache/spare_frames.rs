//! Frames that are not in use any more, kept to be used again.
//!
//! Every commit copies the pages it changes, and the versions they replace go a moment
//! later. Giving 4 KiB back to the allocator and asking for them again costs more than
//! the copy: a few spare frames make most of that unnecessary, and are still in the
//! processor's cache when they are used again.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::file::page::Frame;

/// How many frames are kept: 256 KiB.
const SPARE_MAX: usize = 64;

/// Frames that can be used again.
#[derive(Default)]
pub(crate) struct SpareFrames {
    /// Each held by nobody else.
    spare: Mutex<Vec<Arc<Frame>>>,
}

impl SpareFrames {
    /// A frame with whatever bytes it had before, held by nobody else.
    pub(crate) fn any(&self) -> Arc<Frame> {
        // In a statement of its own: the lock must be free again when memory is asked for.
        let spare = self.spare.lock().pop();
        spare.unwrap_or_else(|| Arc::new(Frame::ZERO))
    }

    /// A copy of `frame` that nobody else holds.
    pub(crate) fn copy(&self, frame: &Frame) -> Arc<Frame> {
        let mut copy = self.any();
        // Held by nobody else, so this clones nothing.
        Arc::make_mut(&mut copy).bytes.copy_from_slice(&frame.bytes);
        copy
    }

    /// Takes a frame back, if nobody else holds it.
    pub(crate) fn recycle(&self, mut frame: Arc<Frame>) {
        if Arc::get_mut(&mut frame).is_none() {
            return;
        }
        let mut spare = self.spare.lock();
        if spare.len() < SPARE_MAX {
            spare.push(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_used_again_only_once_nobody_holds_it() {
        let frames = SpareFrames::default();
        let mut first = frames.any();
        Arc::make_mut(&mut first).bytes[9] = 1;
        let place = Arc::as_ptr(&first);
        let reader = Arc::clone(&first);
        frames.recycle(first);
        assert_ne!(Arc::as_ptr(&frames.any()), place);
        frames.recycle(reader);
        let again = frames.copy(&Frame::ZERO);
        assert_eq!((Arc::as_ptr(&again), again.bytes[9]), (place, 0));
    }
}
