// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { PullerError } from '../../errors.ts';
import {
  AGENT,
  type AgentFrame,
  AgentFrameDecoder,
  encodeAgentFrame,
  encodeAgentRecords,
  INPUT_WINDOW,
  OPEN_MAX,
  recordsOf,
} from '../../guest-contract/agent-frames.ts';
import { numberOf, type Records } from '../../guest-contract/frames.ts';
import type { AgentChannel } from './agent-channel.ts';
import type { AgentSession } from './agent-session.ts';

/**
 * Joins a connection of the control port to a session of the agent: frame by frame, as fast as the slower side. A
 * connection that is closed ends what it has asked for.
 *
 * @param complete adds to OPEN what the instance is made with
 */
export function relaySession(socket: Socket, channel: AgentChannel, complete: (records: Records) => Records): void {
  new Relay(socket, channel, complete);
}

class Relay {
  readonly #socket: Socket;
  readonly #channel: AgentChannel;
  readonly #complete: (records: Records) => Records;
  readonly #decoder = new AgentFrameDecoder(OPEN_MAX);
  /** What came and cannot go on yet. While something is here nothing is read. */
  #waiting: AgentFrame[] = [];
  #session: AgentSession | undefined;
  #detach = false;

  constructor(socket: Socket, channel: AgentChannel, complete: (records: Records) => Records) {
    this.#socket = socket;
    this.#channel = channel;
    this.#complete = complete;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => this.#session?.close());
    socket.resume();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#waiting.push(...this.#decoder.push(chunk));
      this.#forward();
    } catch (error) {
      this.#fail(error as PullerError);
    }
  }

  #forward(): void {
    for (let frame = this.#waiting[0]; frame !== undefined; frame = this.#waiting[0]) {
      if (frame.type === AGENT.input && this.#session !== undefined && frame.payload.length > this.#session.room) {
        if (frame.payload.length > INPUT_WINDOW) throw unknown();
        this.#socket.pause();
        return;
      }
      this.#waiting.shift();
      this.#handle(frame);
    }
    this.#socket.resume();
  }

  #handle(frame: AgentFrame): void {
    if (frame.type === AGENT.open) {
      this.#open(recordsOf(frame).records);
      return;
    }
    const session = this.#session;
    if (session === undefined) throw unknown();
    switch (frame.type) {
      case AGENT.input:
        session.write(frame.payload);
        return;
      case AGENT.inputEnd:
        session.endInput();
        return;
      case AGENT.resize: {
        const records = { type: frame.type, ...recordsOf(frame) };
        session.resize({ rows: numberOf(records, 'rows'), columns: numberOf(records, 'columns') });
        return;
      }
      case AGENT.signal:
        session.signal(numberOf({ type: frame.type, ...recordsOf(frame) }, 'number'));
        return;
      default:
        throw unknown();
    }
  }

  #open(records: Records): void {
    if (this.#session !== undefined) throw unknown();
    this.#detach = records.some(([key, value]) => key === 'detach' && value === '1');
    const session = this.#channel.open(this.#complete(records), {
      opened: (pid) => this.#opened(pid),
      output: (stream, bytes) => {
        const type = stream === 'stdout' ? AGENT.output : AGENT.error;
        this.#socket.write(encodeAgentFrame(type, 0, bytes), () => session.taken(bytes.length));
      },
      roomy: () => {
        try {
          this.#forward();
        } catch (error) {
          this.#fail(error as PullerError);
        }
      },
      exited: (end) => this.#end(AGENT.exit, [['signal' in end ? 'signal' : 'status', String(Object.values(end)[0])]]),
      failed: ({ status, message }) =>
        this.#end(AGENT.failed, [
          ['status', String(status)],
          ['message', message],
        ]),
      broken: (error) => this.#fail(error),
    });
    this.#session = session;
  }

  #opened(pid: number): void {
    const records: Records = [['pid', String(pid)]];
    if (!this.#detach) {
      this.#socket.write(encodeAgentRecords(AGENT.opened, 0, records));
      return;
    }
    this.#session?.forget();
    this.#end(AGENT.opened, records);
  }

  #fail(error: PullerError): void {
    this.#session?.close();
    const { code = 'GUEST_PROTOCOL', message, hint } = error;
    const records: [string, string][] = [
      ['code', code],
      ['message', message],
    ];
    if (hint !== undefined) records.push(['hint', hint]);
    this.#end(AGENT.broken, records);
  }

  #end(type: number, records: Records): void {
    this.#socket.removeAllListeners('data');
    this.#waiting = [];
    this.#socket.end(encodeAgentRecords(type, 0, records));
    // The rest of what comes is not read by anybody.
    this.#socket.resume();
  }
}

function unknown(): PullerError {
  return new PullerError('GUEST_PROTOCOL', 'this is not what a session is asked for');
}
