/*
 * Gives back what a process at rest need not hold, loaded into the server as an addon (Node-API): what the C library keeps for later, and
 * the pages of programs and libraries that only the start has touched. The kernel keeps the files; what is used again is mapped again.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Of Node-API what this takes. */
typedef struct napi_env_of *napi_env;
typedef struct napi_value_of *napi_value;
typedef struct napi_info_of *napi_info;
int napi_create_function(napi_env, const char *, size_t, napi_value (*)(napi_env, napi_info), void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports);

/* Other C libraries have none. */
__attribute__((weak)) int malloc_trim(size_t);

/*
 * Files that are mapped to be read or run, in which nothing has ever been written: such a page would be the process's own, and lost, also one
 * that has been swapped out.
 */
static void unmap_unused(void) {
  FILE *maps = fopen("/proc/self/smaps", "re");
  if (!maps) return;
  char line[4096 + 128], may[5];
  unsigned long from = 0, to = 0, first, last, own = 0, swapped;
  bool is_file = false;
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %4s", &first, &last, may) == 3) {
      from = first;
      to = last;
      is_file = strchr(line, '/') && may[0] == 'r' && may[1] == '-' && may[3] == 'p';
    } else if (sscanf(line, "Anonymous: %lu", &own) != 1 && is_file && sscanf(line, "Swap: %lu", &swapped) == 1 && own + swapped == 0) {
      madvise((void *)from, to - from, MADV_DONTNEED);
    }
  }
  fclose(maps);
}

static napi_value trim(napi_env env, napi_info info) {
  (void)env, (void)info;
  if (malloc_trim) malloc_trim(0);
  unmap_unused();
  return NULL;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (napi_create_function(env, "trim", 4, trim, NULL, &function) == 0)
    napi_set_named_property(env, exports, "trim", function);
  return exports;
}
