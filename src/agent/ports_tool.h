/*
 * `agent ports`: writes what listens on TCP in the sandbox, a line for all of it, and another one when it has changed. Of each socket its port,
 * `=` and its address, with a space behind it; as many as a line has room for.
 */
#ifndef PORTS_TOOL_H
#define PORTS_TOOL_H

_Noreturn void run_ports(void);

#endif
