#define _GNU_SOURCE
#include "diff_files.h"

#include <stdio.h>
#include <string.h>

#include "binary_patch.h"
#include "memory.h"
#include "quoting.h"
#include "sha1.h"

static const char NOWHERE[] = "/dev/null", NO_BLOB[] = "0000000000000000000000000000000000000000";

/* A line `--- a/name`; a name with a space ends with a tab, as git and GNU patch want it. */
static bool write_name(struct out *o, const char *mark, const char *prefix, const char *name) {
  if (!out_text(o, mark)) return false;
  if (!name) return out_text(o, NOWHERE) && out_text(o, "\n");
  bool tab = strchr(name, ' ') && !name_quoted(name);
  return name_write(o, prefix, name) && out_text(o, tab ? "\t\n" : "\n");
}

static bool same(struct bytes a, struct bytes b) { return a.length == b.length && memcmp(a.at, b.at, a.length) == 0; }

static bool write_modes(struct out *o, uint32_t a, uint32_t b) {
  if (!a) return out_format(o, "new file mode %06o\n", b);
  if (!b) return out_format(o, "deleted file mode %06o\n", a);
  return a == b || out_format(o, "old mode %06o\nnew mode %06o\n", a, b);
}

static bool write_blobs(struct out *o, struct version a, struct version b) {
  char old[BLOB_NAME], new[BLOB_NAME];
  if (a.mode) blob_name(a.content, old);
  if (b.mode) blob_name(b.content, new);
  if (!out_format(o, "index %s..%s", a.mode ? old : NO_BLOB, b.mode ? new : NO_BLOB)) return false;
  return a.mode == b.mode ? out_format(o, " %06o\n", a.mode) : out_text(o, "\n");
}

static bool write_binary(struct out *o, struct bytes a, struct bytes b, struct diff_counts *counts) {
  counts->binary = true;
  return out_text(o, "GIT binary patch\n") && literal_write(o, b) && literal_write(o, a);
}

static bool write_text(struct out *o, const char *name, struct version a, struct version b, uint32_t context, struct diff_counts *counts) {
  if (!write_name(o, "--- ", "a/", a.mode ? name : NULL) || !write_name(o, "+++ ", "b/", b.mode ? name : NULL)) return false;
  return unified_write(o, a.content, b.content, context, counts);
}

bool pair_write(struct out *o, const char *name, struct version a, struct version b, uint32_t context, struct diff_counts *counts) {
  bool same_content = same(a.content, b.content);
  if (a.mode == b.mode && same_content) return true;
  counts->different = true;
  if (!out_text(o, "diff --git ") || !name_write(o, "a/", name) || !out_text(o, " ") || !name_write(o, "b/", name)) return false;
  if (!out_text(o, "\n") || !write_modes(o, a.mode, b.mode)) return false;
  if (a.mode && b.mode && same_content) return true;
  if (!write_blobs(o, a, b)) return false;
  /* A file that is empty and new, or no more. */
  if (same_content) return true;
  if (is_text(a.content) && is_text(b.content)) return write_text(o, name, a, b, context, counts);
  return write_binary(o, a.content, b.content, counts);
}

bool texts_write(struct out *o, const char *names[2], struct bytes a, struct bytes b, uint32_t context, struct diff_counts *counts) {
  enum { PLAIN = 0100644 };
  if (same(a, b)) {
    counts->binary = !is_text(a);
    return true;
  }
  if (!is_text(a) || !is_text(b))
    return pair_write(o, names[0], (struct version){PLAIN, a}, (struct version){PLAIN, b}, context, counts);
  if (!write_name(o, "--- ", "a/", names[0]) || !write_name(o, "+++ ", "b/", names[1])) return false;
  counts->different = true;
  return unified_write(o, a, b, context, counts);
}
