// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import type { PullerError } from '../../errors.ts';
import {
  AGENT,
  type AgentFrame,
  AgentFrameDecoder,
  encodeAgentRecords,
  GUEST_FRAME_MAX,
  recordsOf,
  SESSIONS_MAX,
} from '../../guest-contract/agent-frames.ts';
import type { ProgramEnd } from '../../guest-contract/control-channel.ts';
import { damaged, numberOf, type Records, recordOf } from '../../guest-contract/frames.ts';
import { AgentSession, OUTPUT_WINDOW, type SessionListener } from './agent-session.ts';
import { busy, gone, silent } from './failures.ts';

/** So long a guest may take until it says that what it was asked for runs. */
const OPEN_LIMIT_MS = 30_000;

/** A guest that does not read its port is asked for nothing more. */
const UNREAD_MAX = 1024 ** 2;

/** Bytes of frames that belong to nothing: what is on its way when a session is closed, and a little more. */
const STRAY_MAX = 1024 ** 2;

/**
 * The agent of one guest, from this side. Nothing that a guest sends makes this process grow: each session's output is
 * bounded by what its reader has taken, frames are bounded, and a guest that breaks the contract is not listened to any
 * more. The machine goes on then.
 */
export class AgentChannel {
  readonly #port: Duplex;
  readonly #decoder = new AgentFrameDecoder(GUEST_FRAME_MAX);
  readonly #sessions = new Map<number, AgentSession>();
  readonly #openLimitMs: number;
  readonly #onBroken: (error: PullerError) => void;
  #last = 0;
  #stray = STRAY_MAX;
  #broken: PullerError | undefined;

  /**
   * @param onBroken told once of a guest that breaks the contract
   * @param openLimitMs in tests another time
   */
  constructor(port: Duplex, onBroken: (error: PullerError) => void, openLimitMs = OPEN_LIMIT_MS) {
    this.#port = port;
    this.#onBroken = onBroken;
    this.#openLimitMs = openLimitMs;
    port.on('data', (chunk: Buffer) => this.#receive(chunk));
    port.on('error', () => {});
    port.on('close', () => this.#endAll(gone()));
  }

  /**
   * Asks for something.
   *
   * @param records `kind` and what belongs to it; see docs/guest-contract.md
   * @throws PullerError `GUEST_PROTOCOL` where the guest broke the contract, `AGENT_SILENT`, `AGENT_BUSY`,
   *   `IMAGE_UNSUPPORTED` for what cannot be said
   */
  open(records: Records, listener: SessionListener): AgentSession {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#port.destroyed) throw gone();
    if (this.#port.writableLength > UNREAD_MAX) throw silent('it does not read what it is asked for');
    if (this.#sessions.size >= SESSIONS_MAX) throw busy();
    const id = this.#nextId();
    const frame = encodeAgentRecords(AGENT.open, id, [...records, ['credit', String(OUTPUT_WINDOW)]]);
    const session = new AgentSession({
      ...{ id, listener, openLimitMs: this.#openLimitMs },
      send: (bytes) => this.#port.writable && this.#port.write(bytes),
      forget: (unread) => {
        if (this.#sessions.delete(id)) this.#stray += unread;
      },
    });
    this.#sessions.set(id, session);
    this.#port.write(frame);
    return session;
  }

  #nextId(): number {
    do this.#last = (this.#last % 0xffff) + 1;
    while (this.#sessions.has(this.#last));
    return this.#last;
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      this.#break(error as PullerError);
    }
  }

  #break(error: PullerError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#port.removeAllListeners('data');
    // The guest learns that nobody listens any more; what it sends is not read.
    this.#port.destroy();
    this.#endAll(error);
    this.#onBroken(error);
  }

  #endAll(error: PullerError): void {
    for (const session of [...this.#sessions.values()]) session.break(error);
  }

  #dispatch(frame: AgentFrame): void {
    const session = this.#sessions.get(frame.session);
    if (session === undefined) {
      // A session that was closed here may still be spoken of there.
      this.#stray -= frame.payload.length + 64;
      if (this.#stray < 0) throw damaged('its agent floods this machine');
      return;
    }
    switch (frame.type) {
      case AGENT.opened:
        session.opened(numberOf({ type: frame.type, ...recordsOf(frame) }, 'pid'));
        return;
      case AGENT.failed:
        session.failed(failureOf(frame));
        return;
      case AGENT.output:
        session.output('stdout', frame.payload);
        return;
      case AGENT.error:
        session.output('stderr', frame.payload);
        return;
      case AGENT.creditBack:
        session.inputTaken(numberOf({ type: frame.type, ...recordsOf(frame) }, 'bytes'));
        return;
      case AGENT.exit:
        session.exited(endOf(frame));
        return;
      default:
        // A later version of the agent may know more; but not much more.
        this.#stray -= frame.payload.length + 64;
        if (this.#stray < 0) throw damaged('its agent floods this machine');
    }
  }
}

function failureOf(frame: AgentFrame): { status: number; message: string } {
  const records = recordsOf(frame);
  const status = numberOf({ type: frame.type, ...records }, 'status');
  return { status: status & 0xff, message: plain(recordOf(records, 'message') ?? '') };
}

function endOf(frame: AgentFrame): ProgramEnd {
  const records = { type: frame.type, ...recordsOf(frame) };
  if (recordOf(records, 'signal') === undefined) return { status: numberOf(records, 'status') & 0xff };
  return { signal: numberOf(records, 'signal') & 0x7f, core: false };
}

/** What a guest says may hold anything, and will be shown on a terminal. */
function plain(text: string): string {
  return text.slice(0, 400).replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '?');
}
