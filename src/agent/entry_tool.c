#define _GNU_SOURCE
#include "entry_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directories.h"
#include "entry_metadata.h"
#include "memory.h"
#include "protocol.h"
#include "refusal.h"
#include "tool.h"

enum {
  DIRECTORY_MODE = 0755,
  FILE_MODE = 0644,
  PERMISSIONS = 07777,
  /* Levels of a listing, each of which holds a descriptor. */
  MAX_LEVELS = 256,
  PIECE_BYTES = 64 * 1024,
};

static struct out out = {.fd = STDOUT_FILENO, .most = UINT64_MAX};

_Noreturn static void fail(void) {
  die("%d %s", refusal_reason, refusal);
}

static void done(bool well) {
  if (!well) fail();
}

_Noreturn static void finish(void) {
  done(out_flush(&out));
  exit(0);
}

static bool field(const char *text) { return out_bytes(&out, text, strlen(text) + 1); }

static char letter_of(mode_t mode) { return S_ISREG(mode) ? 'f' : S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : 'o'; }

/* Where a link leads: to what, or where nothing is, the path that it has. */
static bool target_of(int dir, const char *name, const char *path) {
  char target[PATH_MAX], real[PATH_MAX];
  if (realpath(path, real)) return field(real);
  ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  return field(target);
}

static bool entry_tell(int dir, const char *name, const char *path) {
  struct stat s;
  if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) < 0) return refuse_call(errno, path);
  char text[96];
  snprintf(text, sizeof text, "%c", letter_of(s.st_mode));
  bool told = field(text);
  snprintf(text, sizeof text, "%lld", (long long)s.st_size);
  told = told && field(text);
  snprintf(text, sizeof text, "%o", (unsigned)(s.st_mode & PERMISSIONS));
  told = told && field(text);
  snprintf(text, sizeof text, "%lld.%09ld", (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  told = told && field(text) && field(path);
  told = told && (S_ISLNK(s.st_mode) ? target_of(dir, name, path) : field(""));
  int fd = S_ISREG(s.st_mode) ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
  told = told && metadata_write(&out, fd);
  if (fd >= 0) close(fd);
  return told;
}

static char *join(const char *path, const char *name) {
  char *joined;
  bool slash = path[strlen(path) - 1] == '/';
  if (asprintf(&joined, "%s%s%s", path, slash ? "" : "/", name) < 0) die("out of memory");
  return joined;
}

/* What goes away while it is looked at is left out. */
static bool tell_all(int fd, const char *path, uint64_t levels) {
  struct names names;
  if (names_read(fd, &names) < 0) return errno == EACCES || errno == ENOENT || refuse_call(errno, path);
  names_sort(&names);
  bool told = true;
  for (size_t i = 0; told && i < names.count; i++) {
    char *below = join(path, names.items[i]);
    struct stat s;
    if (fstatat(fd, names.items[i], &s, AT_SYMLINK_NOFOLLOW) == 0) {
      told = entry_tell(fd, names.items[i], below);
      int next = told && levels > 1 && S_ISDIR(s.st_mode) ? open_directory(fd, names.items[i]) : -1;
      if (next >= 0) {
        told = tell_all(next, below, levels - 1);
        close(next);
      }
    }
    free(below);
  }
  names_free(&names);
  return told;
}

static bool list(const char *path, uint64_t levels) {
  if (levels == 0) return entry_tell(AT_FDCWD, path, path);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return refuse_call(errno, path);
  return tell_all(fd, path, MIN(levels, (uint64_t)MAX_LEVELS));
}

/* The directories above; a path is left as it was. */
static bool make_above(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    bool made = mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST || refuse_call(errno, path);
    *slash = '/';
    if (!made) return false;
  }
  return true;
}

static bool make(char *path) {
  if (!make_above(path)) return false;
  if (mkdir(path, DIRECTORY_MODE) == 0) return true;
  struct stat s;
  if (errno == EEXIST && stat(path, &s) == 0 && !S_ISDIR(s.st_mode)) return refuse_call(ENOTDIR, path);
  return refuse_call(errno, path);
}

static bool child_succeeded(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return false;
  return status == 0;
}

static bool move(const char *from, char *to) {
  struct stat s;
  if (lstat(from, &s) < 0) return refuse_call(errno, from);
  if (!make_above(to)) return false;
  if (rename(from, to) == 0) return true;
  if (errno != EXDEV) return refuse_call(errno, to);
  /* Between two of its disks. */
  pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/mv", "mv", "-fT", "--", from, to, (char *)NULL);
    _exit(1);
  }
  return (pid > 0 && child_succeeded(pid)) || refuse("Could not be moved: %s", from);
}

static bool remove_all(const char *path) {
  struct stat s;
  if (lstat(path, &s) < 0) return errno == ENOENT || refuse_call(errno, path);
  int removed = S_ISDIR(s.st_mode) ? directory_remove(AT_FDCWD, path) : unlink(path);
  return removed == 0 || errno == ENOENT || refuse_call(errno, path);
}

static bool open_file(const char *path, int *fd) {
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat s;
  if (*fd < 0 || fstat(*fd, &s) < 0) return refuse_call(errno, path);
  return S_ISREG(s.st_mode) || refuse_call(S_ISDIR(s.st_mode) ? EISDIR : ENXIO, path);
}

static bool mark(const char *path) {
  int fd;
  struct bytes pairs;
  return open_file(path, &fd) && input_read(SIZE_MAX, &pairs) && metadata_set(fd, path, pairs);
}

static bool give(const char *path, uint64_t offset, uint64_t length) {
  int fd;
  if (!open_file(path, &fd)) return false;
  static char piece[PIECE_BYTES];
  while (length > 0) {
    ssize_t got = pread(fd, piece, MIN(length, sizeof piece), (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse_call(errno, path);
    if (got == 0) return refuse("It has become shorter: %s", path);
    if (!write_all(STDOUT_FILENO, piece, (size_t)got)) return refuse("Nobody reads it");
    offset += (uint64_t)got;
    length -= (uint64_t)got;
  }
  return true;
}

/* What is written beside the file until all of it is there; empty for none. */
static char beside[PATH_MAX];

static void drop(void) {
  if (*beside) unlink(beside);
}

static void on_end(int signal) {
  (void)signal;
  drop();
  _exit(1);
}

static bool take(int fd, const char *path) {
  static char piece[PIECE_BYTES];
  while (true) {
    ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) return true;
    if (got < 0 || !write_all(fd, piece, (size_t)got)) return refuse_call(errno, path);
  }
}

static bool replace(char *path, mode_t mode) {
  if (!make_above(path)) return false;
  struct stat s;
  bool was = stat(path, &s) == 0;
  if (was && !S_ISREG(s.st_mode)) return refuse_call(S_ISDIR(s.st_mode) ? EISDIR : ENXIO, path);
  /* Behind its link. */
  char real[PATH_MAX];
  const char *to = was && realpath(path, real) ? real : path;
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) < 0) return refuse("No random bytes");
  int length = snprintf(beside, sizeof beside, "%s.%016llx", to, (unsigned long long)random);
  if (length >= (int)sizeof beside) return *beside = 0, refuse_call(ENAMETOOLONG, path);
  int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
  if (fd < 0) return *beside = 0, refuse_call(errno, path);
  if (!mode && was) mode = s.st_mode & PERMISSIONS;
  if (mode && fchmod(fd, mode) < 0) return refuse_call(errno, path);
  if (!take(fd, path)) return false;
  if (rename(beside, to) < 0) return refuse_call(errno, path);
  *beside = 0;
  return out_format(&out, "%c", was ? '0' : '1') && field("");
}

void run_entry(int count, char **words) {
  const char *operation = count > 3 ? words[2] : "";
  for (int i = 3; i < count; i++) path_in(words[i]);
  if (count == 5 && strcmp(operation, "list") == 0) done(list(words[4], number_in(words[3])));
  else if (count == 4 && strcmp(operation, "make") == 0) done(make(words[3]));
  else if (count == 5 && strcmp(operation, "move") == 0) done(move(words[3], words[4]));
  else if (count == 4 && strcmp(operation, "remove") == 0) done(remove_all(words[3]));
  else if (count == 4 && strcmp(operation, "mark") == 0) done(mark(words[3]));
  else if (count == 6 && strcmp(operation, "read") == 0) done(give(words[3], number_in(words[4]), number_in(words[5])));
  else if (count == 5 && strcmp(operation, "write") == 0) {
    on_death = drop;
    const struct sigaction ends = {.sa_handler = on_end};
    sigaction(SIGTERM, &ends, NULL);
    done(replace(words[3], (mode_t)number_in(words[4])));
    done(entry_tell(AT_FDCWD, words[3], words[3]));
  } else die("no such operation: %s", operation);
  finish();
}
