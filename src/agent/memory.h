/* Buffers that grow, and the end of the process where the machine has nothing left or a caller went wrong. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Called by `die` once its words are out; what an agent leaves behind is killed there. */
extern void (*on_death)(void);

/* Says why on standard error and ends the process. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the error number of the call that failed. */
_Noreturn void die_errno(const char *call);
/* Gives a call's result back; ends the process where it is negative. */
long must(const char *call, long result);

void *allocate(size_t bytes);
void *reallocate(void *memory, size_t bytes);
char *copy_text(const char *text);

/* Bytes waiting between `from` and `to`. */
struct buffer {
  uint8_t *data;
  size_t from, to, capacity;
  /* Nothing stays in memory where it has been. */
  bool wipes;
};

static inline size_t buffer_length(const struct buffer *b) { return b->to - b->from; }
/* Room for so many bytes at the end; moves what is there, and gives the place back. */
uint8_t *buffer_reserve(struct buffer *b, size_t bytes);
void buffer_append(struct buffer *b, const void *bytes, size_t length);
void buffer_consume(struct buffer *b, size_t bytes);
void buffer_free(struct buffer *b);

/* A list of numbers. */
struct ints {
  int *items;
  size_t count, capacity;
};

void ints_push(struct ints *list, int item);
void ints_free(struct ints *list);

#endif
