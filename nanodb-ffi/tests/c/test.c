/*
 * The library as C and C++ use it: compiled with all warnings, and run under valgrind.
 * What each function does is tested in tests/it; this tests that C can call it, and frees all.
 */
#include <nanodb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUL NANODB_NUL_TERMINATED

static int checks = 0;

#define CHECK(condition)                                                              \
    do {                                                                              \
        checks++;                                                                     \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* Checks that a call has succeeded, and says why if it has not. */
#define OK(call)                                                                      \
    do {                                                                              \
        nanodb_status status_ = (call);                                               \
        checks++;                                                                     \
        if (status_ != NANODB_OK) {                                                   \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,                    \
                    nanodb_status_name(status_),                                      \
                    error.message == NULL ? "" : error.message);                      \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* Checks what a buffer holds, and frees it. */
static void expect(nanodb_buf *buffer, const char *text) {
    if (text == NULL) {
        CHECK(buffer->data == NULL && buffer->len == 0);
    } else {
        CHECK(buffer->data != NULL && buffer->len == strlen(text));
        if (strcmp(buffer->data, text) != 0) {
            fprintf(stderr, "expected %s\nfound    %s\n", text, buffer->data);
            exit(1);
        }
    }
    nanodb_buf_free(buffer);
    CHECK(buffer->data == NULL && buffer->len == 0);
}

static int32_t count_calls(void *user, const nanodb_progress *progress) {
    CHECK(progress->pages_done <= progress->pages);
    return ++*(int *)user > 3;
}

static void verbs(nanodb_collection users) {
    nanodb_error error;
    nanodb_buf buffer;
    nanodb_update_result result;
    nanodb_cursor cursor;
    bool flag;
    uint64_t number;
    size_t count;

    OK(nanodb_insert(users, "{\"name\": \"Ann\"}", NUL, NANODB_JSON, &buffer, &error));
    expect(&buffer, "1");
    OK(nanodb_insert_many(users, "[{\"n\": 1}, {\"n\": 2}]", NUL, NANODB_JSON, &buffer, &error));
    expect(&buffer, "[2,3]");
    OK(nanodb_insert(users, "\x81\xa1n\x05", 4, NANODB_MSGPACK, NULL, &error));
    OK(nanodb_get(users, "2", 1, NANODB_JSON, &buffer, &error));
    expect(&buffer, "{\"_id\":2,\"n\":1}");
    OK(nanodb_get_i64(users, 4, NANODB_JSON, &buffer, &error));
    expect(&buffer, "{\"_id\":4,\"n\":5}");
    OK(nanodb_get_i64(users, 5, NANODB_JSON, &buffer, &error));
    expect(&buffer, NULL);
    OK(nanodb_get_many(users, "[3, 9]", NUL, NANODB_JSON, &buffer, &error));
    expect(&buffer, "[{\"_id\":3,\"n\":2},null]");
    OK(nanodb_contains_i64(users, 3, &flag, &error));
    CHECK(flag);
    OK(nanodb_put_i64(users, 7, "{\"a\": true}", NUL, NANODB_JSON, &flag, &error));
    CHECK(!flag);
    OK(nanodb_replace_i64(users, 7, "{\"a\": false}", NUL, NANODB_JSON, &flag, &error));
    CHECK(flag);
    OK(nanodb_update_i64(users, 7, "{\"$set\": {\"b\": 1}}", NUL, NANODB_JSON, &flag, &error));
    CHECK(flag);
    OK(nanodb_delete_i64(users, 7, &flag, &error));
    CHECK(flag);

    OK(nanodb_update_one(users, "{\"n\": 99}", NUL, "{\"$set\": {\"m\": 1}}", NUL,
                         "{\"upsert\": true}", NUL, NANODB_JSON, &result, &error));
    CHECK(result.matched == 0 && result.modified == 0);
    expect(&result.upserted_id, "8");
    OK(nanodb_update_many(users, NULL, 0, "{\"$inc\": {\"n\": 1}}", NUL, NULL, 0, NANODB_JSON,
                          &result, &error));
    CHECK(result.matched == 5 && result.modified == 5);
    expect(&result.upserted_id, NULL);

    OK(nanodb_find(users, "{\"n\": {\"$gte\": 2}}", NUL,
                   "{\"sort\": {\"n\": -1}, \"projection\": {\"n\": 1, \"_id\": 0}}", NUL,
                   NANODB_JSON, &cursor, &error));
    OK(nanodb_cursor_next(cursor, 2, NANODB_JSON, &buffer, &count, &error));
    CHECK(count == 2);
    expect(&buffer, "[{\"n\":100},{\"n\":6}]");
    OK(nanodb_cursor_next(cursor, 0, NANODB_JSON, &buffer, &count, &error));
    CHECK(count == 2);
    expect(&buffer, "[{\"n\":3},{\"n\":2}]");
    OK(nanodb_cursor_next(cursor, 0, NANODB_JSON, &buffer, &count, &error));
    CHECK(count == 0);
    expect(&buffer, NULL);
    nanodb_cursor_free(cursor);
    CHECK(nanodb_cursor_next(cursor, 0, NANODB_JSON, &buffer, &count, NULL) == NANODB_CLOSED);

    OK(nanodb_count(users, &number, &error));
    CHECK(number == 5);
    OK(nanodb_distinct(users, "n", NUL, NULL, 0, NANODB_JSON, &buffer, &error));
    expect(&buffer, "[1,2,3,6,100]");
    OK(nanodb_bulk_write(users, "[{\"delete_many\": {\"filter\": {\"n\": {\"$gt\": 5}}}}]", NUL,
                         NANODB_JSON, NULL, &error));
    OK(nanodb_delete_many(users, "{}", NUL, NANODB_JSON, &number, &error));
    CHECK(number == 3);
}

static void errors(nanodb_db db, nanodb_collection users) {
    nanodb_error error;
    nanodb_buf buffer;
    nanodb_db none = {0};
    nanodb_collection other = {db.id};

    CHECK(nanodb_insert(users, "{\"a\": {\"$dat\": 1}}", NUL, NANODB_JSON, &buffer, &error) ==
          NANODB_INVALID);
    CHECK(buffer.data == NULL);
    CHECK(error.status == NANODB_INVALID && strstr(error.message, "$dat") != NULL);
    CHECK(strstr(error.details, "\"column\":7") != NULL);
    nanodb_error_free(&error);
    CHECK(error.message == NULL);
    nanodb_error_free(&error);

    /* Handles of nothing, and of something else. */
    CHECK(nanodb_db_sync(none, NULL) == NANODB_MISUSE);
    CHECK(nanodb_insert(other, "{}", NUL, NANODB_JSON, NULL, NULL) == NANODB_MISUSE);
    CHECK(nanodb_insert(users, NULL, 5, NANODB_JSON, NULL, NULL) == NANODB_MISUSE);
    CHECK(strcmp(nanodb_status_name(NANODB_MISUSE), "NANODB_MISUSE") == 0);
    CHECK(strlen(nanodb_strerror(NANODB_LOCKED)) > 0);
}

static void transactions(nanodb_db db, nanodb_collection users) {
    nanodb_error error;
    nanodb_transaction transaction;
    nanodb_snapshot snapshot;
    nanodb_collection within, before;
    uint64_t count;

    OK(nanodb_db_snapshot(db, &snapshot, &error));
    OK(nanodb_db_begin(db, &transaction, &error));
    OK(nanodb_transaction_set_durability(transaction, "buffered", &error));
    OK(nanodb_transaction_collection(transaction, "users", NUL, &within, &error));
    OK(nanodb_insert(within, "{}", NUL, NANODB_JSON, NULL, &error));
    OK(nanodb_count(users, &count, &error));
    CHECK(count == 0);
    OK(nanodb_transaction_commit(transaction, &error));
    CHECK(nanodb_count(within, &count, NULL) == NANODB_TRANSACTION_OVER);
    nanodb_collection_free(within);
    nanodb_transaction_free(transaction);
    OK(nanodb_count(users, &count, &error));
    CHECK(count == 1);

    OK(nanodb_snapshot_collection(snapshot, "users", NUL, &before, &error));
    nanodb_snapshot_free(snapshot);
    OK(nanodb_count(before, &count, &error));
    CHECK(count == 0);
    CHECK(nanodb_insert(before, "{}", NUL, NANODB_JSON, NULL, NULL) == NANODB_READ_ONLY);
    nanodb_collection_free(before);
}

int main(int argc, char **argv) {
    nanodb_error error;
    nanodb_db db, again;
    nanodb_collection users;
    nanodb_buf buffer;
    uint64_t others;
    int calls = 0;

    CHECK(argc == 2);
    CHECK(nanodb_version_number() == NANODB_VERSION_NUMBER);
    CHECK(strlen(nanodb_version()) >= 5);

    OK(nanodb_open(argv[1], NUL, "{\"durability\": \"buffered\"}", NUL, NANODB_JSON, &db, &error));
    OK(nanodb_db_collection(db, "users", 5, &users, &error));
    verbs(users);
    errors(db, users);
    transactions(db, users);

    OK(nanodb_db_collections(db, NANODB_JSON, &buffer, &error));
    expect(&buffer, "[{\"name\":\"users\",\"count\":1}]");
    OK(nanodb_db_check(db, NULL, NULL, NANODB_JSON, &buffer, &error));
    CHECK(strstr(buffer.data, "\"problems\":[]") != NULL);
    nanodb_buf_free(&buffer);
    OK(nanodb_db_check(db, count_calls, &calls, NANODB_JSON, &buffer, &error));
    nanodb_buf_free(&buffer);
    CHECK(calls > 0);
    OK(nanodb_db_compact(db, NULL, NULL, &error));
    OK(nanodb_db_checkpoint(db, &error));

    OK(nanodb_open(argv[1], NUL, NULL, 0, NANODB_JSON, &again, &error));
    OK(nanodb_close(db, &others, &error));
    CHECK(others == 1);
    CHECK(nanodb_count(users, &others, NULL) == NANODB_CLOSED);
    OK(nanodb_close(again, &others, &error));
    CHECK(others == 0);
    nanodb_collection_free(users);
    nanodb_db_free(again);
    nanodb_db_free(db);
    nanodb_db_free(db);
    CHECK(nanodb_live_handles() == 0);
    printf("%d checks\n", checks);
    return 0;
}
