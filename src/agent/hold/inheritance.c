#define _GNU_SOURCE
#include "hold.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 16 };

static struct {
  int fd, in;
  uint32_t events;
  uint64_t data;
} watched[MOST];
static int epolls[MOST], events[MOST];
static size_t watches, epoll_count, event_count;

static size_t one_more(size_t *count) {
  if (*count == MOST) give_up("more descriptors than Bun has at its start");
  return (*count)++;
}

/* What an epoll instance waits for (proc(5), fdinfo). */
static void look_into(int epoll) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
  FILE *file = fopen(path, "re");
  if (!file) give_up(path);
  while (fgets(line, sizeof line, file)) {
    int fd;
    unsigned mask;
    unsigned long long data;
    if (sscanf(line, "tfd: %d events: %x data: %llx", &fd, &mask, &data) != 3) continue;
    size_t i = one_more(&watches);
    watched[i].fd = fd;
    watched[i].in = epoll;
    watched[i].events = mask;
    watched[i].data = data;
  }
  fclose(file);
}

/* Its event loop. What else there may be of that kind is a reason not to fork; children close the rest. */
static void look_at_descriptors(void) {
  DIR *all = opendir("/proc/self/fd");
  if (!all) give_up("/proc/self/fd");
  for (struct dirent *entry; (entry = readdir(all));) {
    int fd = atoi(entry->d_name);
    char target[64];
    ssize_t length = fd > FILE_FD && fd != dirfd(all) ? readlinkat(dirfd(all), entry->d_name, target, sizeof target - 1) : -1;
    if (length < 0) continue;
    target[length] = 0;
    if (strcmp(target, "anon_inode:[eventpoll]") == 0) epolls[one_more(&epoll_count)] = fd;
    else if (strcmp(target, "anon_inode:[eventfd]") == 0) events[one_more(&event_count)] = fd;
    else if (strncmp(target, "anon_inode:", 11) == 0) give_up(target);
  }
  closedir(all);
  for (size_t i = 0; i < epoll_count; i++) look_into(epolls[i]);
}

/* Compiled code lies where a fork has nothing unless told so (madvise(2), MADV_DONTFORK). */
static void take_along(void) {
  FILE *file = fopen("/proc/self/smaps", "re");
  if (!file) give_up("/proc/self/smaps");
  char line[1024];
  unsigned long low = 0, high = 0, start, end;
  while (fgets(line, sizeof line, file)) {
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s ", &start, &end, rights) == 3) low = start, high = end;
    if (strncmp(line, "VmFlags:", 8) != 0 || !strstr(line, " dc")) continue;
    if (madvise((void *)low, high - low, MADV_DOFORK) < 0) give_up("madvise");
  }
  fclose(file);
}

static void be_alone(void) {
  DIR *all = opendir("/proc/self/task");
  if (!all) give_up("/proc/self/task");
  int threads = 0;
  for (struct dirent *entry; (entry = readdir(all));) threads += entry->d_name[0] != '.';
  closedir(all);
  if (threads != 1) give_up("a fork would be without the other threads");
}

void inheritance_look(void) {
  be_alone();
  look_at_descriptors();
  take_along();
}

static void replace(int fd, int by) {
  if (by < 0 || dup3(by, fd, O_CLOEXEC) < 0 || close(by) < 0) give_up("renewing a descriptor");
}

void inheritance_renew(void) {
  for (size_t i = 0; i < epoll_count; i++) replace(epolls[i], epoll_create1(EPOLL_CLOEXEC));
  for (size_t i = 0; i < event_count; i++) replace(events[i], eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  for (size_t i = 0; i < watches; i++) {
    struct epoll_event event = {.events = watched[i].events, .data.u64 = watched[i].data};
    if (epoll_ctl(watched[i].in, EPOLL_CTL_ADD, watched[i].fd, &event) < 0) give_up("epoll_ctl");
  }
}

bool inheritance_keeps(int fd) {
  for (size_t i = 0; i < MOST; i++)
    if ((i < epoll_count && epolls[i] == fd) || (i < event_count && events[i] == fd)) return true;
  return false;
}
