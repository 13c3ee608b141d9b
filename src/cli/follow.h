/* follow.h — `postbackd admin maintenance status`: where the pause is, and the catch-up followed
 * to its end. */
#ifndef POSTBACKD_FOLLOW_H
#define POSTBACKD_FOLLOW_H

/* Words: --once or Follow=no, to ask once only.  `credentials`: "SID:TOKEN".  The exit code. */
int follow_maintenance(const char *url, const char *ca_file, const char *credentials, int argc,
                       char **argv);

#endif
