/*
 * NanoDB: an embedded document database in one file.
 *
 * How it is used is told, with examples, in docs/guide/src/c.md. The rules of all functions:
 *
 * What comes back. A call returns a status: NANODB_OK, which is 0, or why it failed. The last
 * argument, which may be null, is filled in with the reason. Results come before it. They are
 * written by every call, zeros if it fails, and what they held before is not read: free it first.
 *
 * Who owns what. Whatever the library hands out is the caller's, who frees it once, with the
 * function of its type whose name ends in _free; what is zero or null may be freed, too.
 *
 * What goes in is borrowed, and only until the call returns. It is a pointer and a length; the
 * length NANODB_NUL_TERMINATED says that a zero byte ends the text, the path or the JSON; that of
 * MessagePack is always needed. Text is UTF-8. Documents, ids, filters, updates and options are
 * MessagePack or JSON, as the argument `format` says; results come in the same format. A list is an
 * array. Where a null pointer has a meaning the function says so; elsewhere it is refused, as is a
 * length that cannot be.
 *
 * Handles (nanodb_db and so on) are numbers in structs. One that was freed, or closed, is refused
 * with NANODB_CLOSED, anything else that is no handle with NANODB_MISUSE: neither is undefined.
 *
 * Threads. Any thread may call anything at any time. A cursor or a transaction is used by one call
 * at a time; others wait for it.
 *
 * Errors of the program, such as a panic, do not leave the library: NANODB_PANIC. No callback may
 * be left by longjmp or a C++ exception.
 */

#ifndef NANODB_H
#define NANODB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Asks the compiler for a warning where a status is not looked at. */
#if defined(__GNUC__) || defined(__clang__)
#define NANODB_WARN_UNUSED_RESULT __attribute__((warn_unused_result))
#else
#define NANODB_WARN_UNUSED_RESULT
#endif

/* As a length: a zero byte ends what the pointer points to. */
#define NANODB_NUL_TERMINATED SIZE_MAX

/**
 * The version of this header: a million times the major version, a thousand times the minor one,
 * and the patch.
 */
#define NANODB_VERSION_NUMBER 1000

/**
 * The call did what it is for.
 */
#define NANODB_OK 0

/**
 * A document, an id, a name, a filter or an update breaks a rule: change it.
 */
#define NANODB_INVALID 1

/**
 * The id is taken: choose another, or replace the document.
 */
#define NANODB_DUPLICATE_ID 2

/**
 * There is no such collection: check the name.
 */
#define NANODB_NOT_FOUND 3

/**
 * The name is taken: choose another, or drop the collection.
 */
#define NANODB_ALREADY_EXISTS 4

/**
 * A value is of another type than the one asked for.
 */
#define NANODB_WRONG_TYPE 5

/**
 * A number has reached its maximum: give documents ids of their own, or go on in another file.
 */
#define NANODB_EXHAUSTED 6

/**
 * The file would grow beyond its limit: delete something, or raise `file_bytes_max`.
 */
#define NANODB_QUOTA_EXCEEDED 7

/**
 * Two transactions deadlocked, and this one was rolled back: run it again.
 */
#define NANODB_CONFLICT 8

/**
 * The transaction has ended, or failed before: begin another.
 */
#define NANODB_TRANSACTION_OVER 9

/**
 * One call or transaction exceeds a limit: split it, or raise `transaction_bytes_max`.
 */
#define NANODB_TOO_LARGE 10

/**
 * The file is damaged: `nanodb_db_check` lists the damage; the rest of the data stays readable.
 */
#define NANODB_DAMAGED 11

/**
 * The file is open elsewhere in a way that excludes this one, or the handle is one of the process
 * that this one was forked from.
 */
#define NANODB_LOCKED 12

/**
 * The database was closed, or the handle was freed.
 */
#define NANODB_CLOSED 13

/**
 * The database is open read-only, or the collection is one of a snapshot.
 */
#define NANODB_READ_ONLY 14

/**
 * The file holds something else: check the path.
 */
#define NANODB_NOT_A_DATABASE 15

/**
 * The file was written by a newer version: update this library.
 */
#define NANODB_NEWER_FORMAT 16

/**
 * The file was written by an older version: export its documents with that version.
 */
#define NANODB_OLDER_FORMAT 17

/**
 * A file is not where it belongs, as a database without its log: move the file that the text
 * names.
 */
#define NANODB_MISPLACED 18

/**
 * The operating system refused a read or a write.
 */
#define NANODB_IO 19

/**
 * An earlier write failed, so nothing more is written: open the database again.
 */
#define NANODB_POISONED 20

/**
 * The program has broken a rule of this interface: a null pointer, a length that cannot be, a
 * handle of another type or one that was never given out.
 */
#define NANODB_MISUSE 100

/**
 * The progress callback has stopped the call.
 */
#define NANODB_CANCELLED 101

/**
 * The library has a bug, which the text describes. What the call was to write is not written in
 * part; the database can still be used, and is best opened again.
 */
#define NANODB_PANIC 102

/**
 * An error of a kind that this version of the interface has no number for.
 */
#define NANODB_OTHER 103

/**
 * What a call returns: `NANODB_OK`, which is 0, or why it failed.
 */
typedef int32_t nanodb_status;

/**
 * Bytes that the library has made, freed by `nanodb_buf_free`. A zero byte follows them, which
 * `len` does not count: JSON can be printed.
 */
typedef struct nanodb_buf {
    /**
     * The bytes; null if there is nothing, as where no document was found.
     */
    char *data;
    /**
     * How many.
     */
    size_t len;
} nanodb_buf;

/**
 * Why a call failed, freed by `nanodb_error_free`; all zero if it did not.
 */
typedef struct nanodb_error {
    /**
     * What the call has returned.
     */
    nanodb_status status;
    /**
     * The whole reason on one line, which ends with a zero byte.
     */
    char *message;
    /**
     * What the message names, as a JSON object that ends with a zero byte. Its fields, where they
     * are known: `status` (the name of the status), `collection`, `id`, `path` (of the field that
     * is wrong), `operation` (of a bulk write, or document of several, from 0), `line`, `column`,
     * `page`, `file`, `os_error` (the system's number).
     */
    char *details;
} nanodb_error;

/**
 * The format of documents, ids, filters and options: `NANODB_MSGPACK` or `NANODB_JSON`.
 */
typedef int32_t nanodb_format;

/**
 * An open database; made by `nanodb_open`, freed by `nanodb_db_free`.
 */
typedef struct nanodb_db {
    /**
     * A number below 2^53; 0 is no handle.
     */
    uint64_t id;
} nanodb_db;

/**
 * A transaction; made by `nanodb_db_begin`, freed by `nanodb_transaction_free`.
 */
typedef struct nanodb_transaction {
    /**
     * A number below 2^53; 0 is no handle.
     */
    uint64_t id;
} nanodb_transaction;

/**
 * All collections as of one moment; made by `nanodb_db_snapshot`, freed by `nanodb_snapshot_free`.
 */
typedef struct nanodb_snapshot {
    /**
     * A number below 2^53; 0 is no handle.
     */
    uint64_t id;
} nanodb_snapshot;

/**
 * How far compacting or checking has come.
 */
typedef struct nanodb_progress {
    /**
     * The round, from 1 to 4; 0 when checking.
     */
    uint32_t round;
    /**
     * Pages that were dealt with.
     */
    uint64_t pages_done;
    /**
     * All of them.
     */
    uint64_t pages;
    /**
     * Bytes that the file has; 0 when checking.
     */
    uint64_t file_bytes;
} nanodb_progress;

/**
 * Told how far a call has come; returns 0 for it to go on, and anything else to stop it.
 *
 * It may call the library. It must return: no `longjmp`, and no C++ exception, may leave it.
 * `user` is what the call was given.
 */
typedef int32_t (*nanodb_progress_fn)(void *user, const struct nanodb_progress *progress);

/**
 * A collection of a database, of a transaction or of a snapshot; freed by
 * `nanodb_collection_free`.
 */
typedef struct nanodb_collection {
    /**
     * A number below 2^53; 0 is no handle.
     */
    uint64_t id;
} nanodb_collection;

/**
 * What a search finds; made by `nanodb_find` or `nanodb_scan`, freed by `nanodb_cursor_free`.
 */
typedef struct nanodb_cursor {
    /**
     * A number below 2^53; 0 is no handle.
     */
    uint64_t id;
} nanodb_cursor;

/**
 * What an update or a replacement did.
 */
typedef struct nanodb_update_result {
    /**
     * How many documents matched the filter.
     */
    uint64_t matched;
    /**
     * How many documents were changed.
     */
    uint64_t modified;
    /**
     * The id of the document that was inserted because none matched, in the format of the call;
     * null if none was. Freed by `nanodb_buf_free`.
     */
    struct nanodb_buf upserted_id;
} nanodb_update_result;

/**
 * MessagePack. Times are its timestamps; an ObjectId is an extension of type 7, a UUID one of
 * type 4.
 */
#define NANODB_MSGPACK 1

/**
 * JSON in UTF-8: MongoDB's relaxed Extended JSON, with a form for every value.
 */
#define NANODB_JSON 2

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns a sentence for a status, for the case that a call was made without an error to fill in.
 * It is static: it is not freed.
 */
NANODB_WARN_UNUSED_RESULT const char *nanodb_strerror(nanodb_status status);

/**
 * Returns the name of a status, such as `NANODB_INVALID`. It is static: it is not freed.
 */
NANODB_WARN_UNUSED_RESULT const char *nanodb_status_name(nanodb_status status);

/**
 * Frees the bytes that a buffer holds, and makes it empty. A null pointer and an empty buffer are
 * left as they are.
 */
void nanodb_buf_free(struct nanodb_buf *buffer);

/**
 * Frees the texts of an error, and makes it all zero. A null pointer and an error that is all zero
 * are left as they are.
 */
void nanodb_error_free(struct nanodb_error *error);

/**
 * Returns the version of the library, such as `0.1.0`. It is static: it is not freed.
 */
NANODB_WARN_UNUSED_RESULT const char *nanodb_version(void);

/**
 * Returns the version of the library as a number; see `NANODB_VERSION_NUMBER`.
 */
NANODB_WARN_UNUSED_RESULT uint32_t nanodb_version_number(void);

/**
 * Returns how many handles the process has that were not freed: for tests that look for leaks.
 */
NANODB_WARN_UNUSED_RESULT uint64_t nanodb_live_handles(void);

/**
 * Writes a document in the other format.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_convert(const void *document,
                             size_t document_len,
                             nanodb_format from,
                             nanodb_format to,
                             struct nanodb_buf *converted,
                             struct nanodb_error *error);

/**
 * Opens the database in a file, and creates the file if there is none.
 *
 * `options` is a document in the format `format`, or null. Its fields, all of which may be left
 * out:
 *
 * * `create` (true): whether a missing file is created;
 * * `read_only` (false): nothing is written; any number of processes may read a file at once, as
 *   long as none has it open for writing;
 * * `durability` ("immediate"): what a write survives once the call has returned: "immediate" a
 *   power failure, "buffered" the end of the process; "relaxed" writes do so within a second;
 * * `lock_timeout_ms` (0): how long to wait for others to close the file;
 * * `cache_bytes_max` (64 MiB): how many bytes of pages are kept in memory;
 * * `index_bytes_max`, `log_bytes_max`, `transaction_bytes_max`, `file_bytes_max`,
 *   `relaxed_flush_interval_ms`, `background`, `allow_missing_log`: as the options of these names
 *   in Rust.
 *
 * A file that this process has open already is shared, with the options that it was first opened
 * with.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_open(const char *path,
                          size_t path_len,
                          const void *options,
                          size_t options_len,
                          nanodb_format format,
                          struct nanodb_db *db,
                          struct nanodb_error *error);

/**
 * Creates a database that exists in memory only. `options` as in `nanodb_open`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_open_in_memory(const void *options,
                                    size_t options_len,
                                    nanodb_format format,
                                    struct nanodb_db *db,
                                    struct nanodb_error *error);

/**
 * Closes a database: writes everything into the file and unlocks it. One file is left.
 *
 * Waits for calls of other threads. All that came from the database is closed with it: calls on
 * its collections, snapshots and cursors return `NANODB_CLOSED`, and open transactions are rolled
 * back. Their handles are still to be freed, and so is the database's.
 *
 * `others`, which may be null, is how many other openings of the file in this process keep it
 * open.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_close(struct nanodb_db db,
                           uint64_t *others,
                           struct nanodb_error *error);

/**
 * Frees the handle of a database. One that was not closed is closed as soon as all that came from
 * it is freed as well; what fails in that is not reported.
 */
void nanodb_db_free(struct nanodb_db db);

/**
 * Returns where the file is, without links; nothing if the database is in memory.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_path(struct nanodb_db db,
                             struct nanodb_buf *path,
                             struct nanodb_error *error);

/**
 * Returns all collections by name, as an array of documents `{"name": ..., "count": ...}`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_collections(struct nanodb_db db,
                                    nanodb_format format,
                                    struct nanodb_buf *collections,
                                    struct nanodb_error *error);

/**
 * Drops a collection and all of its documents. `dropped`, which may be null, is whether there was
 * one of that name.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_drop_collection(struct nanodb_db db,
                                        const char *name,
                                        size_t name_len,
                                        bool *dropped,
                                        struct nanodb_error *error);

/**
 * Renames a collection. Handles refer to names: those of the old name read as empty from then on.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_rename_collection(struct nanodb_db db,
                                          const char *from,
                                          size_t from_len,
                                          const char *to,
                                          size_t to_len,
                                          struct nanodb_error *error);

/**
 * Begins a transaction, which `nanodb_transaction_commit` or `nanodb_transaction_rollback` ends.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_begin(struct nanodb_db db,
                              struct nanodb_transaction *transaction,
                              struct nanodb_error *error);

/**
 * Returns a view of all collections as they are now, which stays the same whatever is written
 * later. Old versions of what changes are kept as long as it exists.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_snapshot(struct nanodb_db db,
                                 struct nanodb_snapshot *snapshot,
                                 struct nanodb_error *error);

/**
 * Returns once everything written so far would survive a power failure.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_sync(struct nanodb_db db,
                             struct nanodb_error *error);

/**
 * Writes everything that is in the log into the file, and syncs it.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_checkpoint(struct nanodb_db db,
                                   struct nanodb_error *error);

/**
 * Makes the file as short as possible, by moving documents to its front. Readers and writers go on
 * meanwhile.
 *
 * `progress`, which may be null, is called now and then on this thread, with `user`; if it returns
 * anything but 0 the call ends with `NANODB_CANCELLED`, and what was moved until then is moved.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_compact(struct nanodb_db db,
                                nanodb_progress_fn progress,
                                void *user,
                                struct nanodb_error *error);

/**
 * Reads everything and reports what is wrong, as a document: `collections`, `documents`, `pages`
 * (how many there are), `problems`, an array of `{"collection": ..., "page": ..., "text": ...}`,
 * which is empty if all is well. `progress` as in `nanodb_db_compact`, after each page.
 *
 * Damage is not an error of this call; it is in the report.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_check(struct nanodb_db db,
                              nanodb_progress_fn progress,
                              void *user,
                              nanodb_format format,
                              struct nanodb_buf *report,
                              struct nanodb_error *error);

/**
 * Returns figures of the file and of each collection, as a document with the names that they have
 * in Rust: `file_bytes`, `page_count`, `free_pages`, `cached_bytes`, `dirty_bytes`, `older_bytes`,
 * `spilled_bytes`, `log_bytes`, `checkpoints`, and `collections`, an array of documents with
 * `name`, `count`, `pages`, `reserved_pages`, `overflow_pages`, `index_bytes`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_stats(struct nanodb_db db,
                              nanodb_format format,
                              struct nanodb_buf *stats,
                              struct nanodb_error *error);

/**
 * Returns what opening the file found, as a document: `clean`, `commits_replayed`,
 * `bytes_replayed`, `log_lost`, `free_map_lost`, `milliseconds`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_open_report(struct nanodb_db db,
                                    nanodb_format format,
                                    struct nanodb_buf *report,
                                    struct nanodb_error *error);

/**
 * Copies whatever can be read of the file at `path`, however damaged, into this database, and
 * reports what could not be read, as a document: `how` ("opened", "by_pages" or "unverified"),
 * `uncertain`, `documents`, `collections`, an array of
 * `{"name": ..., "documents": ..., "expected": ...}`, and `problems` as in `nanodb_db_check`.
 *
 * Nothing is written to the damaged file. Salvage into an empty database.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_salvage(struct nanodb_db db,
                                const char *path,
                                size_t path_len,
                                nanodb_format format,
                                struct nanodb_buf *report,
                                struct nanodb_error *error);

/**
 * Imports all collections of a file of the Go program, of either version, and reports what was
 * imported, as a document: `documents`, `collections`, an array of
 * `{"name": ..., "documents": ..., "older_versions": ..., "vector_lists": ..., "same_name": ...}`,
 * and `problems` as in `nanodb_db_check`.
 *
 * All of the file is checked before anything is stored. `options` is a document in the format of
 * the call, or null: `skip_damaged` (false: damage is an error), `lock_timeout_ms` (0). Nothing is
 * written to the file.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_import_go(struct nanodb_db db,
                                  const char *path,
                                  size_t path_len,
                                  const void *options,
                                  size_t options_len,
                                  nanodb_format format,
                                  struct nanodb_buf *report,
                                  struct nanodb_error *error);

/**
 * Puts a database in the place of a file of the Go program, with all that this has, and keeps the
 * old file beside it: as a whole or not at all, whenever it is interrupted. Call this before
 * `nanodb_open` if the file may be an old one.
 *
 * `report` is as in `nanodb_db_import_go`, and has the path of the old file as `backup`; it is
 * nothing (`data` is null) if there was nothing to convert. `options` as there.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_convert_go_file(const char *path,
                                     size_t path_len,
                                     const void *options,
                                     size_t options_len,
                                     nanodb_format format,
                                     struct nanodb_buf *report,
                                     struct nanodb_error *error);

/**
 * Returns the collection of that name, which need not exist yet: the first insert creates it. Each
 * call that writes to it is one commit.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_db_collection(struct nanodb_db db,
                                   const char *name,
                                   size_t name_len,
                                   struct nanodb_collection *collection,
                                   struct nanodb_error *error);

/**
 * Returns the collection's name.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_collection_name(struct nanodb_collection collection,
                                     struct nanodb_buf *name,
                                     struct nanodb_error *error);

/**
 * Frees the handle of a collection. The collection itself stays as it is.
 */
void nanodb_collection_free(struct nanodb_collection collection);

/**
 * Returns the collection of that name in a transaction. It has all verbs; what they do is seen by
 * others when the transaction is committed.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_transaction_collection(struct nanodb_transaction transaction,
                                            const char *name,
                                            size_t name_len,
                                            struct nanodb_collection *collection,
                                            struct nanodb_error *error);

/**
 * Sets what the transaction survives once it is committed: "immediate", "buffered" or "relaxed".
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_transaction_set_durability(struct nanodb_transaction transaction,
                                                const char *name,
                                                struct nanodb_error *error);

/**
 * Makes all changes visible to others, at once, and durable. The transaction is over, whatever is
 * returned; its handle, and those of its collections, are still to be freed.
 *
 * After `NANODB_CONFLICT` nothing has changed: begin again.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_transaction_commit(struct nanodb_transaction transaction,
                                        struct nanodb_error *error);

/**
 * Discards all changes. The transaction is over; its handle, and those of its collections, are
 * still to be freed.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_transaction_rollback(struct nanodb_transaction transaction,
                                          struct nanodb_error *error);

/**
 * Frees the handle of a transaction, and rolls back one that is not over.
 */
void nanodb_transaction_free(struct nanodb_transaction transaction);

/**
 * Returns the collection that had this name; one that did not exist reads as empty. It has the
 * verbs that read; those that write return `NANODB_READ_ONLY`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_snapshot_collection(struct nanodb_snapshot snapshot,
                                         const char *name,
                                         size_t name_len,
                                         struct nanodb_collection *collection,
                                         struct nanodb_error *error);

/**
 * Returns the collections that existed; see `nanodb_db_collections`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_snapshot_collections(struct nanodb_snapshot snapshot,
                                          nanodb_format format,
                                          struct nanodb_buf *collections,
                                          struct nanodb_error *error);

/**
 * Frees the handle of a snapshot. Its collections and cursors keep the view alive.
 */
void nanodb_snapshot_free(struct nanodb_snapshot snapshot);

/**
 * Inserts a document. One without `_id` gets the next integer as its id.
 *
 * `id`, which may be null, is the document's id, in the format of the call.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_insert(struct nanodb_collection collection,
                            const void *document,
                            size_t document_len,
                            nanodb_format format,
                            struct nanodb_buf *id,
                            struct nanodb_error *error);

/**
 * Inserts documents, all or none: an array of them, or one after the other. This is much faster
 * than one by one; of a large file, insert a thousand documents at a time, for example.
 *
 * `ids`, which may be null, is an array of their ids in the same order.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_insert_many(struct nanodb_collection collection,
                                 const void *documents,
                                 size_t documents_len,
                                 nanodb_format format,
                                 struct nanodb_buf *ids,
                                 struct nanodb_error *error);

/**
 * Returns the document with this id; nothing (`data` is null) if there is none.
 *
 * Costs one probe of the id index and one page, however large the collection is.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_get(struct nanodb_collection collection,
                         const void *id,
                         size_t id_len,
                         nanodb_format format,
                         struct nanodb_buf *document,
                         struct nanodb_error *error);

/**
 * Returns the document with this integer as its id; nothing (`data` is null) if there is none.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_get_i64(struct nanodb_collection collection,
                             int64_t id,
                             nanodb_format format,
                             struct nanodb_buf *document,
                             struct nanodb_error *error);

/**
 * Returns the documents with the ids of an array, in the same order, as an array: null where there
 * is none. All are as of one moment.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_get_many(struct nanodb_collection collection,
                              const void *ids,
                              size_t ids_len,
                              nanodb_format format,
                              struct nanodb_buf *documents,
                              struct nanodb_error *error);

/**
 * Returns whether there is a document with this id.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_contains(struct nanodb_collection collection,
                              const void *id,
                              size_t id_len,
                              nanodb_format format,
                              bool *found,
                              struct nanodb_error *error);

/**
 * Returns whether there is a document with this integer as its id.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_contains_i64(struct nanodb_collection collection,
                                  int64_t id,
                                  bool *found,
                                  struct nanodb_error *error);

/**
 * Stores a document under an id, whether there is one or not. The document keeps the id, whether
 * it has an `_id` or not.
 *
 * `replaced`, which may be null, is whether it took another's place.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_put(struct nanodb_collection collection,
                         const void *id,
                         size_t id_len,
                         const void *document,
                         size_t document_len,
                         nanodb_format format,
                         bool *replaced,
                         struct nanodb_error *error);

/**
 * Stores a document under an integer as its id; see `nanodb_put`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_put_i64(struct nanodb_collection collection,
                             int64_t id,
                             const void *document,
                             size_t document_len,
                             nanodb_format format,
                             bool *replaced,
                             struct nanodb_error *error);

/**
 * Replaces the document with this id. The new one keeps the id, whether it has an `_id` or not.
 *
 * `replaced`, which may be null, is whether there was one.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_replace(struct nanodb_collection collection,
                             const void *id,
                             size_t id_len,
                             const void *document,
                             size_t document_len,
                             nanodb_format format,
                             bool *replaced,
                             struct nanodb_error *error);

/**
 * Replaces the document with this integer as its id; see `nanodb_replace`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_replace_i64(struct nanodb_collection collection,
                                 int64_t id,
                                 const void *document,
                                 size_t document_len,
                                 nanodb_format format,
                                 bool *replaced,
                                 struct nanodb_error *error);

/**
 * Deletes the document with this id. `deleted`, which may be null, is whether there was one.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_delete(struct nanodb_collection collection,
                            const void *id,
                            size_t id_len,
                            nanodb_format format,
                            bool *deleted,
                            struct nanodb_error *error);

/**
 * Deletes the document with this integer as its id; see `nanodb_delete`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_delete_i64(struct nanodb_collection collection,
                                int64_t id,
                                bool *deleted,
                                struct nanodb_error *error);

/**
 * Starts a search for the documents that match a filter.
 *
 * `options` is a document in the format of the call, or null. Its fields, all of which may be left
 * out: `sort` and `projection` (documents as in MongoDB), `skip`, `limit` (0: none), `threads`
 * (1: how many evaluate the filter), `sort_bytes_max` (100 MiB: how much memory a sort takes
 * before it uses a temporary file).
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_find(struct nanodb_collection collection,
                          const void *filter,
                          size_t filter_len,
                          const void *options,
                          size_t options_len,
                          nanodb_format format,
                          struct nanodb_cursor *cursor,
                          struct nanodb_error *error);

/**
 * Returns the first document that matches a filter; nothing (`data` is null) if none does.
 * `options` as in `nanodb_find`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_find_one(struct nanodb_collection collection,
                              const void *filter,
                              size_t filter_len,
                              const void *options,
                              size_t options_len,
                              nanodb_format format,
                              struct nanodb_buf *document,
                              struct nanodb_error *error);

/**
 * Returns how many documents a collection has. Costs the same for any number.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_count(struct nanodb_collection collection,
                           uint64_t *count,
                           struct nanodb_error *error);

/**
 * Returns how many documents match a filter. Of the `options` of `nanodb_find`, `skip`, `limit`
 * and `threads` matter.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_count_documents(struct nanodb_collection collection,
                                     const void *filter,
                                     size_t filter_len,
                                     const void *options,
                                     size_t options_len,
                                     nanodb_format format,
                                     uint64_t *count,
                                     struct nanodb_error *error);

/**
 * Returns whether a document matches a filter. The search ends with the first that does.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_exists(struct nanodb_collection collection,
                            const void *filter,
                            size_t filter_len,
                            nanodb_format format,
                            bool *found,
                            struct nanodb_error *error);

/**
 * Returns the values at a path in the documents that match a filter, each once, as an array in
 * their order.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_distinct(struct nanodb_collection collection,
                              const char *path,
                              size_t path_len,
                              const void *filter,
                              size_t filter_len,
                              nanodb_format format,
                              struct nanodb_buf *values,
                              struct nanodb_error *error);

/**
 * Returns the values at a path in the documents that match a filter, and how many documents have
 * each, as an array of documents `{"value": ..., "count": ...}`, the most frequent first.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_count_by(struct nanodb_collection collection,
                              const char *path,
                              size_t path_len,
                              const void *filter,
                              size_t filter_len,
                              nanodb_format format,
                              struct nanodb_buf *values,
                              struct nanodb_error *error);

/**
 * Returns how a search would go, as a document: `access_path` ("id_lookup" or "collection_scan"),
 * `ids` (how many are looked up), `sorted`. `options` as in `nanodb_find`, and `analyze`: if that
 * is true the search is carried out, and `documents_examined`, `documents_returned` and
 * `temporary_bytes` are told.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_explain(struct nanodb_collection collection,
                             const void *filter,
                             size_t filter_len,
                             const void *options,
                             size_t options_len,
                             nanodb_format format,
                             struct nanodb_buf *plan,
                             struct nanodb_error *error);

/**
 * Starts to read all documents of a collection, in the order in which they are stored.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_scan(struct nanodb_collection collection,
                          struct nanodb_cursor *cursor,
                          struct nanodb_error *error);

/**
 * Returns the next documents as an array: at most `documents_max`, or 1,000 if that is 0, and
 * fewer if they are large (no more are added once there are 4 MiB) or at the end.
 *
 * `count` is how many; at the end it is 0, and `documents` is nothing (`data` is null).
 *
 * An error of a damaged page is returned once; the next call goes on behind it. What was found
 * before it is returned first, and nothing is lost. One call at a time uses a cursor; others wait.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_cursor_next(struct nanodb_cursor cursor,
                                 size_t documents_max,
                                 nanodb_format format,
                                 struct nanodb_buf *documents,
                                 size_t *count,
                                 struct nanodb_error *error);

/**
 * Frees a cursor.
 */
void nanodb_cursor_free(struct nanodb_cursor cursor);

/**
 * Updates the document with this id. `found`, which may be null, is whether there is one.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_update(struct nanodb_collection collection,
                            const void *id,
                            size_t id_len,
                            const void *update,
                            size_t update_len,
                            nanodb_format format,
                            bool *found,
                            struct nanodb_error *error);

/**
 * Updates the document with this integer as its id; see `nanodb_update`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_update_i64(struct nanodb_collection collection,
                                int64_t id,
                                const void *update,
                                size_t update_len,
                                nanodb_format format,
                                bool *found,
                                struct nanodb_error *error);

/**
 * Updates one document that matches a filter.
 *
 * `options` is a document in the format of the call, or null: `upsert` (whether a document is
 * inserted if none matches), `array_filters` (an array of filters that `$[name]` in the update
 * refers to). `result` may be null.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_update_one(struct nanodb_collection collection,
                                const void *filter,
                                size_t filter_len,
                                const void *update,
                                size_t update_len,
                                const void *options,
                                size_t options_len,
                                nanodb_format format,
                                struct nanodb_update_result *result,
                                struct nanodb_error *error);

/**
 * Updates all documents that match a filter, or none if one of them cannot be updated. `options`
 * and `result` as in `nanodb_update_one`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_update_many(struct nanodb_collection collection,
                                 const void *filter,
                                 size_t filter_len,
                                 const void *update,
                                 size_t update_len,
                                 const void *options,
                                 size_t options_len,
                                 nanodb_format format,
                                 struct nanodb_update_result *result,
                                 struct nanodb_error *error);

/**
 * Replaces one document that matches a filter; the new one keeps its id. `options` is a document
 * in the format of the call, or null: `upsert` (whether the new document is inserted if none
 * matches). `result` may be null.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_replace_one(struct nanodb_collection collection,
                                 const void *filter,
                                 size_t filter_len,
                                 const void *document,
                                 size_t document_len,
                                 const void *options,
                                 size_t options_len,
                                 nanodb_format format,
                                 struct nanodb_update_result *result,
                                 struct nanodb_error *error);

/**
 * Deletes one document that matches a filter. `deleted`, which may be null, is how many did: 0
 * or 1.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_delete_one(struct nanodb_collection collection,
                                const void *filter,
                                size_t filter_len,
                                nanodb_format format,
                                uint64_t *deleted,
                                struct nanodb_error *error);

/**
 * Deletes all documents that match a filter. `deleted`, which may be null, is how many did. A null
 * filter is refused: to delete all, hand in `{}`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_delete_many(struct nanodb_collection collection,
                                 const void *filter,
                                 size_t filter_len,
                                 nanodb_format format,
                                 uint64_t *deleted,
                                 struct nanodb_error *error);

/**
 * Updates one document that matches a filter, and returns it, as it was before; nothing (`data` is
 * null) if none matches.
 *
 * `options` is a document in the format of the call, or null: `sort` (of the documents that match,
 * the first in this order is changed), `projection`, `return_new` (the document is returned as it
 * is after the change), `upsert`, `array_filters`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_find_one_and_update(struct nanodb_collection collection,
                                         const void *filter,
                                         size_t filter_len,
                                         const void *update,
                                         size_t update_len,
                                         const void *options,
                                         size_t options_len,
                                         nanodb_format format,
                                         struct nanodb_buf *document,
                                         struct nanodb_error *error);

/**
 * Replaces one document that matches a filter, and returns it; see `nanodb_find_one_and_update`.
 * The new document keeps the id.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_find_one_and_replace(struct nanodb_collection collection,
                                          const void *filter,
                                          size_t filter_len,
                                          const void *replacement,
                                          size_t replacement_len,
                                          const void *options,
                                          size_t options_len,
                                          nanodb_format format,
                                          struct nanodb_buf *document,
                                          struct nanodb_error *error);

/**
 * Deletes one document that matches a filter, and returns it; nothing (`data` is null) if none
 * matches. `options` is a document in the format of the call, or null: `sort`, `projection`.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_find_one_and_delete(struct nanodb_collection collection,
                                         const void *filter,
                                         size_t filter_len,
                                         const void *options,
                                         size_t options_len,
                                         nanodb_format format,
                                         struct nanodb_buf *document,
                                         struct nanodb_error *error);

/**
 * Makes several writes, one after the other, as one commit: all or none. In a transaction, those
 * before the first that fails stay done.
 *
 * `operations` is an array of documents, each with one field that names what is to be done:
 *
 * * `{"insert_one": {"document": ...}}`
 * * `{"update_one": {"filter": ..., "update": ..., "upsert": true, "array_filters": [...]}}`, and
 *   `update_many` likewise, without `upsert`
 * * `{"replace_one": {"filter": ..., "replacement": ..., "upsert": true}}`
 * * `{"delete_one": {"filter": ...}}`, and `delete_many` likewise
 *
 * `result`, which may be null, is a document: `inserted`, `matched`, `modified`, `deleted`,
 * `upserted` (how many), and `inserted_ids` and `upserted_ids`, arrays of
 * `{"operation": ..., "id": ...}`, where operations are counted from 0.
 */
NANODB_WARN_UNUSED_RESULT
nanodb_status nanodb_bulk_write(struct nanodb_collection collection,
                                const void *operations,
                                size_t operations_len,
                                nanodb_format format,
                                struct nanodb_buf *result,
                                struct nanodb_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  /* NANODB_H */
