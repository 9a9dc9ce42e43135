/*
 * The interfaces of a sandbox: its loopback. The C library asks the kernel by netlink, which no sandbox has, and Mono takes a machine
 * without interfaces for one that knows no address family: it resolves no name then, not even localhost.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>

struct loopback {
  struct ifaddrs entry;
  struct sockaddr_in address, mask;
};

int getifaddrs(struct ifaddrs **list) {
  struct loopback *own = calloc(1, sizeof *own);
  if (!own) return -1;
  own->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  own->mask = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(IN_CLASSA_NET)}};
  own->entry = (struct ifaddrs){
      .ifa_name = "lo",
      .ifa_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING,
      .ifa_addr = (struct sockaddr *)&own->address,
      .ifa_netmask = (struct sockaddr *)&own->mask,
  };
  *list = &own->entry;
  return 0;
}

void freeifaddrs(struct ifaddrs *list) { free(list); }
