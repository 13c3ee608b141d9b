/* inquiry_export.h — GET …/ActionInquiries.csv: the list's filters, every row, one file. */
#ifndef POSTBACKD_INQUIRY_EXPORT_H
#define POSTBACKD_INQUIRY_EXPORT_H

#include "api/api.h"

/* A larger result is refused and not cut: a file that silently ends early is taken for whole. */
enum { EXPORT_ROWS_MAX = 100000 /* of one file */ };

void inquiry_export(struct call *call, void *context);

#endif
