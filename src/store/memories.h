/* memories.h — the nouns that remember something beside their rows: their places in the table of
 * nouns.c, by which each finds its own (db_memory()). */
#ifndef POSTBACKD_MEMORIES_H
#define POSTBACKD_MEMORIES_H

enum memory {
    MEMORY_ORDERED, /* before the ledger, which tells of the newest id */
    MEMORY_LEDGER,
    MEMORY_ROUTES,
    MEMORY_FAN_OUTS,
    MEMORY_QUOTAS,
    MEMORY_LETTERS,
    MEMORY_EVENT_TYPES,
    MEMORIES
};

#endif
