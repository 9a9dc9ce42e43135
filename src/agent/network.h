/* What a network namespace of a sandbox is given that its programs may connect from, before its rights are given up. */
#ifndef NETWORK_H
#define NETWORK_H

/* 127.0.0.1 and ::1; over the former, what is sent is acknowledged at once. */
void network_start_loopback(void);
/* Lets programs listen on every port, as what stands for servers must; `blocks`, as ADDRESS/PREFIX, lead to the sandbox itself. */
void network_open(char *const *blocks);
/* `network NAME=VALUE... [open BLOCK...] -- COMMAND...`: the command in a network namespace of its own, which has these settings. */
_Noreturn void run_network(char **words);

#endif
