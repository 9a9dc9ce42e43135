/* Where a relay listens: ports of TCP, and one of UDP whose questions the service answers. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <netinet/in.h>

#include "frames.h"
#include "poll_set.h"

/* Where frames go, and who takes a connection that was accepted. */
void listeners_begin(struct outbox *outbox, void (*on_connection)(int fd, const struct sockaddr_in *to));
/* Listens at an address of the host's byte order; 0, or the error number of what failed. */
int listener_add(uint32_t address, uint16_t port);
/* A frame of the service's. */
void on_listen(struct fields *payload);
void on_unlisten(struct fields *payload);
void on_datagram(uint32_t number, const struct fields *payload);
/* What to wait for; `accepts`: connections as well. */
void listeners_poll(struct poll_set *set, bool accepts);

#endif
