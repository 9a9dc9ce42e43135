import { chmodSync, closeSync, fstatSync, lstatSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Files } from '../../src/sandbox.ts';
import { numbersFrom } from '../support/numbers-from.ts';
import { AgentProcess } from './agent-process.ts';
import { change, type Dice, diceOf, grow, pathsIn } from './random-tree.ts';
import { listing } from './tree-listing.ts';

/** How often; by hand with more. */
const ROUNDS = Number(process.env.CODEBEAKER_TRANSACTIONS ?? 10);
const SEED = Number(process.env.CODEBEAKER_FUZZ_SEED ?? 1);
/** Nobody: what a mode forbids is forbidden. */
const UID = 65_534;

test(`${ROUNDS} random trees are what they were before random programs changed them`, {
  timeout: 120_000 + ROUNDS * 2000,
}, async () => {
  await using agent = await AgentProcess.start({ namespace: true, uid: UID });
  const { files } = agent.client;
  for (let round = 0; round < ROUNDS; round++) {
    const dice = freshTree(agent.root, round);
    const before = listing(agent.root);
    const held = holdOne(dice, agent.root);
    await files.begin({ whole: true, most: 2 ** 40 });
    change(dice, agent.root, UID);
    await files.rollBack();
    expect(listing(agent.root), `round ${round} of seed ${SEED}`).toEqual(before);
    held.release();
  }
});

test(`${ROUNDS} random trees are what they were before random file operations`, {
  timeout: 120_000 + ROUNDS * 2000,
}, async () => {
  await using agent = await AgentProcess.start({ namespace: true, uid: UID });
  const { files } = agent.client;
  for (let round = 0; round < ROUNDS; round++) {
    const dice = freshTree(agent.root, round);
    const before = listing(agent.root);
    await files.begin({ whole: false, most: 0 });
    for (let i = dice.below(40); i >= 0; i--) await operate(dice, files, agent.root).catch(() => {});
    await files.rollBack();
    expect(listing(agent.root), `round ${round} of seed ${SEED}`).toEqual(before);
  }
});

test('a transaction that ends well leaves what was done, and nothing of what it kept', async () => {
  await using agent = await AgentProcess.start({ namespace: true, uid: UID });
  const { files } = agent.client;
  for (const whole of [true, false]) {
    const dice = freshTree(agent.root, 1);
    await files.begin({ whole, most: 2 ** 40 });
    if (whole) change(dice, agent.root, UID);
    else for (let i = 0; i < 20; i++) await operate(dice, files, agent.root).catch(() => {});
    const after = whole ? listing(agent.root) : null;
    await files.commit();
    // What was kept goes once that is answered.
    await agent.run(['true'], undefined, { cwd: '/' }).catch(() => {});
    if (after) expect(listing(agent.root)).toEqual(after);
    expect(readdirSync(agent.root).filter(name => /^\.(transaction|restoring|writing)-/.test(name))).toEqual(
      [],
    );
    expect(agent.openFiles).toBeLessThan(20);
  }
});

function freshTree(root: string, round: number): Dice {
  chmodSync(root, 0o755);
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  const dice = diceOf(numbersFrom(SEED * 1_000_003 + round));
  grow(dice, root, UID);
  return dice;
}

/** Holds a file open: where it is there still, it must be the one that has its name afterwards. */
function holdOne(dice: Dice, root: string) {
  const path = dice.of(pathsIn(root).others.filter(each => lstatSync(each).isFile()));
  const fd = path === undefined ? -1 : openSync(path, 'r');
  return {
    release() {
      if (path === undefined) return;
      const { ino, nlink } = fstatSync(fd);
      if (nlink > 0) expect(statSync(path).ino).toBe(ino);
      closeSync(fd);
    },
  };
}

/** One command of a client’s; many can’t be done. No client sees what is kept aside, whose name is random. */
async function operate(dice: Dice, files: Files, root: string): Promise<unknown> {
  const seen = (path: string) => !path.startsWith(join(root, '.transaction-'));
  const { directories: all, others } = pathsIn(root);
  const directories = all.filter(seen);
  const any = () => dice.of([...directories, ...others.filter(seen)]);
  const fresh = () => join(dice.of(directories), dice.of(['new', 'a', 'b', 'c/d', 'x/y/z']));
  const data = Buffer.alloc(dice.below(100_000), 'x');
  switch (dice.below(8)) {
    case 0:
      return files.write(fresh(), data);
    case 1:
      return files.write(any(), data);
    case 2:
      return files.write(any(), data, { append: true });
    case 3:
      return files.makeDirectory(fresh(), { recursive: dice.below(2) === 0 });
    case 4:
      return files.copy(any(), dice.below(2) ? any() : fresh(), { overwrite: dice.below(3) > 0 });
    case 5:
      return files.move(any(), dice.below(2) ? any() : fresh(), { overwrite: dice.below(3) > 0 });
    case 6:
      return files.remove(any(), { recursive: false });
    default:
      return files.remove(any(), { recursive: true });
  }
}
