// SPDX-License-Identifier: Apache-2.0
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { failureOf } from './failures.ts';
import type { ResolvedOptions } from './options.ts';

/** No request is tried again when this much time went by since its first attempt, milliseconds. */
const TRIED_FOR = 20_000;
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 2_000;

/** A record's request is short, so a burst of them waits for these; bodies have sockets of their own. */
const RECORD_SOCKETS = 128;

export type Call<T> = (client: S3Client, signal: AbortSignal) => Promise<T>;

/**
 * Requests to the store, each tried again where that is worth it. The SDK's own retries are off: it does not tell
 * whether an attempt whose answer was lost may have been executed, and a condition that fails on the second attempt may
 * have failed because of the first.
 *
 * Bodies of data run over other sockets than records do: any number of clients that read blobs slowly keep as many
 * sockets busy, and must not keep a record waiting.
 */
export class Connection {
  readonly #records: S3Client;
  readonly #bodies: S3Client;
  readonly #timeoutMs: number;
  readonly #attempts: number;

  constructor(options: ResolvedOptions) {
    this.#records = clientOf(options, RECORD_SOCKETS);
    this.#bodies = clientOf(options, Number.POSITIVE_INFINITY);
    this.#timeoutMs = options.timeoutMs;
    this.#attempts = options.attempts;
  }

  /** @throws S3Failure */
  record<T>(call: Call<T>): Promise<T> {
    return this.#run(this.#records, call, this.#timeoutMs);
  }

  /**
   * @param bytes how much the request sends, or lets the store copy; what the answer brings behind its headers is not
   *   counted, nor timed
   * @throws S3Failure
   */
  body<T>(bytes: number, call: Call<T>): Promise<T> {
    return this.#run(this.#bodies, call, this.#timeoutMs + (bytes / (128 * 1024)) * 1000);
  }

  close(): void {
    this.#records.destroy();
    this.#bodies.destroy();
  }

  async #run<T>(client: S3Client, call: Call<T>, timeoutMs: number): Promise<T> {
    const begun = Date.now();
    let uncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeoutMs);
      try {
        return await call(client, abort.signal);
      } catch (error) {
        const failure = failureOf(error, abort.signal.aborted ? timeoutMs : undefined);
        uncertain ||= failure.uncertain;
        failure.uncertain = uncertain;
        const again = failure.kind === 'passing' && attempt < this.#attempts && Date.now() - begun < TRIED_FOR;
        if (!again) throw failure;
      } finally {
        clearTimeout(timer);
      }
      // Spread, so that all the requests which one outage broke do not come back at once.
      await delay(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt) * (0.5 + Math.random() / 2));
    }
  }
}

export function clientOf(options: ResolvedOptions, sockets: number, endpoint = options.endpoint): S3Client {
  const agent = { keepAlive: true, maxSockets: sockets, maxFreeSockets: 128, noDelay: true };
  return new S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle,
    maxAttempts: 1,
    // What is sent is signed with its SHA-256, which every store checks; further checksums trouble some of them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: {
      connectionTimeout: Math.min(5_000, options.timeoutMs),
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
      // Waiting for a socket is this driver's own business.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
    },
  });
}
