#define _GNU_SOURCE
#include "file_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "expectation.h"
#include "files.h"
#include "place.h"
#include "protocol.h"
#include "refusal.h"
#include "refusal_frame.h"
#include "stream.h"
#include "upload.h"

enum { STATUS_BYTES = 37, PERMISSIONS = 07777 };

/* A file or directory that is open to be read. */
struct source {
  char *path;
  int fd;
  uint64_t at, end;
};

/* `u8 type, u32 mode, u64 size, i64 modified_at, u64 inode, u64 changed_at`, the last in nanoseconds. */
static uint8_t *put_status(uint8_t *at, const struct stat *status, const struct entry *entry) {
  at = put_u32(put_u8(at, entry->type), status->st_mode & PERMISSIONS);
  at = put_u64(put_u64(put_u64(at, entry->size), entry->modified_at), entry->inode);
  return put_u64(at, changed_at(status));
}

static bool sends_nothing(struct stream *s) { return s != NULL; }

static enum stream_step read_on(struct stream *s) {
  struct source *source = s->of;
  size_t most = (size_t)MIN(source->end - source->at, (uint64_t)stream_room(s));
  if (most == 0) return STREAM_WAITS;
  ssize_t got = pread(source->fd, stream_place(most), most, (off_t)source->at);
  if (got < 0) return refuse_call(errno, source->path), STREAM_REFUSED;
  if (got == 0) return refuse("Changed while it was used: %s", source->path), STREAM_REFUSED;
  stream_send(s, (size_t)got);
  source->at += (uint64_t)got;
  return STREAM_MORE;
}

static void close_source(struct stream *s) {
  struct source *source = s->of;
  close(source->fd);
  free(source->path);
  free(source);
}

static const struct stream_kind READS = {.take_end = sends_nothing, .advance = read_on, .close = close_source};

/* Like `files_open`, and of a directory as well. */
static int open_either(const char *path, struct stat *status) {
  struct place place;
  int fd = -1;
  bool ok = place_find(&place, path, true, false);
  if (ok) fd = openat(place.dir, place.name, O_RDONLY | SAFE);
  if (ok && (fd < 0 || fstat(fd, status) < 0)) ok = refuse_call(errno, path);
  if (ok && !S_ISDIR(status->st_mode)) ok = is_file(status->st_mode, path);
  if (!ok && fd >= 0) close(fd);
  place_close(&place);
  return ok ? fd : -1;
}

static bool open_read(uint32_t channel, const char *path) {
  struct stat status;
  struct entry entry;
  int fd = open_either(path, &status);
  if (fd < 0) return false;
  struct source *source = allocate(sizeof *source);
  *source = (struct source){.path = copy_text(path), .fd = fd};
  if ((entry_read(fd, "", &entry) < 0 && !refuse_call(errno, path)) || !stream_add(channel, &READS, source)) {
    close(fd);
    free(source->path);
    free(source);
    return false;
  }
  uint8_t reply[STATUS_BYTES];
  put_status(reply, &status, &entry);
  stream_opened(channel, reply, sizeof reply);
  return true;
}

static bool write_on(struct stream *s, const uint8_t *bytes, size_t length) {
  /* What comes behind the end is nothing. */
  return !s->of || upload_write(s->of, bytes, length);
}

static enum stream_step wait_for_bytes(struct stream *s) { return s->of ? STREAM_WAITS : STREAM_OVER; }

/* The answer is this side's end: `u8 made`, and the status as above. */
static bool commit(struct stream *s) {
  struct upload *upload = s->of;
  s->of = NULL;
  if (!upload) return true;
  bool made;
  struct stat status;
  struct entry entry = {.type = TYPE_FILE};
  if (!upload_commit(upload, &made, &status)) return false;
  entry.size = (uint64_t)status.st_size;
  entry.inode = status.st_ino;
  entry.modified_at = (uint64_t)((int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000);
  uint8_t reply[1 + STATUS_BYTES];
  put_status(put_u8(reply, made), &status, &entry);
  stream_send_end(s, reply, sizeof reply);
  return true;
}

static void close_upload(struct stream *s) {
  if (s->of) upload_drop(s->of);
}

static const struct stream_kind WRITES = {
    .take = write_on, .take_end = commit, .advance = wait_for_bytes, .close = close_upload};

static bool open_write(uint32_t channel, const char *path, bool appends, uint64_t size, int mode, struct expectation expects) {
  struct upload *upload = upload_open(path, appends, size, mode, expects);
  if (!upload) return false;
  if (!stream_add(channel, &WRITES, upload)) {
    upload_drop(upload);
    return false;
  }
  stream_opened(channel, NULL, 0);
  return true;
}

static void take_range(uint32_t channel, struct fields *f) {
  uint64_t offset = take_u64(f), length = take_u64(f);
  take_end(f);
  struct stream *s = stream_on(channel, &READS);
  if (!s) return;
  struct source *source = s->of;
  source->at = offset;
  source->end = offset + MIN(length, UINT64_MAX - offset);
}

void file_streams_request(struct outbox *o, uint32_t channel, uint8_t op, struct fields *f) {
  if (op == FILE_RANGE) return take_range(channel, f);
  char *path = take_name(f);
  bool ok;
  if (op == FILE_OPEN_READ) {
    take_end(f);
    ok = open_read(channel, path ? path : "");
  } else {
    bool appends = take_u8(f);
    uint64_t size = take_u64(f);
    uint32_t mode = take_u32(f);
    struct expectation expects = expectation_take(f);
    take_end(f);
    ok = open_write(channel, path ? path : "", appends, size, mode > PERMISSIONS ? MODE_AS_IT_IS : (int)mode, expects);
  }
  free(path);
  if (!ok) send_refusal(o, FROM_FAILED, channel);
}
