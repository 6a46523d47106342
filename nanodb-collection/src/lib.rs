//! Documents and collections on top of pages, slots and the id index.
