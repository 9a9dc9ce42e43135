#define _GNU_SOURCE
#include "direct.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proc.h"

static int listener = NOT_OPEN;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

void direct_open(const char *path) {
  if (strlen(path) >= sizeof address.sun_path) return;
  memcpy(address.sun_path, path, strlen(path));
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return;
  if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0) direct_close();
}

int direct_listener(void) { return listener; }

int direct_take(void) {
  int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection < 0) return NOT_OPEN;
  direct_close();
  return connection;
}

void direct_close(void) {
  if (listener < 0) return;
  close(listener);
  unlink(address.sun_path);
  listener = NOT_OPEN;
}
