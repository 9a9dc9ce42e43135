/*
 * Bytes over one channel, in either direction and under a window each: what streams of every kind share. A request of its kind opens a
 * stream on a channel of the service's, `FROM_STREAM_OPENED` says that it is there. Whoever sends stops when the other side's window is
 * used up, so that no stream holds up another, or what is no stream.
 */
#ifndef STREAM_H
#define STREAM_H

#include "frames.h"

struct stream;

enum stream_step { STREAM_WAITS, STREAM_MORE, STREAM_OVER, STREAM_REFUSED };

struct stream_kind {
  /* Bytes of the service's; false when refused, which ends the stream. NULL where none may come, as for the next. */
  bool (*take)(struct stream *s, const uint8_t *bytes, size_t length);
  /* None follow. The stream goes on until it has ended its own side. */
  bool (*take_end)(struct stream *s);
  /* Sends one piece at most. */
  enum stream_step (*advance)(struct stream *s);
  /* Gives back what it holds, whatever has become of it. */
  void (*close)(struct stream *s);
};

struct stream {
  struct stream *next;
  uint32_t channel;
  const struct stream_kind *kind;
  void *of;
  /* What may still be sent, costs of frames included. */
  int64_t window;
  /* What was taken and not granted again. */
  uint32_t taken;
};

/* Once, before all else: where frames go. */
void streams_open(struct outbox *o);
/* Adds a stream; false when refused, which is to be told and leaves `of` the caller's. To be followed by `stream_opened`. */
bool stream_add(uint32_t channel, const struct stream_kind *kind, void *of);
/* Tells that it is there, with `length` bytes of its kind's. */
void stream_opened(uint32_t channel, const void *payload, size_t length);
/* The stream of that kind on a channel; NULL for none. */
struct stream *stream_on(uint32_t channel, const struct stream_kind *kind);
/* How much the next frame may hold: 0 while the window or the outbox has no room for one. */
size_t stream_room(const struct stream *s);
/* A place for so many bytes of it, and sending those that were put there. */
uint8_t *stream_place(size_t most);
void stream_send(struct stream *s, size_t bytes);
/* Ends this side, with `length` bytes of its kind's. */
void stream_send_end(const struct stream *s, const void *payload, size_t length);

/* A frame of the service's; one for a stream that is gone says nothing. */
void streams_on_frame(const struct frame *frame);
/* Sends as much as the outbox takes, the streams in turns. */
void streams_advance(void);
/* Whether one of them has more to send at once. */
bool streams_busy(void);

#endif
