/* anew.h — a server begins anew: the same program with the same arguments in the same process, with
 * nothing of its memory, and the socket that it listens on kept open all the while.
 */
#ifndef POSTBACKD_ANEW_H
#define POSTBACKD_ANEW_H

/* `argv` as main() got it.  Does not return. */
void anew_begin(char **argv, int listener);
/* The listening socket of the process's life before; 0: it had none. */
int anew_listener(void);

#endif
