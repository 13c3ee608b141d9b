/* cli.h — the program's commands.  Each takes the words behind its name and gives the exit code. */
#ifndef POSTBACKD_CLI_H
#define POSTBACKD_CLI_H

int serve_command(int argc, char **argv); /* argv[0] is the command's own name */
int check_command(int argc, char **argv);
int backup_command(int argc, char **argv);
int restore_command(int argc, char **argv);
int import_store_command(int argc, char **argv);
int next_key_command(int argc, char **argv);
int demo_command(int argc, char **argv);
int admin_command(int argc, char **argv);

void admin_help(void);

#endif
