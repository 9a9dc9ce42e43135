/*
 * Watches what the sockets of a sandbox hold that the kernel charges to nobody: connections which wait for being accepted were made
 * by its network stack and not by a program, and reports of errors belong to a socket alone. All of the sandbox's sockets are seen,
 * and no other's, in /proc/net (proc(5)).
 *
 * It looks often after something has happened, and half as often each time that nothing has: sockets come and go, packets pass, or a
 * program runs.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>

/* Something begins. */
void sockets_hasten(void);
/* A program begins where none ran, and so none holds anything. */
void sockets_begin(void);
/* Milliseconds until the next look. */
double sockets_pause(void);
/*
 * Whether they hold too much, if it is time to look. `slowest`: milliseconds between two looks while nothing happens; `busy`: CPU
 * time of the sandbox's programs, or anything else that changes as they run.
 */
bool sockets_exceed(double slowest, double (*busy)(void));
/* Milliseconds of a clock that never goes back. */
double now_ms(void);

#endif
