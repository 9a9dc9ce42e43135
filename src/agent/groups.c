#define _GNU_SOURCE
#include "groups.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "proc.h"

enum {
  /* Until a group is tried again: longer the longer it has been tried already. */
  RETRY_MS = 2,
  RETRY_SHARE = 8,
  /* What a group takes to be empty whose sandbox has ended; longer is not its own doing, and what is still there is killed. */
  EMPTY_MS = 200,
  PATIENCE_MS = 10 * 1000,
  /* Of the processes of a group, as many as are read at once; there is another time. */
  MEMBERS_BYTES = 16 * 1024,
  STAT_BYTES = 8 * 1024,
  /* See src/cgroup/dead-groups.ts. */
  MUCH_BYTES = 16 * 1024 * 1024,
};

/* A group that something was still in. */
struct leaving {
  struct leaving *next;
  uint32_t channel;
  char *id;
  int64_t since, due;
};

static struct leaving *leaving;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Two or three names as a path; false where it is too long for one. */
static bool join(char path[PATH_MAX], const char *directory, const char *name, const char *file) {
  int length = snprintf(path, PATH_MAX, "%s/%s%s%s", directory, name, file ? "/" : "", file ? file : "");
  return length > 0 && length < PATH_MAX;
}

bool groups_make(char **directories, char **settings) {
  for (; *directories; directories++)
    if (mkdir(*directories, 0755) < 0) return false;
  for (; settings[0] && settings[1]; settings += 2)
    if (file_write(settings[0], settings[1]) < 0) return false;
  return true;
}

void group_hurry(const struct places *p, const char *id) {
  char path[PATH_MAX];
  /* It may never have been there. */
  if (join(path, p->cpu, id, p->cpu_file)) file_write(path, p->cpu_text);
}

void group_reclaim(const struct places *p, const char *id) {
  char path[PATH_MAX], text[STAT_BYTES];
  if (!join(path, p->memory, id, "memory.stat") || file_peek(path, text, sizeof text) < 0) return;
  size_t length = strlen(p->field);
  for (const char *line = text; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, p->field, length) != 0 || line[length] != ' ') continue;
    unsigned long long bytes = strtoull(line + length, NULL, 10);
    if (bytes > 0 && bytes < MUCH_BYTES && join(path, p->memory, id, p->memory_file)) file_write(path, p->memory_text);
    return;
  }
}

bool is_group(const char *id) { return *id && !strchr(id, '/') && strcmp(id, ".") != 0 && strcmp(id, "..") != 0; }

/* One that this namespace does not see is 0, and kills nothing. */
static void kill_members(const char *directory) {
  char path[PATH_MAX], text[MEMBERS_BYTES];
  if (!join(path, directory, "cgroup.procs", NULL) || file_peek(path, text, sizeof text) < 0) return;
  for (char *at = text, *end; strtol(at, &end, 10) > 0 && *end == '\n'; at = end + 1) kill((pid_t)strtol(at, NULL, 10), SIGKILL);
}

static bool removed(const char *directory) { return rmdir(directory) == 0 || errno == ENOENT; }

/* A group and its leaves; false while something is in them. */
static bool remove_group(const char *directory, bool kills) {
  if (removed(directory)) return true;
  DIR *entries = opendir(directory);
  if (!entries) return errno == ENOENT;
  for (struct dirent *entry; (entry = readdir(entries));) {
    char leaf[PATH_MAX];
    if (entry->d_type != DT_DIR || !is_group(entry->d_name) || !join(leaf, directory, entry->d_name, NULL)) continue;
    if (!removed(leaf) && kills) kill_members(leaf);
  }
  closedir(entries);
  if (removed(directory)) return true;
  if (kills) kill_members(directory);
  return false;
}

static bool remove_everywhere(const struct places *p, const char *id, bool kills) {
  bool gone = true;
  for (char **parent = p->parents; *parent; parent++) {
    char path[PATH_MAX];
    if (!join(path, *parent, id, NULL) || !remove_group(path, kills)) gone = false;
  }
  return gone;
}

void groups_leave(const struct places *p, uint32_t channel, char *id, groups_gone *said) {
  if (remove_everywhere(p, id, false)) {
    free(id);
    return said(channel, true);
  }
  struct leaving *added = allocate(sizeof *added);
  *added = (struct leaving){.next = leaving, .channel = channel, .id = id, .since = now_ms()};
  added->due = added->since + RETRY_MS;
  leaving = added;
}

int groups_wait(void) {
  if (!leaving) return -1;
  int64_t first = INT64_MAX;
  for (const struct leaving *one = leaving; one; one = one->next) first = MIN(first, one->due);
  int64_t left = first - now_ms();
  return left > 0 ? (int)left : 0;
}

void groups_retry(const struct places *p, groups_gone *said) {
  int64_t now = now_ms();
  for (struct leaving **at = &leaving; *at;) {
    struct leaving *one = *at;
    if (now < one->due) {
      at = &one->next;
      continue;
    }
    int64_t waited = now - one->since;
    bool kills = waited > EMPTY_MS;
    if (kills) group_hurry(p, one->id);
    bool gone = remove_everywhere(p, one->id, kills);
    if (!gone && waited < PATIENCE_MS) {
      one->due = now + RETRY_MS + waited / RETRY_SHARE;
      at = &one->next;
      continue;
    }
    said(one->channel, gone);
    *at = one->next;
    free(one->id);
    free(one);
  }
}

bool groups_sweep(const struct places *p) {
  bool gone = true;
  for (char **parent = p->parents; *parent; parent++) {
    DIR *entries = opendir(*parent);
    if (!entries) {
      if (errno != ENOENT) gone = false;
      continue;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
      char path[PATH_MAX];
      if (entry->d_type != DT_DIR || !is_group(entry->d_name) || !join(path, *parent, entry->d_name, NULL)) continue;
      group_hurry(p, entry->d_name);
      if (!remove_group(path, true)) gone = false;
    }
    closedir(entries);
    if (!removed(*parent)) gone = false;
  }
  return gone;
}
