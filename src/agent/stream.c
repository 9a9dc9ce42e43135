#include "stream.h"

#include <stdlib.h>

#include "protocol.h"
#include "refusal.h"
#include "refusal_frame.h"

enum {
  /* Of one sandbox at once: each may hold a descriptor or two. */
  MOST_STREAMS = 128,
  /* What was taken is granted again in such steps. */
  GRANT_BYTES = STREAM_WINDOW_BYTES / 4,
};

static struct outbox *outbox;
static struct stream *streams;
static size_t count;
static bool busy;

void streams_open(struct outbox *o) { outbox = o; }

static struct stream **find(uint32_t channel) {
  struct stream **at = &streams;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  return at;
}

bool stream_add(uint32_t channel, const struct stream_kind *kind, void *of) {
  if (count == MOST_STREAMS) return refuse("Too many files or connections are open at once: %d", MOST_STREAMS);
  if (*find(channel)) die("channel %u is a stream already", channel);
  struct stream *s = allocate(sizeof *s);
  *s = (struct stream){.channel = channel, .kind = kind, .of = of, .window = STREAM_WINDOW_BYTES};
  *find(channel) = s;
  count++;
  return true;
}

void stream_opened(uint32_t channel, const void *payload, size_t length) {
  outbox_send(outbox, FROM_STREAM_OPENED, channel, payload, length);
}

struct stream *stream_on(uint32_t channel, const struct stream_kind *kind) {
  struct stream *s = *find(channel);
  return s && s->kind == kind ? s : NULL;
}

static void remove_at(struct stream **at) {
  struct stream *s = *at;
  *at = s->next;
  count--;
  s->kind->close(s);
  free(s);
}

static void reset(const struct stream *s) { send_refusal(outbox, FROM_STREAM_RESET, s->channel); }

size_t stream_room(const struct stream *s) {
  int64_t left = s->window - STREAM_FRAME_COST;
  if (left <= 0 || outbox_full(outbox)) return 0;
  return (size_t)MIN(left, (int64_t)DATA_FRAME_BYTES);
}

uint8_t *stream_place(size_t most) { return outbox_place(outbox, most); }

void stream_send(struct stream *s, size_t bytes) {
  outbox_commit(outbox, FROM_STREAM_DATA, s->channel, bytes);
  s->window -= (int64_t)bytes + STREAM_FRAME_COST;
}

void stream_send_end(const struct stream *s, const void *payload, size_t length) {
  outbox_send(outbox, FROM_STREAM_END, s->channel, payload, length);
}

/* False once refused. */
static bool take(struct stream *s, const struct fields *f) {
  if (!s->kind->take) return refuse("Nothing can be written to it");
  if (!s->kind->take(s, f->at, f->left)) return false;
  s->taken += (uint32_t)f->left + STREAM_FRAME_COST;
  if (s->taken < GRANT_BYTES) return true;
  outbox_send_u32(outbox, FROM_STREAM_WINDOW, s->channel, s->taken);
  s->taken = 0;
  return true;
}

static void grant(struct stream *s, struct fields f) {
  uint32_t bytes = take_u32(&f);
  take_end(&f);
  s->window = MIN(s->window + bytes, (int64_t)STREAM_WINDOW_BYTES);
}

void streams_on_frame(const struct frame *frame) {
  struct stream **at = find(frame->channel), *s = *at;
  if (!s) return;
  bool goes_on = true;
  if (frame->kind == TO_STREAM_RESET) return remove_at(at);
  if (frame->kind == TO_STREAM_DATA) goes_on = take(s, &frame->payload);
  else if (frame->kind == TO_STREAM_WINDOW) grant(s, frame->payload);
  else if (s->kind->take_end) goes_on = s->kind->take_end(s);
  if (goes_on) return;
  reset(s);
  remove_at(at);
}

/* The first becomes the last. */
static void rotate(void) {
  struct stream *s = streams, **last = &streams;
  while (*last) last = &(*last)->next;
  *last = s;
  streams = s->next;
  s->next = NULL;
}

void streams_advance(void) {
  size_t waiting = 0;
  while (waiting < count && !outbox_full(outbox)) {
    struct stream *s = streams;
    enum stream_step step = s->kind->advance(s);
    if (step == STREAM_REFUSED) reset(s);
    if (step == STREAM_OVER || step == STREAM_REFUSED) {
      remove_at(&streams);
      continue;
    }
    rotate();
    waiting = step == STREAM_MORE ? 0 : waiting + 1;
  }
  busy = waiting < count;
}

bool streams_busy(void) { return busy; }
