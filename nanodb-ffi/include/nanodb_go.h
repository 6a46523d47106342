/*
 * The interface of the Go program's library, for programs that were written for it.
 *
 * A text ends with a zero byte, and is UTF-8. What is returned is the caller's, who frees it with
 * NanoFree. There is one database for the process. docs/guide/src/migrations.md says what differs.
 */

#ifndef NANODB_GO_H
#define NANODB_GO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens the database in a file, and creates the file if there is none. A file of the Go program is
 * converted first, and kept beside the new one as `PATH.go-backup`.
 *
 * The file that is open already has one more user. If it cannot be opened, or another file is
 * open, the reason goes to standard error, and until a call succeeds all others return their error
 * values.
 */
void NanoInit(const char *path);

/**
 * Ends one use of the database; the last one closes the file. Returns 1, also if nothing is open,
 * or -1: the file was not closed cleanly, or this ends a `NanoInit` that had failed.
 */
long long NanoClose(void);

/**
 * Creates a collection. Returns 1, 0 if there is one of that name, or -1.
 */
long long NanoCreateCollection(const char *name);

/**
 * Returns the names of all collections as a JSON array; null if it fails.
 */
char *NanoGetCollections(void);

/**
 * Inserts a document, and returns its id, which is below 2^53; -1 if it fails. An `_id` that the
 * document has is replaced.
 */
long long NanoInsert(const char *collection, const char *document);

/**
 * Inserts the documents of a JSON array, all or none, and returns their ids as one; null if it
 * fails.
 */
char *NanoInsertMany(const char *collection, const char *documents);

/**
 * Returns the documents that match a query as a JSON array; null if it fails. A limit or a skip
 * that is not positive is none.
 */
char *NanoFind(const char *collection, const char *query, long long limit, long long skip);

/**
 * Returns a document that matches a query; the text `null` if none does, and null if it fails.
 */
char *NanoFindOne(const char *collection, const char *query);

/**
 * Returns the document with an id; the text `null` if there is none, and null if it fails.
 */
char *NanoFindById(const char *collection, long long id);

/**
 * Sets the fields of a patch in the document with an id, and returns the document; null if there
 * is none, or it fails. The `_id` stays.
 */
char *NanoUpdateById(const char *collection, long long id, const char *patch);

/**
 * Sets the fields of a patch in all documents that match a query, or in none if it fails, and
 * returns these documents as a JSON array; null if it fails.
 */
char *NanoUpdateMany(const char *collection, const char *query, const char *patch);

/**
 * Deletes the document with an id. Returns 1, or -1 if there is none, or it fails.
 */
long long NanoDeleteById(const char *collection, long long id);

/**
 * Deletes all documents that match a query. Returns 1, however many these are, or -1 if it fails.
 */
long long NanoDeleteMany(const char *collection, const char *query);

/**
 * Returns the ids of the documents whose `_embeddings` are nearest to a vector, `top_k` of them,
 * the nearest first, as a JSON array; null if it fails. Documents whose array has another length,
 * or holds something else, are left out.
 */
char *NanoVectorSearch(const char *collection, const char *vector, long long top_k);

/**
 * Frees a text that one of the functions has returned; null may be freed, too.
 */
void NanoFree(char *text);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  /* NANODB_GO_H */
