#include "mutate/list.h"

#include <string.h>

void cts_mut_add(struct cts_mut_list *list, const struct cts_mutant *m)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 1024;
        struct cts_mutant *more = cts_arena_take_array(list->arena, cap, sizeof(*more));
        if (!more) {
            list->failed = true;
            return;
        }
        if (list->count)
            memcpy(more, list->all, list->count * sizeof(*more));
        list->all = more;
        list->cap = cap;
    }
    list->all[list->count++] = *m;
}
