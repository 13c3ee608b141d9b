/* Verifies a postback's signature, of any body and of a GET.  Link with -lcrypto (OpenSSL 1.1 or later). */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char secret[] = "whsec_YOUR_SECRET";

/* id, timestamp, signatures: the headers webhook-id, webhook-timestamp, webhook-signature. */
bool verify(const char *id, const char *timestamp, const char *signatures, const void *body, size_t len)
{
    unsigned char key[256], mac[32], text[48] = "v1,";
    unsigned int mac_len = sizeof(mac);
    const char *code = secret + strlen("whsec_");
    size_t code_len = strlen(code), head_len = strlen(id) + strlen(timestamp) + 2;
    if (code_len == 0 || code_len % 4 != 0 || code_len / 4 * 3 > sizeof(key) || llabs((long long)time(NULL) - atoll(timestamp)) > 300)
        return false;
    int key_len = EVP_DecodeBlock(key, (const unsigned char *)code, (int)code_len); /* with the padding */
    key_len -= (code[code_len - 1] == '=') + (code[code_len - 2] == '=');

    unsigned char *message = malloc(head_len + len + 1);
    if (message == NULL || key_len < 0)
        return free(message), false;
    snprintf((char *)message, head_len + 1, "%s.%s.", id, timestamp);
    memcpy(message + head_len, body, len);
    HMAC(EVP_sha256(), key, key_len, message, head_len + len, mac, &mac_len);
    free(message);
    EVP_EncodeBlock(text + 3, mac, (int)mac_len);

    size_t text_len = strlen((const char *)text);
    for (const char *at = signatures; *at != '\0'; at += strspn(at, " ")) {
        size_t one = strcspn(at, " ");
        if (one == text_len && CRYPTO_memcmp(at, text, text_len) == 0)
            return true;
        at += one;
    }
    return false;
}
