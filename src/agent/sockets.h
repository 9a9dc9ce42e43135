/*
 * Watches what the sockets of a sandbox hold that the kernel charges to nobody: connections which wait for being accepted were made
 * by its network stack and not by a program, and datagrams that are not complete, and reports of errors, belong to a socket alone.
 * All of the sandbox's sockets are seen, and no other's, in /proc/net (proc(5)).
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>

/* Whether they hold too much; looks at most every `period` milliseconds. */
bool sockets_exceed(double period);
/* Milliseconds of a clock that never goes back. */
double now_ms(void);

#endif
