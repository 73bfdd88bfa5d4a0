// SPDX-License-Identifier: Apache-2.0
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { storageContract } from '../contract.suite.ts';
import { KeyedLock } from '../keyed-lock.ts';
import { Folders } from './folders.ts';
import { FilesystemStore } from './index.ts';

const roots = new Map<object, string>();
const newRoot = () => mkdtemp(join(tmpdir(), 'uk-store-'));
async function* from(text: string) {
  yield Buffer.from(text);
}

storageContract('filesystem', {
  async open() {
    const root = await newRoot();
    const store = await FilesystemStore.open({ root });
    roots.set(store, root);
    return store;
  },
  async remove(store) {
    await rm(roots.get(store) ?? '', { recursive: true });
  },
});

storageContract('filesystem, without its cache', {
  async open() {
    const root = await newRoot();
    const store = await FilesystemStore.open({ root, cacheBytes: 0 });
    roots.set(store, root);
    return store;
  },
  async remove(store) {
    await rm(roots.get(store) ?? '', { recursive: true });
  },
});

const owners = new Map<object, Awaited<ReturnType<typeof FilesystemStore.open>>>();
storageContract('filesystem, in a worker process', {
  async open() {
    const root = await newRoot();
    const locks = new KeyedLock();
    const owner = await FilesystemStore.open({ root, shared: true, locks });
    const store = await FilesystemStore.join({ root, locks, claim: owner.claim });
    roots.set(store, root);
    owners.set(store, owner);
    return store;
  },
  async second(store) {
    const owner = owners.get(store);
    if (owner === undefined) throw new Error('it was opened here');
    return owner;
  },
  async remove(store) {
    await owners.get(store)?.close();
    await rm(roots.get(store) ?? '', { recursive: true });
  },
});

describe('the storage folder', () => {
  let root: string;
  beforeEach(async () => {
    root = await newRoot();
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  const owner = (which = 1) => join(root, `server.${which}`);

  test('is made where it is missing', async () => {
    const deep = join(root, 'not/yet/there');
    const store = await FilesystemStore.open({ root: deep });
    await store.put('k', Buffer.from('v'));
    await store.close();
    expect(existsSync(join(deep, 'objects/k'))).toBe(true);
  });

  test('is durable before anything is stored in it, with all folders that were made above it', async () => {
    const sync = vi.spyOn(Folders.prototype, 'sync');
    const synced = () => sync.mock.calls.map(([path]) => path);
    try {
      const deep = join(root, 'not/yet');
      await (await FilesystemStore.open({ root: deep })).close();
      expect(synced()).toEqual(expect.arrayContaining([deep, join(root, 'not'), root]));
      // The start before may have ended between the making and the sync.
      sync.mockClear();
      await (await FilesystemStore.open({ root: relative('.', deep) })).close();
      expect(synced()).toEqual(expect.arrayContaining([deep, join(root, 'not')]));
    } finally {
      sync.mockRestore();
    }
  });

  test('is synced for records that another process may just have written, and for no others', async () => {
    const locks = new KeyedLock();
    const owner = await FilesystemStore.open({ root, shared: true, locks });
    const worker = await FilesystemStore.join({ root, locks, claim: owner.claim });
    await worker.put('mine/k', Buffer.from('v'));
    await owner.put('theirs/k', Buffer.from('v'));
    const sync = vi.spyOn(Folders.prototype, 'sync');
    const settled = async () => {
      sync.mockClear();
      await worker.settle(['mine/k', 'theirs/k', 'nobodys/k']);
      return sync.mock.calls.map(([path]) => path);
    };
    try {
      expect(await settled()).toEqual([join(root, 'objects/theirs')]);
      await owner.put('mine/k', Buffer.from('other'));
      expect(await settled()).toEqual([join(root, 'objects/mine'), join(root, 'objects/theirs')]);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * 60_000 });
      expect(await settled()).toEqual([]);
    } finally {
      vi.useRealTimers();
      sync.mockRestore();
    }
    await worker.close();
    await owner.close();
  });

  test('serves one server: the second one is told who runs', async () => {
    const first = await FilesystemStore.open({ root });
    await expect(FilesystemStore.open({ root })).rejects.toMatchObject({
      code: 'STORAGE_IN_USE',
      message: expect.stringContaining(`process id ${process.pid} `),
    });
    await first.close();
    const second = await FilesystemStore.open({ root });
    await second.close();
  });

  test('serves one of many that start at once', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => FilesystemStore.open({ root })));
    const started = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(started).toHaveLength(1);
    for (const store of started) await store.close();
  });

  test('is let go by a server that was killed, and empty of what it was writing', async () => {
    const script = join(root, 'hold.ts');
    const face = join(import.meta.dirname, 'index.ts');
    await writeFile(
      script,
      `import { writeFileSync } from 'node:fs';
       import { FilesystemStore } from ${JSON.stringify(face)};
       const store = await FilesystemStore.open({ root: ${JSON.stringify(root)} });
       await store.put('kept', Buffer.from('kept'));
       writeFileSync(${JSON.stringify(join(root, 'temporary/half'))}, 'hal');
       process.send('ready');
       setInterval(() => {}, 1000);`,
    );
    const child = fork(script, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    await expect(FilesystemStore.open({ root })).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const store = await FilesystemStore.open({ root });
    expect((await store.get('kept'))?.bytes.toString()).toBe('kept');
    expect(await readdir(join(root, 'temporary'))).toEqual([]);
    expect((await readdir(root)).filter((name) => name.startsWith('server.'))).toEqual(['server.2']);
    await store.close();
  });

  test('of a process id that another program got since is free', async () => {
    const store = await FilesystemStore.open({ root });
    const record = JSON.parse(await readFile(owner(), 'utf8'));
    await store.close();
    await writeFile(owner(), JSON.stringify({ ...record, started: '1' }));
    await (await FilesystemStore.open({ root })).close();
  });

  test('of a server in another container is in use as long as that one shows itself', async () => {
    const store = await FilesystemStore.open({ root });
    const record = JSON.parse(await readFile(owner(), 'utf8'));
    await store.close();
    await writeFile(owner(), JSON.stringify({ ...record, pidNamespace: 'pid:[1]' }));
    await expect(FilesystemStore.open({ root })).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await (await FilesystemStore.open({ root })).close();
    } finally {
      vi.useRealTimers();
    }
  });

  /** What a server on another machine does which takes the one here for dead. */
  const supersede = async () => {
    await writeFile(owner(2), JSON.stringify({ ...JSON.parse(await readFile(owner(), 'utf8')), host: 'another' }));
    await rm(owner());
  };
  const refused = { code: 'STORAGE_IN_USE', message: expect.stringContaining('taken over') };

  test('that was taken over while its server slept is written no more: the server looks before it writes', async () => {
    const store = await FilesystemStore.open({ root });
    await store.put('k', Buffer.from('old'));
    const data = await store.appendData(await store.beginData('data/1'), from('bytes'));
    await supersede();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      const writes = [
        store.put('k', Buffer.from('new')),
        store.delete('k'),
        store.beginData('data/2'),
        store.appendData(data, from('more')),
        store.takeOverData(data, 'data/3'),
        store.completeData(data),
        store.abortData(data),
        store.deleteData('data/1'),
      ];
      for (const write of await Promise.allSettled(writes)) {
        expect(write).toMatchObject({ status: 'rejected', reason: refused });
      }
    } finally {
      vi.useRealTimers();
    }
    await expect(store.put('k', Buffer.from('new'))).rejects.toMatchObject(refused);
    expect((await store.get('k'))?.bytes.toString()).toBe('old');
    await store.close();
    expect((await readdir(root)).filter((name) => name.startsWith('server.'))).toEqual(['server.2']);
  });

  test('that is being taken over is already the successor’s', async () => {
    const store = await FilesystemStore.open({ root });
    await writeFile(owner(2), await readFile(owner()));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await expect(store.put('k', Buffer.from('v'))).rejects.toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
    await store.close();
  });

  test('that was taken over is written no more as soon as the heartbeat saw it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const store = await FilesystemStore.open({ root });
      await supersede();
      vi.advanceTimersByTime(5_000);
      const written = () => store.put('k', Buffer.from('v')).catch((error) => error);
      for (let answer: unknown = ''; typeof answer === 'string'; ) {
        answer = await written();
        if (typeof answer !== 'string') expect(answer).toMatchObject(refused);
      }
      await store.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('that was taken over is written no more by a worker of the server that had it either', async () => {
    const locks = new KeyedLock();
    const server = await FilesystemStore.open({ root, shared: true, locks });
    const worker = await FilesystemStore.join({ root, locks, claim: server.claim });
    await worker.put('k', Buffer.from('old'));
    await supersede();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await expect(worker.put('k', Buffer.from('new'))).rejects.toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
    expect((await worker.get('k'))?.bytes.toString()).toBe('old');
    await worker.close();
    await server.close();
  });

  test('that was taken over while a writer waited for its turn is not written when that comes', async () => {
    const locks = new KeyedLock();
    const server = await FilesystemStore.open({ root, shared: true, locks });
    const worker = await FilesystemStore.join({ root, locks, claim: server.claim });
    const turn = Promise.withResolvers<void>();
    const waited = Promise.withResolvers<void>();
    const slow = {
      ...locks,
      hold: async <T>(key: string, work: () => Promise<T>) => {
        waited.resolve();
        await turn.promise;
        return locks.hold(key, work);
      },
      tryHold: locks.tryHold.bind(locks),
    };
    const late = await FilesystemStore.join({ root, locks: slow, claim: server.claim });
    await worker.put('k', Buffer.from('old'));
    const writing = late.put('k', Buffer.from('new')).catch((error) => error);
    await waited.promise;
    await supersede();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      turn.resolve();
      expect(await writing).toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
    expect((await worker.get('k'))?.bytes.toString()).toBe('old');
    for (const store of [late, worker, server]) await store.close();
  });

  test('says that it cannot be used when it was taken over, or is not there', async () => {
    const store = await FilesystemStore.open({ root });
    await store.check();
    await rename(join(root, 'objects'), join(root, 'away'));
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await rename(join(root, 'away'), join(root, 'objects'));
    await store.check();
    await supersede();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await expect(store.check()).rejects.toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
    await store.close();
  });

  test('is not made where only one that is there will do', async () => {
    const missing = join(root, 'missing');
    const opening = FilesystemStore.open({ root: missing, existing: true });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(existsSync(missing)).toBe(false);
    await (await FilesystemStore.open({ root: missing })).close();
    await (await FilesystemStore.open({ root: missing, existing: true })).close();
  });

  test('is free only when the workers of a server that was killed are gone as well', async () => {
    const server = await FilesystemStore.open({ root, shared: true });
    const worker = spawn('sleep', ['1000']);
    const ended = once(worker, 'exit');
    if (worker.pid === undefined) throw new Error('there is a sleep everywhere');
    await server.nameWorkers([worker.pid]);
    const record = JSON.parse(await readFile(owner(), 'utf8'));
    await server.close();
    // As the kill left it: the server's process is no more, its worker is about to end.
    await writeFile(owner(), JSON.stringify({ ...record, pid: 1, started: 'once' }));
    const order: string[] = [];
    const opening = FilesystemStore.open({ root }).then((store) => {
      order.push('opened');
      return store;
    });
    await readFile(owner());
    worker.kill();
    await ended.then(() => order.push('gone'));
    await (await opening).close();
    expect(order).toEqual(['gone', 'opened']);
  });

  test('whose server slept and was not taken over is written as before', async () => {
    const store = await FilesystemStore.open({ root });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      await store.put('k', Buffer.from('v'));
      expect((await stat(owner())).mtimeMs).toBe(Date.now());
    } finally {
      vi.useRealTimers();
    }
    await store.close();
  });

  test('leaves no temporary files behind, whatever the outcome of a write', async () => {
    const store = await FilesystemStore.open({ root });
    const token = await store.put('k', Buffer.from('1'));
    await store.put('k', Buffer.from('2'), { condition: 'absent' });
    await store.put('k', Buffer.from('3'), { condition: { ifMatch: 'no such' } });
    await store.put('k', Buffer.from('4'), { condition: { ifMatch: token ?? '' } });
    await Promise.all([1, 2, 3].map((at) => store.put('new', Buffer.from(`${at}`), { condition: 'absent' })));
    expect(await readdir(join(root, 'temporary'))).toEqual([]);
    await store.close();
  });

  test('gives each chunk of an upload back once it is written, and not before', async () => {
    const store = await FilesystemStore.open({ root });
    const chunks = Array.from({ length: 40 }, (_, at) => Buffer.alloc(100_000, at));
    const whole = Buffer.concat(chunks);
    const source = {
      async *[Symbol.asyncIterator]() {
        yield* chunks;
      },
      release: (chunk: Uint8Array) => void chunk.fill(0xff),
    };
    const state = await store.appendData(await store.beginData('data/x'), source);
    await store.completeData(state);
    const read: Buffer[] = [];
    for await (const chunk of await store.readData('data/x')) read.push(Buffer.from(chunk));
    expect(Buffer.concat(read).equals(whole)).toBe(true);
    expect(chunks.every((chunk) => chunk.every((byte) => byte === 0xff))).toBe(true);
    await store.close();
  });

  test('that was damaged answers with an error, and works again once it is repaired', async () => {
    const store = await FilesystemStore.open({ root });
    await store.put('a/k', Buffer.from('1'));
    await rm(join(root, 'objects/a'), { recursive: true });
    await writeFile(join(root, 'objects/a'), 'a file where a folder belongs');
    await expect(store.get('a/k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(store.put('a/k', Buffer.from('2'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await rm(join(root, 'objects/a'));
    await store.put('a/k', Buffer.from('3'));
    expect((await store.get('a/k'))?.bytes.toString()).toBe('3');
    await rm(join(root, 'temporary'), { recursive: true });
    await rm(join(root, 'objects'), { recursive: true });
    await store.put('a/k', Buffer.from('4'));
    expect((await store.get('a/k'))?.bytes.toString()).toBe('4');
    await store.close();
  });

  const isRoot = process.getuid?.() === 0;
  test.skipIf(isRoot)(`without rights says so${isRoot ? ' (skipped: root has all rights)' : ''}`, async () => {
    await chmod(root, 0o555);
    await expect(FilesystemStore.open({ root })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await chmod(root, 0o755);
  });

  test('that is damaged has not lost what was read from it before', async () => {
    const store = await FilesystemStore.open({ root });
    await store.put('folder/k', Buffer.from('v'));
    // Later than a change of the file could go unseen: the record is kept in memory from now on.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1000 });
    try {
      await store.get('folder/k');
    } finally {
      vi.useRealTimers();
    }
    await rename(join(root, 'objects'), join(root, 'away'));
    await writeFile(join(root, 'objects'), 'not a folder');
    await expect(store.get('folder/k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await rm(join(root, 'objects'));
    await rename(join(root, 'away'), join(root, 'objects'));
    expect((await store.get('folder/k'))?.bytes.toString()).toBe('v');
    await store.close();
  });

  test('that was removed under its server does not keep it from ending', async () => {
    const store = await FilesystemStore.open({ root });
    await rm(root, { recursive: true });
    await store.close();
  });

  test('that is a file says so', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(FilesystemStore.open({ root: join(root, 'file') })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });
});
