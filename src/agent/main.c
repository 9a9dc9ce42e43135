/*
 * One program for what surrounds strangers' programs: `agent`, process 1 of a sandbox, and `zygote`, which makes sandboxes on this
 * machine and becomes their agents.
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "confine.h"
#include "diff_tool.h"
#include "entry_tool.h"
#include "export_tool.h"
#include "join_tool.h"
#include "memory.h"
#include "network.h"
#include "patch_tool.h"
#include "ports_tool.h"
#include "relay.h"
#include "tar_tool.h"
#include "watch_tool.h"
#include "zygote.h"

static const char *option(int count, char **words, const char *name, const char *otherwise) {
  for (int i = 2; i + 1 < count; i++)
    if (strcmp(words[i], name) == 0) return words[i + 1];
  return otherwise;
}

int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "agent") == 0) {
    const char *filter = option(count, words, "--filter", NULL);
    if (filter) apply_filter_of(filter);
    serve(option(count, words, "--root", "/workspace"), atol(option(count, words, "--silence", "0")), option(count, words, "--direct", NULL));
  }
  if (count > 12 && strcmp(words[1], "zygote") == 0) run_zygote(count, words);
  if (count == 7 && strcmp(words[1], "diff") == 0) run_diff(words);
  if (count == 7 && strcmp(words[1], "patch") == 0) run_patch(words);
  if (count == 6 && strcmp(words[1], "watch") == 0) run_watch(words);
  if (count > 3 && strcmp(words[1], "entry") == 0) run_entry(count, words);
  if (count == 4 && strcmp(words[1], "tar") == 0) run_tar(words[2], words[3]);
  if (count == 3 && strcmp(words[1], "relay") == 0) run_relay(words[2]);
  if (count > 3 && strcmp(words[1], "network") == 0) run_network(words + 2);
  if (count == 2 && strcmp(words[1], "ports") == 0) run_ports();
  if (count == 3 && strcmp(words[1], "export") == 0) run_export(words[2]);
  if (count > 4 && strcmp(words[1], "join") == 0) run_join(words);
  die("usage: %s agent [--root DIRECTORY] [--silence MILLISECONDS] [--filter FILE] [--direct PATH] | zygote SANDBOX_PLAN TEMPLATE_PLAN FILTER CPU FILE TEXT MEMORY FIELD FILE TEXT PARENT... | diff ROOT CONTEXT MOST "
      "ORIGINAL MODIFIED | patch ROOT ASIDE TARGET STRIP OPTIONS | watch ROOT PATH RECURSIVE MOST | entry OPERATION … | tar OPERATION DIRECTORY | relay PORT | network NAME=VALUE... [open BLOCK...] -- COMMAND... | export DIRECTORY | "
      "join MOST TREE SOURCE... | ports", words[0]);
}
