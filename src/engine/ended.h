/* ended.h — an attempt has ended: what all who watch attempts are told (observers.h). */
#ifndef POSTBACKD_ENDED_H
#define POSTBACKD_ENDED_H

#include "model/attempt.h"
#include "model/postback.h"

struct ended {                       /* lent for the call */
    const struct postback *postback; /* its `attempts` count this one */
    const struct attempt *attempt;
    enum verdict verdict;
    int64_t at_us;      /* steady clock: now */
    int64_t latency_us; /* since the postback was accepted; -1: not delivered, or not at once */
};

#endif
