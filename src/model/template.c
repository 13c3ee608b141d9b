/* template.c — compiles text with tokens into a list of parts.
 *
 * A part is a slice of the source as it is, or a data point with its functions and its escape.
 * Compiling walks the source once, byte by byte, past the format's scanner (template_scan.c),
 * which says at each token how its value must be escaped; expanding (template_expand.c) only copies
 * and escapes.
 *
 * The rule that must never break: what was compiled without a problem expands to text that is
 * valid in its format, whatever the values.
 */
#include "model/template_parts.h"

#include "base/fail.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compiler {
    struct template *template;
    const struct event_type *const *types;
    size_t type_count;
    const char *field;
    struct problems *problems;
    struct scan scan;
    size_t at;                            /* the next byte of the source */
    size_t plain;                         /* where the literal begins that is being gathered */
    bool lost;                            /* the format's state is no longer known: stop */
    size_t firsts[TEMPLATE_DISTINCT_MAX]; /* parts: the first with this point and functions */
};

static struct part *part_add(struct template *template)
{
    if (template->count == template->cap) {
        template->cap = template->cap == 0 ? 8 : template->cap * 2;
        template->parts = must_resize(template->parts, template->cap * sizeof(*template->parts));
    }
    struct part *part = &template->parts[template->count++];
    *part = (struct part){ 0 };
    return part;
}

static void literal_add(struct compiler *compiler, size_t at, const char *text, size_t len)
{
    if (len == 0)
        return;
    struct part *part = part_add(compiler->template);
    part->at = at;
    part->text = text;
    part->len = len;
}

/* The literal up to here becomes a part; the next one begins `skip` bytes on. */
static void literal_end(struct compiler *compiler, size_t skip)
{
    const char *source = compiler->template->source;
    literal_add(compiler, compiler->plain, source + compiler->plain,
                compiler->at - compiler->plain);
    compiler->plain = compiler->at + skip;
}

static void literal_byte(struct compiler *compiler)
{
    const char *source = compiler->template->source;
    const char *instead;
    const char *wrong = scan_byte(&compiler->scan, source + compiler->at, &instead);
    if (wrong != NULL) {
        template_problem(source, compiler->at, compiler->field, compiler->problems, "%s", wrong);
        compiler->lost = true;
    }
    if (instead != NULL) {
        literal_end(compiler, 1);
        literal_add(compiler, compiler->at, instead, strlen(instead));
    }
    compiler->at++;
}

/* ---- tokens ---- */

static void unknown_point(struct compiler *compiler, size_t at, const char *name, size_t len)
{
    char clipped[CLIP_TEXT];
    const char *of = compiler->type_count == 1 ? compiler->types[0]->name : "these events";
    const char *nearest = catalog_nearest(compiler->types, compiler->type_count, name, len);
    clip(clipped, name, len);
    if (nearest != NULL)
        template_problem(compiler->template->source, at, compiler->field, compiler->problems,
                         "{%s} is not a data point of %s; did you mean {%s}?", clipped, of,
                         nearest);
    else
        template_problem(compiler->template->source, at, compiler->field, compiler->problems,
                         "{%s} is not a data point of %s", clipped, of);
}

static const struct data_point *find_point(const struct compiler *compiler, const char *name,
                                           size_t len)
{
    const struct data_point *point = catalog_point(NULL, name, len);
    for (size_t i = 0; i < compiler->type_count && point == NULL; i++)
        point = catalog_point(compiler->types[i], name, len);
    return point;
}

/* The functions behind a token's name: "|lower|sha256". */
static void read_functions(struct compiler *compiler, struct part *part, const char *text,
                           size_t len)
{
    enum template_place place = compiler->template->place;
    char why[256];
    part->type = part->point->type;
    while (len > 0) {
        text++; /* the '|' */
        len--;
        const char *bar = memchr(text, '|', len);
        size_t own = bar != NULL ? (size_t)(bar - text) : len;
        const char *wrong = template_function(part, place, text, own, why);
        if (wrong != NULL) {
            template_problem(compiler->template->source, part->at, compiler->field,
                             compiler->problems, "{%s}: %s", part->point->name, wrong);
            return;
        }
        text += own;
        len -= own;
    }
}

static bool same_value(const struct part *a, const struct part *b)
{
    if (a->point != b->point || a->step_count != b->step_count)
        return false;
    for (size_t i = 0; i < a->step_count; i++) {
        if (a->steps[i].function != b->steps[i].function ||
            strcmp(a->steps[i].argument, b->steps[i].argument) != 0)
            return false;
    }
    return true;
}

/* The last part's value may be one that an earlier part has too: then both share a result. */
static void share_result(struct compiler *compiler)
{
    struct template *template = compiler->template;
    struct part *part = &template->parts[template->count - 1];
    if (part->step_count == 0)
        return;
    for (size_t i = 0; i < template->distinct; i++) {
        struct part *first = &template->parts[compiler->firsts[i]];
        if (!same_value(first, part))
            continue;
        if (first->result == 0)
            first->result = ++template->results;
        part->result = first->result;
        return;
    }
    if (template->distinct == TEMPLATE_DISTINCT_MAX)
        template->heavy = true;
    else
        compiler->firsts[template->distinct++] = template->count - 1;
}

/* A token from its brace on. */
static void token(struct compiler *compiler)
{
    const char *source = compiler->template->source;
    const char *inside = source + compiler->at + 1;
    size_t at = compiler->at, len = strcspn(inside, "}\r\n");
    char clipped[CLIP_TEXT];
    literal_end(compiler, len + 2);
    if (inside[len] != '}') {
        template_problem(source, at, compiler->field, compiler->problems,
                         "'{%s' is not closed by a '}'", clip(clipped, inside, len));
        compiler->lost = true;
        return;
    }
    compiler->at += len + 2;
    size_t name_len = strcspn(inside, "|}");
    struct part part = { .at = at };
    const char *wrong = scan_token(&compiler->scan, &part.escape, &part.json_value);
    if (wrong != NULL) {
        template_problem(source, at, compiler->field, compiler->problems, "{%s} %s",
                         clip(clipped, inside, name_len), wrong);
        return;
    }
    part.point = find_point(compiler, inside, name_len);
    if (part.point == NULL) {
        unknown_point(compiler, at, inside, name_len);
        return;
    }
    struct part *added = part_add(compiler->template);
    *added = part;
    read_functions(compiler, added, inside + name_len, len - name_len);
    share_result(compiler);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A brace: a token, a doubled one, or in JSON one of its own. */
static void brace(struct compiler *compiler)
{
    const char *at = compiler->template->source + compiler->at;
    bool json = compiler->template->place == PLACE_JSON;
    bool doubles = !json || scan_in_string(&compiler->scan);
    if (doubles && at[0] == at[1]) {
        literal_end(compiler, 1);
        compiler->at++;
        literal_byte(compiler);
    } else if (at[0] == '{' && is_letter(at[1])) {
        token(compiler);
    } else if (json) {
        literal_byte(compiler);
    } else {
        template_problem(
            compiler->template->source, compiler->at, compiler->field, compiler->problems, "%s",
            at[0] == '{' ? "'{' must be followed by a data point's name; write {{ for a brace"
                         : "'}' closes no token; write }} for a brace");
        compiler->at++;
    }
}

static void compile(struct compiler *compiler)
{
    const char *source = compiler->template->source;
    scan_start(&compiler->scan, compiler->template->place);
    while (source[compiler->at] != '\0' && !compiler->lost &&
           compiler->problems->count < PROBLEMS_MAX) {
        if (source[compiler->at] == '{' || source[compiler->at] == '}')
            brace(compiler);
        else
            literal_byte(compiler);
    }
    literal_end(compiler, 0);
}

struct template *template_compile(const char *text, enum template_place place,
                                  const struct event_type *const *types, size_t type_count,
                                  const char *field, struct problems *problems)
{
    size_t len = strnlen(text, TEMPLATE_MAX + 1);
    if (len > TEMPLATE_MAX) {
        problems_add(problems, field, "must be at most %d bytes", TEMPLATE_MAX);
        return NULL;
    }
    if (!text_is_utf8(text, len)) {
        problems_add(problems, field, "must be UTF-8");
        return NULL;
    }
    struct template *template = must_alloc(sizeof(*template));
    template->place = place;
    template->source = must_copy_bytes(text, len);
    struct compiler compiler = {
        .template = template,
        .types = types,
        .type_count = type_count,
        .field = field,
        .problems = problems,
    };
    size_t before = problems->count;
    bool room = before < PROBLEMS_MAX;
    compile(&compiler);
    if (problems->count == before)
        template_check(template, types, type_count, field, problems);
    if (problems->count == before && room)
        return template;
    template_free(template);
    return NULL;
}

void template_refuse_closed(const struct template *template, const struct opened *opened,
                            const char *field, struct problems *problems)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct part *part = &template->parts[i];
        if (part->point != NULL && !opened_has(opened, part->point))
            template_problem(template->source, part->at, field, problems, TEMPLATE_CLOSED,
                             part->point->name);
    }
}

void template_refuse_heavy(const struct template *template, const char *field,
                           struct problems *problems)
{
    if (template->heavy)
        problems_add(problems, field, "must have at most %d different tokens with functions",
                     TEMPLATE_DISTINCT_MAX);
}

bool template_names(const struct template *template, const char *point)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct part *part = &template->parts[i];
        if (part->point != NULL && strcmp(part->point->name, point) == 0)
            return true;
    }
    return false;
}

void template_free(struct template *template)
{
    if (template == NULL)
        return;
    for (size_t i = 0; i < template->count; i++) {
        for (size_t j = 0; j < template->parts[i].step_count; j++)
            free(template->parts[i].steps[j].argument);
        free(template->parts[i].steps);
    }
    free(template->parts);
    free(template->source);
    free(template);
}
