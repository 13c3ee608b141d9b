/* template_parts.h — what a compiled template is made of; for the template_*.c files only. */
#ifndef POSTBACKD_TEMPLATE_PARTS_H
#define POSTBACKD_TEMPLATE_PARTS_H

#include "model/escape.h"
#include "model/template.h"

enum function {
    FUNCTION_UNIX,
    FUNCTION_SHA256,
    FUNCTION_MD5,
    FUNCTION_LOWER,
    FUNCTION_UPPER,
    FUNCTION_DATE,
    FUNCTION_DEFAULT,
    FUNCTION_RAW, /* no step: it changes how the value is escaped */
};

struct step {
    enum function function;
    char *argument; /* owned; "" when it takes none */
};

struct part {
    size_t at;        /* where it stands in the source, in bytes */
    const char *text; /* of a literal: in the source, or static */
    size_t len;
    const struct data_point *point; /* NULL: a literal */
    enum escape escape;
    enum point_type type; /* of the value, behind its functions */
    bool json_value;      /* stands outside quotes in JSON: brings its own */
    struct step *steps;
    size_t step_count;
    size_t result; /* its place among those of the template, from 1; 0: it stands alone */
};

struct template
{
    enum template_place place;
    char *source;
    struct part *parts;
    size_t count, cap;
    size_t results;  /* data points with functions that stand in it more than once */
    size_t distinct; /* data points with functions, each counted once; no further than the cap */
    bool heavy;      /* there are more than that */
};

/* ---- template_expand.c ---- */

/* Expands and notes in marks[i], if given, where part i begins in *out.  Functions read at most
 * `work` bytes; false: they would read more. */
bool template_expand_parts(const struct template *template, struct points *points, struct buf *out,
                           size_t *marks, int64_t work);

/* ---- template_problem.c ---- */

/* A problem with the place of a byte of the source: "line 2, column 14: …". */
void template_problem(const char *source, size_t at, const char *field, struct problems *problems,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* ---- template_functions.c ---- */

/* Reads "name" or "name:argument" and adds it to the part, whose type becomes that of the value
 * behind it.  NULL, or what is wrong, in `why`. */
const char *template_function(struct part *part, enum template_place place, const char *text,
                              size_t len, char why[256]);
/* The value after all steps; `scratch` are two empty buffers that it may live in.  What the
 * functions read is taken off *work; NULL: that was too little. */
const char *template_value(const struct part *part, const char *value, struct buf scratch[2],
                           int64_t *work);

/* ---- template_scan.c: where in its format each byte of a template stands ---- */

struct scan {
    enum template_place place;
    int state;
    int after; /* the state behind an XML entity */
    int left;  /* bytes that belong to what was just read */
    char last; /* JSON outside quotes: the last byte that was no space; 0: none */
};

void scan_start(struct scan *scan, enum template_place place);
/* Is the next byte inside a JSON string? */
bool scan_in_string(const struct scan *scan);
/* Takes the literal byte at *at (lookahead is allowed: the text ends with a NUL).  NULL or what is
 * wrong; *instead is set to what must be written in its place, if anything. */
const char *scan_byte(struct scan *scan, const char *at, const char **instead);
/* Takes a token's value.  NULL with the escape to use, or why none may stand here. */
const char *scan_token(struct scan *scan, enum escape *escape, bool *json_value);

/* ---- template_check.c ---- */

/* Expands a JSON or XML template with samples of each type and with nothing but empty values, and
 * parses the results; adds the first problem. */
void template_check(const struct template *template, const struct event_type *const *types,
                    size_t type_count, const char *field, struct problems *problems);

#endif
