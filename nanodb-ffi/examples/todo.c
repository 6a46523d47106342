/*
 * A to-do list that survives a kill.
 *
 *     todo FILE add TEXT...      adds an entry
 *     todo FILE done NUMBER      marks it as done
 *     todo FILE list             prints what is to be done, then what is done
 *     todo FILE stress COUNT     adds so many entries, printing the number of each once it is safe
 *
 * Build it with what pkg-config says:  cc todo.c $(pkg-config --cflags --libs nanodb)
 */
#include <nanodb.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints why a call failed, frees the reason, and returns the program's exit status. */
static int failed(const char *doing, nanodb_error *error) {
    fprintf(stderr, "todo: %s: %s (%s)\n", doing, error->message,
            nanodb_status_name(error->status));
    nanodb_error_free(error);
    return 1;
}

/* Writes a text as a JSON string; returns how many bytes it takes, without the last zero. */
static size_t quote(const char *text, char *out) {
    size_t len = 0;
    out[len++] = '"';
    for (; *text != 0; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            out[len++] = '\\';
            out[len++] = (char)byte;
        } else if (byte < ' ') {
            len += (size_t)sprintf(out + len, "\\u%04x", byte);
        } else {
            out[len++] = (char)byte;
        }
    }
    out[len++] = '"';
    out[len] = 0;
    return len;
}

static int add(nanodb_collection list, const char *text) {
    nanodb_error error;
    nanodb_buf id;
    char *document = (char *)malloc(6 * strlen(text) + 64);
    size_t len;
    if (document == NULL) {
        return 1;
    }
    len = (size_t)sprintf(document, "{\"done\": false, \"text\": ");
    len += quote(text, document + len);
    document[len++] = '}';

    /* Once this has returned the entry survives a power failure. */
    if (nanodb_insert(list, document, len, NANODB_JSON, &id, &error) != NANODB_OK) {
        free(document);
        return failed("adding an entry", &error);
    }
    printf("%s\n", id.data);
    fflush(stdout);
    nanodb_buf_free(&id);
    free(document);
    return 0;
}

static int done(nanodb_collection list, int64_t id) {
    static const char update[] = "{\"$set\": {\"done\": true}}";
    nanodb_error error;
    bool found;
    if (nanodb_update_i64(list, id, update, NANODB_NUL_TERMINATED, NANODB_JSON, &found, &error) !=
        NANODB_OK) {
        return failed("marking an entry", &error);
    }
    if (!found) {
        fprintf(stderr, "todo: there is no entry %" PRId64 "\n", id);
        return 1;
    }
    return 0;
}

static int print_all(nanodb_collection list) {
    static const char options[] = "{\"sort\": {\"done\": 1, \"_id\": 1}}";
    nanodb_error error;
    nanodb_cursor cursor;
    int result = 0;
    if (nanodb_find(list, NULL, 0, options, NANODB_NUL_TERMINATED, NANODB_JSON, &cursor, &error) !=
        NANODB_OK) {
        return failed("searching", &error);
    }
    for (;;) {
        nanodb_buf documents;
        size_t count;
        if (nanodb_cursor_next(cursor, 0, NANODB_JSON, &documents, &count, &error) != NANODB_OK) {
            result = failed("reading", &error);
            break;
        }
        if (count == 0) {
            break;
        }
        /* An array of up to a thousand documents. */
        printf("%s\n", documents.data);
        nanodb_buf_free(&documents);
    }
    nanodb_cursor_free(cursor);
    return result;
}

int main(int argc, char **argv) {
    nanodb_error error;
    nanodb_db db;
    nanodb_collection list;
    int result = 2;

    if (argc < 3) {
        fprintf(stderr, "usage: todo FILE add TEXT | done NUMBER | list | stress COUNT\n");
        return 2;
    }
    if (nanodb_open(argv[1], NANODB_NUL_TERMINATED, NULL, 0, NANODB_JSON, &db, &error) !=
        NANODB_OK) {
        return failed("opening the file", &error);
    }
    if (nanodb_db_collection(db, "todo", NANODB_NUL_TERMINATED, &list, &error) != NANODB_OK) {
        nanodb_db_free(db);
        return failed("the collection", &error);
    }

    if (strcmp(argv[2], "add") == 0 && argc == 4) {
        result = add(list, argv[3]);
    } else if (strcmp(argv[2], "done") == 0 && argc == 4) {
        result = done(list, strtoll(argv[3], NULL, 10));
    } else if (strcmp(argv[2], "list") == 0 && argc == 3) {
        result = print_all(list);
    } else if (strcmp(argv[2], "stress") == 0 && argc == 4) {
        long count = strtol(argv[3], NULL, 10);
        for (result = 0; result == 0 && count > 0; count--) {
            result = add(list, "something to do");
        }
    } else {
        fprintf(stderr, "todo: what is to be done?\n");
    }

    nanodb_collection_free(list);
    if (nanodb_close(db, NULL, &error) != NANODB_OK) {
        result = failed("closing the file", &error);
    }
    nanodb_db_free(db);
    return result;
}
