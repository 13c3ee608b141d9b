/* name.h — names that people read: of accounts, users, campaigns, notifications, labels of tokens.
 *
 * They stand in others' lists, mails and files.  So they hold nothing that is not seen and changes
 * what is read: what turns the direction of text, breaks its line, or has no shape at all.  Letters
 * of all scripts are right, with the joiners that some of them need and emoji are made of.
 *
 * Checked when a name is given; one that was stored before goes on as it is.
 */
#ifndef POSTBACKD_NAME_H
#define POSTBACKD_NAME_H

#include "base/problem.h"

#include <stdbool.h>

/* Whether it is one; false with a problem under the field that names the character.  "" is one. */
bool name_check(const char *utf8, const char *field, struct problems *problems);

#endif
