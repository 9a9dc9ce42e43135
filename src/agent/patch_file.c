#define _GNU_SOURCE
#include "patch_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "patch_binary.h"
#include "refusal.h"
#include "sha1.h"

enum { NEW_FILE = 0100644, ALL_X = 0111, ALL_R = 0444, MAX_WHY = 8192 };

/* git’s patches tell what they are for; others may name two files that are one. */
static bool takes_away(const struct file_patch *f) { return f->names[OLD] && (f->rename || !f->names[NEW]); }

bool files_prepare(struct patch *p) {
  /* What goes first: others may lie where a link goes. */
  for (uint32_t i = 0; i < p->count; i++) {
    struct entry_of *e = takes_away(&p->files[i]) ? tree_entry(p->files[i].names[OLD]) : NULL;
    if (takes_away(&p->files[i]) && !e) return false;
    if (e) e->goes = true;
  }
  for (uint32_t i = 0; i < p->count; i++)
    for (int side = OLD; side <= NEW; side++) {
      const char *name = p->files[i].names[side];
      struct entry_of *e = name ? tree_entry(name) : NULL;
      if (name && !e) return false;
      /* Of two names, either may be the one. */
      if (e) e->readers++;
    }
  return true;
}

static uint32_t slashes(const char *name) {
  uint32_t count = 0;
  for (; *name; name++) count += *name == '/';
  return count;
}

static size_t last_part(const char *name) {
  const char *slash = strrchr(name, '/');
  return strlen(slash ? slash + 1 : name);
}

/* GNU patch’s choice: of the names that are there the one with the fewest directories, then the shortest. */
static bool is_better(const char *a, const char *b) {
  if (slashes(a) != slashes(b)) return slashes(a) < slashes(b);
  if (last_part(a) != last_part(b)) return last_part(a) < last_part(b);
  return strlen(a) <= strlen(b);
}

static void set_name(struct file_patch *f, enum version_side side, const char *name) {
  char *copy = name ? copy_text(name) : NULL;
  free(f->names[side]);
  f->names[side] = copy;
}

/* Where the patch is not git’s, its two names are one file’s; one without old lines may make a file. */
static void decide_name(struct file_patch *f) {
  if (f->git || !f->names[OLD] || !f->names[NEW]) return;
  bool old = tree_entry(f->names[OLD])->then.mode, new = tree_entry(f->names[NEW])->then.mode;
  bool both = old == new;
  enum version_side side = both ? (is_better(f->names[OLD], f->names[NEW]) ? OLD : NEW) : old ? OLD : NEW;
  set_name(f, !side, f->names[side]);
  bool makes = f->hunk_count == 1 && f->hunks[0].count[OLD] == 0 && f->hunks[0].first[OLD] == 0;
  if (!old && !new && makes) set_name(f, OLD, NULL);
}

static bool kind_fits(const struct file_patch *f, uint32_t mode) {
  uint32_t kind = mode & KIND_BITS, said = f->modes[OLD] & KIND_BITS;
  if (kind != FILE_MODE && kind != LINK_MODE) return refuse("%s: not a regular file", f->names[OLD]);
  bool moves = f->git && f->hunk_count == 0 && !f->binaries[NEW].present;
  if (said ? said == kind : kind == FILE_MODE || moves) return true;
  return refuse("%s: %s", f->names[OLD], kind == LINK_MODE ? "it is a symbolic link" : "it is no symbolic link");
}

/*
 * What the patch starts from. A copy in git’s patches is of what was there before any of them, and so is a rename, unless patches of
 * several commits follow one another.
 */
static bool find_before(const struct file_patch *f, struct entry_of *e, struct version_of *before) {
  bool original = e->now.mode && (f->copy || (f->rename && !e->edited));
  *before = original ? e->now : e->then;
  if (!before->mode) return refuse("File not found: %s", e->name);
  return kind_fits(f, before->mode);
}

static bool may_come(const struct entry_of *e) {
  if (!e->then.mode || (e->goes && !e->replaced) || tree_vanishes(e)) return true;
  return refuse("%s: it exists already", e->name);
}

static uint32_t mode_after(const struct file_patch *f, uint32_t before) {
  uint32_t said = f->modes[NEW];
  if (!before) return said ? said : NEW_FILE;
  if (!said || said == f->modes[OLD] || (said & KIND_BITS) == LINK_MODE) return before;
  return (before & ~(uint32_t)ALL_X) | (said & 0100 ? (before & ALL_R) >> 2 : 0);
}

static bool named(const struct file_patch *f, bool done) {
  if (done) return true;
  char why[MAX_WHY];
  snprintf(why, sizeof why, "%s", refusal);
  return refuse("%s: %s", f->names[OLD] ? f->names[OLD] : f->names[NEW], why);
}

static bool write_binary(const struct file_patch *f, struct bytes before, struct out *o) {
  char blob[BLOB_NAME];
  blob_name(before, blob);
  if (f->names[OLD] && f->blobs[OLD][0] && strcmp(f->blobs[OLD], blob) != 0)
    return refuse("the binary patch is for another content (%s) than it has (%s)", f->blobs[OLD], blob);
  struct bytes after;
  if (!binary_apply(&f->binaries[NEW], before, &after)) return false;
  bool wrote = out_bytes(o, after.at, after.length);
  free((void *)(uintptr_t)after.at);
  return wrote;
}

/* Lines of a patch that has come with carriage returns may have them of their own, or not. */
static bool write_hunks(const struct file_patch *f, bool reverse, struct bytes before, struct out *o, struct applied *applied) {
  char why[MAX_WHY];
  if (hunks_apply(f, (struct reading){reverse, f->carriage}, before, o, applied)) return true;
  if (!f->carriage) return false;
  snprintf(why, sizeof why, "%s", refusal);
  tree_again(o);
  return hunks_apply(f, (struct reading){reverse, false}, before, o, applied) || refuse("%s", why);
}

static bool write_after(const struct file_patch *f, bool reverse, struct bytes before, struct out *o, struct applied *applied) {
  *applied = (struct applied){0};
  if (f->unsaid) return named(f, refuse("the patch says that binary files differ, but not how"));
  if (f->binaries[NEW].present) return named(f, write_binary(f, before, o));
  if (f->binaries[OLD].present) return named(f, refuse("its binary patch can’t be reversed"));
  if (f->hunk_count == 0) return out_bytes(o, before.at, before.length);
  return write_hunks(f, reverse, before, o, applied);
}

static bool make(const struct file_patch *f, bool reverse, struct bytes before, uint32_t mode, struct entry_of *e, struct applied *applied) {
  struct out o;
  if (!tree_begin(&o, e)) return false;
  bool done = write_after(f, reverse, before, &o, applied);
  if (!done) return close(o.fd), out_free(&o), false;
  return tree_end(&o, e, mode_after(f, mode));
}

/* A file is deleted with what the patch says is in it, and nothing else. */
static bool check_deleted(const struct file_patch *f, bool reverse, struct bytes before, struct applied *applied) {
  struct out o = {.fd = -1, .most = MAX_TEXT_BYTES};
  bool done = write_after(f, reverse, before, &o, applied);
  if (done && o.total > 0) done = refuse("%s: the patch deletes it, but not all that is in it", f->names[OLD]);
  out_free(&o);
  return done;
}

static bool file_create(struct file_patch *f, bool reverse, struct file_result *r) {
  struct entry_of *e = tree_entry(f->names[NEW]);
  r->action = CREATED;
  struct bytes nothing = {(const uint8_t *)"", 0};
  if (!may_come(e) || !make(f, reverse, nothing, 0, e, &r->applied)) return false;
  e->replaced = true;
  return true;
}

static bool file_change(struct file_patch *f, bool reverse, struct file_result *r) {
  struct entry_of *from = tree_entry(f->names[OLD]), *to = f->names[NEW] ? tree_entry(f->names[NEW]) : NULL;
  struct version_of before;
  struct bytes content;
  bool moves = f->rename || f->copy;
  r->action = !to ? DELETED : f->rename ? RENAMED : f->copy ? CREATED : MODIFIED;
  if (!find_before(f, from, &before) || (moves && !may_come(to)) || !tree_content(from, before, &content)) return false;
  bool done = to ? make(f, reverse, content, before.mode, to, &r->applied) : check_deleted(f, reverse, content, &r->applied);
  if ((before.mode & KIND_BITS) != LINK_MODE || before.staged != NOT_STAGED) file_unmap(content);
  if (!done) return false;
  if (moves) to->replaced = true;
  else if (to) to->edited = true;
  /* Another file may have come there meanwhile. */
  if (!to || (f->rename && !from->replaced)) tree_remove(from);
  return true;
}

bool file_apply(struct file_patch *f, bool reverse, struct file_result *result) {
  for (int side = OLD; side <= NEW; side++)
    if (f->names[side]) tree_entry(f->names[side])->readers--;
  decide_name(f);
  bool done = f->names[OLD] ? file_change(f, reverse, result) : file_create(f, reverse, result);
  result->name = f->names[NEW] ? f->names[NEW] : f->names[OLD];
  return done;
}
