/* Why something that was asked for can't be done: one sentence for the client, kept until the next one. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

/* The last refusal, and what kind of one it is: `enum failure` of protocol.h. */
extern char refusal[];
extern uint8_t refusal_reason;

/* Both give false, for the caller to give back. */
bool refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A system call about a path that failed, by its error number. */
bool refuse_call(int error, const char *path);

#endif
