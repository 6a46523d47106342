//! Little-endian integers of alignment 1, so that stored structs have no padding.
//!
//! A struct made of these reads the same on every machine and may start at any
//! byte of a body, which lets `bytemuck` derive its casts and leaves no `unsafe`
//! to write by hand.

use bytemuck::{Pod, Zeroable};

/// A `u16` as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct U16Le([u8; 2]);

impl U16Le {
    #[inline]
    pub(crate) const fn new(value: u16) -> Self {
        Self(value.to_le_bytes())
    }

    #[inline]
    pub(crate) const fn get(self) -> u16 {
        u16::from_le_bytes(self.0)
    }
}

/// A `u32` as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct U32Le([u8; 4]);

impl U32Le {
    #[inline]
    pub(crate) const fn new(value: u32) -> Self {
        Self(value.to_le_bytes())
    }

    #[inline]
    pub(crate) const fn get(self) -> u32 {
        u32::from_le_bytes(self.0)
    }
}
