/* pages.c — the web pages: one document at the address of each page, and its files under /assets/.
 *
 * Nothing here needs a sign-in, and nothing holds data: the document asks the API for it, as any
 * client does.  A page's address begins with a small letter, a resource's of the API with a
 * capital.
 */
#include "api/api.h"

#include "api/portal.h"
#include "base/fail.h"
#include "server/assets.h"

static void show_page(struct call *call, void *context)
{
    (void)context;
    const struct asset *document = asset_find("/assets/index.html");
    if (document == NULL)
        bug("the binary has no index.html");
    asset_answer(call, document);
}

/* In a frame of another product's page, if the operator allows that one. */
static void show_portal(struct call *call, void *context)
{
    const char *ancestors = portal_ancestors(context);
    const struct asset *document = asset_find("/assets/portal.html");
    if (document == NULL)
        bug("the binary has no portal.html");
    asset_answer_framed(call, document, ancestors != NULL ? ancestors : "'none'");
}

static void show_asset(struct call *call, void *context)
{
    (void)context;
    const struct asset *asset = asset_find(call->path);
    if (asset == NULL)
        call_refuse(call, 404, NULL, "There is nothing at this address.");
    else
        asset_answer(call, asset);
}

#define PAGE(address)                                                                              \
    {                                                                                              \
        .method = "GET", .pattern = (address), .handle = show_page, .reads_query = true            \
    }
#define ASSET(address)                                                                             \
    {                                                                                              \
        .method = "GET", .pattern = (address), .handle = show_asset, .reads_query = true           \
    }

const struct route page_routes[] = {
    PAGE("/"),
    PAGE("/sign-in"),
    PAGE("/forgotten"),
    PAGE("/invitation"),
    PAGE("/new-password"),
    PAGE("/confirm-address"),
    PAGE("/account"),
    PAGE("/people"),
    PAGE("/tokens"),
    PAGE("/audit"),
    PAGE("/help"),
    PAGE("/help/{Section}"),
    PAGE("/inquiries"),
    PAGE("/inquiries/new"),
    PAGE("/inquiries/import"),
    PAGE("/inquiries/{Id}"),
    PAGE("/rules"),
    PAGE("/notifications"),
    PAGE("/notifications/new"),
    PAGE("/notifications/{Id}"),
    PAGE("/postbacks"),
    PAGE("/postbacks/{Id}"),
    PAGE("/actions"),
    PAGE("/actions/import"),
    PAGE("/actions/{Id}"),
    PAGE("/terms"),
    PAGE("/jobs"),
    PAGE("/notices"),
    PAGE("/support"),
    PAGE("/support/{Id}"),
    PAGE("/operator"),
    PAGE("/operator/accounts"),
    PAGE("/operator/accounts/{Sid}"),
    PAGE("/operator/campaigns"),
    PAGE("/operator/campaigns/{Id}"),
    PAGE("/operator/terms"),
    PAGE("/operator/event-types"),
    PAGE("/operator/event-types/{Type}"),
    PAGE("/operator/support"),
    PAGE("/operator/support/{Id}"),
    PAGE("/operator/headers"),
    PAGE("/operator/maintenance"),
    PAGE("/operator/health"),
    PAGE("/operator/audit"),
    { .method = "GET", .pattern = "/portal", .handle = show_portal },
    ASSET("/assets/{File}"),
    ASSET("/assets/{Folder}/{File}"),
    ASSET("/assets/{Folder}/{Folder}/{File}"),
};
const size_t page_route_count = sizeof(page_routes) / sizeof(page_routes[0]);
