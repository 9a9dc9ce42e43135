/*
 * `tar pack DIRECTORY` and `tar unpack DIRECTORY`: a directory as a tar archive (POSIX.1-2017, pax; GNU's long names are read too), for
 * clients that move whole trees. Run as a program of the sandbox, with its rights and limits. Paths are absolute.
 *
 * Packing leaves out sockets; a file with several names is there several times. Unpacking makes the directory and those above it, and
 * puts each entry in the place of what is there, a file whole or not at all; a directory stays where it is, and neither takes the
 * place of anything else nor gives its own. It follows no link, whoever made it, and refuses names that are absolute or have `..`,
 * hard links to anything but what lies below the directory, and devices; what came before stays. Owners are not kept, nor
 * set-user-id bits. A failure is told as `entry` tells it.
 */
#ifndef TAR_TOOL_H
#define TAR_TOOL_H

_Noreturn void run_tar(const char *operation, char *directory);

#endif
