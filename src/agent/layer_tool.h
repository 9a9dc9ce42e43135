/*
 * `agent layer LINK TARGET`: makes LINK, in a directory that is made where it is missing, point to TARGET at once, whether it is there
 * already or not: what is installed for a session is then where its programs look for it.
 */
#ifndef LAYER_TOOL_H
#define LAYER_TOOL_H

_Noreturn void run_layer(char *link, const char *target);

#endif
