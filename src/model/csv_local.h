/* csv_local.h — amounts and dates as a spreadsheet writes them where a comma is the decimal sign.
 */
#ifndef POSTBACKD_CSV_LOCAL_H
#define POSTBACKD_CSV_LOCAL_H

#include "base/buf.h"

#include <stdbool.h>

/* "10,00", "1.234,56", "1 234,5", "-3,20" as 10.00, 1234.56, … in *out.  False, and nothing
 * written: no such amount, and its cell is to be taken as it stands.  `thousands`: a comma before
 * exactly three digits may be a separator of thousands, so "1,234" is left as it is, too. */
bool csv_local_amount(const char *cell, bool thousands, struct buf *out);
/* "20.11.2026", also with " 9:05" or " 09:05:07", day, month, year, as an ISO 8601 date. */
bool csv_local_date(const char *cell, struct buf *out);

#endif
