/*
 * A direct way to the service, where it can reach a path of the sandbox: a socket to which it connects once, before it has asked for
 * anything. Through an engine every piece would pass two more processes.
 */
#ifndef DIRECT_H
#define DIRECT_H

/* Waits for a connection to this path; nothing happens where that can't be done. */
void direct_open(const char *path);
/* The socket to poll, NOT_OPEN where none is waited for. */
int direct_listener(void);
/* The connection, NOT_OPEN where none has come; no other is waited for then. */
int direct_take(void);
/* None is waited for any more, and the path is gone: no program has run yet that could connect. */
void direct_close(void);

#endif
