/* approval_rules.h — a brand's approval rules: the handlers of accounts.c's routes. */
#ifndef POSTBACKD_APPROVAL_RULES_H
#define POSTBACKD_APPROVAL_RULES_H

struct call;

void approval_rules_list(struct call *call, void *context);
void approval_rules_add(struct call *call, void *context);
void approval_rules_remove(struct call *call, void *context);

#endif
