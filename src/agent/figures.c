#define _GNU_SOURCE
#include "figures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  MODE = 0444,
  PATH_BYTES = 320,
  /* Beyond all that an agent's descriptors are on its way. */
  FAR_UP = 64,
};

static int open_files[MOST_FIGURES];
static size_t files;
static cpu_set_t own, chosen;
static bool knows_own;

int figures_make(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
  if (fd < 0 || files == MOST_FIGURES) return -1;
  open_files[files] = fcntl(fd, F_DUPFD_CLOEXEC, FAR_UP);
  close(fd);
  return open_files[files] < 0 ? -1 : (files++, 0);
}

int figures_put(int first) {
  for (size_t i = 0; i < files; i++) {
    must("dup3", dup3(open_files[i], first, O_CLOEXEC));
    close(open_files[i]);
    open_files[i] = first++;
  }
  return first;
}

void figures_begin(void) { knows_own = sched_getaffinity(0, sizeof own, &own) == 0; }

/* So many of its own, from one of them on and over the end. */
static void choose(uint32_t cpus, uint32_t first) {
  uint32_t all = (uint32_t)CPU_COUNT(&own);
  CPU_ZERO(&chosen);
  uint32_t place = 0;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &own)) continue;
    if ((place + all - first % all) % all < cpus) CPU_SET(cpu, &chosen);
    place++;
  }
}

/* Each thread of a process; one that ends meanwhile, or is not ours to touch, is left. */
static void bind_process(int pid) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) return;
  for (struct dirent *task; (task = readdir(tasks));)
    if (task->d_name[0] != '.') sched_setaffinity(atoi(task->d_name), sizeof chosen, &chosen);
  closedir(tasks);
}

static void bind_all(void) {
  /* Elsewhere than in a sandbox, others are not its own. */
  DIR *processes = getpid() == 1 ? opendir("/proc") : NULL;
  if (!processes) return;
  for (struct dirent *process; (process = readdir(processes));) {
    int pid = atoi(process->d_name);
    if (pid > 1) bind_process(pid);
  }
  closedir(processes);
}

static void write_file(int fd, const uint8_t *text, size_t length) {
  /* One that finds no room shows less than there is. */
  if (pwrite(fd, text, length, 0) == (ssize_t)length && ftruncate(fd, (off_t)length) == 0) return;
}

void figures_show(struct fields *f, bool begun) {
  uint32_t cpus = take_u32(f), first = take_u32(f), count = take_u32(f);
  for (size_t i = 0; i < count && !f->broken; i++) {
    size_t length;
    const uint8_t *text = take_text(f, &length);
    if (i < files && !f->broken) write_file(open_files[i], text, length);
  }
  take_end(f);
  if (!knows_own || cpus == 0) return;
  choose(cpus, first);
  sched_setaffinity(0, sizeof chosen, &chosen);
  if (begun) bind_all();
}
