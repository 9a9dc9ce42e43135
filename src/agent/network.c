#define _GNU_SOURCE
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "proc.h"

enum { LOOPBACK_INDEX = 1 };

void network_start_loopback(void) {
  int fd = (int)must("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  must("SIOCSIFFLAGS", ioctl(fd, SIOCSIFFLAGS, &request));
  close(fd);
}

/* rtnetlink(7): a route of the kernel's own kind, by which an address is one of this namespace's. */
struct route_request {
  struct nlmsghdr header;
  struct rtmsg route;
  struct rtattr to_header;
  struct in_addr to;
  struct rtattr by_header;
  int by;
};

struct route_answer {
  struct nlmsghdr header;
  struct nlmsgerr error;
};

static void lead_here(int fd, const char *block) {
  char address[INET_ADDRSTRLEN];
  unsigned prefix;
  struct route_request request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
      .route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
      .to_header = {.rta_len = RTA_LENGTH(sizeof request.to), .rta_type = RTA_DST},
      .by_header = {.rta_len = RTA_LENGTH(sizeof request.by), .rta_type = RTA_OIF},
      .by = LOOPBACK_INDEX,
  };
  if (sscanf(block, "%15[0-9.]/%u", address, &prefix) != 2 || prefix > 32 || inet_pton(AF_INET, address, &request.to) != 1)
    die("no block of addresses: %s", block);
  request.route.rtm_dst_len = (unsigned char)prefix;
  must("send", send(fd, &request, sizeof request, 0));
  struct route_answer answer = {0};
  must("recv", recv(fd, &answer, sizeof answer, 0));
  if (answer.header.nlmsg_type != NLMSG_ERROR || (answer.error.error && answer.error.error != -EEXIST))
    die("a route to %s failed (errno %d)", block, -answer.error.error);
}

void network_open(char *const *blocks) {
  must("ip_unprivileged_port_start", file_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"));
  if (!*blocks) return;
  int fd = (int)must("socket", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  for (; *blocks; blocks++) lead_here(fd, *blocks);
  close(fd);
}

void run_network(char **words) {
  char **command = words;
  while (*command && strcmp(*command, "--") != 0) command++;
  if (!*command || !command[1]) die("no command");
  *command++ = NULL;
  must("unshare", unshare(CLONE_NEWNET));
  network_start_loopback();
  network_open(words);
  execvp(*command, command);
  die_errno(*command);
}
