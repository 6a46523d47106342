//! An in-memory hash index from id to place, with wait-free readers and one writer.
