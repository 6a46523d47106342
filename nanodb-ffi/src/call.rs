//! What every entry does around its work: catch panics, and say why it failed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::memory::text_out;
use crate::status::{NANODB_MISUSE, NANODB_OK, NANODB_PANIC};
use crate::types::{nanodb_error, nanodb_status};

/// Runs the work of an entry, and returns its status.
///
/// What panics has not returned a result: what the caller sees then are the zeros that were written
/// before. The engine is written so that its locks and pages are whole after a panic.
#[inline]
pub(crate) fn call<'a>(
    arguments: &'a Arguments,
    error: *mut nanodb_error,
    work: impl FnOnce(&'a Arguments) -> Result<()>,
) -> nanodb_status {
    let Ok(place) = arguments.optional_out(error) else { return NANODB_MISUSE };
    let failure = match catch_unwind(AssertUnwindSafe(|| work(arguments))) {
        Ok(Ok(())) => return NANODB_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => panicked(panic),
    };
    let status = failure.status();
    if let Some(place) = place {
        // Making the texts runs code as well.
        let described = catch_unwind(AssertUnwindSafe(|| (failure.message(), failure.details())));
        let (message, details) = match &described {
            Ok((message, details)) => (&**message, &**details),
            Err(_) => ("the error cannot be described", "{}"),
        };
        let (message, details) = (text_out(message), text_out(details));
        place.set(nanodb_error { status, message, details });
    }
    status
}

#[cold]
fn panicked(panic: Box<dyn Any + Send>) -> Failure {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "it does not say why".to_owned(),
    };
    // Dropping what was thrown may throw again.
    std::mem::forget(panic);
    Failure::Own(NANODB_PANIC, format!("a bug in the library: {text}").into())
}
