/*
 * The zygote: one process beside the launcher that forks itself for every sandbox; the child isolates itself and becomes the agent.
 * Nothing that one sandbox must not know about another may ever stay in this process: its children inherit its memory and share the
 * layout of its addresses. Frames on standard input and output (protocol.h), a channel for each sandbox and each template; the
 * launcher's side is src/launcher/zygote.ts. `template`: an interpreter that waits outside of every sandbox for being forked.
 */
#ifndef ZYGOTE_H
#define ZYGOTE_H

enum to_zygote { TO_START = 1, TO_TEMPLATE = 2, TO_TELL = 3, TO_END = 4, TO_RESIZE = 5 };

enum from_zygote {
  /* Takes requests. */
  FROM_WAITING = 64,
  /* u32: the process's number on the host. */
  FROM_STARTED = 65,
  /* Bytes that a template has said on its control socket. */
  FROM_SAID = 66,
  /* It is over; its last words, at most some hundred bytes. Nothing follows on this channel. */
  FROM_ENDED = 67,
  /* u32: 1 when the disk has its new size. */
  FROM_RESIZED = 68,
};

/* `words`: of the command line, `zygote SANDBOX_PLAN TEMPLATE_PLAN FILTER` after the program's name. */
_Noreturn void run_zygote(char **words);

#endif
