/*
 * `watch ROOT PATH RECURSIVE MOST`: tells on standard output what becomes of a directory, with all below it where RECURSIVE is 1, or of
 * a file, until it is gone. A record is a letter (`enum record`, and `enum change_type` of watch_changes.h), a path relative to PATH and a NUL; of
 * what was renamed its new path and a NUL follow. An empty path is PATH itself.
 */
#ifndef WATCH_TOOL_H
#define WATCH_TOOL_H

enum record {
  /* All is watched from here on. */
  RECORD_READY = 's',
  /* Something may have been missed; what happens from here on is told again. */
  RECORD_OVERFLOW = 'o',
};

_Noreturn void run_watch(char **words);

#endif
