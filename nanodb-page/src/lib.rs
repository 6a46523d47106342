//! Slotted pages: many records in one fixed-size body, as a pure function of bytes.
