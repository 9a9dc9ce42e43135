/* Reads patches: the unified format, as `diff -u`, git and GNU diff write it, with git’s extended headers and binary patches. */
#ifndef PATCH_PARSE_H
#define PATCH_PARSE_H

#include "diff_lines.h"

enum version_side { OLD, NEW, VERSIONS };

/* Lines of a hunk: the text between its header and its end, one sign each. */
struct hunk {
  /* Of its header, from 1. */
  uint32_t line;
  struct bytes body;
  /* As the header has them, by side. */
  uint32_t first[VERSIONS], count[VERSIONS];
};

/* The content of one side of a binary patch. */
struct binary {
  bool present, is_delta;
  size_t length;
  struct bytes lines;
};

struct file_patch {
  /* Where it begins in the patch, from 1. */
  uint32_t line;
  /* NULL: there is no such file on that side. Both, and `unnamed`: the patch does not say. */
  char *names[VERSIONS];
  bool git, unnamed, rename, copy;
  /* 0: not said. */
  uint32_t modes[VERSIONS];
  /* Names of the contents, where they are whole; empty otherwise. */
  char blobs[VERSIONS][41];
  struct hunk *hunks;
  uint32_t hunk_count;
  /* How the content of a side is made from the other’s. */
  struct binary binaries[VERSIONS];
  /* Binary files differ, says the patch, and not how. */
  bool unsaid;
  /* Its own lines end with a carriage return: so may those of hunks that had none. */
  bool carriage;
};

struct patch {
  struct file_patch *files;
  uint32_t count;
};

/* False when refused, with the line. `p` is to be freed either way. */
bool patch_parse(struct bytes text, uint32_t strip, struct patch *p);
/* Swaps what was and what will be. False when refused. */
bool patch_reverse(struct patch *p);
void patch_free(struct patch *p);

#endif
