/* clock.h — the two clocks.  Only the outermost callers read them; everything below takes time
 * as an argument. */
#ifndef POSTBACKD_CLOCK_H
#define POSTBACKD_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);   /* since 1970-01-01 UTC; may jump when the system's time is set */
int64_t clock_steady_ms(void); /* from an unspecified start; never goes back */
int64_t clock_steady_us(void);

#endif
