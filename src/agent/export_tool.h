/*
 * `agent export DIRECTORY`: writes all that lies in a directory to standard output, for who keeps it elsewhere. Each entry is `u8 type,
 * text path, u32 mode, u64 bytes` and that many bytes: a file's content or where a link points. Paths are relative, a directory comes
 * before what is in it, and type 0 ends it. src/packages/registry/tree-reader.ts reads it.
 */
#ifndef EXPORT_TOOL_H
#define EXPORT_TOOL_H

enum export_type { EXPORT_END = 0, EXPORT_FILE = 1, EXPORT_DIRECTORY = 2, EXPORT_LINK = 3, EXPORT_OTHER = 4 };

_Noreturn void run_export(const char *directory);

#endif
