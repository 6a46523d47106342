/* What a call through koffi costs that does no work: it returns a text that is there. */

#include <stdlib.h>
#include <string.h>

static char *text;

void floor_set(const char *given) {
    free(text);
    text = strdup(given);
}

char *floor_text(const char *collection, long long id) {
    (void)collection;
    (void)id;
    return text;
}
