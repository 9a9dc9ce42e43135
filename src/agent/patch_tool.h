/* `agent patch`: applies a patch to files, all of it or nothing. */
#ifndef PATCH_TOOL_H
#define PATCH_TOOL_H

/*
 * Words: ROOT ASIDE TARGET STRIP OPTIONS. TARGET: a directory in which the patch's names lie, or the one file it is for. ASIDE: a path
 * that is not there, on TARGET's disk. OPTIONS: letters, `d` applies nothing, `r` applies backwards, `u` undoes what one with the same
 * ASIDE and TARGET has done that was killed, without a patch, and answers `done` where it had done all of it, which stays; `-` is none.
 * The patch is on standard input; for each of its files there is one line of JSON on standard output.
 */
_Noreturn void run_patch(char **words);

#endif
