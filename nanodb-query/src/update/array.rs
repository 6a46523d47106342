//! What the array operators do to an array's elements.
//!
//! An array is split into the bytes of its elements. They are moved, and only read when they are
//! compared.

use std::collections::HashSet;

use crate::Sort;
use crate::filter::{ElementFilter, Operand};
use crate::path::step;
use nanodb_msgpack::compare;
use nanodb_msgpack::encode_key;
use nanodb_msgpack::{Malformed, RawValue};

/// The elements of an array, each as its bytes.
pub(super) type List<'a> = Vec<&'a [u8]>;

/// Splits an array into its elements.
pub(super) fn list(array: RawValue<'_>) -> Result<List<'_>, Malformed> {
    array.elements().ok_or(Malformed)?.map(|element| element?.bytes()).collect()
}

/// `$push`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Push {
    pub(super) values: Vec<Operand>,
    /// The index before which the values are inserted, counted from the end if negative.
    pub(super) position: Option<i64>,
    pub(super) sort: Option<ElementSort>,
    /// How many elements are kept, from the end if negative.
    pub(super) slice: Option<i64>,
}

impl Push {
    /// Returns whether the values are added at the end, and nothing else happens.
    pub(super) fn only_appends(&self) -> bool {
        self.position.is_none() && self.sort.is_none() && self.slice.is_none()
    }

    pub(super) fn apply<'a>(&'a self, list: &mut List<'a>) -> Result<(), Malformed> {
        let at = self.position.map_or(list.len(), |position| count_from(position, list.len()));
        list.splice(at..at, self.values.iter().map(Operand::bytes));
        if let Some(sort) = &self.sort {
            sort.apply(list)?;
        }
        if let Some(slice) = self.slice {
            if slice < 0 {
                list.drain(..count_from(slice, list.len()));
            } else {
                list.truncate(count_from(slice, list.len()));
            }
        }
        Ok(())
    }
}

/// Returns an index `count` from the start, or from the end if negative, within `0..=len`.
fn count_from(count: i64, len: usize) -> usize {
    let magnitude = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(len);
    if count < 0 { len - magnitude } else { magnitude }
}

/// `$sort` of a `$push`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ElementSort {
    /// By the elements themselves.
    Whole {
        descending: bool,
    },
    By(Sort),
}

impl ElementSort {
    /// Sorts stably.
    fn apply(&self, list: &mut List<'_>) -> Result<(), Malformed> {
        let mut keyed = Vec::with_capacity(list.len());
        for &element in list.iter() {
            keyed.push((self.key(RawValue::new(element))?, element));
        }
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        list.clear();
        list.extend(keyed.into_iter().map(|(_, element)| element));
        Ok(())
    }

    /// Unlike in the sort of a query, an array is one value here.
    fn key(&self, element: RawValue<'_>) -> Result<Vec<u8>, Malformed> {
        let mut key = Vec::new();
        match self {
            Self::Whole { descending } => append_key(Some(element), *descending, &mut key)?,
            Self::By(sort) => {
                for (path, descending) in sort.fields() {
                    let mut value = Some(element).filter(|element| element.is_map());
                    for part in path.parts() {
                        value = value.map(|value| step(value, part)).transpose()?.flatten();
                    }
                    append_key(value, descending, &mut key)?;
                }
            }
        }
        Ok(key)
    }
}

fn append_key(
    value: Option<RawValue<'_>>,
    descending: bool,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let start = out.len();
    encode_key(value, out)?;
    if descending {
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// The values of `$addToSet` and `$pullAll`, without duplicates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Each {
    values: Vec<Operand>,
}

/// The most values that are compared with each element; for more, keys are made.
const COMPARED_MAX: usize = 4;

impl Each {
    /// Of equal values the first is kept.
    pub(super) fn new(mut values: Vec<Operand>) -> Result<Self, Malformed> {
        let mut seen = HashSet::new();
        let mut result = Ok(());
        values.retain(|value| match key(value.value()) {
            Ok(key) => seen.insert(key),
            Err(error) => {
                result = Err(error);
                false
            }
        });
        result.map(|()| Self { values })
    }

    pub(super) fn values(&self) -> &[Operand] {
        &self.values
    }

    /// Returns the values that equal no element of an array.
    pub(super) fn missing_from(&self, array: RawValue<'_>) -> Result<Vec<&Operand>, Malformed> {
        let mut missing: Vec<&Operand> = self.values.iter().collect();
        if missing.len() <= COMPARED_MAX {
            for element in array.elements().ok_or(Malformed)? {
                let element = element?;
                let mut result = Ok(());
                missing.retain(|value| !equal(value, element, &mut result));
                result?;
            }
        } else {
            let keys = array.elements().ok_or(Malformed)?.map(|element| key(element?));
            let there = keys.collect::<Result<HashSet<_>, _>>()?;
            let mut result = Ok(());
            missing.retain(|value| match key(value.value()) {
                Ok(key) => !there.contains(&key),
                Err(error) => {
                    result = Err(error);
                    false
                }
            });
            result?;
        }
        Ok(missing)
    }

    /// Removes the elements that equal a value.
    pub(super) fn remove_from(&self, list: &mut List<'_>) -> Result<(), Malformed> {
        if self.values.len() <= COMPARED_MAX {
            return remove(list, |element| {
                let mut result = Ok(());
                let any = self.values.iter().any(|value| equal(value, element, &mut result));
                result.map(|()| any)
            });
        }
        let keys = self.values.iter().map(|value| key(value.value()));
        let keys = keys.collect::<Result<HashSet<_>, _>>()?;
        remove(list, |element| Ok(keys.contains(&key(element)?)))
    }
}

fn key(value: RawValue<'_>) -> Result<Vec<u8>, Malformed> {
    let mut key = Vec::new();
    encode_key(Some(value), &mut key)?;
    Ok(key)
}

fn equal(value: &Operand, element: RawValue<'_>, result: &mut Result<(), Malformed>) -> bool {
    compare(value.value(), element).unwrap_or_else(|error| {
        *result = Err(error);
        std::cmp::Ordering::Less
    }) == std::cmp::Ordering::Equal
}

/// Removes the elements that match: `$pull`.
pub(super) fn pull(filter: &ElementFilter, list: &mut List<'_>) -> Result<(), Malformed> {
    remove(list, |element| filter.pulls(element))
}

fn remove(
    list: &mut List<'_>,
    mut unwanted: impl FnMut(RawValue<'_>) -> Result<bool, Malformed>,
) -> Result<(), Malformed> {
    let mut result = Ok(());
    list.retain(|element| match unwanted(RawValue::new(element)) {
        Ok(unwanted) => !unwanted,
        Err(error) => {
            result = Err(error);
            true
        }
    });
    result
}
