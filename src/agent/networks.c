#define _GNU_SOURCE
#include "networks.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "network.h"
#include "proc.h"
#include "sockets.h"

enum {
  MOST_KEPT = 16,
  /* Nobody wants it any more. */
  KEPT_MS = 5000,
  TEXT_BYTES = 8 * 1024,
};

/*
 * All that is counted of a network and that its programs may see, each packet and each refused one, and what its routes are used by. Each
 * starts at zero, and none can be set back. That is all there can be: programs join no groups, have no flow labels and speak to no
 * netlink (src/seccomp), so what they leave without a packet is a socket, and those are counted too.
 */
static const char *const COUNTERS[] = {"/proc/self/net/dev", "/proc/self/net/snmp", "/proc/self/net/snmp6", "/proc/self/net/netstat",
                                       "/proc/self/net/ipv6_route"};
static const char SOCKETS[] = "/proc/self/net/sockstat";
static const char NO_SOCKETS[] = "sockets: used 0\n";

/* What a new one says, one after the other, each ended by a NUL; NULL where it is not known. */
static char *untouched;
/* By which sandboxes on their way give theirs; none has an end of it once it serves. */
static int to_zygote, from_sandboxes;

static struct {
  int network;
  double since;
} kept[MOST_KEPT];
static size_t kept_count;

/* Its length; negative where there is more than room for it. */
static long read_counter(size_t i, char text[TEXT_BYTES]) {
  long length = file_peek(COUNTERS[i], text, TEXT_BYTES);
  /* A kernel without IPv6 has no such file. */
  if (length < 0) text[length = 0] = 0;
  return length < TEXT_BYTES - 1 ? length : -1;
}

/* Says on `fd` what a network of this process's own says. */
static bool tell_untouched(int fd) {
  char text[TEXT_BYTES];
  network_start_loopback();
  for (size_t i = 0; i < LENGTH(COUNTERS); i++) {
    long length = read_counter(i, text);
    if (length < 0 || write(fd, text, (size_t)length + 1) != length + 1) return false;
  }
  return true;
}

/* How many texts there are in so many bytes. */
static size_t count_texts(const char *bytes, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += bytes[i] == 0;
  return count;
}

void networks_open(void) {
  int ends[2], lending[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lending) < 0 || pipe2(ends, O_CLOEXEC) < 0) return;
  to_zygote = lending[0];
  from_sandboxes = lending[1];
  /* A pipe holds all of it, and this process can't always come back. */
  pid_t pid = fork();
  if (pid == 0) _exit(unshare(CLONE_NEWNET) == 0 && tell_untouched(ends[1]) ? 0 : 1);
  close(ends[1]);
  struct buffer said = {0};
  for (ssize_t got = 1; pid > 0 && got > 0;) {
    uint8_t *place = buffer_reserve(&said, TEXT_BYTES);
    got = read(ends[0], place, TEXT_BYTES);
    if (got > 0) said.to += (size_t)got;
  }
  close(ends[0]);
  int status = -1;
  if (pid > 0) waitpid(pid, &status, 0);
  bool whole = status == 0 && count_texts((char *)said.data, said.to) == LENGTH(COUNTERS);
  if (whole) untouched = (char *)said.data;
  else buffer_free(&said);
}

union passing {
  struct cmsghdr header;
  char room[CMSG_SPACE(sizeof(int))];
};

void networks_lend(uint32_t channel, int known) {
  int network = known < 0 ? open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) : known;
  if (!untouched || network < 0) return;
  struct iovec part = {&channel, sizeof channel};
  union passing passing = {.header = {.cmsg_len = CMSG_LEN(sizeof network), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passing.header), &network, sizeof network);
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &passing, .msg_controllen = sizeof passing};
  if (sendmsg(to_zygote, &message, MSG_DONTWAIT) < 0) {
    /* It goes with its sandbox. */
  }
}

bool networks_lent(uint32_t *channel, int *network) {
  struct iovec part = {channel, sizeof *channel};
  union passing passing;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &passing, .msg_controllen = sizeof passing};
  if (!untouched || recvmsg(from_sandboxes, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof *channel) return false;
  *network = -1;
  if (CMSG_FIRSTHDR(&message)) memcpy(network, CMSG_DATA(&passing.header), sizeof *network);
  return true;
}

void networks_keep(int network) {
  if (network < 0) return;
  if (kept_count == MOST_KEPT) {
    close(network);
    return;
  }
  kept[kept_count].network = network;
  kept[kept_count++].since = now_ms();
}

int networks_take(void) { return kept_count > 0 ? kept[--kept_count].network : -1; }

int networks_wait(void) {
  if (kept_count == 0) return -1;
  double left = kept[0].since + KEPT_MS - now_ms();
  return left > 0 ? (int)left + 1 : 0;
}

void networks_drop(void) {
  size_t old = 0;
  for (double now = now_ms(); old < kept_count && now - kept[old].since >= KEPT_MS; old++) close(kept[old].network);
  kept_count -= old;
  memmove(kept, kept + old, kept_count * sizeof *kept);
}

static bool is_untouched(void) {
  char text[TEXT_BYTES];
  const char *expected = untouched;
  for (size_t i = 0; i < LENGTH(COUNTERS); i++) {
    long length = read_counter(i, text);
    if (length < 0 || strcmp(text, expected) != 0) return false;
    expected += length + 1;
  }
  return file_peek(SOCKETS, text, sizeof text) > 0 && strncmp(text, NO_SOCKETS, sizeof NO_SOCKETS - 1) == 0;
}

bool networks_enter(int network) { return network >= 0 && setns(network, CLONE_NEWNET) == 0 && is_untouched(); }
