/*
 * A forked child uses nothing that its parent has opened, is told so, and opens files of its own;
 * the parent's file and log stay as they are.
 */
#define _POSIX_C_SOURCE 200809L

#include <nanodb.h>
#include <nanodb_go.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUL NANODB_NUL_TERMINATED
#define PATH_MAX_ 4096
#define FILES 4

static int checks = 0;

#define CHECK(condition)                                                              \
    do {                                                                              \
        checks++;                                                                     \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* Checks that a call has failed since its handle is the parent's. */
#define INHERITED(call)                                                               \
    do {                                                                              \
        CHECK((call) == NANODB_LOCKED);                                               \
        CHECK(error.status == NANODB_LOCKED && strstr(error.message, "fork") != NULL); \
        nanodb_error_free(&error);                                                    \
    } while (0)

#define OK(call) CHECK((call) == NANODB_OK)

static const char *const SUFFIXES[FILES] = {"", "-log0", "-log1", "-dwb"};

/* The bytes of a database and of what lies beside it. */
typedef struct {
    char *data[FILES];
    size_t len[FILES];
} files;

static void name(char *to, const char *path, const char *suffix) {
    CHECK(snprintf(to, PATH_MAX_, "%s%s", path, suffix) < PATH_MAX_);
}

/* Reads a file whole; null if there is none. */
static char *contents(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    char *data;
    long size;
    *len = 0;
    if (file == NULL) {
        return NULL;
    }
    CHECK(fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0);
    rewind(file);
    data = (char *)malloc((size_t)size + 1);
    CHECK(data != NULL);
    *len = fread(data, 1, (size_t)size, file);
    CHECK(*len == (size_t)size);
    data[*len] = 0;
    fclose(file);
    return data;
}

static files read_files(const char *path) {
    files read;
    char of[PATH_MAX_];
    int i;
    for (i = 0; i < FILES; i++) {
        name(of, path, SUFFIXES[i]);
        read.data[i] = contents(of, &read.len[i]);
    }
    CHECK(read.len[0] > 0);
    return read;
}

/* Checks that the files are as they were, and frees what was read. */
static void expect_unchanged(files before, const char *path) {
    files now = read_files(path);
    int i;
    for (i = 0; i < FILES; i++) {
        CHECK((now.data[i] == NULL) == (before.data[i] == NULL) && now.len[i] == before.len[i]);
        CHECK(now.len[i] == 0 || memcmp(now.data[i], before.data[i], now.len[i]) == 0);
        free(now.data[i]);
        free(before.data[i]);
    }
}

/* A child that waits for a lock for ever is ended. */
static pid_t forked(void) {
    pid_t child;
    fflush(NULL);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(120);
    }
    return child;
}

static void expect_success(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

typedef struct {
    nanodb_db db;
    nanodb_collection users;
    nanodb_cursor cursor;
    nanodb_snapshot snapshot;
    nanodb_transaction transaction;
} opened;

static opened open_all(const char *path) {
    nanodb_error error;
    opened all;
    int i;
    OK(nanodb_open(path, NUL, NULL, 0, NANODB_JSON, &all.db, &error));
    OK(nanodb_db_collection(all.db, "users", NUL, &all.users, &error));
    for (i = 0; i < 10; i++) {
        OK(nanodb_insert(all.users, "{}", NUL, NANODB_JSON, NULL, &error));
    }
    OK(nanodb_find(all.users, NULL, 0, NULL, 0, NANODB_JSON, &all.cursor, &error));
    OK(nanodb_db_snapshot(all.db, &all.snapshot, &error));
    OK(nanodb_db_begin(all.db, &all.transaction, &error));
    return all;
}

static void free_all(opened all) {
    nanodb_transaction_free(all.transaction);
    nanodb_snapshot_free(all.snapshot);
    nanodb_cursor_free(all.cursor);
    nanodb_collection_free(all.users);
    nanodb_db_free(all.db);
}

/* Opens a file, writes, reads and closes it. */
static void use(const char *path, uint64_t documents) {
    nanodb_error error;
    nanodb_db db;
    nanodb_collection users;
    uint64_t count;
    OK(nanodb_open(path, NUL, NULL, 0, NANODB_JSON, &db, &error));
    OK(nanodb_db_collection(db, "users", NUL, &users, &error));
    OK(nanodb_insert(users, "{}", NUL, NANODB_JSON, NULL, &error));
    OK(nanodb_count(users, &count, &error));
    CHECK(count == documents);
    CHECK(nanodb_live_handles() == 2);
    OK(nanodb_close(db, NULL, &error));
    nanodb_collection_free(users);
    nanodb_db_free(db);
    CHECK(nanodb_live_handles() == 0);
}

/* What the parent has opened is refused, and a file that is open nowhere is not. */
static void child_of(opened all, const char *path, const char *other) {
    nanodb_error error;
    nanodb_db db;
    nanodb_collection collection;
    nanodb_snapshot snapshot;
    nanodb_buf buffer;
    size_t len;
    uint64_t count;

    INHERITED(nanodb_insert(all.users, "{}", NUL, NANODB_JSON, &buffer, &error));
    INHERITED(nanodb_get_i64(all.users, 1, NANODB_JSON, &buffer, &error));
    INHERITED(nanodb_count(all.users, &count, &error));
    INHERITED(nanodb_cursor_next(all.cursor, 0, NANODB_JSON, &buffer, &len, &error));
    INHERITED(nanodb_snapshot_collection(all.snapshot, "users", NUL, &collection, &error));
    INHERITED(nanodb_transaction_commit(all.transaction, &error));
    INHERITED(nanodb_db_snapshot(all.db, &snapshot, &error));
    INHERITED(nanodb_db_collection(all.db, "users", NUL, &collection, &error));
    INHERITED(nanodb_db_checkpoint(all.db, &error));
    INHERITED(nanodb_close(all.db, NULL, &error));
    CHECK(nanodb_live_handles() == 0);
    free_all(all);
    INHERITED(nanodb_count(all.users, &count, &error));

    CHECK(nanodb_open(path, NUL, NULL, 0, NANODB_JSON, &db, &error) == NANODB_LOCKED);
    nanodb_error_free(&error);
    use(other, 1);
}

static void handles(const char *path) {
    nanodb_error error;
    char other[PATH_MAX_];
    opened all = open_all(path);
    files before = read_files(path);
    nanodb_buf report;
    uint64_t count;
    size_t len;
    int gate[2];
    char byte;
    pid_t child = forked();

    name(other, path, ".child");
    if (child == 0) {
        child_of(all, path, other);
        exit(0);
    }
    expect_success(child);
    expect_unchanged(before, path);
    OK(nanodb_cursor_next(all.cursor, 0, NANODB_JSON, &report, &len, &error));
    CHECK(len == 10);
    nanodb_buf_free(&report);
    OK(nanodb_transaction_commit(all.transaction, &error));
    OK(nanodb_insert(all.users, "{}", NUL, NANODB_JSON, NULL, &error));
    OK(nanodb_count(all.users, &count, &error));
    CHECK(count == 11);
    OK(nanodb_db_check(all.db, NULL, NULL, NANODB_JSON, &report, &error));
    CHECK(strstr(report.data, "\"problems\":[]") != NULL);
    nanodb_buf_free(&report);

    /* Once the parent has closed the file, the child may have it. */
    CHECK(pipe(gate) == 0);
    child = forked();
    if (child == 0) {
        CHECK(read(gate[0], &byte, 1) == 1);
        use(path, 12);
        exit(0);
    }
    OK(nanodb_close(all.db, NULL, &error));
    free_all(all);
    CHECK(nanodb_live_handles() == 0);
    CHECK(write(gate[1], "x", 1) == 1);
    expect_success(child);
    close(gate[0]);
    close(gate[1]);
    use(path, 13);
}

typedef struct {
    nanodb_db db;
    nanodb_collection users;
    volatile bool *is_over;
} writer;

/* Writes, and makes and frees handles. */
static void *write_on(void *given) {
    writer *to = (writer *)given;
    nanodb_error error;
    nanodb_snapshot snapshot;
    while (!*to->is_over) {
        if (nanodb_insert(to->users, "{}", NUL, NANODB_JSON, NULL, &error) != NANODB_OK ||
            nanodb_db_snapshot(to->db, &snapshot, &error) != NANODB_OK) {
            fprintf(stderr, "beside a fork: %s\n", error.message);
            exit(1);
        }
        nanodb_snapshot_free(snapshot);
    }
    return NULL;
}

/* Locks that other threads hold when a child is forked are nothing to it. */
static void beside_threads(const char *path) {
    nanodb_error error;
    volatile bool is_over = false;
    pthread_t threads[2];
    char other[PATH_MAX_], suffix[32];
    writer to;
    pid_t child;
    uint64_t count;
    int i;

    to.is_over = &is_over;
    OK(nanodb_open(path, NUL, "{\"durability\": \"buffered\"}", NUL, NANODB_JSON, &to.db, &error));
    OK(nanodb_db_collection(to.db, "users", NUL, &to.users, &error));
    for (i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, write_on, &to) == 0);
    }
    for (i = 0; i < 10; i++) {
        child = forked();
        if (child == 0) {
            CHECK(nanodb_count(to.users, &count, NULL) == NANODB_LOCKED);
            snprintf(suffix, sizeof(suffix), ".child%d", i);
            name(other, path, suffix);
            use(other, 1);
            /* What the other threads had in hand is lost here, as valgrind would say: so another
             * program ends in the child's place. */
            execlp("true", "true", (char *)NULL);
            _exit(1);
        }
        expect_success(child);
    }
    is_over = true;
    for (i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    OK(nanodb_close(to.db, NULL, &error));
    nanodb_collection_free(to.users);
    nanodb_db_free(to.db);
}

static void expect_refused(void) {
    CHECK(NanoGetCollections() == NULL);
    CHECK(NanoFind("c", "{}", 0, 0) == NULL);
    CHECK(NanoFindById("c", 1) == NULL);
    CHECK(NanoInsert("c", "{}") == -1);
    CHECK(NanoDeleteMany("c", "{}") == -1);
}

static void expect_text(char *text, const char *expected) {
    CHECK(text != NULL && strcmp(text, expected) == 0);
    NanoFree(text);
}

/* How often a text is in another one. */
static int times(const char *in, const char *text) {
    int found = 0;
    for (in = strstr(in, text); in != NULL; in = strstr(in + 1, text)) {
        found++;
    }
    return found;
}

/* The same through the functions of the Go program's library. */
static void of_the_go_program(const char *path) {
    char other[PATH_MAX_], told_to[PATH_MAX_];
    char *told;
    size_t len;
    files before;
    pid_t child;

    name(other, path, ".child");
    name(told_to, path, ".told");
    NanoInit(path);
    CHECK(NanoCreateCollection("c") == 1);
    CHECK(NanoInsert("c", "{}") == 1);
    before = read_files(path);
    child = forked();
    if (child == 0) {
        int to = open(told_to, O_CREAT | O_WRONLY, 0600);
        CHECK(to >= 0 && dup2(to, STDERR_FILENO) >= 0);
        close(to);
        expect_refused();
        expect_refused();
        CHECK(NanoClose() == 1);
        NanoInit(path);
        expect_refused();
        NanoInit(other);
        CHECK(NanoCreateCollection("c") == 1);
        CHECK(NanoInsert("c", "{\"n\": 1}") == 1);
        CHECK(NanoClose() == -1);
        CHECK(NanoClose() == 1);
        exit(0);
    }
    expect_success(child);
    expect_unchanged(before, path);
    told = contents(told_to, &len);
    CHECK(told != NULL);
    if (times(told, "nanodb: ") != 2 || times(told, "forked from") != 1 ||
        times(told, "nanodb: NanoInit: ") != 1) {
        fprintf(stderr, "the child was told\n%s", told);
        exit(1);
    }
    free(told);
    CHECK(NanoInsert("c", "{}") == 2);
    expect_text(NanoFind("c", "{}", 0, 0), "[{\"_id\":1},{\"_id\":2}]");
    CHECK(NanoClose() == 1);
    NanoInit(path);
    expect_text(NanoFind("c", "{}", 0, 0), "[{\"_id\":1},{\"_id\":2}]");
    CHECK(NanoClose() == 1);
    NanoInit(other);
    expect_text(NanoFind("c", "{}", 0, 0), "[{\"_id\":1,\"n\":1}]");
    CHECK(NanoClose() == 1);
}

int main(int argc, char **argv) {
    char path[PATH_MAX_];
    CHECK(argc == 2);
    handles(argv[1]);
    name(path, argv[1], ".go");
    of_the_go_program(path);
    name(path, argv[1], ".threads");
    beside_threads(path);
    CHECK(nanodb_live_handles() == 0);
    printf("%d checks\n", checks);
    return 0;
}
