/* What an egress proxy answers: split in two, it must be judged as it is in one. */
#include "courier/proxy.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum tunnel_state judge(const struct proxy *proxy, const char *text, size_t size, size_t at)
{
    struct tunnel *tunnel = tunnel_new(proxy, "shop.example", 443);
    enum tunnel_state state = TUNNEL_MORE;
    if (at > 0)
        state = tunnel_feed(tunnel, text, at);
    if (state == TUNNEL_MORE && at < size)
        state = tunnel_feed(tunnel, text + at, size - at);
    if (state == TUNNEL_MORE)
        state = tunnel_feed(tunnel, "", 0);
    tunnel_free(tunnel);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = { 0 };
    struct proxy *proxy = proxy_new("http://ann:secret@proxy.example:3128", &error);
    const char *text = (const char *)data;
    enum tunnel_state whole = judge(proxy, text, size, 0);
    if (whole == TUNNEL_OPEN) /* nothing stands behind it, so every split ends the same */
        for (size_t at = 1; at < size && at < 64; at++)
            if (judge(proxy, text, size, at) != TUNNEL_OPEN)
                abort();
    proxy_free(proxy);
    return 0;
}
