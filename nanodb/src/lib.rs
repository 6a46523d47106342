//! NanoDB: an embedded document database in one file.
