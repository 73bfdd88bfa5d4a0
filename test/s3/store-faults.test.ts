// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DataReader } from '../../registry/storage/contract.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import { type Fault, type FaultProxy, faultProxy } from './fault-proxy.ts';
import { freshPrefix, testServer } from './server.ts';

let proxy: FaultProxy;
let store: S3Store;

beforeAll(async () => {
  proxy = await faultProxy(testServer().endpoint);
});
afterAll(() => proxy.close());
beforeEach(async () => {
  store = await S3Store.open(freshPrefix({ endpoint: proxy.endpoint, timeoutMs: 1000 }));
  proxy.faults = 0;
});
afterEach(async () => {
  proxy.fault = () => undefined;
  await store.close();
});

/** The next requests that are wanted, one fault each; those behind them pass. */
const next = (wanted: (incoming: IncomingMessage) => boolean, ...faults: Fault[]) => {
  const left = [...faults];
  proxy.fault = (incoming) => (wanted(incoming) ? left.shift() : undefined);
};
const puts = ({ method }: IncomingMessage) => method === 'PUT';
const gets = ({ method }: IncomingMessage) => method === 'GET';
const conditions = (incoming: IncomingMessage) =>
  puts(incoming) && (incoming.headers['if-match'] !== undefined || incoming.headers['if-none-match'] !== undefined);

const text = async (key: string) => (await store.get(key))?.bytes.toString();
async function* from(...chunks: Uint8Array[]) {
  yield* chunks;
}
const collect = async (reader: DataReader) => {
  const chunks: Buffer[] = [];
  for await (const chunk of reader) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};
const stored = async (key: string, bytes: Buffer) => {
  await store.completeData(await store.appendData(await store.beginData(key), from(bytes)));
};

describe('one request that fails in passing', () => {
  const faults: [string, Fault][] = [
    ['is cut', 'cut'],
    ['hangs', 'hang'],
    ['is told to slow down', { status: 503, code: 'SlowDown' }],
    ['meets an internal error', { status: 500, code: 'InternalError' }],
    ['is answered by a gateway', { status: 502, code: 'BadGateway' }],
    ['conflicts with another one', { status: 409, code: 'ConditionalRequestConflict' }],
  ];
  for (const [name, fault] of faults) {
    test(`and ${name} is made again`, async () => {
      next(puts, fault);
      const token = await store.put('k', Buffer.from('v'), { condition: 'absent' });
      expect(token).toBeTypeOf('string');
      next(gets, fault);
      expect(await text('k')).toBe('v');
      next(() => true, fault);
      expect((await store.list({ prefix: 'x/', limit: 1 })).keys).toEqual([]);
      expect(proxy.faults).toBe(3);
    });
  }

  test('as its bytes were changed on the way stores none of them', async () => {
    next(puts, 'corrupt-request');
    await store.put('k', Buffer.from('what was meant'));
    expect(proxy.faults).toBe(1);
    expect(await text('k')).toBe('what was meant');
    const bytes = randomBytes(6_000_000);
    next(puts, 'corrupt-request');
    await stored('data/x', bytes);
    expect(proxy.faults).toBe(2);
    expect((await collect(await store.readData('data/x'))).equals(bytes)).toBe(true);
  });

  test('as a record was changed, or cut short, on the way back answers the right one', async () => {
    await store.put('k', Buffer.from('what was meant'));
    await store.close();
    store = await S3Store.open(freshPrefix({ endpoint: proxy.endpoint, cacheBytes: 0 }));
    await store.put('k', Buffer.from('what was meant'));
    next(gets, 'corrupt-answer', { cutAnswer: 5 });
    expect(await text('k')).toBe('what was meant');
    expect(proxy.faults).toBe(2);
  });
});

describe('an answer that was lost', () => {
  test('of a creation: it was created', async () => {
    next(conditions, 'lose-answer');
    expect(await store.put('k', Buffer.from('mine'), { condition: 'absent' })).toBeTypeOf('string');
    expect(proxy.faults).toBe(1);
    expect(await text('k')).toBe('mine');
  });

  test('of a replacement: it was replaced, and the token is the new one', async () => {
    const token = await store.put('k', Buffer.from('1'));
    next(conditions, 'lose-answer', 'lose-answer');
    const second = await store.put('k', Buffer.from('2'), { condition: { ifMatch: `${token}` } });
    expect(second).toBe((await store.get('k'))?.token);
    expect(await text('k')).toBe('2');
  });

  test('of a creation that another one had won: it was not created, or nobody knows', async () => {
    await store.put('k', Buffer.from('theirs'));
    next(conditions, 'lose-answer');
    await expect(store.put('k', Buffer.from('mine'), { condition: 'absent' })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(await text('k')).toBe('theirs');
  });

  test('of a request that never came to the store is no answer either: the condition is judged anew', async () => {
    await store.put('k', Buffer.from('theirs'));
    next(conditions, { status: 503, code: 'SlowDown' });
    expect(await store.put('k', Buffer.from('mine'), { condition: 'absent' })).toBeUndefined();
  });

  test('of a deletion on condition: it was deleted', async () => {
    const token = await store.put('k', Buffer.from('1'));
    next(conditions, 'lose-answer');
    expect(await store.delete('k', { ifMatch: `${token}` })).toBe(true);
    expect(await text('k')).toBeUndefined();
  });

  test('of a completion: it is complete', async () => {
    const bytes = randomBytes(9_000_000);
    const state = await store.appendData(await store.beginData('data/x'), from(bytes));
    next(({ method, url = '' }) => method === 'POST' && url.includes('uploadId='), 'lose-answer');
    await store.completeData(state);
    expect(proxy.faults).toBe(1);
    expect((await collect(await store.readData('data/x'))).equals(bytes)).toBe(true);
  });
});

test('a store whose answers get lost while it is probed is not taken for one that ignores conditions', async () => {
  // More attempts than there are lost answers: whoever meets them, each gets through.
  let count = 0;
  proxy.fault = (incoming) => (conditions(incoming) && count < 24 && count++ % 2 === 0 ? 'lose-answer' : undefined);
  const probed = await S3Store.open(freshPrefix({ endpoint: proxy.endpoint, timeoutMs: 1000, attempts: 20 }));
  expect(proxy.faults).toBeGreaterThan(5);
  expect(probed.capabilities.conditionalPut).toBe(true);
  await probed.close();
});

describe('reading that breaks', () => {
  const bytes = randomBytes(3_000_000);

  test('goes on where it stood, again and again', async () => {
    await stored('data/x', bytes);
    next(gets, { cutAnswer: 1_000_000 }, 'hang', { cutAnswer: 500_000 }, { cutAnswer: 1 }, 'cut', { cutAnswer: 7 });
    expect((await collect(await store.readData('data/x'))).equals(bytes)).toBe(true);
    expect(proxy.faults).toBe(6);
  });

  test('goes on inside of a range', async () => {
    await stored('data/x', bytes);
    next(gets, { cutAnswer: 1000 }, { cutAnswer: 1000 });
    const found = await collect(await store.readData('data/x', { start: 100_000, end: 199_999 }));
    expect(found.equals(bytes.subarray(100_000, 200_000))).toBe(true);
  });

  test('never goes on in other bytes', async () => {
    await stored('data/x', bytes);
    next(gets, { cutAnswer: 1_000_000 });
    const reader = await store.readData('data/x');
    // Never so in the registry: a data key stands for one content. The condition would still notice.
    await stored('data/x', randomBytes(3_000_000));
    await expect(collect(reader)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('that does not get any further ends with an error', async () => {
    await stored('data/x', bytes);
    let first = true;
    proxy.fault = (incoming) => {
      if (!gets(incoming)) return undefined;
      const fault = { cutAnswer: first ? 1_000_000 : 0 };
      first = false;
      return fault;
    };
    const reader = await store.readData('data/x');
    let came = 0;
    const reading = async () => {
      for await (const chunk of reader) came += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(came).toBeLessThan(reader.size);
  });

  test('waits as long as its consumer likes', async () => {
    await store.close();
    store = await S3Store.open(freshPrefix({ endpoint: proxy.endpoint, timeoutMs: 2000 }));
    await stored('data/x', bytes);
    proxy.seen.length = 0;
    let slept = false;
    const chunks: Buffer[] = [];
    for await (const chunk of await store.readData('data/x')) {
      chunks.push(Buffer.from(chunk));
      // Longer than the store may take.
      if (!slept) await new Promise((resolve) => setTimeout(resolve, 2500));
      slept = true;
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(proxy.seen).toHaveLength(1);
  });
});

describe('a store that fails for good', () => {
  const opened = (more: object) => S3Store.open(freshPrefix({ timeoutMs: 1000, attempts: 2, ...more }));
  const secret = 'a-secret-that-must-not-show';
  const cases: [string, object, RegExp][] = [
    ['that nobody is at', { endpoint: 'http://127.0.0.1:1' }, /ECONNREFUSED.*is the store running/s],
    ['whose name is not known', { endpoint: 'http://nowhere.invalid' }, /(ENOTFOUND|EAI_AGAIN)/],
    ['without the bucket', { bucket: 'no-such-bucket' }, /NoSuchBucket.*make the bucket/s],
    ['with a wrong secret', { secretAccessKey: secret }, /SignatureDoesNotMatch.*secret key is wrong/s],
    ['with an unknown key', { accessKeyId: 'unknown' }, /InvalidAccessKeyId.*does not know the access key/s],
  ];
  for (const [name, more, reason] of cases) {
    test(`${name} says so`, async () => {
      const error = await opened(more).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(`${error.message}; ${error.hint}`).toMatch(reason);
      const all = JSON.stringify([
        error,
        error.cause,
        error.stack,
        error.cause?.stack,
        Object.entries(error.cause ?? {}),
      ]);
      expect(all).not.toContain(secret);
      expect(all).not.toContain(testServer().secretAccessKey);
    });
  }

  test('without room says that', async () => {
    proxy.fault = (incoming) => (puts(incoming) ? { status: 403, code: 'QuotaExceeded' } : undefined);
    await expect(store.put('k', Buffer.from('v'))).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      message: expect.stringMatching(/no room left.*QuotaExceeded/),
    });
  });
});
