/*
 * What has become of names within a moment, told as what it comes to: a file that was written beside and renamed is one that was
 * modified, and what came and went is nothing.
 */
#ifndef WATCH_CHANGES_H
#define WATCH_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

enum change_type { CHANGE_CREATED = 'c', CHANGE_MODIFIED = 'm', CHANGE_DELETED = 'd', CHANGE_RENAMED = 'r' };

/* `new_path`: of what was renamed, else NULL; `replaced`: something had that name before. */
typedef void (*on_change)(enum change_type type, const char *path, const char *new_path, bool replaced);

/* `existed`: something of that name was known before. */
void changes_created(const char *path, bool existed);
void changes_modified(const char *path);
void changes_deleted(const char *path);
void changes_renamed(const char *from, const char *to, bool existed);
size_t changes_count(void);
/* Tells them in the order in which they began, and forgets them. */
void changes_tell(on_change tell);

#endif
