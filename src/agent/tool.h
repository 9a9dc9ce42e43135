/*
 * What the subcommands share that run as programs of a sandbox, under its limits: input, output and the end. Standard output is the
 * answer; where there is none, standard error is one sentence why and the exit code 1.
 */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diff_lines.h"

/* Ends with what `refuse` was told. */
_Noreturn void tool_fail(void);
/* Ends with the same, unless `done`. */
void tool_must(bool done);

/* A file that shrinks while its pages are looked at ends the program with a sentence. */
void tool_guard(void);

/* So many bytes of standard input; all of it for SIZE_MAX. False when it is shorter. */
bool input_read(size_t length, struct bytes *read);
/* The bytes of an open regular file, without a copy. */
bool file_map(int fd, const char *path, struct bytes *map);
void file_unmap(struct bytes map);

/* Writes all of the bytes. False with an error number. */
bool write_all(int fd, const void *bytes, size_t length);

/* Writes to a descriptor by large pieces. */
struct out {
  int fd;
  uint8_t *held;
  size_t count;
  /* All that was written, and the most that may be. */
  uint64_t total, most;
};

/* False once refused: over the most, or the descriptor’s own failure. */
bool out_bytes(struct out *o, const void *bytes, size_t length);
bool out_text(struct out *o, const char *text);
bool out_format(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool out_flush(struct out *o);
void out_free(struct out *o);

/* The path that an argument spells as src/wire/path-bytes.ts does, in the argument’s own place. */
char *path_in(char *word);
/* Whether a text begins with what would be read as such a spelling. */
bool path_spells(const char *text);
/* A number of an argument; ends the program where it is none. */
uint64_t number_in(const char *word);

#endif
