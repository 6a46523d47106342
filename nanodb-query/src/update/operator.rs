//! What an update does to one field.

use super::array::{Each, Push};
use super::number::Bits;
use crate::filter::{ElementFilter, Operand};
use crate::path::Path;

/// One operator, applied to the field at one path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) path: Path,
    pub(super) operator: Operator,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operator {
    Set(Operand),
    SetOnInsert(Operand),
    Unset,
    Increase(Operand),
    Multiply(Operand),
    Min(Operand),
    Max(Operand),
    CurrentDate,
    /// The change's path is that of the field before.
    Rename {
        to: Path,
    },
    Bits(Bits),
    Push(Push),
    AddToSet(Each),
    Pull(ElementFilter),
    PullAll(Each),
    Pop {
        first: bool,
    },
}

impl Operator {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Set(_) => "$set",
            Self::SetOnInsert(_) => "$setOnInsert",
            Self::Unset => "$unset",
            Self::Increase(_) => "$inc",
            Self::Multiply(_) => "$mul",
            Self::Min(_) => "$min",
            Self::Max(_) => "$max",
            Self::CurrentDate => "$currentDate",
            Self::Rename { .. } => "$rename",
            Self::Bits(_) => "$bit",
            Self::Push(_) => "$push",
            Self::AddToSet(_) => "$addToSet",
            Self::Pull(_) => "$pull",
            Self::PullAll(_) => "$pullAll",
            Self::Pop { .. } => "$pop",
        }
    }
}
