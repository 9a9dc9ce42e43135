/*
 * How long a program's output is left alone after some of it has been read. A program that prints line by line would otherwise wake
 * its agent, and the service, for each; so lines gather in the pipe meanwhile. What comes after a silence is read at once, and a
 * program that prints fast finds its pipe read before it is full. A program that has just been told something is about to answer, and
 * somebody waits for that: a debugger, a terminal.
 *
 * One of the two streams rests at a time, so that the other one tells when both are to be read. Of two that hold something, standard
 * output is read first; standard error, which it would overtake, rests only once it has come many times without the other.
 */
#ifndef REST_H
#define REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rest {
  /* Milliseconds. */
  double lasts;
  /* See now_ms. */
  double until;
  /* FROM_STDOUT or FROM_STDERR: which one rests, or did last. 0: neither. */
  uint8_t of;
  /* How often standard error came since standard output did. */
  unsigned errors;
};

struct rest rest_new(void);
/* So many bytes of a stream have been read. */
void rest_begin(struct rest *r, uint8_t of, size_t got);
/* The program was given input. */
void rest_end(struct rest *r);
bool rest_holds(const struct rest *r, uint8_t of);
/* Milliseconds that are left of it; 0: it is over. */
double rest_left(const struct rest *r);

#endif
