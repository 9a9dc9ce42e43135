/* `agent diff`: the differences of two files, texts or directories, on standard output. */
#ifndef DIFF_TOOL_H
#define DIFF_TOOL_H

/*
 * Words: ROOT CONTEXT MOST ORIGINAL MODIFIED. A version is `path:/absolute/path` or `text:BYTES`, so many of standard input; MOST is
 * how many bytes the diff may have. Standard error: one line of JSON that says what the diff comes to.
 */
_Noreturn void run_diff(char **words);

#endif
