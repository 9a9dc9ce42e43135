/*
 * What the service's own file operations change while a transaction is open, as a log that can be undone from the last step on. What is
 * replaced or deleted keeps a name, and with it its inode, in one directory aside; what is written in its own place is copied there
 * first; of what grows only the length is kept. Without an open transaction all of this does nothing.
 */
#ifndef UNDO_H
#define UNDO_H

#include <stdbool.h>
#include <stdint.h>

/* A directory in which something is about to change. */
struct undo_dir {
  /* Where it is, to be freed by `undo_leave`; NULL while no transaction is open. */
  char *path;
};

/* Opens the log, for what lies below an open directory, which stays open. False when refused. */
bool undo_open(int root);
bool undo_is_open(void);
/* Before anything changes in a directory. False when refused; to be left either way. */
bool undo_enter(struct undo_dir *d, int dir);
void undo_leave(struct undo_dir *d);

/* Before something is put under a name, over whatever is there. */
bool undo_put(const struct undo_dir *d, int dir, const char *name);
/* Instead of removing what has a name, a whole directory too. */
bool undo_take(const struct undo_dir *d, int dir, const char *name);
/* After a directory was made, or something got another name. */
void undo_made(const struct undo_dir *d, const char *name);
/* After a directory that was made for what then failed has been removed again. */
void undo_unmade(int dir, const char *name);
void undo_moved(const struct undo_dir *from, const char *old, const struct undo_dir *to, const char *new);
/* Before something is added to an open file, or it is written in its own place. */
bool undo_grow(const struct undo_dir *d, const char *name, int fd);
bool undo_change(const struct undo_dir *d, int dir, const char *name);

/* Whether a name in the root is that of what is kept aside. */
bool undo_hides(const char *name);
/* Undoes all of it and closes the log. False when refused: something could not be put back. */
bool undo_all(void);
/* Lets go of what was kept, and closes the log. */
void undo_forget(void);

#endif
