/* holds.c — a set of reasons; whoever holds is told when it becomes empty or ceases to be. */
#include "engine/holds.h"

void holds_set(struct holds *holds, enum hold reason, bool hold)
{
    unsigned reasons = hold ? holds->reasons | reason : holds->reasons & ~(unsigned)reason;
    bool changed = (reasons == 0) != (holds->reasons == 0);
    holds->reasons = reasons;
    if (changed)
        holds->changed(holds->context, reasons != 0);
}

bool holds_have(const struct holds *holds, enum hold reason)
{
    return (holds->reasons & reason) != 0;
}
