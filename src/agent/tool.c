#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "refusal.h"

enum { HELD_BYTES = 64 * 1024, MAX_FORMATTED = 512 };

void tool_fail(void) {
  die("%s", refusal);
}

void tool_must(bool done) {
  if (!done) tool_fail();
}

static void on_shrunk(int signal) {
  (void)signal;
  static const char sentence[] = "A file changed while it was used\n";
  if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0) {
    /* Nobody is left to hear it. */
  }
  _exit(1);
}

void tool_guard(void) {
  struct sigaction action = {.sa_handler = on_shrunk};
  sigaction(SIGBUS, &action, NULL);
}

bool input_read(size_t length, struct bytes *input) {
  size_t capacity = length == SIZE_MAX ? HELD_BYTES : length, count = 0;
  uint8_t *bytes = allocate(capacity);
  while (count < length) {
    if (count == capacity) bytes = reallocate(bytes, capacity *= 2);
    ssize_t got = read(STDIN_FILENO, bytes + count, capacity - count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) die_errno("reading the input");
    if (got == 0) break;
    count += (size_t)got;
  }
  *input = (struct bytes){bytes, count};
  return length == SIZE_MAX || count == length;
}

bool file_map(int fd, const char *path, struct bytes *map) {
  struct stat status;
  if (fstat(fd, &status) < 0) return refuse_call(errno, path);
  *map = (struct bytes){(const uint8_t *)"", (size_t)status.st_size};
  if (status.st_size > MAX_TEXT_BYTES) return refuse("Over %d MiB: %s", MAX_TEXT_BYTES >> 20, path);
  if (status.st_size == 0) return true;
  void *at = mmap(NULL, map->length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) return refuse_call(errno, path);
  map->at = at;
  return true;
}

void file_unmap(struct bytes map) {
  if (map.length) munmap((void *)(uintptr_t)map.at, map.length);
}

bool out_flush(struct out *o) {
  for (size_t at = 0; at < o->count;) {
    ssize_t wrote = write(o->fd, o->held + at, o->count - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == ENOSPC) return refuse("No space left in the sandbox");
    if (wrote < 0) return refuse("Writing failed (errno %d)", errno);
    at += (size_t)wrote;
  }
  o->count = 0;
  return true;
}

bool out_bytes(struct out *o, const void *bytes, size_t length) {
  o->total += length;
  if (o->total > o->most) return refuse("The result is over %llu bytes", (unsigned long long)o->most);
  if (!o->held) o->held = allocate(HELD_BYTES);
  for (const uint8_t *at = bytes; length > 0;) {
    size_t part = MIN(length, HELD_BYTES - o->count);
    memcpy(o->held + o->count, at, part);
    o->count += part;
    at += part;
    length -= part;
    if (o->count == HELD_BYTES && !out_flush(o)) return false;
  }
  return true;
}

bool out_text(struct out *o, const char *text) { return out_bytes(o, text, strlen(text)); }

bool out_format(struct out *o, const char *format, ...) {
  char text[MAX_FORMATTED];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return out_bytes(o, text, MIN((size_t)length, sizeof text - 1));
}

void out_free(struct out *o) {
  free(o->held);
  o->held = NULL;
}

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* A byte that is spelled `\x` and two digits: one of no character, or a backslash. */
static int spelled(const char *at) {
  if (at[0] != '\\' || at[1] != 'x' || digit(at[2]) < 0 || digit(at[3]) < 0) return -1;
  int byte = 16 * digit(at[2]) + digit(at[3]);
  return byte >= 0x80 || byte == '\\' ? byte : -1;
}

bool path_spells(const char *text) { return spelled(text) >= 0; }

char *path_in(char *word) {
  char *to = word;
  for (const char *at = word; *at; at++) {
    int byte = spelled(at);
    *to++ = (char)(byte < 0 ? *at : byte);
    if (byte >= 0) at += 3;
  }
  *to = 0;
  return word;
}

uint64_t number_in(const char *word) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(word, &end, 10);
  if (errno || *word < '0' || *word > '9' || *end) die("not a number: %s", word);
  return number;
}

bool write_all(int fd, const void *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t wrote = write(fd, (const char *)bytes + at, length - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    at += (size_t)wrote;
  }
  return true;
}
