//! The functions that JavaScript calls.
//!
//! Each thread of JavaScript has its own objects and its own buffer, which both sides hold:
//! JavaScript writes a request to its front, and finds the reply there when the call returns. An
//! asynchronous call copies its request out of it, and JavaScript takes its reply into it when its
//! promise has resolved, unless that is large: then the reply has a buffer of its own.

#![allow(unsafe_code, reason = "what napi's macros expand to; there is no block of our own")]
#![allow(missing_docs, reason = "napi's macros make functions without")]
#![allow(unreachable_pub, reason = "napi's macros want what they export to be public")]
#![allow(clippy::needless_pass_by_value, reason = "what JavaScript hands over is owned")]

use std::cell::RefCell;
use std::mem;

use napi::bindgen_prelude::{AsyncTask, Buffer, BufferSlice, Either};
use napi::{Env, ScopedTask};
use napi_derive::napi;

use crate::dispatch;
use crate::object::Object;
use crate::reply::Reply;
use crate::slots::Slots;
use crate::table::Table;

/// Replies of more bytes to asynchronous calls are handed over as they are. Smaller ones wait here
/// until JavaScript takes them into its buffer, which costs less than a buffer of their own, and
/// leaves nothing for its garbage collector.
const TAKEN_MAX: usize = 16 * 1024;

/// After a reply of more bytes, the memory for it is given back.
const KEPT_MAX: usize = 1 << 20;

#[derive(Default)]
struct State {
    table: Table,
    buffer: Option<Buffer>,
    reply: Reply,
    /// A reply that the buffer was too small for.
    waiting: Vec<u8>,
    /// Requests that are sent in parts.
    gathered: Slots<Parts>,
    /// Replies to asynchronous calls that are to be taken.
    replies: Slots<Vec<u8>>,
}

/// A request in parts. They are put together in the thread that needs it: all of them may be large.
type Parts = Vec<Vec<u8>>;

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes a buffer the one that both sides hold.
#[napi]
pub fn attach(buffer: Buffer) {
    STATE.with_borrow_mut(|state| state.buffer = Some(buffer));
}

/// Does an operation of an object, of which the request is the first `length` bytes of the buffer.
/// Returns how many bytes the reply has there; less than 0 if it does not fit, see [`take_reply`].
#[napi]
pub fn call(object: u32, operation: u32, length: u32) -> i64 {
    STATE.with_borrow_mut(|state| {
        let State { table, buffer, reply, waiting, .. } = state;
        let Some(buffer) = buffer else { return 0 };
        let request = first(buffer, length);
        dispatch::run(table.get(object), operation, request, reply);
        let number = reply.take_object().and_then(|made| table.insert(made)).unwrap_or_default();
        let bytes = reply.bytes(number);
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let Some(place) = buffer.get_mut(..bytes.len()) else {
            *waiting = bytes.to_vec();
            return -size;
        };
        place.copy_from_slice(bytes);
        if bytes.len() > KEPT_MAX {
            *reply = Reply::default();
        }
        size
    })
}

/// Puts the reply that did not fit into the buffer, which is another by now.
#[napi]
pub fn take_reply() -> i64 {
    STATE.with_borrow_mut(|state| {
        let reply = mem::take(&mut state.waiting);
        let place = state.buffer.as_mut().and_then(|buffer| buffer.get_mut(..reply.len()));
        let Some(place) = place else { return 0 };
        place.copy_from_slice(&reply);
        i64::try_from(reply.len()).unwrap_or(i64::MAX)
    })
}

/// Puts the reply to an asynchronous call into the buffer, and returns how many bytes it has. The
/// call's promise resolves to the reply's number, or to a large reply itself.
#[napi]
pub fn take(number: u32) -> i64 {
    STATE.with_borrow_mut(|state| {
        let reply = state.replies.take(number).unwrap_or_default();
        let place = state.buffer.as_mut().and_then(|buffer| buffer.get_mut(..reply.len()));
        let Some(place) = place else { return 0 };
        place.copy_from_slice(&reply);
        i64::try_from(reply.len()).unwrap_or(i64::MAX)
    })
}

/// Keeps the first `length` bytes of the buffer as a part of a request, and returns its number; 0
/// begins one.
#[napi]
pub fn gather(number: u32, length: u32) -> u32 {
    STATE.with_borrow_mut(|state| {
        let State { buffer, gathered, .. } = state;
        let bytes = buffer.as_deref().map(|buffer| first(buffer, length)).unwrap_or_default();
        if let Some(parts) = gathered.get_mut(number) {
            parts.push(bytes.to_vec());
            return number;
        }
        gathered.keep(vec![bytes.to_vec()])
    })
}

/// Gives up a request that was sent in parts.
#[napi]
pub fn forget(number: u32) {
    let _dropped = STATE.with_borrow_mut(|state| state.gathered.take(number));
}

/// Returns whether a write, or a step of a transaction, may begin; see `gate`. `thread` is the
/// number of the thread of JavaScript.
#[napi]
pub fn ask(object: u32, thread: u32) -> u32 {
    STATE.with_borrow(|state| dispatch::ask(state.table.get(object), thread) as u32)
}

/// Lets go of an object.
#[napi]
pub fn release(object: u32) {
    // Dropped after the state is free again: what ends with it may take long.
    let _dropped = STATE.with_borrow_mut(|state| state.table.remove(object));
}

/// Returns how many objects this thread of JavaScript holds, for tests.
#[napi]
pub fn object_count() -> u32 {
    STATE.with_borrow(|state| u32::try_from(state.table.len()).unwrap_or(u32::MAX))
}

/// Does an operation in a thread of libuv's pool. The request is what was gathered under a number,
/// or, if that is 0, the first `length` bytes of the buffer.
#[napi]
pub fn call_async(object: u32, operation: u32, length: u32, gathered: u32) -> AsyncTask<Call> {
    let call = STATE.with_borrow_mut(|state| {
        let request = state.gathered.take(gathered).unwrap_or_else(|| {
            let buffer = state.buffer.as_deref();
            vec![buffer.map(|buffer| first(buffer, length).to_vec()).unwrap_or_default()]
        });
        Call { object: state.table.get(object).cloned(), operation, request }
    });
    AsyncTask::new(call)
}

/// A call under way.
#[derive(Debug)]
pub struct Call {
    object: Option<Object>,
    operation: u32,
    request: Parts,
}

impl<'env> ScopedTask<'env> for Call {
    type Output = Done;
    type JsValue = Either<u32, BufferSlice<'env>>;

    fn compute(&mut self) -> napi::Result<Done> {
        let mut reply = Reply::default();
        let (object, operation) = (self.object.as_ref(), self.operation);
        let lost = match self.request.as_slice() {
            [whole] => dispatch::run(object, operation, whole, &mut reply),
            parts => dispatch::run(object, operation, &parts.concat(), &mut reply),
        };
        // A write outside of transactions that began just before one held the collection, in the
        // thread in which that had taken a step.
        if lost && matches!(self.object, Some(Object::Collection(_))) {
            reply.again();
        } else {
            self.request = Vec::new();
        }
        // Dropped here, since closing what nobody else holds may take long.
        self.object = None;
        Ok(Done(reply))
    }

    fn resolve(&mut self, env: &'env Env, Done(mut reply): Done) -> napi::Result<Self::JsValue> {
        let number = STATE.with_borrow_mut(|state| {
            if !self.request.is_empty() {
                return state.gathered.keep(mem::take(&mut self.request));
            }
            let made = reply.take_object().and_then(|made| state.table.insert(made));
            made.unwrap_or_default()
        });
        let bytes = reply.into_bytes(number);
        if bytes.len() <= TAKEN_MAX {
            let number = STATE.with_borrow_mut(|state| state.replies.keep(bytes));
            return Ok(Either::A(number));
        }
        Ok(Either::B(BufferSlice::from_data(env, bytes)?))
    }
}

/// A reply on its way back.
#[derive(Debug)]
pub struct Done(Reply);

fn first(buffer: &[u8], length: u32) -> &[u8] {
    buffer.get(..index(length)).unwrap_or_default()
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
