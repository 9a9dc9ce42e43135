#define _GNU_SOURCE
#include "hold.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Of Node-API what this takes. */
typedef struct napi_env_of *napi_env;
typedef struct napi_value_of *napi_value;
int napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
int napi_create_uint32(napi_env, uint32_t, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports);

static char held[LINE_BYTES];
static size_t from, length;

void give_up(const char *what) {
  dprintf(STDERR_FILENO, "%s (errno %d)\n", what, errno);
  _exit(1);
}

static char *line_at_hand(void) {
  char *end = memchr(held + from, '\n', length - from);
  if (!end) return NULL;
  *end = 0;
  char *line = held + from;
  from = (size_t)(end - held) + 1;
  return line;
}

char *next_line(void) {
  char *line;
  while (!(line = line_at_hand())) {
    memmove(held, held + from, length - from);
    length -= from;
    from = 0;
    if (length == sizeof held) give_up("a line that is too long");
    ssize_t got = read(CONTROL_FD, held + length, sizeof held - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return NULL;
    length += (size_t)got;
  }
  return line;
}

static char *wait_for_line(void) {
  static const char ready[] = "{\"ready\":true}\n";
  if (write(CONTROL_FD, ready, sizeof ready - 1) < 0) _exit(0);
  char *line = next_line();
  /* The service is gone. */
  if (!line) _exit(0);
  return line;
}

/*
 * Waits while Bun loads it: nothing of JavaScript runs meanwhile, so that no thread is started and nothing is compiled or collected.
 * `release` is the line that releases the program; `seed`, in one that was forked, what its Math.random is to begin with.
 */
napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value value;
  char *line = wait_for_line();
  if (strncmp(line, "{\"fork\":", 8) == 0) {
    serve_forks(line);
    /* Nothing of what came for others is the child's. */
    memset(held, 0, sizeof held);
    from = length = 0;
    line = wait_for_line();
    uint32_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) give_up("getrandom");
    napi_create_uint32(env, seed, &value);
    napi_set_named_property(env, exports, "seed", value);
  }
  close(CONTROL_FD);
  /* Within a text its quotes would stand behind backslashes. */
  if (strstr(line, "\"whole\":true")) dup2(FILE_FD, STDIN_FILENO);
  close(FILE_FD);
  napi_create_string_utf8(env, line, strlen(line), &value);
  napi_set_named_property(env, exports, "release", value);
  return exports;
}
