import { describe, expect, test } from 'vitest';
import { isRegistryEvent } from '../../../src/packages/registry-events.ts';

const installed = [{ name: 'a', version: '1', bytes: 1, digest: null }];
const done = { event: 'done', id: 'ab', bytes: 1, installed };
const asked = { pages: ['a'], unused: [], failed: false, passing: false };
const progress = { phase: 'download', package: 'a', bytes: 1, totalBytes: null, cached: false };

describe('a line of the process of an install', () => {
  test.each([
    [{ event: 'progress', progress }],
    [done],
    [{ ...done, asked, places: { 'node_modules/a': 'ab' } }],
    [{ event: 'facts', failure: null }],
    [{ event: 'facts', failure: { reason: 'digest', sentence: 'It is another' } }],
    [{ event: 'failed', reason: 'internal', sentence: 'It is broken' }],
  ])('is an event: %j', line => {
    expect(isRegistryEvent(line)).toBe(true);
  });

  // Each is what a layer's record holds, or what clients are told.
  test.each([
    ['another’s build', { ...done, builder: 'somebody' }],
    ['a file to describe', { ...done, tellsOf: { artifact: '../../x', about: { directory: '..' } } }],
    ['versions that it is sure of', { ...done, sure: { a: '1' } }],
    ['nothing that was installed', { ...done, installed: undefined }],
    ['a name that is no text', { ...done, installed: [{ ...installed[0], name: 1 }] }],
    ['less than no bytes', { ...done, bytes: -1 }],
    ['a reason that there is not', { event: 'failed', reason: 'other', sentence: '' }],
    ['another phase', { event: 'progress', progress: { ...progress, phase: 'ready' } }],
    ['another event', { event: 'picked', number: 1, versions: [] }],
    ['nothing', null],
  ])('is none with %s', (_, line) => {
    expect(isRegistryEvent(line)).toBe(false);
  });
});
