#define _GNU_SOURCE
#include "diff_lines.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "memory.h"

struct lines lines_cut(struct bytes text) {
  struct lines l = {.text = text.at};
  size_t capacity = text.length / 32 + 16;
  l.starts = allocate(capacity * sizeof *l.starts);
  for (size_t at = 0; at < text.length;) {
    if (l.count + 2 > capacity) {
      capacity *= 2;
      l.starts = reallocate(l.starts, capacity * sizeof *l.starts);
    }
    l.starts[l.count++] = (uint32_t)at;
    const uint8_t *newline = memchr(text.at + at, '\n', text.length - at);
    at = newline ? (size_t)(newline - text.at) + 1 : text.length;
  }
  l.starts[l.count] = (uint32_t)text.length;
  return l;
}

void lines_free(struct lines *l) {
  free(l->starts);
  free(l->numbers);
  free(l->changed);
  *l = (struct lines){0};
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) under a key nobody knows: lines can't be made to meet in the table. */
static uint64_t key[2];

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void mix(uint64_t v[4]) {
  v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
  v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static uint64_t hash(struct bytes b) {
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  size_t at = 0;
  uint64_t word;
  for (; at + 8 <= b.length; at += 8) {
    memcpy(&word, b.at + at, 8);
    v[3] ^= word, mix(v), v[0] ^= word;
  }
  word = 0;
  memcpy(&word, b.at + at, b.length - at);
  word |= (uint64_t)b.length << 56;
  v[3] ^= word, mix(v), v[0] ^= word, v[2] ^= 0xff;
  mix(v), mix(v), mix(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct place {
  uint32_t hash;
  /* One more than the line's number; 0 for an empty place. */
  uint32_t number;
};

struct table {
  struct place *places;
  size_t mask;
  /* By number: the first such line. */
  struct bytes *lines;
  uint32_t numbers;
};

/* Half of the places stay empty, and each number has room for its line. */
static void grow(struct table *t) {
  struct place *old = t->places;
  size_t count = old ? t->mask + 1 : 0;
  t->mask = old ? 2 * t->mask + 1 : 1023;
  t->lines = reallocate(t->lines, (t->mask + 1) / 2 * sizeof *t->lines);
  t->places = allocate((t->mask + 1) * sizeof *t->places);
  memset(t->places, 0, (t->mask + 1) * sizeof *t->places);
  for (size_t i = 0; i < count; i++) {
    if (!old[i].number) continue;
    size_t at = old[i].hash & t->mask;
    while (t->places[at].number) at = (at + 1) & t->mask;
    t->places[at] = old[i];
  }
  free(old);
}

static bool same(struct bytes a, struct bytes b) { return a.length == b.length && memcmp(a.at, b.at, a.length) == 0; }

static uint32_t number_of(struct table *t, struct bytes line) {
  if (2 * (size_t)t->numbers > t->mask) grow(t);
  uint32_t sum = (uint32_t)hash(line);
  size_t at = sum & t->mask;
  for (struct place *p; (p = &t->places[at])->number; at = (at + 1) & t->mask)
    if (p->hash == sum && same(t->lines[p->number - 1], line)) return p->number - 1;
  t->lines[t->numbers] = line;
  t->places[at] = (struct place){sum, ++t->numbers};
  return t->numbers - 1;
}

static void number(struct lines *l, struct table *t) {
  l->numbers = allocate(l->count * sizeof *l->numbers);
  l->changed = allocate(l->count);
  memset(l->changed, 0, l->count);
  for (uint32_t i = 0; i < l->count; i++) l->numbers[i] = number_of(t, line_at(l, i));
}

uint32_t lines_number(struct lines *a, struct lines *b) {
  struct table t = {0};
  must("getrandom", getrandom(key, sizeof key, 0));
  grow(&t);
  number(a, &t);
  number(b, &t);
  free(t.places);
  free(t.lines);
  return t.numbers;
}
