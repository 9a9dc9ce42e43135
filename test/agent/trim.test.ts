import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What of a process that has freed much is resident before and after, kilobytes. */
const PROGRAM = `
const { readFileSync } = require('node:fs');
const resident = () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = name => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(status)[1]);
  return { own: of('RssAnon'), files: of('RssFile') };
};
let buffers = Array.from({ length: 1500 }, () => Buffer.allocUnsafeSlow(20_000).fill(1));
// Above all others, so that the C library can't shrink its heap by itself.
const last = Buffer.allocUnsafeSlow(20_000).fill(1);
buffers = null;
gc();
setImmediate(async () => {
  const before = resident();
  const { trim } = await import(process.argv[1]);
  trim();
  const after = resident();
  trim();
  const { createHash } = await import('node:crypto');
  const works = createHash('sha256').update(last).digest('hex').length;
  console.log(JSON.stringify({ before, after, works }));
});
`;

test('what was freed and what only the start has used is given back, and the process goes on', async () => {
  const words = ['--expose-gc', '-e', PROGRAM, `${process.cwd()}/src/agent/trim.ts`];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { before, after, works } = JSON.parse(stdout);
  expect(before.own - after.own).toBeGreaterThan(5000);
  expect(after.files).toBeLessThan(before.files / 2);
  expect(works).toBe(64);
});

/** Says what is left of a page of a file's that was written and then swapped out, as the kernel tells of it: few machines of tests swap. */
const SWAPPED = `
#define _GNU_SOURCE
#include <stdio.h>
static FILE *told;
#define fopen(path, mode) told
#include "trim.c"
#include <unistd.h>
int napi_create_function(napi_env e, const char *n, size_t l, napi_value (*f)(napi_env, napi_info), void *d, napi_value *v) { (void)e, (void)n, (void)l, (void)f, (void)d, (void)v; return 1; }
int napi_set_named_property(napi_env e, napi_value o, const char *n, napi_value v) { (void)e, (void)o, (void)n, (void)v; return 1; }
int main(int count, char **words) {
  (void)count;
  for (int swapped = 4; swapped >= 0; swapped -= 4) {
    FILE *file = fdopen(dup(STDIN_FILENO), "r");
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0), text[512];
    page[0] = 'w';
    mprotect(page, 4096, PROT_READ);
    snprintf(text, sizeof text, "%lx-%lx r--p 00000000 00:00 1 %s\\nAnonymous: 0 kB\\nSwap: %d kB\\n", (unsigned long)page, (unsigned long)page + 4096, words[1], swapped);
    told = fmemopen(text, strlen(text), "r");
    unmap_unused();
    printf("%c", page[0]);
  }
  return 0;
}
`;

test('what was written into a file’s page and swapped out is not given back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'codebeaker-trim-'));
  try {
    const [source, program, file] = ['swapped.c', 'swapped', 'file'].map(name => join(root, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, SWAPPED);
    writeFileSync(file, 'r'.repeat(4096));
    await promisify(execFile)(process.env.CC ?? 'cc', ['-I', 'src/agent/trim', '-o', program, source]);
    const { stdout } = await promisify(execFile)('sh', ['-c', '"$0" "$1" <"$1"', program, file]);
    expect(stdout).toBe('wr');
  } finally {
    rmSync(root, { recursive: true });
  }
});
