/*
 * The zygote: one process beside the server that forks itself for every sandbox; the child isolates itself and becomes the agent. It
 * takes the place of the launcher that has laid out what sandboxes see, and with it its namespaces. Nothing that one sandbox must not
 * know about another may ever stay in this process: its children inherit its memory and share the layout of its addresses. Frames on
 * standard input and output (protocol.h), a channel for each sandbox and each template; the server's side is src/launcher/zygote.ts.
 * `template`: an interpreter that waits outside of every sandbox for being forked. At the end of its input it kills its children, takes
 * away all control groups of this server, and ends.
 */
#ifndef ZYGOTE_H
#define ZYGOTE_H

enum to_zygote {
  TO_START = 1,
  TO_TEMPLATE = 2,
  TO_TELL = 3,
  /* text: the name of its control group; u8: one of those below. */
  TO_END = 4,
  TO_RESIZE = 5,
};

enum end {
  END_ONLY = 0,
  /* Its control group goes with it, which is answered by REMOVED. */
  END_REMOVE = 1,
  /* The same, once the group has given back what it has in memory of files. */
  END_RECLAIM = 2,
};

enum from_zygote {
  /* Takes requests. */
  FROM_WAITING = 64,
  /* u32: the process's number on the host. */
  FROM_STARTED = 65,
  /* Bytes that a template has said on its control socket. */
  FROM_SAID = 66,
  /* It is over; its last words, at most some hundred bytes. */
  FROM_ENDED = 67,
  /* u32: 1 when the disk has its new size. */
  FROM_RESIZED = 68,
  /* u32: 1 when its control group is gone, 0 when something stays in it. */
  FROM_REMOVED = 69,
};

/*
 * `words`: the command line, `zygote SANDBOX_PLAN TEMPLATE_PLAN FILTER CPU FILE TEXT MEMORY FIELD FILE TEXT PARENT…` after the
 * program's name; for all from CPU on see `struct places`.
 */
_Noreturn void run_zygote(int count, char **words);

#endif
