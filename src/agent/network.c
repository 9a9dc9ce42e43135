#define _GNU_SOURCE
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "proc.h"

enum { LOOPBACK_INDEX = 1 };

/* rtnetlink(7): a route of the kernel's own kind, by which an address is one of this namespace's. */
struct route_request {
  struct nlmsghdr header;
  struct rtmsg route;
  struct rtattr to_header;
  struct in_addr to;
  struct rtattr by_header;
  int by;
};

/* The same with an attribute of TCP's, in place of a route that is there. */
struct quick_route_request {
  struct route_request plain;
  struct rtattr from_header;
  struct in_addr from;
  struct rtattr metrics_header;
  struct rtattr quickack_header;
  uint32_t quickack;
};

struct route_answer {
  struct nlmsghdr header;
  struct nlmsgerr error;
};

static int netlink(void) { return (int)must("socket", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)); }

/* A request to make a route to an address of this namespace's own. */
static struct route_request route_to(struct in_addr to, unsigned prefix) {
  return (struct route_request){
      .header = {.nlmsg_len = sizeof(struct route_request), .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
      .route = {.rtm_family = AF_INET,
                .rtm_dst_len = (unsigned char)prefix,
                .rtm_table = RT_TABLE_LOCAL,
                .rtm_protocol = RTPROT_STATIC,
                .rtm_scope = RT_SCOPE_HOST,
                .rtm_type = RTN_LOCAL},
      .to_header = {.rta_len = RTA_LENGTH(sizeof to), .rta_type = RTA_DST},
      .to = to,
      .by_header = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = RTA_OIF},
      .by = LOOPBACK_INDEX,
  };
}

/* What the kernel makes of it: 0, or an errno. */
static int ask(int fd, const void *request, size_t bytes) {
  must("send", send(fd, request, bytes, 0));
  struct route_answer answer = {0};
  must("recv", recv(fd, &answer, sizeof answer, 0));
  return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

/*
 * Has what comes over loopback acknowledged at once. Whoever writes twice before reading, as debuggers and many servers do, waits
 * for an acknowledgement before the second part leaves, and its reader holds that back for 40 ms in the hope of an answer to send
 * with it. On loopback an acknowledgement costs next to nothing. A kernel that refuses leaves things as slow as they are everywhere.
 */
static void acknowledge_at_once(int fd, unsigned prefix) {
  struct in_addr here = {htonl(INADDR_LOOPBACK)};
  /* A route's own address has nothing behind its prefix. */
  struct in_addr to = {prefix == 32 ? here.s_addr : htonl(INADDR_LOOPBACK & ~0u << (32 - prefix))};
  struct quick_route_request request = {
      .plain = route_to(to, prefix),
      .from_header = {.rta_len = RTA_LENGTH(sizeof here), .rta_type = RTA_PREFSRC},
      .from = here,
      .metrics_header = {.rta_len = RTA_LENGTH(RTA_LENGTH(sizeof(uint32_t))), .rta_type = RTA_METRICS},
      .quickack_header = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTAX_QUICKACK},
      .quickack = 1,
  };
  request.plain.header.nlmsg_len = sizeof request;
  request.plain.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_ACK;
  request.plain.route.rtm_protocol = RTPROT_KERNEL;
  ask(fd, &request, sizeof request);
}

void network_start_loopback(void) {
  int fd = (int)must("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  must("SIOCSIFFLAGS", ioctl(fd, SIOCSIFFLAGS, &request));
  close(fd);
  /* The two that the kernel has just made. */
  int routes = netlink();
  acknowledge_at_once(routes, 8);
  acknowledge_at_once(routes, 32);
  close(routes);
}

static void lead_here(int fd, const char *block) {
  char address[INET_ADDRSTRLEN];
  unsigned prefix;
  struct in_addr to;
  if (sscanf(block, "%15[0-9.]/%u", address, &prefix) != 2 || prefix > 32 || inet_pton(AF_INET, address, &to) != 1)
    die("no block of addresses: %s", block);
  struct route_request request = route_to(to, prefix);
  int error = ask(fd, &request, sizeof request);
  if (error && error != EEXIST) die("a route to %s failed (errno %d)", block, error);
}

void network_open(char *const *blocks) {
  must("ip_unprivileged_port_start", file_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"));
  if (!*blocks) return;
  int fd = netlink();
  for (; *blocks; blocks++) lead_here(fd, *blocks);
  close(fd);
}

/* `NAME=VALUE`, a name as it lies below /proc/sys. Some kernels have fewer in a user namespace, and sockets are watched all the same. */
static void set(const char *setting) {
  const char *value = strchr(setting, '=');
  char path[128];
  if (!value || snprintf(path, sizeof path, "/proc/sys/%.*s", (int)(value - setting), setting) >= (int)sizeof path) die("no setting: %s", setting);
  file_write(path, value + 1);
}

void run_network(char **words) {
  char **command = words;
  while (*command && strcmp(*command, "--") != 0) command++;
  if (!*command || !command[1]) die("no command");
  *command++ = NULL;
  must("unshare", unshare(CLONE_NEWNET));
  network_start_loopback();
  while (*words && strcmp(*words, "open") != 0) set(*words++);
  if (*words) network_open(words + 1);
  execvp(*command, command);
  die_errno(*command);
}
