// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { RegistryError } from '../../registry/index.ts';
import {
  type ByteRange,
  checkKey,
  type DataReader,
  type DataState,
  type ListOptions,
  type ListPage,
  type ObjectStore,
  type StoredRecord,
  type Token,
  type UnfinishedData,
} from '../../registry/storage/contract.ts';
import type { Random } from './random.ts';

/** Lets a call take effect when its turn has come. */
export type Gate = <T>(label: string, effect: () => T) => Promise<T>;

interface Partial {
  /** Parts of appends that ended; a state names those that it stands for. */
  parts: Map<number, Buffer>;
  touched: number;
}

interface SimulatedState extends DataState {
  parts: number[];
}

/** An object store in memory, exactly as the contract says it, and as unkind as the contract lets it be. */
export class SimulatedStore {
  readonly #now: () => number;
  readonly #rereadsFast: boolean;
  readonly #syncsLate: () => boolean;
  readonly #records = new Map<string, StoredRecord>();
  readonly #data = new Map<string, Buffer>();
  readonly #partial = new Map<string, Partial>();
  /** What a loss of power would bring back. */
  readonly #soft = new Map<string, StoredRecord | undefined>();
  #parts = 0;
  /** Called after every change that others see. */
  changed: (key: string) => void = () => undefined;

  /** @param options.syncsLate whether the next write can be seen before it is durable */
  constructor(now: () => number, options: { rereadsFast?: boolean; syncsLate?: () => boolean } = {}) {
    this.#now = now;
    this.#rereadsFast = options.rereadsFast ?? false;
    this.#syncsLate = options.syncsLate ?? (() => false);
  }

  /** What nobody has to wait for: for those who judge. */
  peek(key: string): StoredRecord | undefined {
    return this.#records.get(key);
  }

  peekData(key: string): Buffer | undefined {
    return this.#data.get(key);
  }

  keys(prefix: string): string[] {
    return [...this.#records.keys(), ...this.#data.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  unfinishedKeys(): string[] {
    return [...this.#partial.keys()];
  }

  /** What was not made durable may be gone, or not. */
  losePower(random: Random): void {
    for (const [key, before] of this.#soft) {
      if (random.chance(0.5)) this.#set(key, before);
    }
    this.#soft.clear();
    for (const key of this.#partial.keys()) if (random.chance(0.5)) this.#partial.delete(key);
  }

  /** The store as one process has it. */
  through(gate: Gate): ObjectStore {
    const write = (key: string, record: StoredRecord | undefined, durable: boolean) => {
      if (durable) this.#soft.delete(key);
      else if (!this.#soft.has(key)) this.#soft.set(key, this.#records.get(key));
      this.#set(key, record);
      this.changed(key);
    };
    return {
      rereadsFast: this.#rereadsFast,
      get: async (key) => {
        checkKey(key);
        return gate(`get ${key}`, () => this.#records.get(key));
      },
      put: async (key, bytes, { condition, durable = true } = {}) => {
        checkKey(key);
        if (bytes.length === 0) throw new RegistryError('KEY_INVALID', `a record cannot be empty: ${key}`);
        const record: StoredRecord = { bytes: Buffer.from(bytes), token: tokenOf(bytes) };
        const late = durable && this.#syncsLate();
        const token = await gate(`put ${key}`, () => {
          const old = this.#records.get(key);
          if (condition === 'absent' && old !== undefined) return undefined;
          if (typeof condition === 'object' && old?.token !== condition.ifMatch) return undefined;
          write(key, record, durable && !late);
          return record.token;
        });
        if (late && token !== undefined) await gate(`sync ${key}`, () => this.#soft.delete(key));
        return token;
      },
      delete: async (key, { ifMatch, durable = true } = {}) => {
        checkKey(key);
        const late = durable && this.#syncsLate();
        const deleted = await gate(`delete ${key}`, () => {
          const old = this.#records.get(key);
          if (old === undefined || (ifMatch !== undefined && old.token !== ifMatch)) return false;
          write(key, undefined, durable && !late);
          return true;
        });
        if (late && deleted) await gate(`sync ${key}`, () => this.#soft.delete(key));
        return deleted;
      },
      settle: async (keys) => {
        if (!keys.some((key) => this.#soft.has(key))) return;
        await gate(`settle ${keys[0]}`, () => {
          for (const key of keys) this.#soft.delete(key);
        });
      },
      list: async (options) => gate(`list ${options.prefix}`, () => this.#list(options)),
      beginData: async (key) => {
        checkKey(key);
        return gate(`begin ${key}`, (): SimulatedState => {
          this.#partial.set(key, { parts: new Map(), touched: this.#now() });
          return { key, size: 0, parts: [] };
        });
      },
      appendData: async (state, source) => {
        await gate(`append to ${state.key}`, () => this.#unfinished(state));
        const chunks: Uint8Array[] = [];
        for await (const chunk of source) chunks.push(Buffer.from(chunk));
        const bytes = Buffer.concat(chunks);
        return gate(`appended to ${state.key}`, (): SimulatedState => {
          const partial = this.#unfinished(state);
          this.#parts += 1;
          partial.parts.set(this.#parts, bytes);
          partial.touched = this.#now();
          const { parts } = state as SimulatedState;
          return { key: state.key, size: state.size + bytes.length, parts: [...parts, this.#parts] };
        });
      },
      takeOverData: async (state, freshKey) => {
        checkKey(freshKey);
        return gate(`take over ${state.key} as ${freshKey}`, () => {
          const partial = this.#unfinished(state);
          const { parts } = state as SimulatedState;
          const kept = new Map([...partial.parts].filter(([part]) => parts.includes(part)));
          this.#partial.delete(state.key);
          this.#partial.set(freshKey, { parts: kept, touched: partial.touched });
          return { ...state, key: freshKey };
        });
      },
      completeData: async (state) => {
        return gate(`complete ${state.key}`, () => {
          const partial = this.#unfinished(state);
          const { parts } = state as SimulatedState;
          this.#partial.delete(state.key);
          this.#data.set(state.key, Buffer.concat(parts.map((part) => partial.parts.get(part) ?? Buffer.alloc(0))));
          this.changed(state.key);
        });
      },
      abortData: async (state) => {
        await gate(`abort ${state.key}`, () => this.#partial.delete(state.key));
      },
      unfinishedData: () => this.#unfinishedData(gate),
      sizeOfData: async (key) => {
        checkKey(key);
        return gate(`size of ${key}`, () => this.#data.get(key)?.length);
      },
      readData: async (key, range) => {
        checkKey(key);
        return gate(`read ${key}`, () => {
          const bytes = this.#data.get(key);
          if (bytes === undefined) throw new RegistryError('DATA_UNKNOWN', `no data ${key}`);
          return readerOf(bytes, range);
        });
      },
      deleteData: async (key) => {
        checkKey(key);
        return gate(`delete data ${key}`, () => {
          const deleted = this.#data.delete(key);
          this.changed(key);
          return deleted;
        });
      },
      close: async () => undefined,
    };
  }

  #set(key: string, record: StoredRecord | undefined): void {
    if (record === undefined) this.#records.delete(key);
    else this.#records.set(key, record);
  }

  #list({ prefix, after = '', limit }: ListOptions): ListPage {
    if (limit <= 0) return { keys: [], more: false };
    const keys = this.keys(prefix).filter((key) => key > after);
    return { keys: keys.slice(0, limit), more: keys.length > limit };
  }

  #unfinished(state: DataState): Partial {
    const partial = this.#partial.get(state.key);
    if (partial !== undefined && (state as SimulatedState).parts.every((part) => partial.parts.has(part)))
      return partial;
    throw new RegistryError('DATA_UNKNOWN', `no unfinished data ${state.key}`);
  }

  async *#unfinishedData(gate: Gate): AsyncGenerator<UnfinishedData> {
    const found = await gate('list unfinished data', () =>
      [...this.#partial].map(([key, { touched }]) => ({ state: { key, size: 0, parts: [] }, touched })),
    );
    yield* found;
  }
}

function tokenOf(bytes: Uint8Array): Token {
  return bytes.length > 500 ? hash('sha256', bytes) : Buffer.from(bytes).toString('latin1');
}

function readerOf(bytes: Buffer, range: ByteRange | undefined): DataReader {
  const part = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
  return {
    size: part.length,
    async *[Symbol.asyncIterator]() {
      const step = 1024 * 1024;
      // Copies, which are spoiled when the next one is asked for: a chunk is valid until then.
      for (let at = 0; at < part.length; at += step) {
        const chunk = Buffer.from(part.subarray(at, at + step));
        yield chunk;
        chunk.fill(0);
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
