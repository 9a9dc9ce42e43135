/*
 * `agent join MOST TREE SOURCE...`: puts all that lies in directories into another one, by links to their files and links, with directories
 * of its own; of two of one name the later stays. It runs beside the server, on layers of packages. Standard output is how many entries and
 * how many of them directories there are then, with TREE itself; more than MOST entries are refused.
 */
#ifndef JOIN_TOOL_H
#define JOIN_TOOL_H

_Noreturn void run_join(char **words);

#endif
