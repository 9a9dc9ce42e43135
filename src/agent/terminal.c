#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static bool set_up(int mine, struct terminal_size size, int *theirs) {
  const struct winsize window = {.ws_col = size.columns, .ws_row = size.rows};
  int unlocked = 0;
  struct termios settings;
  if (ioctl(mine, TIOCSPTLCK, &unlocked) < 0) return false;
  *theirs = ioctl(mine, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*theirs < 0) return false;
  if (ioctl(mine, TIOCSWINSZ, &window) == 0 && tcgetattr(*theirs, &settings) == 0) {
    /* Erasing takes back a whole character. */
    settings.c_iflag |= IUTF8;
    if (tcsetattr(*theirs, TCSANOW, &settings) == 0) return true;
  }
  close(*theirs);
  return false;
}

bool terminal_open(struct terminal_size size, int *mine, int *theirs) {
  *mine = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (*mine < 0) return false;
  if (set_up(*mine, size, theirs)) return true;
  int error = errno;
  close(*mine);
  *mine = *theirs = -1;
  errno = error;
  return false;
}

void terminal_resize(int mine, struct terminal_size size) {
  const struct winsize window = {.ws_col = size.columns, .ws_row = size.rows};
  /* Fails for one that is gone. */
  ioctl(mine, TIOCSWINSZ, &window);
}
