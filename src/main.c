/* main.c — picks the command. */
#include "cli/cli.h"
#include "cli/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "serve", serve_command, "run the server (postbackd serve --help lists the settings)" },
    { "check", check_command, "say whether a store is whole, also while a server runs on it" },
    { "backup", backup_command, "copy the store into one file, also while a server runs on it" },
    { "restore", restore_command, "make a data directory out of such a copy" },
    { "import-store", import_store_command, "move a store into an empty database on PostgreSQL" },
    { "next-key", next_key_command, "make the key to which all that is sealed can be changed" },
    { "demo", demo_command, "show an inquiry's postbacks arriving, in a store of its own" },
    { "admin", admin_command, "the operator's work, by the API (postbackd admin --help)" },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int usage(FILE *out, int code)
{
    fprintf(out, "postbackd %s: delivers postbacks until they are answered 200 or 201\n\n",
            POSTBACKD_VERSION);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  postbackd %-12s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "  postbackd --version\n");
    return code;
}

int main(int argc, char **argv)
{
    memory_for_libraries();
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return usage(stderr, 2);
    if (strcmp(argv[1], "--version") == 0) {
        printf("postbackd %s\n", POSTBACKD_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "postbackd: there is no command \"%.40s\"\n\n", argv[1]);
    return usage(stderr, 2);
}
