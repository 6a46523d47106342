//! What each operator does to the field at the end of its path.

use super::apply::{Outcome, UpdateWalk};
use super::array::{List, list, pull};
use super::error::UpdateError;
use super::number::{self, add, multiply, whole, zero_like};
use super::operator::{Change, Operator};
use super::tree::Leaf;
use super::writer::{Writer, check_depth, one_deeper};
use crate::Timestamp;
use crate::filter::Operand;
use nanodb_msgpack::Number;
use nanodb_msgpack::compare;
use nanodb_msgpack::{Malformed, RawValue};
use nanodb_msgpack::{write_array_len, write_ext};

impl<'a, 'u> UpdateWalk<'a, 'u, '_> {
    /// Returns whether an operator creates a missing field.
    pub(super) fn leaf_creates(&self, leaf: Leaf) -> Result<bool, UpdateError> {
        let Some(change) = self.changes.get(leaf.change) else { return Ok(false) };
        Ok(match &change.operator {
            Operator::Unset | Operator::Pull(_) | Operator::PullAll(_) | Operator::Pop { .. } => {
                false
            }
            Operator::SetOnInsert(_) => self.inserting,
            Operator::Rename { .. } => !leaf.renamed && self.renamed(change)?.is_some(),
            Operator::Set(_)
            | Operator::Increase(_)
            | Operator::Multiply(_)
            | Operator::Min(_)
            | Operator::Max(_)
            | Operator::CurrentDate
            | Operator::Bits(_)
            | Operator::Push(_)
            | Operator::AddToSet(_) => true,
        })
    }

    /// Appends the field that an operator creates.
    pub(super) fn create_leaf(&mut self, leaf: Leaf, depth: usize) -> Result<(), UpdateError> {
        let Some(change) = self.changes.get(leaf.change) else { return Ok(()) };
        match &change.operator {
            Operator::Set(value)
            | Operator::SetOnInsert(value)
            | Operator::Increase(value)
            | Operator::Min(value)
            | Operator::Max(value) => self.append(value.bytes(), depth),
            Operator::Multiply(factor) => {
                number::write(self.writer.out, zero_like(number_of(factor)?));
                Ok(())
            }
            Operator::CurrentDate => {
                write_time(self.writer.out, self.now);
                Ok(())
            }
            Operator::Rename { .. } => {
                self.check_no_array(change, leaf)?;
                match self.renamed(change)? {
                    Some(value) => self.append(value.bytes()?, depth),
                    None => Ok(()),
                }
            }
            Operator::Bits(bits) => {
                let number = bits.apply(0).ok_or_else(|| overflow(change))?;
                number::write(self.writer.out, number);
                Ok(())
            }
            Operator::Push(push) => {
                let mut list = List::new();
                push.apply(&mut list)?;
                write_list(&mut self.writer, &list, depth)
            }
            Operator::AddToSet(each) => {
                let list: List<'_> = each.values().iter().map(Operand::bytes).collect();
                write_list(&mut self.writer, &list, depth)
            }
            Operator::Unset | Operator::Pull(_) | Operator::PullAll(_) | Operator::Pop { .. } => {
                Ok(())
            }
        }
    }

    /// Changes an existing field.
    pub(super) fn change_leaf(
        &mut self,
        leaf: Leaf,
        value: RawValue<'a>,
        depth: usize,
    ) -> Result<Outcome, UpdateError> {
        let Some(change) = self.changes.get(leaf.change) else { return Ok(Outcome::Keep) };
        match &change.operator {
            Operator::Unset => return Ok(Outcome::Remove),
            Operator::Rename { .. } => {
                // A missing field is not renamed, whatever the new path leads to.
                let Some(renamed) = self.renamed(change)? else { return Ok(Outcome::Keep) };
                self.check_no_array(change, leaf)?;
                if leaf.renamed {
                    return Ok(Outcome::Remove);
                }
                self.put(value, renamed.bytes()?, depth)?;
            }
            Operator::Set(new) => self.put(value, new.bytes(), depth)?,
            Operator::SetOnInsert(new) if self.inserting => self.put(value, new.bytes(), depth)?,
            Operator::SetOnInsert(_) => {}
            Operator::Min(new) if compare(new.value(), value)?.is_lt() => {
                self.put(value, new.bytes(), depth)?;
            }
            Operator::Max(new) if compare(new.value(), value)?.is_gt() => {
                self.put(value, new.bytes(), depth)?;
            }
            Operator::Min(_) | Operator::Max(_) => {}
            Operator::CurrentDate => {
                let now = self.now;
                self.writer.replace(value, |writer| {
                    write_time(writer.out, now);
                    Ok(())
                })?;
            }
            Operator::Increase(by) => {
                let sum = add(number_in(change, value)?, number_of(by)?);
                self.put_number(change, value, sum)?;
            }
            Operator::Multiply(by) => {
                let product = multiply(number_in(change, value)?, number_of(by)?);
                self.put_number(change, value, product)?;
            }
            Operator::Bits(bits) => {
                let number = value.token()?.number().and_then(whole);
                let Some(number) = number else {
                    return Err(wrong_target(change, "an integer", value)?);
                };
                self.put_number(change, value, bits.apply(number))?;
            }
            Operator::Push(push) if push.only_appends() => {
                check_array(change, value)?;
                self.append_elements(value, push.values.iter(), depth)?;
            }
            Operator::AddToSet(each) => {
                check_array(change, value)?;
                self.append_elements(value, each.missing_from(value)?, depth)?;
            }
            Operator::Push(push) => {
                self.change_list(change, value, depth, |list| push.apply(list))?;
            }
            Operator::Pull(filter) => {
                self.change_list(change, value, depth, |list| pull(filter, list))?;
            }
            Operator::PullAll(each) => {
                self.change_list(change, value, depth, |list| each.remove_from(list))?;
            }
            Operator::Pop { first } => self.change_list(change, value, depth, |list| {
                if *first {
                    drop(list.drain(..list.len().min(1)));
                } else {
                    let _ = list.pop();
                }
                Ok(())
            })?,
        }
        Ok(Outcome::Keep)
    }

    fn put(&mut self, value: RawValue<'a>, bytes: &[u8], depth: usize) -> Result<(), UpdateError> {
        self.writer.replace(value, |writer| {
            check_depth(RawValue::new(bytes), depth)?;
            writer.out.extend_from_slice(bytes);
            Ok(())
        })
    }

    /// Writes a computed number in place of the old one.
    fn put_number(
        &mut self,
        change: &Change,
        value: RawValue<'a>,
        number: Option<Number>,
    ) -> Result<(), UpdateError> {
        let number = number.ok_or_else(|| overflow(change))?;
        self.writer.replace(value, |writer| {
            number::write(writer.out, number);
            Ok(())
        })
    }

    /// Writes an array again after `edit` has changed the list of its elements.
    fn change_list<'v>(
        &mut self,
        change: &Change,
        value: RawValue<'a>,
        depth: usize,
        edit: impl FnOnce(&mut List<'v>) -> Result<(), Malformed>,
    ) -> Result<(), UpdateError>
    where
        'a: 'v,
    {
        check_array(change, value)?;
        let mut list: List<'v> = list(value)?;
        edit(&mut list)?;
        self.writer.replace(value, |writer| write_list(writer, &list, depth))
    }

    /// Appends elements to an array, which keeps all its own.
    fn append_elements<'v>(
        &mut self,
        array: RawValue<'a>,
        values: impl IntoIterator<Item = &'v Operand>,
        depth: usize,
    ) -> Result<(), UpdateError> {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let depth = one_deeper(depth)?;
        let header = self.writer.header(array)?;
        let end = self.writer.place(array.tail()) + array.bytes()?.len();
        self.writer.copy_to(end);
        let mut len = header.len();
        for value in values {
            self.append(value.bytes(), depth)?;
            len = len.checked_add(1).ok_or_else(|| self.writer.too_large())?;
        }
        self.writer.set_len(&header, len);
        Ok(())
    }
}

fn write_list(
    writer: &mut Writer<'_, '_>,
    list: &[&[u8]],
    depth: usize,
) -> Result<(), UpdateError> {
    let depth = one_deeper(depth)?;
    let len = u32::try_from(list.len()).map_err(|_| writer.too_large())?;
    write_array_len(writer.out, len);
    for element in list {
        check_depth(RawValue::new(element), depth)?;
        writer.out.extend_from_slice(element);
        writer.check_size()?;
    }
    Ok(())
}

fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    // Never longer than MessagePack allows.
    let _ = time.with_ext(|data| write_ext(out, Timestamp::EXT_TYPE, data));
}

/// Returns the number that `$inc` or `$mul` finds.
fn number_in(change: &Change, value: RawValue<'_>) -> Result<Number, UpdateError> {
    match value.token()?.number() {
        Some(number) => Ok(number),
        None => Err(wrong_target(change, "a number", value)?),
    }
}

fn check_array(change: &Change, value: RawValue<'_>) -> Result<(), UpdateError> {
    if value.is_array() { Ok(()) } else { Err(wrong_target(change, "an array", value)?) }
}

fn overflow(change: &Change) -> UpdateError {
    UpdateError::Overflow { operator: change.operator.name(), path: change.path.to_string() }
}

/// Returns the number that an operand is, as parsing has checked.
fn number_of(operand: &Operand) -> Result<Number, Malformed> {
    operand.value().token()?.number().ok_or(Malformed)
}

fn wrong_target(
    change: &Change,
    expected: &'static str,
    value: RawValue<'_>,
) -> Result<UpdateError, Malformed> {
    Ok(UpdateError::Target {
        operator: change.operator.name(),
        path: change.path.to_string(),
        expected,
        found: value.bracket()?,
    })
}
