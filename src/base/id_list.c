/* id_list.c — distances in zigzag order (0, -1, 1, -2, …), seven bits a byte, the lowest first; the
 * eighth bit says that more follow. */
#include "base/id_list.h"

#include "base/fail.h"

void id_list_add(struct id_list *list, int64_t id)
{
    uint64_t step = (uint64_t)id - (uint64_t)list->last;
    uint64_t left = step << 1 ^ (step >> 63 != 0 ? UINT64_MAX : 0);
    if (list->reads)
        bug("an id is added to a list that is read");
    do {
        buf_char(&list->bytes, (char)(unsigned char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
        left >>= 7;
    } while (left > 0);
    if (list->bytes.failed)
        bug("a list of %zu ids is too long", list->count);
    list->count++;
    list->last = id;
}

bool id_list_next(struct id_list *list, int64_t *id)
{
    uint64_t got = 0;
    unsigned char byte = 0x80;
    if (!list->reads)
        list->last = 0;
    list->reads = true;
    if (list->at == list->bytes.len)
        return false;
    for (int shift = 0; (byte & 0x80) != 0; shift += 7) {
        byte = (unsigned char)list->bytes.data[list->at++];
        got |= (uint64_t)(byte & 0x7f) << shift;
    }
    uint64_t step = got >> 1 ^ ((got & 1) != 0 ? UINT64_MAX : 0);
    list->last = (int64_t)((uint64_t)list->last + step);
    *id = list->last;
    return true;
}

void id_list_free(struct id_list *list)
{
    buf_free(&list->bytes);
    *list = (struct id_list){ 0 };
}
