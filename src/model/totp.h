/* totp.h — one-time passwords by time (RFC 6238: HMAC-SHA-1, 30 s, 6 digits), and recovery codes.
 *
 * A code holds for its step of 30 s and for one step on either side, as a phone's clock is not
 * exact.  None is taken twice: who asks says the step of the last one that was.
 */
#ifndef POSTBACKD_TOTP_H
#define POSTBACKD_TOTP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TOTP_SECRET_BYTES = 20, /* as RFC 4226 §4 asks for */
    TOTP_SECRET_TEXT = 33,  /* in base32, with its NUL */
    TOTP_STEP_S = 30,
    TOTP_DIGITS = 6,
    TOTP_STEPS_ASIDE = 1,
};

/* The code of a step (RFC 4226 §5.3), as a number of so many digits (at most 8). */
uint32_t totp_number(const unsigned char *secret, size_t len, int64_t step, int digits);

/* The step whose code this is, of those that hold at now_ms and come after `last`.  0: none; also
 * for a text that is no code.  Spaces in the code are passed over. */
int64_t totp_step_of(const unsigned char secret[TOTP_SECRET_BYTES], const char *code,
                     int64_t now_ms, int64_t last);

void totp_secret_text(char out[TOTP_SECRET_TEXT], const unsigned char secret[TOTP_SECRET_BYTES]);
/* "otpauth://totp/ISSUER:WHO?secret=…": what authenticators read, percent-encoded. */
void totp_uri(struct buf *out, const char *issuer, const char *who,
              const unsigned char secret[TOTP_SECRET_BYTES]);

/* Recovery codes: 80 random bits as "abcd-efgh-jkmn-pqrs", kept as a keyless hash. */
enum { RECOVERY_CODES = 10, RECOVERY_CODE_TEXT = 20, RECOVERY_HASH_BYTES = 32 };
void recovery_code_random(char out[RECOVERY_CODE_TEXT]);
/* Case, spaces and dashes do not matter.  False: the text is no recovery code. */
bool recovery_code_hash(unsigned char out[RECOVERY_HASH_BYTES], const char *code);

#endif
