/*
 * Network namespaces that are used again: one whose sandbox has ended, and in which as far as the kernel tells nothing was ever done.
 * To make one and to take it down is a quarter of what a sandbox costs, and few programs ever touch theirs.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdbool.h>
#include <stdint.h>

/* Learns what a new one tells of itself; before all else. Where that fails, none is ever used again. */
void networks_open(void);
/* For a sandbox to be, once its network is laid out and before its rights are given up: has the zygote keep that of the sandbox on `channel`
 * for another; `known`: the one that it entered; else -1. */
void networks_lend(uint32_t channel, int known);
/* The next of those; false: there is none. */
bool networks_lent(uint32_t *channel, int *network);
/* Keeps one whose sandbox has ended, or closes it; -1 is none. */
void networks_keep(int network);
/* One of those, the caller's to close; -1: there is none. */
int networks_take(void);
/* Milliseconds until `networks_drop` is to be called; -1: none is kept. */
int networks_wait(void);
/* Closes those that nobody wanted for long. */
void networks_drop(void);
/* For a sandbox to be: enters it; false where somebody has used it, and then this process is to make itself another. */
bool networks_enter(int network);

#endif
