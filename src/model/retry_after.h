/* retry_after.h — for how long an answer asks to be left alone (RFC 9110 §10.2.3).
 *
 * Who asks for a rest gets it, in whatever form it is asked: a number of seconds, whole or not,
 * with or without a unit; the first of several; a date in each form of HTTP, and in those that are
 * as clear (UTC, an offset, ISO 8601).
 */
#ifndef POSTBACKD_RETRY_AFTER_H
#define POSTBACKD_RETRY_AFTER_H

#include <stdint.h>

/* As a delay in ms, parts of one rounded up; 0 for what is over.  -1: absent or unreadable. */
int64_t retry_after_parse(const char *value, int64_t now_ms);

#endif
