#define _GNU_SOURCE
#include "listeners.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

enum { BACKLOG = 128, QUESTIONS_PORT = 53 };

struct listener {
  int fd;
  uint16_t port;
};

static struct outbox *outbox;
static void (*take)(int fd, const struct sockaddr_in *to);
static struct listener listeners[MAX_LISTENERS + 1];
static size_t count;
/* Of UDP; -1 for none. And who has asked, the latest last. */
static int questions = -1;
static struct sockaddr_in askers[MAX_DATAGRAMS];
static uint32_t asked;

void listeners_begin(struct outbox *o, void (*on_connection)(int fd, const struct sockaddr_in *to)) {
  outbox = o;
  take = on_connection;
}

/* A bound socket; -1 with errno. */
static int bound(int kind, uint32_t address, uint16_t port) {
  int fd = socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
  const int yes = 1;
  if (fd < 0) return -1;
  /* Its connections of before may not be over for the kernel. */
  if (kind == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && (kind != SOCK_STREAM || listen(fd, BACKLOG) == 0)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static struct listener *find(uint16_t port) {
  for (size_t i = 0; i < count; i++)
    if (listeners[i].port == port) return &listeners[i];
  return NULL;
}

int listener_add(uint32_t address, uint16_t port) {
  if (find(port)) return 0;
  if (count == LENGTH(listeners)) return ENFILE;
  int fd = bound(SOCK_STREAM, address, port);
  if (fd < 0) return errno;
  listeners[count++] = (struct listener){.fd = fd, .port = port};
  return 0;
}

static int listen_to_questions(void) {
  if (questions < 0) questions = bound(SOCK_DGRAM, INADDR_LOOPBACK, QUESTIONS_PORT);
  return questions < 0 ? errno : 0;
}

/* Port 0: that of questions. */
void on_listen(struct fields *payload) {
  uint32_t port = take_u32(payload), address = take_u32(payload);
  take_end(payload);
  if (port > UINT16_MAX) die("no port: %u", port);
  int error = port == 0 ? listen_to_questions() : listener_add(address, (uint16_t)port);
  uint8_t *at = outbox_place(outbox, 8);
  put_u32(put_u32(at, port), (uint32_t)error);
  outbox_commit(outbox, STREAM_LISTENING, 0, 8);
}

void on_unlisten(struct fields *payload) {
  uint32_t port = take_u32(payload);
  take_end(payload);
  struct listener *l = find((uint16_t)port);
  if (!l) return;
  close(l->fd);
  *l = listeners[--count];
}

void on_datagram(uint32_t number, const struct fields *payload) {
  const struct sockaddr_in *to = &askers[number % MAX_DATAGRAMS];
  if (questions < 0 || number == 0 || number > asked || asked - number >= MAX_DATAGRAMS) return;
  sendto(questions, payload->at, payload->left, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to);
}

/* A longer one is none that anything here would ask. */
static void on_question(void *of) {
  (void)of;
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  ssize_t got = recvfrom(questions, outbox_place(outbox, DATAGRAM_BYTES), DATAGRAM_BYTES, MSG_TRUNC, (struct sockaddr *)&from, &length);
  if (got <= 0 || got > DATAGRAM_BYTES) return;
  asked++;
  askers[asked % MAX_DATAGRAMS] = from;
  outbox_commit(outbox, STREAM_DATAGRAM, asked, (size_t)got);
}

static void on_knock(void *of) {
  const struct listener *l = of;
  int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  struct sockaddr_in to = {0};
  socklen_t length = sizeof to;
  if (fd < 0) return;
  if (getsockname(fd, (struct sockaddr *)&to, &length) < 0) close(fd);
  else take(fd, &to);
}

void listeners_poll(struct poll_set *set, bool accepts) {
  if (questions >= 0 && !outbox_full(outbox)) poll_add(set, questions, POLLIN, on_question, NULL);
  for (size_t i = 0; accepts && i < count; i++) poll_add(set, listeners[i].fd, POLLIN, on_knock, &listeners[i]);
}
