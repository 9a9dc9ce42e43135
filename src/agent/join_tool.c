#define _GNU_SOURCE
#include "join_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "refusal.h"
#include "tool.h"

enum { MODE = 0755 };

static uint64_t most, entries = 1, directories = 1;

static bool one_more(void) { return ++entries <= most || refuse("There are more than %llu entries", (unsigned long long)most); }

static int opened(int dir, const char *name) {
  int fd = open_directory(dir, name);
  if (fd < 0) tool_must(refuse_call(errno, name));
  return fd;
}

static struct names names_in(int dir) {
  struct names names;
  if (names_read(dir, &names) < 0) tool_must(refuse_call(errno, "a directory"));
  return names;
}

static void count(int dir) {
  struct names names = names_in(dir);
  for (size_t i = 0; i < names.count; i++) {
    tool_must(one_more());
    int below = open_directory(dir, names.items[i]);
    if (below < 0) continue;
    directories++;
    count(below);
    close(below);
  }
  names_free(&names);
}

static void join(int from, int to);

/* One of its own, as old as it is: Python looks into a directory again only where it is older or newer than what it saw at that path. */
static void join_directory(int below, int to, const char *name) {
  if (mkdirat(to, name, MODE) == 0) {
    directories++;
    tool_must(one_more());
  } else if (errno != EEXIST) tool_must(refuse_call(errno, name));
  int into = opened(to, name);
  join(below, into);
  close(into);
}

/* In place of what an earlier one has there, which is no directory. */
static void replace(int from, int to, const char *name) {
  if (unlinkat(to, name, 0) < 0 || linkat(from, name, to, name, 0) < 0) tool_must(refuse_call(errno, name));
}

static void join(int from, int to) {
  struct names names = names_in(from);
  for (size_t i = 0; i < names.count; i++) {
    const char *name = names.items[i];
    if (linkat(from, name, to, name, 0) == 0) {
      tool_must(one_more());
      continue;
    }
    /* EPERM: directories have no links; EEXIST: of any kind. */
    int error = errno, below = error == EPERM || error == EEXIST ? open_directory(from, name) : -1;
    if (below >= 0) {
      join_directory(below, to, name);
      close(below);
    } else if (error == EEXIST) replace(from, to, name);
    else tool_must(refuse_call(error, name));
  }
  names_free(&names);
}

void run_join(char **words) {
  /* The directories are for sandboxes to read, whatever the server keeps to itself. */
  umask(0777 & ~MODE);
  most = number_in(words[2]);
  int tree = opened(AT_FDCWD, words[3]);
  if (fchmod(tree, MODE) < 0) tool_must(refuse_call(errno, words[3]));
  count(tree);
  for (char **source = words + 4; *source; source++) {
    int from = opened(AT_FDCWD, *source);
    join(from, tree);
    close(from);
  }
  if (printf("%llu %llu\n", (unsigned long long)entries, (unsigned long long)directories) < 0 || fflush(stdout) == EOF) tool_must(refuse_call(errno, "standard output"));
  exit(0);
}
