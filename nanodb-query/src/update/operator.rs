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
    /// The change's path is the old one.
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

/// The names of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperatorName {
    Set,
    SetOnInsert,
    Unset,
    Increase,
    Multiply,
    Min,
    Max,
    CurrentDate,
    Rename,
    Bits,
    Push,
    AddToSet,
    Pull,
    PullAll,
    Pop,
}

impl OperatorName {
    /// All of them. An operator missing here is refused as unknown.
    pub(super) const ALL: [Self; 15] = [
        Self::Set,
        Self::SetOnInsert,
        Self::Unset,
        Self::Increase,
        Self::Multiply,
        Self::Min,
        Self::Max,
        Self::CurrentDate,
        Self::Rename,
        Self::Bits,
        Self::Push,
        Self::AddToSet,
        Self::Pull,
        Self::PullAll,
        Self::Pop,
    ];

    /// Returns the operator with this name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Set => "$set",
            Self::SetOnInsert => "$setOnInsert",
            Self::Unset => "$unset",
            Self::Increase => "$inc",
            Self::Multiply => "$mul",
            Self::Min => "$min",
            Self::Max => "$max",
            Self::CurrentDate => "$currentDate",
            Self::Rename => "$rename",
            Self::Bits => "$bit",
            Self::Push => "$push",
            Self::AddToSet => "$addToSet",
            Self::Pull => "$pull",
            Self::PullAll => "$pullAll",
            Self::Pop => "$pop",
        }
    }
}

impl Operator {
    pub(super) fn name(&self) -> &'static str {
        let name = match self {
            Self::Set(_) => OperatorName::Set,
            Self::SetOnInsert(_) => OperatorName::SetOnInsert,
            Self::Unset => OperatorName::Unset,
            Self::Increase(_) => OperatorName::Increase,
            Self::Multiply(_) => OperatorName::Multiply,
            Self::Min(_) => OperatorName::Min,
            Self::Max(_) => OperatorName::Max,
            Self::CurrentDate => OperatorName::CurrentDate,
            Self::Rename { .. } => OperatorName::Rename,
            Self::Bits(_) => OperatorName::Bits,
            Self::Push(_) => OperatorName::Push,
            Self::AddToSet(_) => OperatorName::AddToSet,
            Self::Pull(_) => OperatorName::Pull,
            Self::PullAll(_) => OperatorName::PullAll,
            Self::Pop { .. } => OperatorName::Pop,
        };
        name.as_str()
    }
}

#[cfg(test)]
mod tests {
    use nanodb_msgpack::{RawValue, write_int, write_map_len, write_string};

    use super::OperatorName;
    use crate::json::begins_with_operator;

    #[test]
    fn each_name_is_read_as_its_own_operator() {
        for name in OperatorName::ALL {
            assert_eq!(OperatorName::parse(name.as_str()), Some(name));
            // The reader of text knows it as well, and does not take such a value for a form.
            let mut value = Vec::new();
            write_map_len(&mut value, 1);
            assert!(write_string(&mut value, name.as_str()));
            write_int(&mut value, 1);
            assert!(begins_with_operator(RawValue::new(&value)), "{name:?}");
        }
        for unknown in ["", "$", "set", "$pops", "$popp", "$Set", "$each"] {
            assert_eq!(OperatorName::parse(unknown), None, "{unknown}");
        }
    }
}
