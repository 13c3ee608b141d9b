/* flags.c — getopt_long() over a table of places for the values. */
#include "cli/flags.h"

#include "base/config.h"
#include "base/fail.h"

#include <getopt.h>
#include <stdio.h>

enum { FLAGS_MAX = 8, FIRST = 1000 };

int flags_refuse(const char *command, const char *word, const char *why)
{
    fprintf(stderr, "postbackd %s: %s%s\n", command, word, why);
    return 2;
}

static int fill(struct option *out, const struct flag *flags)
{
    int count = 0;
    for (; flags[count].name != NULL; count++) {
        if (count == FLAGS_MAX)
            bug("more than %d flags", FLAGS_MAX);
        out[count] = (struct option){ flags[count].name,
                                      flags[count].value != NULL ? required_argument : no_argument,
                                      NULL, FIRST + count };
    }
    return count;
}

bool flags_read(const char *command, const char *help, const struct flag *flags, int argc,
                char **argv, int *code)
{
    struct option options[FLAGS_MAX + 2] = { 0 };
    options[fill(options, flags)] = (struct option){ "help", no_argument, NULL, 'h' };
    optind = 0;
    opterr = 0;
    for (int given; (given = getopt_long(argc, argv, "+:h", options, NULL)) != -1;) {
        if (given == 'h') {
            *code = printf("%s", help) < 0;
            return false;
        }
        if (given == ':' || given == '?') {
            *code = flags_refuse(command, argv[optind - 1],
                                 given == ':' ? " needs a value"
                                              : " is not known; --help lists what is");
            return false;
        }
        const struct flag *flag = &flags[given - FIRST];
        if (flag->uri && config_has_password(optarg)) {
            *code = flags_refuse(command, "--store",
                                 " holds a password: put it into --store-password-file, .pgpass or "
                                 "POSTBACKD_STORE");
            return false;
        }
        if (flag->value != NULL)
            *flag->value = optarg;
        else
            *flag->on = true;
    }
    if (optind < argc)
        *code = flags_refuse(command, argv[optind], ": not expected here; --help says what is");
    return optind == argc;
}
