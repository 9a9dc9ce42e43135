#define _GNU_SOURCE
#include "diff_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diff_files.h"
#include "memory.h"
#include "place.h"
#include "refusal.h"

enum { ORIGINAL, MODIFIED, SIDES };

static const char PATH[] = "path:", TEXT[] = "text:";
static const char *const UNNAMED[SIDES] = {"original", "modified"};

/* One side: a text or what a path names. */
struct input {
  const char *path;
  int fd;
  bool is_directory;
  struct bytes content;
};

static int open_path(const char *path) {
  struct place place;
  int fd = -1;
  if (place_find(&place, path, true, false)) {
    fd = openat(place.dir, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) refuse_call(errno, path);
  }
  place_close(&place);
  return fd;
}

static void open_input(struct input *input, char *word) {
  *input = (struct input){.fd = -1};
  if (strncmp(word, TEXT, strlen(TEXT)) == 0) {
    if (!input_read(number_in(word + strlen(TEXT)), &input->content)) die("the text is shorter than was said");
    return;
  }
  if (strncmp(word, PATH, strlen(PATH)) != 0) die("neither path nor text: %s", word);
  input->path = path_in(word + strlen(PATH));
  input->fd = open_path(input->path);
  struct stat status;
  if (input->fd < 0) tool_fail();
  if (fstat(input->fd, &status) < 0) tool_must(refuse_call(errno, input->path));
  input->is_directory = S_ISDIR(status.st_mode);
  if (input->is_directory) return;
  tool_must(S_ISREG(status.st_mode) || refuse("Not a regular file: %s", input->path));
  tool_must(file_map(input->fd, input->path, &input->content));
}

/* A text has the name of the file it is compared with. */
static const char *name_of(const struct input *inputs, int side) {
  const char *path = inputs[side].path ? inputs[side].path : inputs[1 - side].path;
  return path ? below_root(path) : UNNAMED[side];
}

static bool write_diff(struct out *o, struct input *inputs, uint32_t context, struct diff_counts *counts) {
  const struct input *a = &inputs[ORIGINAL], *b = &inputs[MODIFIED];
  if (a->is_directory && b->is_directory) return trees_write(o, a->fd, b->fd, context, counts);
  if (a->is_directory || b->is_directory) {
    const struct input *directory = a->is_directory ? a : b, *other = a->is_directory ? b : a;
    return other->path ? refuse("Not a directory: %s", other->path) : refuse("Is a directory: %s", directory->path);
  }
  const char *names[SIDES] = {name_of(inputs, ORIGINAL), name_of(inputs, MODIFIED)};
  return texts_write(o, names, a->content, b->content, context, counts);
}

void run_diff(char **words) {
  tool_guard();
  places_open(words[2]);
  struct out out = {.fd = STDOUT_FILENO, .most = number_in(words[4])};
  struct input inputs[SIDES];
  for (int side = 0; side < SIDES; side++) open_input(&inputs[side], words[5 + side]);
  struct diff_counts counts = {0};
  tool_must(write_diff(&out, inputs, (uint32_t)number_in(words[3]), &counts) && out_flush(&out));
  fprintf(stderr, "{\"added\":%llu,\"removed\":%llu,\"identical\":%s,\"binary\":%s}\n", (unsigned long long)counts.added,
          (unsigned long long)counts.removed, counts.different ? "false" : "true", counts.binary ? "true" : "false");
  exit(0);
}
