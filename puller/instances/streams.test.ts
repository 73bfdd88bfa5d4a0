// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { duplexPair, PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { InputCopy, LogTail, OutputCopy } from './streams.ts';

/** Takes a chunk only when it is told to. */
class Gate extends Writable {
  readonly taken: Buffer[] = [];
  #open: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken.push(chunk);
    this.#open = done;
  }

  next(): void {
    this.#open?.();
  }
}

function unwanted(error: Error): void {
  throw error;
}

function failing(error: Error): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done(error) });
}

describe('output', () => {
  test('is complete when the sink has taken it, not before', async () => {
    const [source, theirs] = duplexPair();
    const sink = new Gate();
    const copy = new OutputCopy(source, sink, unwanted);
    theirs.write('hello');
    let done = false;
    const complete = copy.complete(5).then((whole) => {
      done = true;
      return whole;
    });
    while (sink.taken.length === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(done).toBe(false);
    sink.next();
    expect(await complete).toBe(true);
    expect(Buffer.concat(sink.taken).toString()).toBe('hello');
  });

  test('waits for bytes that are on their way', async () => {
    const [source, theirs] = duplexPair();
    const sink = new PassThrough();
    const copy = new OutputCopy(source, sink, unwanted);
    const complete = copy.complete(6);
    theirs.write('abc');
    theirs.write('def');
    expect(await complete).toBe(true);
    expect(sink.read().toString()).toBe('abcdef');
  });

  test('a source that ends too early is noticed', async () => {
    const [source, theirs] = duplexPair();
    const copy = new OutputCopy(source, new PassThrough(), unwanted);
    theirs.write('abc');
    await once(source, 'readable').catch(() => {});
    source.destroy();
    expect(await copy.complete(6)).toBe(false);
  });

  test('a sink that goes away closes the source, and is whole', async () => {
    const [source] = duplexPair();
    const sink = new PassThrough();
    const copy = new OutputCopy(source, sink, unwanted);
    sink.destroy();
    expect(await copy.complete(1000)).toBe(true);
    expect(source.destroyed).toBe(true);
  });

  test('a pipe that nobody reads does so, too, and its error hurts nobody', async () => {
    const [source, theirs] = duplexPair();
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const copy = new OutputCopy(source, failing(error), unwanted);
    theirs.write('x');
    expect(await copy.complete(1000)).toBe(true);
    expect(source.destroyed).toBe(true);
  });

  test.each([1, 1000])(
    'a sink that breaks is told of, before the output counts as complete (%d bytes)',
    async (total) => {
      const [source, theirs] = duplexPair();
      const error = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
      const events: unknown[] = [];
      const copy = new OutputCopy(source, failing(error), (told) => events.push(told));
      theirs.write('x');
      await copy.complete(total).then(() => events.push('complete'));
      expect(events).toEqual([error, 'complete']);
      expect(source.destroyed).toBe(true);
    },
  );

  test('leaves nothing on the sink', async () => {
    const [source, theirs] = duplexPair();
    const sink = new PassThrough();
    const before = sink.eventNames().map((name) => [name, sink.listenerCount(name)]);
    const copy = new OutputCopy(source, sink, unwanted);
    theirs.write('x');
    await copy.complete(1);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(sink.eventNames().map((name) => [name, sink.listenerCount(name)])).toEqual(before);
  });
});

describe('input', () => {
  test('counts its bytes and says the end once', async () => {
    const [port, theirs] = duplexPair();
    const ends: number[] = [];
    const source = Readable.from([Buffer.from('abc'), Buffer.from('déf')]);
    new InputCopy(source, port, (bytes) => ends.push(bytes));
    await once(source, 'close');
    expect(ends).toEqual([7]);
    expect(theirs.read().toString()).toBe('abcdéf');
  });

  test('an input that fails ends there', async () => {
    const [port] = duplexPair();
    const ends: number[] = [];
    const source = new PassThrough();
    new InputCopy(source, port, (bytes) => ends.push(bytes));
    source.write('ab');
    await new Promise(setImmediate);
    source.destroy(new Error('broken'));
    await once(source, 'close').catch(() => {});
    expect(ends).toEqual([2]);
  });

  test('stops where the guest takes no more', async () => {
    const [port] = duplexPair();
    let given = 0;
    const source = Readable.from(
      (function* () {
        for (;;) {
          given++;
          yield Buffer.alloc(65536);
        }
      })(),
    );
    const copy = new InputCopy(source, port, () => {});
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    expect(given).toBeLessThan(20);
    copy.stop();
    expect(source.isPaused()).toBe(true);
  });
});

describe('log', () => {
  test('finds a text once, wherever it is cut', async () => {
    for (let cut = 0; cut <= 'a needle b'.length; cut++) {
      const source = new PassThrough();
      const log = new LogTail(source, undefined);
      let seen = 0;
      log.watch('needle', () => seen++);
      source.write('x'.repeat(1000));
      source.write('a needle b'.slice(0, cut));
      source.write('a needle b'.slice(cut));
      source.end(' needle');
      await once(source, 'close');
      expect(seen).toBe(1);
    }
  });

  test('a slow reader costs some of it, said once, and not more than some memory', async () => {
    const source = new PassThrough();
    const sink = new Gate();
    const log = new LogTail(source, sink);
    const mebibyte = Buffer.alloc(1024 ** 2, 'x');
    for (let i = 0; i < 20; i++) {
      source.write(mebibyte);
      await new Promise(setImmediate);
    }
    expect(sink.writableLength).toBeLessThan(6 * 1024 ** 2);
    for (let waiting = sink.writableLength; waiting > 0; waiting = sink.writableLength) {
      sink.next();
      await new Promise(setImmediate);
    }
    source.end('the end');
    await once(source, 'close');
    const taken = Buffer.concat(sink.taken).toString();
    expect(taken.split('left out')).toHaveLength(2);
    expect(taken).toMatch(/the end$/);
    expect(log.text(1)).toMatch(/the end$/);
  });

  test('keeps the end and passes everything on', async () => {
    const source = new PassThrough();
    const sink = new PassThrough();
    const log = new LogTail(source, sink, 100);
    for (let i = 0; i < 100; i++) source.write(`line ${i}\r\n`);
    source.end();
    source.destroy();
    await log.end();
    expect(log.text(2)).toBe('line 98\nline 99');
    expect(log.text().length).toBeLessThan(220);
    expect(sink.read().toString()).toContain('line 0\r\n');
  });
});
