#define _GNU_SOURCE
#include "patch_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "patch_file.h"
#include "place.h"
#include "quoting.h"
#include "refusal.h"

enum { MAX_ANSWER = 32 * 1024 * 1024 };
/* The answer of undoing what was done to its end: it stays. */
#define WAS_DONE "done"

/* Where the patch's names lie. */
struct target {
  int directory;
  char *path;
  /* The one file it is for; NULL for a directory. */
  char *file;
};

/* `undo`: the one file that it is for may be gone. */
static bool find_target(const char *path, bool undo, struct target *target) {
  struct place place;
  bool found = place_find(&place, path, true, false);
  if (found) {
    target->path = copy_text(path);
    target->directory = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target->directory < 0 && errno == ENOENT && !undo) found = refuse("File not found: %s", path);
    else if (target->directory < 0) {
      target->file = copy_text(place.name);
      *strrchr(target->path, '/') = 0;
      target->directory = openat(place.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      found = target->directory >= 0 || refuse_call(errno, path);
    }
  }
  place_close(&place);
  return found;
}

/* A patch for one file, whatever it calls it. */
static bool rename_to(struct patch *p, const struct target *target) {
  for (uint32_t i = 0; i < p->count; i++) {
    struct file_patch *f = &p->files[i];
    if (!target->file && f->unnamed) return refuse("The patch does not say for which file its hunk at line %u is", f->line);
    if (!target->file) continue;
    if (p->count > 1) return refuse("%s/%s is a file, and the patch is for %u", target->path, target->file, p->count);
    for (int side = OLD; side <= NEW; side++) {
      bool there = f->names[side] || f->unnamed;
      free(f->names[side]);
      f->names[side] = there ? copy_text(target->file) : NULL;
    }
    f->rename = f->copy = false;
  }
  return true;
}

/* As src/wire/path-bytes.ts spells it, in JSON. */
static bool write_path(struct out *o, const char *path) {
  struct bytes rest = {(const uint8_t *)path, strlen(path)};
  while (rest.length) {
    size_t length = character_length(rest);
    bool plain = length > 1 || (length == 1 && *rest.at >= ' ' && *rest.at != '"' && *rest.at != '\\');
    bool spells = length == 0 || path_spells((const char *)rest.at);
    bool wrote = spells ? out_format(o, "\\\\x%02x", *rest.at) : plain ? out_bytes(o, rest.at, length) : out_format(o, "\\u%04x", *rest.at);
    if (!wrote) return false;
    length = length ? length : 1;
    rest = (struct bytes){rest.at + length, rest.length - length};
  }
  return true;
}

static bool answer(struct out *o, const struct target *target, const struct file_result *r) {
  static const char *const WORDS[] = {"created", "modified", "deleted", "renamed"};
  return out_text(o, "{\"path\":\"") && write_path(o, target->path) && out_text(o, "/") && write_path(o, r->name) &&
         out_format(o, "\",\"action\":\"%s\",\"added\":%u,\"removed\":%u,\"offset\":%lld,\"fuzz\":%u}\n", WORDS[r->action], r->applied.added,
                    r->applied.removed, (long long)r->applied.offset, r->applied.fuzz);
}

static bool apply(struct patch *p, const struct target *target, bool reverse, bool dry, struct out *o) {
  if (!files_prepare(p)) return false;
  struct file_result result;
  for (uint32_t i = 0; i < p->count; i++)
    if (!file_apply(&p->files[i], reverse, &result) || !answer(o, target, &result)) return false;
  return dry || tree_commit();
}

void run_patch(char **words) {
  tool_guard();
  places_open(words[2]);
  bool dry = strchr(words[6], 'd'), reverse = strchr(words[6], 'r');
  struct bytes text;
  struct patch patch;
  struct target target = {.directory = -1};
  struct out out = {.fd = STDOUT_FILENO, .most = MAX_ANSWER};
  if (strchr(words[6], 'u')) {
    bool was_done;
    tool_must(find_target(path_in(words[4]), true, &target) && tree_recover(target.directory, words[3], &was_done));
    if (was_done) tool_must(out_text(&out, WAS_DONE) && out_flush(&out));
    exit(0);
  }
  input_read(SIZE_MAX, &text);
  if (text.length > MAX_TEXT_BYTES) die("The patch is over %d MiB", MAX_TEXT_BYTES >> 20);
  tool_must(patch_parse(text, (uint32_t)number_in(words[5]), &patch) && find_target(path_in(words[4]), false, &target) && rename_to(&patch, &target));
  tool_must(!reverse || patch_reverse(&patch));
  tree_open(target.directory, words[3], dry);
  bool done = apply(&patch, &target, reverse, dry, &out);
  tree_close();
  tool_must(done && out_flush(&out));
  exit(0);
}
