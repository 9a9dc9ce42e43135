#include "refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "memory.h"
#include "protocol.h"

/* As much as the service keeps of one. */
enum { MAX_REFUSAL = 8192 };
char refusal[MAX_REFUSAL];
uint8_t refusal_reason;

bool refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(refusal, sizeof refusal, format, arguments);
  va_end(arguments);
  refusal_reason = FAILED_REFUSED;
  return false;
}

static const struct {
  int error;
  const char *sentence;
  enum failure reason;
} SENTENCES[] = {
    {ENOENT, "File not found", FAILED_MISSING},
    {EEXIST, "File exists", FAILED_EXISTS},
    {ENOTDIR, "Not a directory", FAILED_OTHER_TYPE},
    {EISDIR, "Is a directory", FAILED_OTHER_TYPE},
    {ENOTEMPTY, "Directory not empty", FAILED_EXISTS},
    {ENOSPC, "No space left in the sandbox", FAILED_FULL},
    {EACCES, "Permission denied", FAILED_DENIED},
    {EPERM, "Permission denied", FAILED_DENIED},
    {EROFS, "Read-only", FAILED_DENIED},
    {ELOOP, "Changed while it was used", FAILED_REFUSED},
    {ENAMETOOLONG, "Name too long", FAILED_REFUSED},
    {EINVAL, "Not possible", FAILED_REFUSED},
    /* A named pipe without a reader that is opened for writing. */
    {ENXIO, "Not a regular file", FAILED_OTHER_TYPE},
};

bool refuse_call(int error, const char *path) {
  for (size_t i = 0; i < LENGTH(SENTENCES); i++) {
    if (SENTENCES[i].error != error) continue;
    refuse("%s: %s", SENTENCES[i].sentence, path);
    refusal_reason = (uint8_t)SENTENCES[i].reason;
    return false;
  }
  return refuse("Failed (errno %d): %s", error, path);
}
