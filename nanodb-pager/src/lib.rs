//! A paged file with versions, transactions and allocation: the ground NanoDB stands on.
