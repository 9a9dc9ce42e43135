#define _GNU_SOURCE
#include "patch_names.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "refusal.h"

enum { MAX_NAME = 4096, MAX_PART = 255, SHOWN = 200 };

static const char NOWHERE[] = "/dev/null";

static int octal(const uint8_t *at) {
  int value = 0;
  for (int i = 0; i < 3; i++) {
    if (at[i] < '0' || at[i] > '7') return -1;
    value = 8 * value + at[i] - '0';
  }
  return value < 256 ? value : -1;
}

/* A text in double quotes; `end` is where it ends, behind the quote. NULL where it is none. */
static char *unquote(struct bytes words, size_t *end) {
  static const char letters[] = "abtnvfr\"\\", meant[] = "\a\b\t\n\v\f\r\"\\";
  char *text = allocate(words.length + 1);
  size_t length = 0;
  for (size_t at = 1; at < words.length; at++) {
    uint8_t c = words.at[at];
    if (c == '"') {
      text[length] = 0;
      *end = at + 1;
      /* A NUL would end it early. */
      if (strlen(text) == length) return text;
      break;
    }
    if (c == '\\' && ++at < words.length) {
      const char *found = words.at[at] ? strchr(letters, words.at[at]) : NULL;
      int number = at + 3 <= words.length ? octal(words.at + at) : -1;
      if (found) c = (uint8_t)meant[found - letters];
      else if (number >= 0) c = (uint8_t)number, at += 2;
      else break;
    }
    text[length++] = (char)c;
  }
  free(text);
  return NULL;
}

/* What is left behind so many slashes; NULL where there are fewer. */
static const char *stripped(const char *name, uint32_t strip) {
  for (; strip > 0; strip--) {
    name = strchr(name, '/');
    if (!name) return NULL;
    while (*name == '/') name++;
  }
  return name;
}

/* Leaves out what says nothing (`.`, doubled slashes); false for what could lead elsewhere. */
static bool clean(char *name) {
  if (*name == '/' || strlen(name) >= MAX_NAME) return false;
  char *to = name;
  for (char *part = name; part;) {
    char *slash = strchr(part, '/');
    size_t length = slash ? (size_t)(slash - part) : strlen(part);
    if (length > MAX_PART || (length == 2 && part[0] == '.' && part[1] == '.')) return false;
    if (length > 0 && !(length == 1 && part[0] == '.')) {
      if (to != name) *to++ = '/';
      memmove(to, part, length);
      to += length;
    }
    part = slash ? slash + 1 : NULL;
  }
  *to = 0;
  return to != name;
}

static char *copy(struct bytes b) {
  char *text = allocate(b.length + 1);
  memcpy(text, b.at, b.length);
  text[b.length] = 0;
  return text;
}

static char *refuse_name(char *name, const char *why) {
  refuse("The patch names a file %s: %.*s", why, SHOWN, name);
  free(name);
  return NULL;
}

char *name_read(struct bytes words, uint32_t strip) {
  size_t end;
  char *name = NULL;
  if (words.length && words.at[0] == '"') {
    name = unquote(words, &end);
    if (!name) return refuse_name(copy(words), "in quotes that do not end or mean nothing");
  } else {
    const uint8_t *tab = words.length ? memchr(words.at, '\t', words.length) : NULL;
    name = copy((struct bytes){words.at, tab ? (size_t)(tab - words.at) : words.length});
    if (strlen(name) != (tab ? (size_t)(tab - words.at) : words.length)) return refuse_name(name, "with a NUL");
  }
  if (strcmp(name, NOWHERE) == 0) return name;
  const char *rest = stripped(name, strip);
  if (!rest || !*rest) return refuse_name(name, "with fewer directories than are to be stripped");
  memmove(name, rest, strlen(rest) + 1);
  if (clean(name)) return name;
  return refuse_name(name, "that is not below the target, or too long");
}

/* In unquoted ones a space may be part of a name, or lie between the two. */
static char *split(struct bytes words, uint32_t strip) {
  char *text = copy(words), *found = NULL;
  for (char *space = strchr(text, ' '); space && !found; space = strchr(space + 1, ' ')) {
    *space = 0;
    const char *first = stripped(text, strip), *second = stripped(space + 1, strip);
    if (first && second && *first && strcmp(first, second) == 0) found = copy_text(first);
    *space = ' ';
  }
  free(text);
  return found;
}

static char *two_quoted(struct bytes words, uint32_t strip) {
  size_t end = 0;
  char *first = unquote(words, &end), *second = NULL, *found = NULL;
  struct bytes rest = {words.at + end, words.length - end};
  if (first && rest.length > 1 && rest.at[0] == ' ' && rest.at[1] == '"')
    second = unquote((struct bytes){rest.at + 1, rest.length - 1}, &end);
  if (second) {
    const char *a = stripped(first, strip), *b = stripped(second, strip);
    if (a && b && *a && strcmp(a, b) == 0) found = copy_text(a);
  }
  free(first);
  free(second);
  return found;
}

char *name_of_both(struct bytes words, uint32_t strip) {
  if (words.length == 0 || words.length > 8 * MAX_NAME || memchr(words.at, 0, words.length)) return NULL;
  char *name = words.at[0] == '"' ? two_quoted(words, strip) : split(words, strip);
  if (name && clean(name)) return name;
  free(name);
  return NULL;
}
