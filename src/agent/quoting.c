#include "quoting.h"

#include <string.h>

size_t character_length(struct bytes b) {
  uint8_t first = b.length ? b.at[0] : 0xff;
  if (first < 0x80) return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || b.length < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((b.at[i] & 0xc0) != 0x80) return 0;
  /* Overlong forms, surrogates, and what is beyond U+10FFFF. */
  uint8_t second = b.at[1];
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

bool is_text(struct bytes b) {
  for (size_t at = 0; at < b.length;) {
    size_t length = b.at[at] ? character_length((struct bytes){b.at + at, b.length - at}) : 0;
    if (length == 0) return false;
    at += length;
  }
  return true;
}

bool name_quoted(const char *name) {
  for (const uint8_t *c = (const uint8_t *)name; *c; c++)
    if (*c < ' ' || *c == '"' || *c == '\\' || *c == 0x7f) return true;
  return !is_text((struct bytes){(const uint8_t *)name, strlen(name)});
}

static bool write_quoted(struct out *o, const char *text) {
  static const char escaped[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
  for (const uint8_t *c = (const uint8_t *)text; *c; c++) {
    const char *found = strchr(escaped, *c);
    bool wrote = found                        ? out_format(o, "\\%c", letters[found - escaped])
                 : *c < ' ' || *c >= 0x7f ? out_format(o, "\\%03o", *c)
                                              : out_bytes(o, c, 1);
    if (!wrote) return false;
  }
  return true;
}

bool name_write(struct out *o, const char *prefix, const char *name) {
  if (!name_quoted(name)) return out_text(o, prefix) && out_text(o, name);
  return out_text(o, "\"") && write_quoted(o, prefix) && write_quoted(o, name) && out_text(o, "\"");
}
