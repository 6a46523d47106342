//! The addon below the Node.js package: requests from JavaScript to the database, and replies.
//!
//! Documents cross as bytes. JavaScript encodes a request into a buffer that both sides hold, calls
//! [`addon`] with the number of an object, the number of an operation and the request's length, and
//! decodes the reply from the same buffer. So a call crosses with three integers, and nothing but
//! `addon` knows of Node:
//!
//! ```text
//! addon -> dispatch -> database | collection (read, write) | cursor | transaction -> nanodb
//!   |         |
//!   |         request, reply, failure: the bytes of either
//!   table: the objects of this thread, by number
//! ```
//!
//! | module | what |
//! |---|---|
//! | `addon` | the functions that JavaScript calls: at once, or in a thread of libuv's pool |
//! | `table`, `object` | what a number stands for |
//! | `operation` | the numbers of the operations |
//! | `dispatch` | from an operation to the function that does it |
//! | `database`, `transaction`, `cursor` | the operations of each |
//! | `read`, `write`, `bulk` | those of collections, of all three kinds |
//! | `request`, `reply`, `failure` | what crosses |
//! | `slots` | requests and replies that wait here for a part, or to be taken |
//! | `gate` | which collections the transactions of this process hold, so that nobody waits for one of them in a thread that it needs |

mod addon;
mod bulk;
mod cursor;
mod database;
mod dispatch;
mod failure;
mod gate;
mod object;
mod operation;
mod read;
mod reply;
mod request;
mod slots;
mod table;
mod transaction;
mod write;
