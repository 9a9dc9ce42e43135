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
  /*
   * Memory groups that are kept, and how long; after how long one is likely to be charged for nothing any more, for the kernel frees some of
   * it by and by, and after how long it never will be; as many as are looked at for one; and what it may still be charged for, a few pages.
   * Milliseconds.
   */
  MOST_SPARE = 32,
  REST_MS = 100,
  CHARGED_MS = 500,
  MOST_TRIED = 3,
  SPARE_MS = 5000,
  LEFT_BYTES = 32 * 1024,
};

/* A group that something was still in. */
struct leaving {
  struct leaving *next;
  uint32_t channel;
  char *id;
  int64_t since, due;
};

static struct leaving *leaving;

/* The leaf that a divided group begins with (src/cgroup/leaves.ts). */
static const char LEAF[] = "main";

/* Memory groups that nothing lives in, the oldest first. */
static struct spare {
  unsigned number;
  /* It has that leaf. */
  bool divided;
  /* It gives back what it has in memory of files before it goes. */
  bool owes;
  int64_t since;
} spares[MOST_SPARE];
static size_t spare_count;

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

/* Whether memory has a hierarchy of version 1 for itself: others count what can't be set back. */
static bool memory_is_alone(const struct places *p) {
  static int alone = -1;
  static const char *const files[] = {"memory.max_usage_in_bytes", "pids.max", "cpu.shares", "cpuacct.usage"};
  char path[PATH_MAX];
  for (size_t i = 0; alone < 0 && i < LENGTH(files); i++)
    if (!join(path, p->memory, files[i], NULL) || (access(path, F_OK) == 0) != (i == 0)) alone = 0;
  if (alone < 0) alone = 1;
  return alone;
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
  char first[PATH_MAX];
  /* Most have no other, and to list them costs more than to try. */
  if (join(first, directory, LEAF, NULL) && rmdir(first) == 0 && removed(directory)) return true;
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

static const char SPARE[] = "spare-";

static bool spare_path(const struct places *p, const struct spare *spare, char path[PATH_MAX]) {
  int length = snprintf(path, PATH_MAX, "%s/%s%u", p->memory, SPARE, spare->number);
  return length > 0 && length < PATH_MAX;
}

/* Nothing lives in it, and nothing was killed in it for want of memory, which can't be made not to have been. */
static bool is_as_new(const char *directory) {
  char file[PATH_MAX], text[STAT_BYTES];
  if (!join(file, directory, "cgroup.procs", NULL) || file_peek(file, text, sizeof text) != 0) return false;
  return join(file, directory, "memory.oom_control", NULL) && file_peek(file, text, sizeof text) > 0 && strstr(text, "oom_kill 0\n");
}

/* Takes away its leaves but the first; false while something is in one. */
static bool drop_leaves(const char *directory) {
  DIR *entries = opendir(directory);
  bool gone = entries;
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    char leaf[PATH_MAX];
    if (entry->d_type != DT_DIR || !is_group(entry->d_name) || strcmp(entry->d_name, LEAF) == 0) continue;
    if (!join(leaf, directory, entry->d_name, NULL) || !removed(leaf)) gone = false;
  }
  if (entries) closedir(entries);
  return gone;
}

/* Keeps an empty memory group, with the leaf that it began with. */
static bool keep_spare(const struct places *p, const char *directory, bool owes) {
  static unsigned number;
  char path[PATH_MAX], leaf[PATH_MAX];
  struct stat status;
  struct spare spare = {.number = number, .since = now_ms(), .owes = owes};
  if (spare_count == MOST_SPARE || !memory_is_alone(p) || !spare_path(p, &spare, path) || !join(leaf, directory, LEAF, NULL)) return false;
  /* Each leaf is a link more. */
  if (stat(directory, &status) < 0) return false;
  spare.divided = status.st_nlink > 2;
  if (status.st_nlink > 3 && !drop_leaves(directory)) return false;
  if (!is_as_new(directory) || (spare.divided && !is_as_new(leaf)) || rename(directory, path) < 0) return false;
  number++;
  spares[spare_count++] = spare;
  return true;
}

/* What a group is charged for, memory and what sockets hold of it, is next to nothing. */
static bool is_free(const char *directory) {
  static const char *const files[] = {"memory.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes"};
  for (size_t i = 0; i < LENGTH(files); i++) {
    char file[PATH_MAX], text[32];
    if (!join(file, directory, files[i], NULL) || file_peek(file, text, sizeof text) <= 0) return false;
    if (strtoull(text, NULL, 10) > LEFT_BYTES) return false;
  }
  return true;
}

static void forget_spare(size_t i) {
  spare_count--;
  memmove(spares + i, spares + i + 1, (spare_count - i) * sizeof *spares);
}

/* Takes away one that is kept no more. */
static void drop_spare(const struct places *p, const struct spare *spare, const char *path) {
  if (spare->owes && !is_free(path)) p->owing(copy_text(strrchr(path, '/') + 1));
  else remove_group(path, false);
}

/* The oldest of a kind that is charged for nothing, not kept any more; one that is for long goes. False where there is none. */
static bool free_spare(const struct places *p, bool divided, char path[PATH_MAX]) {
  int64_t now = now_ms();
  for (size_t i = 0, tried = 0; tried < MOST_TRIED && i < spare_count && spares[i].since <= now - REST_MS;) {
    if (spares[i].divided != divided) {
      i++;
      continue;
    }
    tried++;
    if (!spare_path(p, &spares[i], path)) return false;
    bool found = is_free(path), stays = spares[i].since > now - CHARGED_MS;
    if (!found && stays) {
      i++;
      continue;
    }
    struct spare spare = spares[i];
    forget_spare(i);
    if (found) return true;
    drop_spare(p, &spare, path);
  }
  return false;
}

/* Where in the list the leaf is that a group begins with; NULL where it has none. */
static const char *leaf_of(const char *directory, char **directories) {
  size_t length = strlen(directory);
  for (; *directories; directories++)
    if (strncmp(*directories, directory, length) == 0 && (*directories)[length] == '/' && strcmp(*directories + length + 1, LEAF) == 0)
      return *directories;
  return NULL;
}

static bool forget_peak(const char *directory) {
  char file[PATH_MAX];
  return join(file, directory, "memory.max_usage_in_bytes", NULL) && file_write(file, "0") == 0;
}

/* Makes a spare one a group of that name, with a leaf where it is to have one; false where none can be it. */
static bool take_spare(const struct places *p, const char *directory, bool divided) {
  size_t length = strlen(p->memory);
  char path[PATH_MAX], file[PATH_MAX];
  if (strncmp(directory, p->memory, length) != 0 || directory[length] != '/' || strchr(directory + length + 1, '/')) return false;
  if (!free_spare(p, divided, path)) return false;
  /* Memory alone may never be above memory and swap together, where that is counted. */
  if (join(file, path, "memory.memsw.limit_in_bytes", NULL)) file_write(file, "-1");
  bool is_new = forget_peak(path) && (!divided || (join(file, path, LEAF, NULL) && forget_peak(file))) && rename(path, directory) == 0;
  if (!is_new) remove_group(path, false);
  return is_new;
}

static void drop_spares(const struct places *p, int64_t before) {
  char path[PATH_MAX];
  while (spare_count > 0 && spares[0].since <= before) {
    struct spare spare = spares[0];
    forget_spare(0);
    if (spare_path(p, &spare, path)) drop_spare(p, &spare, path);
  }
}

bool groups_make(const struct places *p, char **directories, char **settings) {
  const char *made = NULL;
  for (; *directories; directories++) {
    const char *leaf = leaf_of(*directories, directories);
    if (*directories == made) continue;
    if (take_spare(p, *directories, leaf)) made = leaf;
    else if (mkdir(*directories, 0755) < 0) return false;
  }
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

static bool remove_everywhere(const struct places *p, const char *id, bool kills) {
  bool gone = true, was_kept = strncmp(id, SPARE, sizeof SPARE - 1) == 0;
  for (char **parent = p->parents; *parent; parent++) {
    char path[PATH_MAX];
    if (!join(path, *parent, id, NULL)) gone = false;
    else if (!was_kept && strcmp(*parent, p->memory) == 0 && keep_spare(p, path, false)) continue;
    else if (!remove_group(path, kills)) gone = false;
  }
  return gone;
}

bool groups_keep(const struct places *p, const char *id) {
  char path[PATH_MAX];
  return join(path, p->memory, id, NULL) && keep_spare(p, path, true);
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
  if (!leaving && spare_count == 0) return -1;
  int64_t first = spare_count > 0 ? spares[0].since + SPARE_MS : INT64_MAX;
  for (const struct leaving *one = leaving; one; one = one->next) first = MIN(first, one->due);
  int64_t left = first - now_ms();
  return left > 0 ? (int)left : 0;
}

void groups_retry(const struct places *p, groups_gone *said) {
  int64_t now = now_ms();
  drop_spares(p, now - SPARE_MS);
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
