// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { PullerError } from '../../errors.ts';

interface Answer {
  id?: number;
  return?: unknown;
  error?: { desc?: string };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * QEMU's machine protocol. Nothing is sent before the first command, so it costs a run that needs none nothing.
 *
 * @see QEMU docs/interop/qmp-spec.rst
 */
export class QmpClient {
  readonly #port: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #text = '';
  #ended = false;

  constructor(port: Duplex) {
    this.#port = port;
    port.setEncoding('utf8');
    port.on('data', (text: string) => this.#receive(text));
    port.on('error', () => {});
    port.on('close', () => this.#end());
  }

  /** @throws PullerError `MONITOR_FAILED` */
  async execute(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const negotiation = this.#next === 1 ? this.#send('qmp_capabilities', {}) : undefined;
    const answer = this.#send(command, parameters);
    // Both are awaited: none of them may fail unheard.
    const [, result] = await Promise.all([negotiation, answer]);
    return result;
  }

  /** A line of the human monitor, whose answers are text. @throws PullerError `MONITOR_FAILED` */
  async human(line: string): Promise<string> {
    return String(await this.execute('human-monitor-command', { 'command-line': line }));
  }

  #send(command: string, parameters: Record<string, unknown>): Promise<unknown> {
    if (this.#ended) return Promise.reject(gone());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#port.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    });
  }

  #receive(text: string): void {
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#answer(JSON.parse(line) as Answer);
  }

  /** The greeting and events have no id. */
  #answer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id ?? 0);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id ?? 0);
    if (answer.error === undefined) waiting.resolve(answer.return);
    else waiting.reject(new PullerError('MONITOR_FAILED', `the monitor refuses: ${answer.error.desc ?? 'no reason'}`));
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function gone(): PullerError {
  return new PullerError('MONITOR_FAILED', 'the monitor has ended');
}
