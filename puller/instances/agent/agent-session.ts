// SPDX-License-Identifier: Apache-2.0
import type { PullerError } from '../../errors.ts';
import {
  AGENT,
  DATA_MAX,
  encodeAgentFrame,
  encodeAgentRecords,
  INPUT_WINDOW,
} from '../../guest-contract/agent-frames.ts';
import type { ProgramEnd } from '../../guest-contract/control-channel.ts';
import { damaged } from '../../guest-contract/frames.ts';
import type { TerminalSize } from '../../guest-contract/start.ts';
import { silent } from './failures.ts';

/** How much output the guest may have sent that nobody has taken. */
export const OUTPUT_WINDOW = 256 * 1024;

/** So much is taken before the guest is told. */
const CREDIT_STEP = OUTPUT_WINDOW / 4;

/** What happens to a session. After `failed`, `exited` or `broken` nothing more does. */
export interface SessionListener {
  opened?(pid: number): void;
  /** Call `taken` when the bytes are where they belong: until then they count. */
  output?(stream: 'stdout' | 'stderr', bytes: Buffer): void;
  /** There is room for input again. */
  roomy?(): void;
  exited(end: ProgramEnd): void;
  /** The guest could not do it. */
  failed(failure: { status: number; message: string }): void;
  /** It cannot go on: the guest has ended, is silent, or broke the contract. */
  broken(error: PullerError): void;
}

export interface SessionParts {
  id: number;
  listener: SessionListener;
  openLimitMs: number;
  send(bytes: Buffer): unknown;
  /** @param unread bytes that the guest may still send */
  forget(unread: number): void;
}

/** One thing that a guest's agent was asked for. */
export class AgentSession {
  readonly #parts: SessionParts;
  readonly #late: NodeJS.Timeout;
  #credit = OUTPUT_WINDOW;
  #taken = 0;
  #room = INPUT_WINDOW;
  #isOpen = false;
  #isOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#late = setTimeout(() => {
      this.#send(encodeAgentFrame(AGENT.close, parts.id));
      this.break(silent(`it was asked ${parts.openLimitMs / 1_000} s ago`));
    }, parts.openLimitMs);
  }

  /** Bytes of input that can be written now. */
  get room(): number {
    return this.#room;
  }

  /** @param bytes no more than there is room for */
  write(bytes: Buffer): void {
    this.#room -= bytes.length;
    for (let at = 0; at < bytes.length; at += DATA_MAX) {
      this.#send(encodeAgentFrame(AGENT.input, this.#parts.id, bytes.subarray(at, at + DATA_MAX)));
    }
  }

  endInput(): void {
    this.#send(encodeAgentFrame(AGENT.inputEnd, this.#parts.id));
  }

  resize({ rows, columns }: TerminalSize): void {
    const size = [
      ['rows', String(rows)],
      ['columns', String(columns)],
    ] as const;
    this.#send(encodeAgentRecords(AGENT.resize, this.#parts.id, size));
  }

  signal(number: number): void {
    this.#send(encodeAgentRecords(AGENT.signal, this.#parts.id, [['number', String(number)]]));
  }

  /** So many bytes of output are where they belong. */
  taken(bytes: number): void {
    if (this.#isOver) return;
    this.#taken += bytes;
    if (this.#taken < CREDIT_STEP) return;
    this.#credit += this.#taken;
    this.#send(encodeAgentRecords(AGENT.credit, this.#parts.id, [['bytes', String(this.#taken)]]));
    this.#taken = 0;
  }

  /** Ends the process; nothing more is told. */
  close(): void {
    if (this.#isOver) return;
    this.#send(encodeAgentFrame(AGENT.close, this.#parts.id));
    this.#end();
  }

  opened(pid: number): void {
    if (this.#isOpen) throw damaged('its agent says twice that something runs');
    this.#isOpen = true;
    clearTimeout(this.#late);
    this.#parts.listener.opened?.(pid);
  }

  output(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    this.#credit -= bytes.length;
    if (this.#credit < 0) throw damaged('its agent sends more output than it was told that there is room for');
    if (!this.#isOpen) throw damaged('its agent sends output of something that does not run');
    if (this.#parts.listener.output === undefined) this.taken(bytes.length);
    else this.#parts.listener.output(stream, bytes);
  }

  inputTaken(bytes: number): void {
    this.#room += bytes;
    if (this.#room > INPUT_WINDOW) throw damaged('its agent says that it took more input than it was given');
    this.#parts.listener.roomy?.();
  }

  exited(end: ProgramEnd): void {
    if (!this.#isOpen) throw damaged('its agent says that something has ended that did not run');
    this.#end();
    this.#parts.listener.exited(end);
  }

  failed(failure: { status: number; message: string }): void {
    this.#end();
    this.#parts.listener.failed(failure);
  }

  /** Told by this side. */
  break(error: PullerError): void {
    if (this.#isOver) return;
    this.#end();
    this.#parts.listener.broken(error);
  }

  /** For what was asked to go on by itself. */
  forget(): void {
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#late);
    this.#parts.forget(this.#credit);
  }

  #send(bytes: Buffer): void {
    if (!this.#isOver) this.#parts.send(bytes);
  }
}
