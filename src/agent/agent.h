/*
 * The agent: one process inside every sandbox that starts programs and touches files for the service, over one byte stream on
 * standard input and output. It is synchronous: one poll(2) per turn, and never anything else that waits. As process 1 of the sandbox
 * it is out of reach of `kill -9 -1`, and orphans come to it.
 */
#ifndef AGENT_H
#define AGENT_H

/*
 * Serves until the service is gone. `root`: where files are; `silence`: as many milliseconds without a word of the service's are its
 * end too, 0 for never; `direct`: a path at which the service may connect instead (direct.h), or NULL.
 */
_Noreturn void serve(const char *root, long silence, const char *direct);

/*
 * Process 1 of a sandbox does not feel a signal from inside that it has no handler for (pid_namespaces(7)). Once for a process and all
 * that are forked from it.
 */
void take_no_signals(void);

#endif
