#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copying.h"
#include "details.h"
#include "directories.h"
#include "file_streams.h"
#include "layer_link.h"
#include "place.h"
#include "protocol.h"
#include "refusal.h"
#include "refusal_frame.h"
#include "naming.h"
#include "replacement.h"
#include "transaction.h"
#include "undo.h"

enum {
  DIRECTORY_MODE = 0755,
  /* Of paths in one reply, unless one entry alone has more. */
  PATHS_PER_REPLY = 64 * 1024,
  /* Of paths in one listing: those of a deep tree add up to more than memory holds. */
  MAX_LISTING = 16 * 1024 * 1024,
  /* What an entry takes beside its path, about. */
  ENTRY_BYTES = 64,
  /* A listing holds a descriptor per level. */
  MAX_DEPTH = 500,
  /* Longer paths can't be named in a request, nor by a program: PATH_MAX. */
  MAX_PATH_BYTES = 4096,
};

/* A write that waits for its bytes. */
struct writing {
  struct writing *next;
  uint32_t channel;
  struct replacement to;
  char *path;
};

/* A directory that is being listed: the names in it, and how much of the path leads to it. */
struct level {
  int fd;
  struct names names;
  size_t next;
  size_t prefix;
};

/* A read or a listing on its way out, in pieces as the stream takes them. */
struct answer {
  struct answer *next;
  uint32_t channel;
  uint8_t op;
  char *path;
  /* Of a read. */
  int fd;
  uint64_t at, end, size;
  /* Of a listing. */
  struct level *levels;
  size_t depth, capacity;
  char *prefix;
  size_t prefix_capacity;
  bool recursive, hidden;
  uint32_t max_depth;
  uint64_t total;
};

static struct writing *writes;
/* Requests of a chain are coming; one of them has failed. */
static bool in_chain, chain_broken;
static struct answer *answers;

static void fail(struct outbox *o, uint32_t channel) {
  chain_broken = in_chain;
  send_refusal(o, FROM_FAILED, channel);
}

void files_chain(struct fields *f) {
  in_chain = take_u8(f);
  take_end(f);
  chain_broken = false;
}

static void done(struct outbox *o, uint32_t channel, uint8_t op, uint64_t value) {
  put_u64(put_u8(outbox_place(o, 9), op), value);
  outbox_commit(o, FROM_FILE_DONE, channel, 9);
}

bool is_file(mode_t mode, const char *path) {
  return S_ISREG(mode) || refuse_call(S_ISDIR(mode) ? EISDIR : ENXIO, path);
}

int files_open(const char *path) {
  struct place place;
  struct stat status;
  int fd = -1;
  bool found = place_find(&place, path, true, false);
  if (found) fd = openat(place.dir, place.name, O_RDONLY | SAFE);
  if (found && (fd < 0 || fstat(fd, &status) < 0)) found = refuse_call(errno, path);
  if (found) found = is_file(status.st_mode, path);
  if (!found && fd >= 0) close(fd);
  place_close(&place);
  return found ? fd : -1;
}

int files_open_directory(const char *path) {
  struct place place;
  int fd = -1;
  if (place_find(&place, path, true, false)) {
    fd = open_directory(place.dir, place.name);
    if (fd < 0) refuse_call(errno, path);
  }
  place_close(&place);
  return fd;
}

static bool start_write(uint32_t channel, const char *path, bool append, uint64_t size) {
  struct writing *w = allocate(sizeof *w);
  *w = (struct writing){.next = writes, .channel = channel, .path = copy_text(path)};
  bool opened = replacement_open(&w->to, w->path, true, append);
  if (opened && replacement_reserve(&w->to, size)) {
    writes = w;
    return true;
  }
  if (opened) replacement_drop(&w->to);
  free(w->path);
  free(w);
  return false;
}

void files_data(struct outbox *o, uint32_t channel, const struct fields *f) {
  struct writing **at = &writes;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  struct writing *w = *at;
  if (!w) return;
  bool written = replacement_write(&w->to, f->at, f->left);
  if (written && f->left > 0) return;
  if (!written) replacement_drop(&w->to);
  else written = replacement_finish(&w->to, w->to.written);
  if (written) done(o, channel, FILE_WRITE, 0);
  else fail(o, channel);
  *at = w->next;
  free(w->path);
  free(w);
}

static struct answer *add_answer(uint32_t channel, uint8_t op, const char *path) {
  struct answer *a = allocate(sizeof *a);
  *a = (struct answer){.channel = channel, .op = op, .path = copy_text(path), .fd = -1};
  struct answer **last = &answers;
  while (*last) last = &(*last)->next;
  *last = a;
  return a;
}

static bool start_read(uint32_t channel, const char *path, uint64_t offset, uint64_t length, uint64_t most) {
  int fd = files_open(path);
  if (fd < 0) return false;
  struct stat status;
  if (fstat(fd, &status) < 0) {
    refuse_call(errno, path);
    close(fd);
    return false;
  }
  uint64_t size = (uint64_t)status.st_size;
  uint64_t rest = size > offset ? size - offset : 0;
  bool to_its_end = length == UINT64_MAX;
  if (to_its_end && rest > most) {
    close(fd);
    return refuse("File too large to read at once (%llu bytes; give offset and length): %s", (unsigned long long)size, path);
  }
  struct answer *a = add_answer(channel, FILE_READ, path);
  a->fd = fd;
  a->size = size;
  a->at = offset;
  a->end = offset + MIN(MIN(length, rest), most);
  return true;
}

enum step { STEP_MORE, STEP_DONE, STEP_REFUSED };

static enum step step_read(struct outbox *o, struct answer *a) {
  if (a->at < a->end) {
    size_t most = (size_t)MIN(a->end - a->at, (uint64_t)DATA_FRAME_BYTES);
    ssize_t got = pread(a->fd, outbox_place(o, most), most, (off_t)a->at);
    if (got < 0) return refuse_call(errno, a->path), STEP_REFUSED;
    if (got > 0) {
      outbox_commit(o, FROM_FILE_DATA, a->channel, (size_t)got);
      a->at += (uint64_t)got;
      return STEP_MORE;
    }
    /* It was shortened meanwhile. */
  }
  done(o, a->channel, FILE_READ, a->size);
  return STEP_DONE;
}

/* Begins with a directory whose path is the first `prefix` bytes of the answer's; false where it can't be read. */
static bool push_level(struct answer *a, int fd, size_t prefix) {
  struct names names;
  if (names_read(fd, &names) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return false;
  }
  names_sort(&names);
  if (a->depth == a->capacity) {
    a->capacity = a->capacity ? 2 * a->capacity : 8;
    a->levels = reallocate(a->levels, a->capacity * sizeof *a->levels);
  }
  a->levels[a->depth++] = (struct level){.fd = fd, .names = names, .prefix = prefix};
  return true;
}

static void pop_level(struct answer *a) {
  struct level *level = &a->levels[--a->depth];
  close(level->fd);
  names_free(&level->names);
}

static void free_answer(struct answer *a);

static bool start_list(uint32_t channel, const char *path, bool recursive, bool hidden, uint32_t max_depth) {
  int fd = files_open_directory(path);
  if (fd < 0) return false;
  struct answer *a = add_answer(channel, FILE_LIST, path);
  a->recursive = recursive;
  a->hidden = hidden;
  a->max_depth = max_depth ? MIN(max_depth, (uint32_t)MAX_DEPTH) : MAX_DEPTH;
  a->prefix = copy_text(below_root(path));
  a->prefix_capacity = strlen(a->prefix) + 1;
  if (push_level(a, fd, strlen(a->prefix))) return true;
  struct answer **at = &answers;
  while (*at != a) at = &(*at)->next;
  *at = a->next;
  refuse_call(errno, path);
  free_answer(a);
  return false;
}

/* Puts a name behind the path that leads to its directory; the length of both. */
static size_t set_path(struct answer *a, size_t prefix, const char *name) {
  size_t slash = prefix > 0, length = strlen(name), whole = prefix + slash + length;
  if (whole + 1 > a->prefix_capacity) {
    a->prefix_capacity = 2 * (whole + 1);
    a->prefix = reallocate(a->prefix, a->prefix_capacity);
  }
  if (slash) a->prefix[prefix] = '/';
  memcpy(a->prefix + prefix + slash, name, length + 1);
  return whole;
}

/* The next entry, parents before children; its path is in `a->prefix`. False when there is none. */
static bool next_entry(struct answer *a, struct entry *entry, size_t *path_length) {
  while (a->depth > 0) {
    struct level *level = &a->levels[a->depth - 1];
    if (level->next == level->names.count) {
      pop_level(a);
      continue;
    }
    const char *name = level->names.items[level->next++];
    /* What has gone meanwhile is left out. */
    if ((name[0] == '.' && !a->hidden) || entry_read(level->fd, name, entry) < 0) continue;
    if (level->prefix == 0 && undo_hides(name)) continue;
    *path_length = set_path(a, level->prefix, name);
    if (entry->type == TYPE_DIRECTORY && a->recursive && a->depth < a->max_depth && *path_length < MAX_PATH_BYTES) {
      int fd = open_directory(level->fd, name);
      if (fd >= 0) push_level(a, fd, *path_length);
    }
    return true;
  }
  return false;
}

/* One reply: `u8 op, u8 more`, then for each entry `u8 type, u64 size, u64 modified_at, text path`. */
static enum step step_list(struct outbox *o, struct answer *a) {
  struct buffer reply = {0};
  size_t held = 0;
  struct entry entry;
  size_t length;
  bool more = false;
  while (!more && next_entry(a, &entry, &length)) {
    a->total += length + strlen(strrchr(a->prefix, '/') ? strrchr(a->prefix, '/') + 1 : a->prefix);
    if (a->total > MAX_LISTING) {
      buffer_free(&reply);
      return refuse("Too much to list at once: %s", a->path), STEP_REFUSED;
    }
    uint8_t *at = buffer_reserve(&reply, 21 + length);
    at = put_u64(put_u64(put_u8(at, entry.type), entry.size), entry.modified_at);
    put_text(at, a->prefix, length);
    reply.to += 21 + length;
    held += length + ENTRY_BYTES;
    more = held >= PATHS_PER_REPLY;
  }
  size_t bytes = buffer_length(&reply);
  uint8_t *at = put_u8(put_u8(outbox_place(o, 2 + bytes), FILE_LIST), more);
  if (bytes) memcpy(at, reply.data, bytes);
  outbox_commit(o, FROM_FILE_DONE, a->channel, 2 + bytes);
  buffer_free(&reply);
  return more ? STEP_MORE : STEP_DONE;
}

static void free_answer(struct answer *a) {
  while (a->depth > 0) pop_level(a);
  if (a->fd >= 0) close(a->fd);
  free(a->levels);
  free(a->prefix);
  free(a->path);
  free(a);
}

void files_advance(struct outbox *o) {
  for (struct answer **at = &answers; *at && !outbox_full(o);) {
    struct answer *a = *at;
    enum step step = STEP_MORE;
    while (step == STEP_MORE && !outbox_full(o)) step = a->op == FILE_READ ? step_read(o, a) : step_list(o, a);
    if (step == STEP_MORE) return;
    if (step == STEP_REFUSED) fail(o, a->channel);
    *at = a->next;
    free_answer(a);
  }
}

bool files_answering(void) { return answers != NULL; }

/* A path of a request. One with a NUL names nothing that could be inside. */
static char *take_path(struct fields *f) {
  char *path = take_name(f);
  return path ? path : copy_text("");
}

/* The reply: `u8 op, u8 type, u32 mode, u64 size, u64 modified_at, text target`. */
static bool stat_path(struct outbox *o, uint32_t channel, struct fields *f) {
  char *path = take_path(f);
  take_end(f);
  struct details details;
  bool ok = details_read(path, &details);
  free(path);
  if (!ok) return false;
  size_t length = strlen(details.target);
  uint8_t *at = put_u8(put_u8(outbox_place(o, 26 + length), FILE_STAT), details.entry.type);
  at = put_u64(put_u64(put_u32(at, details.mode), details.entry.size), details.entry.modified_at);
  put_text(at, details.target, length);
  outbox_commit(o, FROM_FILE_DONE, channel, 26 + length);
  return true;
}

static bool two_paths(struct fields *f, uint8_t op, uint64_t *bytes) {
  char *from = take_path(f), *to = take_path(f);
  bool overwrite = take_u8(f);
  take_end(f);
  bool ok = op == FILE_COPY ? copy_file(from, to, overwrite, bytes) : name_move(from, to, overwrite, bytes);
  free(from);
  free(to);
  return ok;
}

static bool one_path(struct fields *f, uint8_t op, uint32_t channel, uint64_t *value) {
  char *path = take_path(f);
  bool ok = false;
  if (op == FILE_READ) {
    uint64_t offset = take_u64(f), length = take_u64(f), most = take_u64(f);
    take_end(f);
    ok = start_read(channel, path, offset, length, most);
  } else if (op == FILE_LIST) {
    bool recursive = take_u8(f), hidden = take_u8(f);
    uint32_t max_depth = take_u32(f);
    take_end(f);
    ok = start_list(channel, path, recursive, hidden, max_depth);
  } else {
    bool flag = take_u8(f);
    uint64_t size = op == FILE_WRITE ? take_u64(f) : 0;
    struct expectation expects = {0};
    if (op == FILE_REMOVE) expects = expectation_take(f);
    take_end(f);
    if (op == FILE_WRITE) ok = start_write(channel, path, flag, size);
    else if (op == FILE_REMOVE) ok = name_remove(path, flag, &expects);
    else ok = directory_make(path, flag, value);
  }
  free(path);
  return ok;
}

static bool link_layer(struct fields *f) {
  char *path = take_path(f), *target = take_path(f);
  take_end(f);
  bool ok = layer_link(path, target);
  free(path);
  free(target);
  return ok;
}

void files_request(struct outbox *o, uint32_t channel, struct fields *f) {
  uint8_t op = take_u8(f);
  uint64_t value = 0;
  bool ok;
  if (op < FILE_WRITE || op > FILE_LINK) die("an unknown file operation: %d", op);
  if (chain_broken) {
    refuse("Not done");
    refusal_reason = FAILED_SKIPPED;
    return fail(o, channel);
  }
  if (op == FILE_LINK) return link_layer(f) ? done(o, channel, op, 0) : fail(o, channel);
  if (op >= FILE_BEGIN) return transaction_request(o, channel, op, f) ? (void)0 : fail(o, channel);
  if (op >= FILE_OPEN_READ) return file_streams_request(o, channel, op, f);
  if (op == FILE_CLEAR) {
    take_end(f);
    ok = root_empty();
  } else if (op == FILE_STAT) {
    ok = stat_path(o, channel, f);
  } else {
    ok = op == FILE_COPY || op == FILE_MOVE ? two_paths(f, op, &value) : one_path(f, op, channel, &value);
  }
  if (!ok) fail(o, channel);
  else if (op == FILE_READ || op == FILE_LIST) files_advance(o);
  else if (op != FILE_WRITE && op != FILE_STAT) done(o, channel, op, value);
}
