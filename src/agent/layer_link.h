/*
 * Makes a link point to a layer of packages at once, whether it is there already or not, in a directory that is made where it is
 * missing: what is installed for a session is then where its programs look for it. Unlike files' paths, its own is the service's choice.
 */
#ifndef LAYER_LINK_H
#define LAYER_LINK_H

#include <stdbool.h>

bool layer_link(char *path, const char *target);

#endif
