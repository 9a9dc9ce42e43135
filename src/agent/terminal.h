/* Terminals of programs (pty(7)), from the sandbox's own devpts: that bounds how many there are. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* Both at most 65535, as the kernel keeps them. */
struct terminal_size {
  uint16_t columns, rows;
};

/* `mine` is what is typed and shown, and does not wait; `theirs` is what a program has as its standard streams. False with errno. */
bool terminal_open(struct terminal_size size, int *mine, int *theirs);
/* The programs in its foreground are told by SIGWINCH. */
void terminal_resize(int mine, struct terminal_size size);

#endif
