//! The first bytes of tokens, and the sizes of tokens that the first byte determines.

pub(super) const FIX_MAP: u8 = 0x80;
pub(super) const FIX_ARRAY: u8 = 0x90;
pub(super) const FIX_STRING: u8 = 0xa0;
pub(super) const NULL: u8 = 0xc0;
pub(super) const FALSE: u8 = 0xc2;
pub(super) const TRUE: u8 = 0xc3;
pub(super) const BIN8: u8 = 0xc4;
pub(super) const BIN16: u8 = 0xc5;
pub(super) const BIN32: u8 = 0xc6;
pub(super) const EXT8: u8 = 0xc7;
pub(super) const EXT16: u8 = 0xc8;
pub(super) const EXT32: u8 = 0xc9;
pub(super) const FLOAT32: u8 = 0xca;
pub(super) const FLOAT64: u8 = 0xcb;
pub(super) const UINT8: u8 = 0xcc;
pub(super) const UINT16: u8 = 0xcd;
pub(super) const UINT32: u8 = 0xce;
pub(super) const UINT64: u8 = 0xcf;
pub(super) const INT8: u8 = 0xd0;
pub(super) const INT16: u8 = 0xd1;
pub(super) const INT32: u8 = 0xd2;
pub(super) const INT64: u8 = 0xd3;
pub(super) const FIX_EXT1: u8 = 0xd4;
pub(super) const FIX_EXT2: u8 = 0xd5;
pub(super) const FIX_EXT4: u8 = 0xd6;
pub(super) const FIX_EXT8: u8 = 0xd7;
pub(super) const FIX_EXT16: u8 = 0xd8;
pub(super) const STRING8: u8 = 0xd9;
pub(super) const STRING16: u8 = 0xda;
pub(super) const STRING32: u8 = 0xdb;
pub(super) const ARRAY16: u8 = 0xdc;
pub(super) const ARRAY32: u8 = 0xdd;
pub(super) const MAP16: u8 = 0xde;
pub(super) const MAP32: u8 = 0xdf;

/// The size of the whole token for each first byte. It is 0 if a length follows, the token has
/// children, or MessagePack does not use the byte.
///
/// With this table, skipping is one dependent load for each token; matching on the byte would be a
/// branch that real documents mispredict.
pub(super) static TOKEN_SIZE: [u8; 256] = token_sizes();

const fn token_sizes() -> [u8; 256] {
    let mut sizes = [0_u8; 256];
    let mut marker = 0_u8;
    loop {
        sizes[marker as usize] = match marker {
            0x00..=0x7f | 0xe0..=0xff | NULL | FALSE | TRUE => 1,
            FIX_STRING..=0xbf => 1 + (marker & 0x1f),
            UINT8 | INT8 => 2,
            UINT16 | INT16 | FIX_EXT1 => 3,
            FIX_EXT2 => 4,
            UINT32 | INT32 | FLOAT32 => 5,
            FIX_EXT4 => 6,
            UINT64 | INT64 | FLOAT64 => 9,
            FIX_EXT8 => 10,
            FIX_EXT16 => 18,
            _ => 0,
        };
        if marker == u8::MAX {
            return sizes;
        }
        marker += 1;
    }
}
