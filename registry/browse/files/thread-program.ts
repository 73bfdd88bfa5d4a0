// SPDX-License-Identifier: Apache-2.0
// The program of the thread that reads layers: whatever a layer holds, it costs this thread's time and memory only.
import { parentPort } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { ImageError } from '../../../image-format/index.ts';
import { matches, wordsOf } from '../page.ts';
import { readPackages } from '../referrers/read-packages.ts';
import type { ComparedFile } from '../types/compare.ts';
import { ask } from './ask.ts';
import { compareRoots } from './compare-roots.ts';
import { decodeLayer, encodeLayer, type IndexedLayer } from './indexed-layer.ts';
import { makeIndex } from './make-index.ts';
import type { Answer, FromThread, LayerKey, Query, ToThread } from './messages.ts';
import { Stack } from './stack.ts';

/** Entries of layers, and of stacks of layers, that are kept. */
const MOST_LAYER_ENTRIES = 600_000;
const MOST_STACK_ENTRIES = 600_000;
/** A stack with more entries is refused. */
const MOST_OF_ONE_STACK = 400_000;

const layers = new LRUCache<LayerKey, IndexedLayer>({
  maxSize: MOST_LAYER_ENTRIES,
  sizeCalculation: ({ entries }) => entries.length + 10,
});
const stacks = new LRUCache<string, Stack>({
  maxSize: MOST_STACK_ENTRIES,
  sizeCalculation: (stack) => sizeOf(stack.layers),
});
const differences = new LRUCache<string, ComparedFile[]>({ max: 4 });
const incoming = new Map<number, (message: Extract<ToThread, { type: 'chunk' }>) => void>();

class MissingLayers extends Error {
  readonly keys: LayerKey[];
  constructor(keys: LayerKey[]) {
    super('layers are missing');
    this.keys = keys;
  }
}

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'index':
      index(message).catch((error) => refuse(message.id, error));
      break;
    case 'chunk':
      incoming.get(message.id)?.(message);
      break;
    case 'load':
      load(message.key, message.bytes);
      break;
    case 'query':
      answer(message.id, message.query);
      break;
    case 'packages':
      say({ type: 'packages', id: message.id, list: readPackages(message.bytes) });
      break;
  }
});

async function index({ id, limits }: Extract<ToThread, { type: 'index' }>): Promise<void> {
  try {
    const layer = await makeIndex(chunks(id), limits);
    const encoded = encodeLayer(layer);
    const bytes = new Uint8Array(encoded);
    say({ type: 'indexed', id, bytes, unpacked: layer.unpacked, files: layer.entries.length }, [bytes.buffer]);
  } finally {
    incoming.delete(id);
  }
}

/** Asks for a piece when it is wanted, so that no more than one waits in memory. */
async function* chunks(id: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = new Promise<Extract<ToThread, { type: 'chunk' }>>((resolve) => incoming.set(id, resolve));
    say({ type: 'more', id });
    const { bytes, failed } = await next;
    if (failed) throw new Error('the blob could not be read');
    if (bytes === undefined) return;
    yield bytes;
  }
}

/** An index that cannot be read is asked for again, and made again then. */
function load(key: LayerKey, bytes: Uint8Array): void {
  try {
    layers.set(key, decodeLayer(bytes));
  } catch {
    layers.delete(key);
  }
}

function answer(id: number, query: Query): void {
  try {
    say({ type: 'answer', id, answer: answerOf(query) });
  } catch (error) {
    if (error instanceof MissingLayers) say({ type: 'missing', id, keys: error.keys });
    else refuse(id, error);
  }
}

function answerOf(query: Query): Answer {
  switch (query.about) {
    case 'stack':
      return ask(stackOf(query.layers), query.question);
    case 'texts':
      return Object.assign({}, ...layersOf(query.layers).map(({ texts }) => texts));
    case 'pair':
      return comparePair(query);
  }
}

function comparePair(query: Extract<Query, { about: 'pair' }>): Answer {
  const [from, to] = [stackOf(query.from), stackOf(query.to)];
  const key = `${query.from.join(' ')}\n${query.to.join(' ')}`;
  const all = differences.get(key) ?? compareRoots(from.root, to.root);
  differences.set(key, all);
  const words = wordsOf(query.search);
  const found = all.filter(
    ({ path, change }) => (query.change === undefined || change === query.change) && matches(path, words),
  );
  const count = (wanted: ComparedFile['change']) => all.filter(({ change }) => change === wanted).length;
  const start = (query.page - 1) * query.size;
  return {
    rows: found.slice(start, start + query.size),
    matched: found.length,
    total: all.length,
    added: count('added'),
    removed: count('removed'),
    changed: count('changed'),
    from: from.root.size,
    to: to.root.size,
  };
}

function stackOf(keys: readonly LayerKey[]): Stack {
  const name = keys.join(' ');
  const kept = stacks.get(name);
  if (kept !== undefined) return kept;
  const found = layersOf(keys);
  if (sizeOf(found) > MOST_OF_ONE_STACK) {
    throw new ImageError('LAYER_INVALID', `the layers have more than ${MOST_OF_ONE_STACK} entries in all`);
  }
  const stack = new Stack(found);
  stacks.set(name, stack);
  return stack;
}

function layersOf(keys: readonly LayerKey[]): IndexedLayer[] {
  const missing = [...new Set(keys)].filter((key) => !layers.has(key));
  if (missing.length > 0) throw new MissingLayers(missing);
  return keys.flatMap((key) => layers.get(key) ?? []);
}

function sizeOf(list: readonly IndexedLayer[]): number {
  return list.reduce((sum, { entries }) => sum + entries.length, 10);
}

function refuse(id: number, error: unknown): void {
  // A tree that is too deep overflows the stack.
  const deep = error instanceof RangeError ? 'its folders are too deep, or too many' : undefined;
  say({ type: 'refused', id, message: deep ?? (error instanceof Error ? error.message : String(error)) });
}

function say(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
