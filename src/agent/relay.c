#define _GNU_SOURCE
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"
#include "listeners.h"
#include "poll_set.h"
#include "tool.h"

enum { CONTROL = 3, CREDIT_STEP_BYTES = 32 * 1024 };
/* Streams that the service opens have numbers from here on. */
static const uint32_t OF_SERVICE = 0x80000000u;

struct stream {
  int fd;
  uint32_t number;
  /* What may still be sent to the service, and what it has sent that was not granted again. */
  size_t window, ungranted, owed;
  /* From the service, for the connection. */
  struct buffer waiting;
  /* The connection has said its last word; the service has; the service’s has been passed on. */
  bool read_end, write_end, shut;
  /* It is not known yet whether anything listens. */
  bool connecting;
  /* Where it connects to, and which of the loopback's addresses was tried. */
  uint16_t port;
  int family;
};

static struct outbox outbox = {.fd = CONTROL};
static struct decoder decoder;
static struct stream streams[MAX_STREAMS];
static size_t open_streams;
static uint32_t numbers, numbers_of_service;
static bool service_gone;

static struct stream *find(uint32_t number) {
  for (int i = 0; i < MAX_STREAMS; i++)
    if (streams[i].fd >= 0 && streams[i].number == number) return &streams[i];
  return NULL;
}

static void forget(struct stream *s) {
  close(s->fd);
  s->fd = -1;
  buffer_free(&s->waiting);
  open_streams--;
}

static void reset(struct stream *s) {
  outbox_send(&outbox, STREAM_RESET, s->number, NULL, 0);
  forget(s);
}

static void forget_once_over(struct stream *s) {
  if (s->read_end && s->shut) forget(s);
}

static void grant(struct stream *s) {
  if (s->owed < CREDIT_STEP_BYTES) return;
  outbox_send_u32(&outbox, STREAM_CREDIT, s->number, (uint32_t)s->owed);
  s->ungranted -= s->owed;
  s->owed = 0;
}

/* Passes on what the service has sent. */
static void on_writable(void *of) {
  struct stream *s = of;
  if (s->fd < 0) return;
  while (buffer_length(&s->waiting) > 0) {
    ssize_t wrote = send(s->fd, s->waiting.data + s->waiting.from, buffer_length(&s->waiting), MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) break;
    if (wrote < 0) return reset(s);
    buffer_consume(&s->waiting, (size_t)wrote);
  }
  if (buffer_length(&s->waiting) > 0) return;
  s->owed = s->ungranted;
  grant(s);
  if (!s->write_end || s->shut) return;
  shutdown(s->fd, SHUT_WR);
  s->shut = true;
  forget_once_over(s);
}

static void on_readable(void *of) {
  struct stream *s = of;
  /* Gone since this turn began. */
  if (s->fd < 0) return;
  size_t most = MIN(s->window - STREAM_FRAME_COST, STREAM_DATA_BYTES);
  ssize_t got = read(s->fd, outbox_place(&outbox, most), most);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return reset(s);
  if (got > 0) {
    outbox_commit(&outbox, STREAM_DATA, s->number, (size_t)got);
    s->window -= (size_t)got + STREAM_FRAME_COST;
    return;
  }
  outbox_send(&outbox, STREAM_END, s->number, NULL, 0);
  s->read_end = true;
  forget_once_over(s);
}

static struct stream *add(int fd, uint32_t number) {
  struct stream *s = streams;
  while (s->fd >= 0) s++;
  *s = (struct stream){.fd = fd, .number = number, .window = STREAM_WINDOW_BYTES};
  open_streams++;
  return s;
}

static void on_connection(int fd, const struct sockaddr_in *to) {
  /* Another listener was quicker in this turn. */
  if (open_streams == MAX_STREAMS) return (void)close(fd);
  const struct stream *s = add(fd, ++numbers);
  uint8_t *at = outbox_place(&outbox, 8);
  put_u32(put_u32(at, ntohs(to->sin_port)), ntohl(to->sin_addr.s_addr));
  outbox_commit(&outbox, STREAM_OPEN, s->number, 8);
}

static void connected(struct stream *s) {
  s->connecting = false;
  outbox_send(&outbox, STREAM_CONNECTED, s->number, NULL, 0);
}

/* To a port of the sandbox’s own: some servers listen on one of the loopback’s addresses alone. False where that is not there. */
static bool dial(struct stream *s, int family) {
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons(s->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  bool is4 = family == AF_INET;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  if (s->fd >= 0) close(s->fd);
  s->fd = fd;
  s->family = family;
  if (connect(fd, is4 ? (const struct sockaddr *)&address : (const struct sockaddr *)&address6, is4 ? sizeof address : sizeof address6) == 0)
    connected(s);
  else if (errno != EINPROGRESS) return is4 && dial(s, AF_INET6);
  else s->connecting = true;
  return true;
}

static void on_connected(void *of) {
  struct stream *s = of;
  int error = 0;
  socklen_t length = sizeof error;
  if (s->fd < 0) return;
  if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error) {
    if (s->family == AF_INET6 || !dial(s, AF_INET6)) reset(s);
    return;
  }
  connected(s);
  on_writable(s);
}

static void on_connect(uint32_t number, struct fields *payload) {
  uint32_t port = take_u32(payload);
  take_end(payload);
  if (number <= OF_SERVICE + numbers_of_service || port > UINT16_MAX) die("a stream of number %u to port %u", number, port);
  numbers_of_service = number - OF_SERVICE;
  /* Taken by a descriptor from the start: a free place is one without. */
  int fd = open_streams == MAX_STREAMS ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return outbox_send(&outbox, STREAM_RESET, number, NULL, 0);
  struct stream *s = add(fd, number);
  s->port = (uint16_t)port;
  if (!dial(s, AF_INET)) reset(s);
}

static void on_frame(struct frame *frame) {
  struct stream *s = find(frame->channel);
  struct fields *payload = &frame->payload;
  switch (frame->kind) {
    case STREAM_LISTEN: return on_listen(payload);
    case STREAM_UNLISTEN: return on_unlisten(payload);
    case STREAM_DATAGRAM: return on_datagram(frame->channel, payload);
    case STREAM_CONNECT: return on_connect(frame->channel, payload);
    default: break;
  }
  /* Of one that was reset here while this was on its way. */
  if (!s) return;
  switch (frame->kind) {
    case STREAM_DATA:
      s->ungranted += payload->left + STREAM_FRAME_COST;
      if (s->ungranted > STREAM_WINDOW_BYTES || s->write_end) die("more of a stream than was granted");
      buffer_append(&s->waiting, payload->at, payload->left);
      return s->connecting ? (void)0 : on_writable(s);
    case STREAM_END:
      s->write_end = true;
      return s->connecting ? (void)0 : on_writable(s);
    case STREAM_RESET: {
      /* Whoever is connected sees no orderly end (socket(7), SO_LINGER). */
      struct linger at_once = {.l_onoff = 1};
      setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return forget(s);
    }
    case STREAM_CREDIT:
      s->window += take_u32(payload);
      take_end(payload);
      if (s->window > STREAM_WINDOW_BYTES) die("more granted of a stream than was used");
      return;
    default:
      die("a frame of kind %d", frame->kind);
  }
}

static void on_control(void *of) {
  (void)of;
  if (!decoder_read(&decoder, CONTROL, on_frame)) service_gone = true;
}

static void listen_at(const char *port) {
  uint64_t number = number_in(port);
  if (number > UINT16_MAX) die("not a port: %s", port);
  if (number == 0) return;
  errno = listener_add(INADDR_LOOPBACK, (uint16_t)number);
  if (errno) die_errno("listen");
}

void run_relay(const char *port) {
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < MAX_STREAMS; i++) streams[i].fd = -1;
  listeners_begin(&outbox, on_connection);
  listen_at(port);
  must("fcntl", fcntl(CONTROL, F_SETFL, (int)must("fcntl", fcntl(CONTROL, F_GETFL)) | O_NONBLOCK));
  /* Whoever waits for the port knows by this that it is there. */
  if (write(STDOUT_FILENO, "ready\n", 6) < 0) exit(1);
  struct poll_set set = {0};
  while (!service_gone) {
    set.count = 0;
    bool full = outbox_full(&outbox);
    poll_add(&set, CONTROL, (short)(buffer_length(&outbox.waiting) ? POLLIN | POLLOUT : POLLIN), on_control, NULL);
    listeners_poll(&set, open_streams < MAX_STREAMS);
    for (int i = 0; i < MAX_STREAMS; i++) {
      struct stream *s = &streams[i];
      if (s->fd < 0) continue;
      if (s->connecting) poll_add(&set, s->fd, POLLOUT, on_connected, s);
      if (s->connecting) continue;
      if (buffer_length(&s->waiting) > 0) poll_add(&set, s->fd, POLLOUT, on_writable, s);
      if (!s->read_end && s->window > STREAM_FRAME_COST && !full) poll_add(&set, s->fd, POLLIN, on_readable, s);
    }
    poll_wait(&set, INFINITY);
    outbox_flush(&outbox);
  }
  exit(0);
}
