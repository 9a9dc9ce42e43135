#include "rest.h"

#include "memory.h"
#include "protocol.h"
#include "sockets.h"

enum {
  /* A pipe holds 64 KiB by itself (pipe(7)): it should be found between a quarter and half full. */
  FEW_BYTES = 16 * 1024,
  MANY_BYTES = 32 * 1024,
  /* Standard error alone. */
  MANY_ERRORS = 16,
};

/*
 * Milliseconds. The longest is within what the service joins to one event anyway (src/service/events/coalescer.ts); below the shortest,
 * sleeping takes longer than the rest does.
 */
static const double LONGEST = 4, FIRST = 1, SHORTEST = 1.0 / 16;

struct rest rest_new(void) { return (struct rest){.lasts = FIRST}; }

void rest_begin(struct rest *r, uint8_t of, size_t got) {
  if (got >= MANY_BYTES) r->lasts = r->lasts > SHORTEST ? r->lasts / 2 : 0;
  else if (got < FEW_BYTES) r->lasts = r->lasts > 0 ? MIN(2 * r->lasts, LONGEST) : SHORTEST;
  r->errors = of == FROM_STDERR ? MIN(r->errors + 1, MANY_ERRORS) : 0;
  bool rests = of == FROM_STDOUT || r->errors == MANY_ERRORS;
  r->of = rests ? of : 0;
  r->until = now_ms() + r->lasts;
}

void rest_end(struct rest *r) { r->until = r->lasts = 0; }

double rest_left(const struct rest *r) {
  double left = r->of ? r->until - now_ms() : 0;
  return left > 0 ? left : 0;
}

bool rest_holds(const struct rest *r, uint8_t of) { return r->of == of && rest_left(r) > 0; }
