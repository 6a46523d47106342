//! `uuid`'s UUIDs.

use crate::{AsId, Error, ErrorBuilder, ErrorKind, Id, IdRef, Uuid, Value};

impl From<::uuid::Uuid> for Uuid {
    fn from(id: ::uuid::Uuid) -> Self {
        Self::from_bytes(id.into_bytes())
    }
}

impl From<Uuid> for ::uuid::Uuid {
    fn from(id: Uuid) -> Self {
        Self::from_bytes(*id.bytes())
    }
}

impl From<::uuid::Uuid> for Id {
    fn from(id: ::uuid::Uuid) -> Self {
        Self::Uuid(id.into())
    }
}

impl From<::uuid::Uuid> for IdRef<'_> {
    fn from(id: ::uuid::Uuid) -> Self {
        Self::Uuid(id.into())
    }
}

impl From<::uuid::Uuid> for Value {
    fn from(id: ::uuid::Uuid) -> Self {
        Self::Uuid(id.into())
    }
}

impl From<&::uuid::Uuid> for Value {
    fn from(id: &::uuid::Uuid) -> Self {
        Self::Uuid((*id).into())
    }
}

impl AsId for ::uuid::Uuid {
    #[inline]
    fn as_id(&self) -> IdRef<'_> {
        (*self).into()
    }
}

/// Takes a UUID, and binary of 16 bytes, which is the same id. Fails with
/// [`ErrorKind::WrongType`] for other ids.
impl TryFrom<&Id> for ::uuid::Uuid {
    type Error = Error;

    fn try_from(id: &Id) -> Result<Self, Error> {
        id.as_bytes().and_then(|bytes| Self::from_slice(bytes).ok()).ok_or_else(|| {
            let text = format!("the id {id} is not a UUID");
            ErrorBuilder::new(ErrorKind::WrongType, text).id(id.as_ref()).into()
        })
    }
}

/// As from `&Id`.
impl TryFrom<Id> for ::uuid::Uuid {
    type Error = Error;

    fn try_from(id: Id) -> Result<Self, Error> {
        (&id).try_into()
    }
}
