#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 1024, FIRST_BYTES = 4096, KEPT_BYTES = 512 * 1024 };

void (*on_death)(void);

void die(const char *format, ...) {
  char words[MAX_WORDS];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(words, sizeof words - 1, format, arguments);
  va_end(arguments);
  size_t end = length < 0 ? 0 : MIN((size_t)length, sizeof words - 2);
  words[end++] = '\n';
  if (write(STDERR_FILENO, words, end) < 0) {
    /* Nobody is left to hear it. */
  }
  void (*last)(void) = on_death;
  /* It may come here again. */
  on_death = NULL;
  if (last) last();
  _exit(1);
}

void die_errno(const char *call) { die("%s failed (errno %d)", call, errno); }

long must(const char *call, long result) {
  if (result < 0) die_errno(call);
  return result;
}

void *allocate(size_t bytes) { return reallocate(NULL, bytes); }

void *reallocate(void *memory, size_t bytes) {
  void *grown = realloc(memory, bytes ? bytes : 1);
  if (!grown) die("out of memory");
  return grown;
}

char *copy_text(const char *text) {
  size_t bytes = strlen(text) + 1;
  return memcpy(allocate(bytes), text, bytes);
}

/* Behind what waits nothing was written, or it is wiped already: to touch a page there would be to have it. */
static void wipe(struct buffer *b) {
  if (b->wipes && b->data) explicit_bzero(b->data, b->to);
}

uint8_t *buffer_reserve(struct buffer *b, size_t bytes) {
  if (b->capacity - b->to >= bytes) return b->data + b->to;
  size_t waiting = buffer_length(b);
  size_t needed = waiting + bytes;
  if (needed > b->capacity) {
    size_t capacity = b->capacity ? b->capacity : FIRST_BYTES;
    while (capacity < needed) capacity *= 2;
    uint8_t *data = allocate(capacity);
    if (waiting) memcpy(data, b->data + b->from, waiting);
    wipe(b);
    free(b->data);
    b->data = data;
    b->capacity = capacity;
  } else if (waiting) {
    memmove(b->data, b->data + b->from, waiting);
    if (b->wipes) explicit_bzero(b->data + waiting, b->to - waiting);
  }
  b->from = 0;
  b->to = waiting;
  return b->data + b->to;
}

void buffer_append(struct buffer *b, const void *bytes, size_t length) {
  if (length == 0) return;
  memcpy(buffer_reserve(b, length), bytes, length);
  b->to += length;
}

void buffer_consume(struct buffer *b, size_t bytes) {
  b->from += bytes;
  if (b->from < b->to) return;
  b->from = b->to = 0;
  if (b->capacity > KEPT_BYTES) buffer_free(b);
}

void buffer_free(struct buffer *b) {
  wipe(b);
  free(b->data);
  *b = (struct buffer){.wipes = b->wipes};
}

void ints_push(struct ints *list, int item) {
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 16;
    list->items = reallocate(list->items, list->capacity * sizeof *list->items);
  }
  list->items[list->count++] = item;
}

void ints_free(struct ints *list) {
  free(list->items);
  *list = (struct ints){0};
}
