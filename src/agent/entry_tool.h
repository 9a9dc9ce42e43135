/*
 * `entry OPERATION …`: files anywhere in the sandbox, as its programs see them and with their rights, for clients that know more of a
 * file than a listing tells. Paths are absolute. Operations:
 *
 *   list DEPTH PATH            what a path names, or with a depth what is in that directory, so many levels of it, in the order of names
 *   make PATH                  a directory and those above it
 *   move FROM TO               in the place of what is there; makes the directories above
 *   remove PATH                all of it; nothing where nothing is
 *   mark PATH                  gives a file the metadata of standard input, `name NUL value NUL` each, and no other
 *   read PATH OFFSET LENGTH    its bytes
 *   write PATH MODE            new content from standard input, whole or not at all; makes the directories above; mode 0: that of before
 *
 * `list` answers by entries, and so does `write`, behind 1 for a file that was not there or 0: letter of the type (f, d, l, o), size, mode in octal, time of the last change in
 * seconds with nine places, path, where a link leads, number of metadata, a name and a value each; a NUL behind every one. A failure is
 * told as `enum failure` (protocol.h) in decimal, a space and a sentence.
 */
#ifndef ENTRY_TOOL_H
#define ENTRY_TOOL_H

_Noreturn void run_entry(int count, char **words);

#endif
