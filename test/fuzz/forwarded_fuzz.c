/* Any bytes as lines of Forwarded and X-Forwarded-For.  Whatever a client wrote, a proxy that adds
 * its own line behind it is believed; and who it is has an address. */
#include "server/forwarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct forwarded *forwarded, const char *wanted)
{
    struct cidr range;
    struct proxies trusted = { &range, 1 };
    struct address peer;
    char text[ADDRESS_TEXT];
    if (!cidr_parse("10.0.0.0/8", &range) || !address_parse("10.0.0.1", &peer))
        abort();
    struct address client = forwarded_client(forwarded, &trusted, &peer);
    address_format(text, &client);
    if (text[0] == '\0' || (wanted != NULL && strcmp(text, wanted) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 1);
    struct forwarded standard = { 0 }, usual = { 0 };
    memcpy(line, data, size);
    line[size] = '\0';
    forwarded_read(&standard, line);
    check(&standard, NULL);
    forwarded_read(&standard, "for=203.0.113.7");
    check(&standard, "203.0.113.7");
    forwarded_read_x(&usual, line);
    check(&usual, NULL);
    forwarded_read_x(&usual, "203.0.113.7, 10.1.1.1");
    check(&usual, "203.0.113.7");
    if (standard.count > FORWARDED_HOPS_MOST || usual.count > FORWARDED_HOPS_MOST)
        abort();
    free(line);
    return 0;
}
