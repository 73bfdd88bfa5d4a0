// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { RegistryError } from '../errors.ts';
import type { DataReader } from '../storage/contract.ts';
import { endAnswer } from './exchange.ts';

/** TLS encrypts all that it is given at once, and keeps that until the client has taken it. */
const ENCRYPTED_AT_ONCE = 1024 * 1024;

/**
 * Sends a body behind headers that were written already, each chunk when the one before has left for the client: a slow
 * client costs one chunk of memory, and one that hangs up ends the reading.
 *
 * @param length what the headers promised; data that gives less must not look like a whole answer
 */
export async function send(data: DataReader, response: ServerResponse, length: number): Promise<void> {
  let sent = 0;
  const outlet = new Outlet(response);
  for await (const chunk of data) {
    sent += chunk.length;
    if (!(await outlet.write(chunk))) return;
  }
  if (sent !== length)
    throw new RegistryError('STORAGE_DAMAGED', `the stored data has ${sent} bytes, but ${length} were expected`);
  endAnswer(response);
}

class Outlet {
  readonly #response: ServerResponse;
  #settle: ((written: boolean) => void) | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    // Node does not call back for what waits behind another answer on a connection that is cut.
    response.once('close', () => this.#settle?.(false));
  }

  /** @returns false where the client is gone */
  async write(chunk: Buffer): Promise<boolean> {
    if (!(this.#response.socket instanceof TLSSocket)) return this.#writeAtOnce(chunk);
    for (let at = 0; at < chunk.length; at += ENCRYPTED_AT_ONCE) {
      if (!(await this.#writeAtOnce(chunk.subarray(at, at + ENCRYPTED_AT_ONCE)))) return false;
    }
    return true;
  }

  #writeAtOnce(chunk: Buffer): Promise<boolean> {
    if (this.#response.destroyed || this.#response.closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#response.write(chunk, (error) => resolve(!error));
    });
  }
}
