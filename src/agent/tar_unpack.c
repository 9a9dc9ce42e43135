#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "memory.h"
#include "protocol.h"
#include "refusal.h"
#include "tar_format.h"
#include "tool.h"

enum { DIRECTORY_MODE = 0755, OWNER_ALL = 0700, PIECE_BYTES = 64 * 1024 };

/* An entry, as its headers together have it. */
struct member {
  char type;
  char name[PATH_MAX], link[PATH_MAX];
  mode_t mode;
  uint64_t size;
  struct timespec modified;
};

/* What extended headers have said of the next entry. */
static struct {
  bool name, link, size, modified;
  struct member values;
} extended;

/* Directories get their permissions and times last: one may be shut, and changes as long as something is put into it. */
static struct late {
  char *name;
  /* Of the same name the last one says what holds. */
  uint64_t turn;
  mode_t mode;
  struct timespec modified;
} *late;
static size_t late_count, late_capacity;
static uint64_t late_turns;

static int root;

/* A file that is being written, and where; empty: none is. It takes its name when it is whole. */
static char beside[40];
static int beside_in;

/* So many bytes, or as many as come before the end. */
static size_t take(void *to, size_t length) {
  size_t count = 0;
  while (count < length) {
    ssize_t got = read(STDIN_FILENO, (char *)to + count, length - count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    count += (size_t)got;
  }
  return count;
}

static bool cut(void) { return refuse("The archive ends in the middle of an entry"); }

static bool skip(uint64_t bytes) {
  static char dropped[PIECE_BYTES];
  while (bytes > 0) {
    size_t part = (size_t)MIN(bytes, (uint64_t)sizeof dropped);
    if (take(dropped, part) < part) return cut();
    bytes -= part;
  }
  return true;
}

static uint64_t padded(uint64_t bytes) { return (TAR_BLOCK - bytes % TAR_BLOCK) % TAR_BLOCK; }

/* Octal digits, or where the first bit is set a number of that many bytes (GNU). */
static bool number(const char *field, size_t length, uint64_t *value) {
  const uint8_t *at = (const uint8_t *)field, *end = at + length;
  *value = 0;
  if (*at & 0x80) {
    for (*value = *at++ & 0x7f; at < end; at++) {
      if (*value >> 55) return false;
      *value = *value << 8 | *at;
    }
    return true;
  }
  while (at < end && *at == ' ') at++;
  for (; at < end && *at >= '0' && *at <= '7'; at++) *value = *value << 3 | (uint64_t)(*at - '0');
  return at == end || *at == 0 || *at == ' ';
}

static bool is_end(const struct tar_header *h) {
  for (size_t i = 0; i < sizeof *h; i++)
    if (((const char *)h)[i]) return false;
  return true;
}

static bool copy_name(char *to, const char *from, size_t length) {
  if (length >= PATH_MAX) return refuse("A name of the archive is too long");
  if (memchr(from, 0, length)) return refuse("A name of the archive holds a NUL");
  memcpy(to, from, length);
  to[length] = 0;
  return true;
}

/* Seconds, with a fraction perhaps. */
static bool time_in(const char *text, struct timespec *time) {
  char *end;
  errno = 0;
  long long seconds = strtoll(text, &end, 10);
  bool negative = *text == '-';
  long nanoseconds = 0, unit = 100000000;
  if (*end == '.')
    for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10) nanoseconds += unit * (*end - '0');
  if (errno || *end || end == text) return refuse("A time of the archive is none");
  bool borrows = negative && nanoseconds > 0;
  *time = (struct timespec){seconds - borrows, borrows ? 1000000000 - nanoseconds : nanoseconds};
  return true;
}

static bool take_record(const char *key, const char *value, size_t length) {
  if (strcmp(key, "path") == 0) return extended.name = copy_name(extended.values.name, value, length);
  if (strcmp(key, "linkpath") == 0) return extended.link = copy_name(extended.values.link, value, length);
  if (strcmp(key, "mtime") == 0) return extended.modified = time_in(value, &extended.values.modified);
  if (strncmp(key, "GNU.sparse", 10) == 0) return refuse("Sparse files of an archive are not read");
  if (strcmp(key, "size") != 0) return true;
  char *end;
  errno = 0;
  extended.values.size = strtoull(value, &end, 10);
  if (errno || *value < '0' || *value > '9' || *end || extended.values.size > INT64_MAX) return refuse("A size of the archive is none");
  return extended.size = true;
}

static bool take_records(char *records, size_t length) {
  for (size_t at = 0; at < length;) {
    char *text;
    unsigned long own = strtoul(records + at, &text, 10);
    char *equals = *text == ' ' ? memchr(text, '=', length - (size_t)(text - records)) : NULL;
    bool whole = own > 0 && own <= length - at && equals && equals < records + at + own && records[at + own - 1] == '\n';
    if (!whole) return refuse("An extended header of the archive is broken");
    *equals = records[at + own - 1] = 0;
    if (!take_record(text + 1, equals + 1, (size_t)(records + at + own - 2 - equals))) return false;
    at += own;
  }
  return true;
}

/* The content of a header that says something of the next one. */
static bool take_extended(char type, uint64_t size) {
  static char text[MAX_EXTENDED + 1];
  if (size > MAX_EXTENDED) return refuse("An extended header of the archive is over %d bytes", MAX_EXTENDED);
  if (take(text, (size_t)size) < size) return cut();
  text[size] = 0;
  if (!skip(padded(size))) return false;
  if (type == 'x') return take_records(text, (size_t)size);
  if (type == 'L') return extended.name = copy_name(extended.values.name, text, strlen(text));
  if (type == 'K') return extended.link = copy_name(extended.values.link, text, strlen(text));
  /* What is true of all entries says nothing that is kept. */
  return true;
}

static bool read_member(const struct tar_header *h, struct member *m) {
  uint64_t mode, modified;
  if (!number(h->mode, sizeof h->mode, &mode) || !number(h->size, sizeof h->size, &m->size)) return refuse("A header of the archive is broken");
  /* Before 1970, as GNU writes it. */
  if (!number(h->mtime, sizeof h->mtime, &modified)) modified = 0;
  size_t prefix = memcmp(h->magic, "ustar\0", 6) == 0 ? strnlen(h->prefix, sizeof h->prefix) : 0;
  snprintf(m->name, sizeof m->name, "%.*s%s%.*s", (int)prefix, h->prefix, prefix ? "/" : "", (int)sizeof h->name, h->name);
  snprintf(m->link, sizeof m->link, "%.*s", (int)sizeof h->link, h->link);
  m->type = h->type;
  m->mode = (mode_t)(mode & TAR_MODE_BITS);
  m->modified = (struct timespec){(time_t)modified, 0};
  if (extended.name) strcpy(m->name, extended.values.name);
  if (extended.link) strcpy(m->link, extended.values.link);
  if (extended.size) m->size = extended.values.size;
  if (extended.modified) m->modified = extended.values.modified;
  extended.name = extended.link = extended.size = extended.modified = false;
  return true;
}

/* Drops what says nothing, so that one directory has one name: `.` and slashes too many. False for what leads out, or is none. */
static bool clean(char *name) {
  if (*name == '/' || !*name) return false;
  for (const char *part = name; part; part = strchr(part, '/')) {
    part += *part == '/';
    if (strncmp(part, "..", 2) == 0 && (part[2] == 0 || part[2] == '/')) return false;
  }
  char *to = name;
  for (const char *part = name; *part;) {
    size_t length = strcspn(part, "/");
    bool says_nothing = length == 0 || (length == 1 && *part == '.');
    if (!says_nothing) {
      if (to > name) *to++ = '/';
      memmove(to, part, length);
      to += length;
    }
    part += length;
    part += *part == '/';
  }
  if (to == name) *to++ = '.';
  *to = 0;
  return true;
}

/*
 * The directory that a name lies in; `makes`: it and those above are made where they are not there. `*last`: its last part, NULL for
 * the directory itself. A link is none.
 */
static int open_above(char *name, bool makes, const char **last) {
  int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *last = NULL;
  for (char *part = name; dir >= 0 && part;) {
    char *slash = strchr(part, '/');
    if (slash) *slash = 0;
    bool says_nothing = !*part || strcmp(part, ".") == 0;
    if (!says_nothing && *last) {
      bool made = !makes || mkdirat(dir, *last, DIRECTORY_MODE) == 0 || errno == EEXIST;
      int next = made ? openat(dir, *last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
      if (next < 0) refuse_call(errno == ELOOP ? ENOTDIR : errno, *last);
      close(dir);
      dir = next;
    }
    if (!says_nothing) *last = part;
    part = slash ? slash + 1 : NULL;
  }
  return dir;
}

/* What is there gives way, unless it is a directory. */
static bool make_way(int dir, const char *name) {
  return unlinkat(dir, name, 0) == 0 || errno == ENOENT || refuse_call(errno, name);
}

static void drop_beside(void) {
  if (*beside) unlinkat(beside_in, beside, 0);
}

/* Whoever sends it has left. */
static void on_end(int signal) {
  (void)signal;
  drop_beside();
  _exit(1);
}

static int open_beside(int dir) {
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) < 0) return -1;
  beside_in = dir;
  snprintf(beside, sizeof beside, ".unpacking-%016llx", (unsigned long long)random);
  return openat(dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Takes the place of what is there whole or not at all. */
static bool put_file(int dir, const char *name, const struct member *m) {
  static char piece[PIECE_BYTES];
  int fd = open_beside(dir);
  if (fd < 0) return *beside = 0, refuse_call(errno, name);
  bool put = true;
  for (uint64_t left = m->size; put && left > 0;) {
    size_t part = (size_t)MIN(left, (uint64_t)sizeof piece);
    put = take(piece, part) == part ? write_all(fd, piece, part) || refuse_call(errno, name) : cut();
    left -= part;
  }
  const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, m->modified};
  put = put && ((fchmod(fd, m->mode) == 0 && futimens(fd, times) == 0 && renameat(dir, beside, dir, name) == 0) || refuse_call(errno, name));
  close(fd);
  if (!put) drop_beside();
  *beside = 0;
  return put && skip(padded(m->size));
}

static int by_depth(const void *a, const void *b) {
  const struct late *x = a, *y = b;
  int order = strcmp(y->name, x->name);
  return order ? order : (x->turn < y->turn) - (x->turn > y->turn);
}

/* What lies in a directory before the directory itself, and each once. */
static void sort_directories(void) {
  if (late_count == 0) return;
  qsort(late, late_count, sizeof *late, by_depth);
  size_t kept = 0;
  for (size_t i = 0; i < late_count; i++) {
    if (kept && strcmp(late[kept - 1].name, late[i].name) == 0) free(late[i].name);
    else late[kept++] = late[i];
  }
  late_count = kept;
}

/* However often an archive names a directory, no more is kept than there are. */
static void add_late(const char *path, const struct member *m) {
  bool is_full = late_count == late_capacity;
  if (is_full) sort_directories();
  if (is_full && late_count >= late_capacity / 2) {
    late_capacity = late_capacity ? 2 * late_capacity : 64;
    late = reallocate(late, late_capacity * sizeof *late);
  }
  late[late_count++] = (struct late){copy_text(path), late_turns++, m->mode, m->modified};
}

static bool put_directory(int dir, const char *name, const struct member *m, const char *path) {
  if (mkdirat(dir, name, OWNER_ALL) < 0 && errno != EEXIST) return refuse_call(errno, name);
  int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return refuse_call(errno == ELOOP ? ENOTDIR : errno, name);
  bool opened = fchmod(fd, m->mode | OWNER_ALL) == 0 || refuse_call(errno, name);
  close(fd);
  add_late(path, m);
  return opened;
}

/* Another name of a file that lies below the directory, reached through no link. */
static bool put_hard_link(int dir, const char *name, struct member *m) {
  const char *last;
  if (!clean(m->link)) return refuse("A link of the archive leads out of it: %s", m->link);
  int from = open_above(m->link, false, &last);
  if (from < 0) return refusal_reason == FAILED_MISSING ? refuse("A link of the archive leads to no file: %s", name) : false;
  struct stat status, there;
  bool is_file = last && fstatat(from, last, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
  /* To make way would remove what it leads to, where that has no other name. */
  bool is_there = is_file && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0;
  is_there = is_there && there.st_dev == status.st_dev && there.st_ino == status.st_ino;
  bool put = is_there || (is_file ? make_way(dir, name) && (linkat(from, last, dir, name, 0) == 0 || refuse_call(errno, name))
                                  : refuse("A link of the archive leads to no file: %s", name));
  close(from);
  return put;
}

static bool put_link(int dir, const char *name, const struct member *m) {
  if (!*m->link) return refuse("A link of the archive leads nowhere: %s", name);
  if (!make_way(dir, name) || (symlinkat(m->link, dir, name) < 0 && !refuse_call(errno, name))) return false;
  const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, m->modified};
  return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) == 0 || refuse_call(errno, name);
}

static bool put_pipe(int dir, const char *name, const struct member *m) {
  const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, m->modified};
  if (!make_way(dir, name)) return false;
  bool put = mkfifoat(dir, name, m->mode) == 0 && fchmodat(dir, name, m->mode, 0) == 0;
  return (put && utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) == 0) || refuse_call(errno, name);
}

static bool put_at(int dir, const char *name, struct member *m, const char *path) {
  switch (m->type) {
    case 0:
    case '0':
    case '7': return put_file(dir, name, m);
    case '1': return put_hard_link(dir, name, m);
    case '2': return put_link(dir, name, m);
    case '5': return put_directory(dir, name, m, path);
    case '6': return put_pipe(dir, name, m);
    case '3':
    case '4': return refuse("Devices of an archive are not made: %s", path);
    default: return refuse("An entry of the archive is of no type that is read: %s", path);
  }
}

static bool put(struct member *m) {
  static char path[PATH_MAX];
  /* An old way to say that it is a directory. */
  if ((m->type == 0 || m->type == '0') && *m->name && m->name[strlen(m->name) - 1] == '/') m->type = '5';
  if (!clean(m->name)) return refuse("A name of the archive leads out of it: %s", m->name);
  bool has_content = m->type == 0 || m->type == '0' || m->type == '7';
  strcpy(path, m->name);
  const char *last;
  int dir = open_above(m->name, true, &last);
  if (dir < 0) return false;
  /* Of the directory itself nothing is changed. */
  bool done = last ? put_at(dir, last, m, path) : m->type == '5' || refuse("It is a directory: %s", path);
  close(dir);
  return done && (has_content || m->type == '1' || skip(m->size + padded(m->size)));
}

static bool finish_directories(void) {
  sort_directories();
  for (size_t i = 0; i < late_count; i++) {
    const struct late *l = &late[i];
    const char *last;
    int dir = open_above(l->name, false, &last), fd = dir < 0 ? -1 : openat(dir, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, l->modified};
    bool done = fd >= 0 && futimens(fd, times) == 0 && fchmod(fd, l->mode) == 0;
    if (!done) refuse_call(errno, last ? last : ".");
    if (fd >= 0) close(fd);
    if (dir >= 0) close(dir);
    free(l->name);
    if (!done) return false;
  }
  return true;
}

static bool is_extended(char type) { return type == 'x' || type == 'g' || type == 'L' || type == 'K'; }

bool tar_unpack(int dir) {
  root = dir;
  on_death = drop_beside;
  const struct sigaction ends = {.sa_handler = on_end};
  sigaction(SIGTERM, &ends, NULL);
  static struct member m;
  while (true) {
    struct tar_header h;
    size_t got = take(&h, sizeof h);
    if (got == 0 || (got == sizeof h && is_end(&h))) break;
    if (got < sizeof h) return cut();
    uint64_t sum, size;
    if (!number(h.checksum, sizeof h.checksum, &sum) || sum != tar_checksum(&h)) return refuse("What came is no tar archive");
    if (is_extended(h.type)) {
      if (!number(h.size, sizeof h.size, &size)) return refuse("A header of the archive is broken");
      if (!take_extended(h.type, size)) return false;
    } else if (!read_member(&h, &m) || !put(&m)) {
      return false;
    }
  }
  /* What lies behind the end is nothing, and whoever writes it is not cut off. */
  static char dropped[PIECE_BYTES];
  while (take(dropped, sizeof dropped) > 0) {
  }
  return finish_directories();
}
