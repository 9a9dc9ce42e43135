/* Has all programs stand still for a moment. */
#ifndef STANDSTILL_H
#define STANDSTILL_H

#include "processes.h"

/* Stops what runs, and waits until it stands or is dead. `stood`: what did so before. False when refused; to be ended all the same. */
bool standstill_begin(struct processes *stood);
/* Lets go on what did not stand before. */
void standstill_end(struct processes *stood);

#endif
