// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { DataState, ObjectStore, Token } from '../storage/contract.ts';
import { LEFT_AFTER_MS } from './data-age.ts';
import { freshDataKey, UPLOADS_PREFIX, uploadKey } from './keys.ts';
import { encode, parseSession, type SessionRecord } from './records.ts';
import type { Surroundings } from './surroundings.ts';

/** Identifiers are ours; anything else names no upload, and no key either. */
const ID = /^[A-Za-z0-9-]{1,64}$/;

/** A session that one request holds: nobody else's writing counts until it is released or taken over. */
export interface Lease {
  readonly id: string;
  readonly session: SessionRecord;
  readonly token: Token;
  /** Where the bytes stand. */
  readonly data: DataState;
}

/**
 * The records of unfinished uploads, each moved by compare-and-swap. A request that wants to write first puts its name
 * into the record; if the one before never took its name out again (it died, or its client opened a second connection),
 * the data is taken over, so that nothing the old writer still does can reach it.
 */
export class UploadSessions {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;

  constructor(store: ObjectStore, surroundings: Surroundings) {
    this.#store = store;
    this.#surroundings = surroundings;
  }

  async start(repository: string, algorithm: DigestAlgorithm): Promise<string> {
    const id = this.#surroundings.uniqueId();
    const now = this.#surroundings.now();
    const session: SessionRecord = { repository, started: now, touched: now, algorithm };
    await this.#store.put(uploadKey(id), encode(session), { condition: 'absent', durable: false });
    return id;
  }

  /** @throws RegistryError `UPLOAD_UNKNOWN` */
  async get(repository: string, id: string): Promise<{ session: SessionRecord; token: Token }> {
    const stored = ID.test(id) ? await this.#store.get(uploadKey(id)) : undefined;
    const session = stored === undefined ? undefined : parseSession(stored);
    if (stored === undefined || session?.repository !== repository) throw unknown(repository, id);
    return { session, token: stored.token };
  }

  /**
   * @param offset where the client believes the upload stands
   * @throws RegistryError `UPLOAD_UNKNOWN`, `UPLOAD_OUT_OF_ORDER`
   */
  async lease(repository: string, id: string, offset: number | undefined): Promise<Lease> {
    const { session, token } = await this.get(repository, id);
    const size = session.data?.size ?? 0;
    if (offset !== undefined && offset !== size) throw outOfOrder(id, `it has ${size} bytes, not ${offset}`);
    const touched = this.#surroundings.now();
    const mine = await this.#swap(id, token, { ...session, touched, writer: this.#surroundings.uniqueId() });
    if (session.data === undefined) {
      return { ...mine, data: await this.#store.beginData(freshDataKey(this.#surroundings)) };
    }
    if (session.writer === undefined) return { ...mine, data: session.data };

    const data = await this.#takeOver(repository, id, session.data);
    // Written at once: should this request die too, the next one finds the data under its new name.
    return { ...(await this.#swap(id, mine.token, { ...mine.session, data })), data };
  }

  /** Ends a lease with what it achieved. @throws RegistryError `UPLOAD_OUT_OF_ORDER` if it was taken over */
  async release(lease: Lease, outcome: Pick<SessionRecord, 'data' | 'digest' | 'hash'>): Promise<void> {
    const { writer: _, digest: __, hash: ___, ...session } = lease.session;
    await this.#swap(lease.id, lease.token, { ...session, ...outcome, touched: this.#surroundings.now() });
  }

  /**
   * Says that the upload is about to become a blob: for a day nobody takes its session away, so that its data is named
   * until a blob's record names it.
   *
   * @throws RegistryError `UPLOAD_OUT_OF_ORDER` if it was taken over
   */
  async close(lease: Lease, data: DataState): Promise<void> {
    const now = this.#surroundings.now();
    await this.#swap(lease.id, lease.token, { ...lease.session, data, touched: now, closing: now });
  }

  /** Takes a session away from whoever has it. @throws RegistryError `UPLOAD_UNKNOWN` */
  async cancel(repository: string, id: string): Promise<void> {
    for (;;) {
      const { session, token } = await this.get(repository, id);
      if (this.#isClosing(session)) throw unknown(repository, id);
      if (!(await this.#store.delete(uploadKey(id), { ifMatch: token, durable: false }))) continue;
      if (session.data !== undefined) await this.#store.abortData(session.data);
      return;
    }
  }

  /** Forgets a session and gives back its data. */
  async drop(id: string, data: DataState | undefined): Promise<void> {
    if (data !== undefined) await this.#store.abortData(data);
    await this.#store.delete(uploadKey(id), { durable: false });
  }

  /** Drops what nobody touched for `idleMs`, or only counts it. @returns how many */
  async expire(idleMs: number, onlyCount = false): Promise<number> {
    let expired = 0;
    for (let after = ''; ; ) {
      const { keys, more } = await this.#store.list({ prefix: UPLOADS_PREFIX, after, limit: 100 });
      for (const key of keys) {
        after = key;
        const stored = await this.#store.get(key);
        if (stored === undefined) continue;
        const session = parseSession(stored);
        const idle = session === undefined ? undefined : this.#surroundings.now() - session.touched;
        if (session !== undefined && (this.#isClosing(session) || (idle ?? 0) < idleMs)) continue;
        // First the record, on condition: a request that came just now keeps the upload.
        if (!onlyCount && !(await this.#store.delete(key, { ifMatch: stored.token, durable: false }))) continue;
        if (session?.data !== undefined && !onlyCount) await this.#store.abortData(session.data);
        expired += 1;
      }
      if (!more) return expired;
    }
  }

  #isClosing(session: SessionRecord): boolean {
    return session.closing !== undefined && this.#surroundings.now() - session.closing < LEFT_AFTER_MS;
  }

  async #swap(id: string, token: Token, session: SessionRecord): Promise<Omit<Lease, 'data'>> {
    const next = await this.#store.put(uploadKey(id), encode(session), {
      condition: { ifMatch: token },
      durable: false,
    });
    if (next === undefined) throw outOfOrder(id, 'another request is writing to it');
    return { id, session, token: next };
  }

  async #takeOver(repository: string, id: string, data: DataState): Promise<DataState> {
    try {
      return await this.#store.takeOverData(data, freshDataKey(this.#surroundings));
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'DATA_UNKNOWN') throw unknown(repository, id, error);
      throw error;
    }
  }
}

export function outOfOrder(id: string, why: string): RegistryError {
  return new RegistryError('UPLOAD_OUT_OF_ORDER', `the upload ${id} cannot go on here: ${why}`, {
    hint: 'ask for its state with GET, and go on behind its last byte',
  });
}

function unknown(repository: string, id: string, cause?: unknown): RegistryError {
  return new RegistryError('UPLOAD_UNKNOWN', `${repository} has no upload ${id.slice(0, 80)}`, {
    cause,
    hint: 'it was finished, cancelled or given up; start a new one',
  });
}
