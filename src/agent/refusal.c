#include "refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "memory.h"

/* As much as the service keeps of one. */
enum { MAX_REFUSAL = 8192 };
char refusal[MAX_REFUSAL];

bool refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(refusal, sizeof refusal, format, arguments);
  va_end(arguments);
  return false;
}

static const struct {
  int error;
  const char *sentence;
} SENTENCES[] = {
    {ENOENT, "File not found"},
    {EEXIST, "File exists"},
    {ENOTDIR, "Not a directory"},
    {EISDIR, "Is a directory"},
    {ENOTEMPTY, "Directory not empty"},
    {ENOSPC, "No space left in the sandbox"},
    {EACCES, "Permission denied"},
    {EPERM, "Permission denied"},
    {ELOOP, "Changed while it was used"},
    {ENAMETOOLONG, "Name too long"},
    {EINVAL, "Not possible"},
    /* A named pipe without a reader that is opened for writing. */
    {ENXIO, "Not a regular file"},
};

bool refuse_call(int error, const char *path) {
  for (size_t i = 0; i < LENGTH(SENTENCES); i++)
    if (SENTENCES[i].error == error) return refuse("%s: %s", SENTENCES[i].sentence, path);
  return refuse("Failed (errno %d): %s", error, path);
}
