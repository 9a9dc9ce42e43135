/* Bytes cut into lines, and numbers for lines so that equal ones have equal numbers. */
#ifndef DIFF_LINES_H
#define DIFF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  const uint8_t *at;
  size_t length;
};

/* Of a text: the numbers of its lines and the sum of two fit into 32 bits. */
enum { MAX_TEXT_BYTES = 512 * 1024 * 1024 };

/* A line has its newline; the last one may lack it. */
struct lines {
  const uint8_t *text;
  /* One more than there are lines: where each begins, and the end. */
  uint32_t *starts;
  uint32_t count;
  /* Both are there once the line was given a number. */
  uint32_t *numbers;
  bool *changed;
};

static inline struct bytes line_at(const struct lines *l, uint32_t i) {
  return (struct bytes){l->text + l->starts[i], l->starts[i + 1] - l->starts[i]};
}

/* At most MAX_TEXT_BYTES. The bytes may change under it (they are a program's), but stay as many. */
struct lines lines_cut(struct bytes text);
void lines_free(struct lines *l);
/* Numbers both sides; returns how many numbers there are. */
uint32_t lines_number(struct lines *a, struct lines *b);

#endif
