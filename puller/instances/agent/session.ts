// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { PullerError, type PullerErrorCode } from '../../errors.ts';
import {
  AGENT,
  type AgentFrame,
  AgentFrameDecoder,
  DATA_MAX,
  encodeAgentFrame,
  encodeAgentRecords,
  GUEST_FRAME_MAX,
  recordsOf,
} from '../../guest-contract/agent-frames.ts';
import type { ProgramEnd } from '../../guest-contract/control-channel.ts';
import { numberOf, type Records, recordOf } from '../../guest-contract/frames.ts';
import type { TerminalSize } from '../../guest-contract/start.ts';
import { outputFailed } from '../failures.ts';

export interface SessionStreams {
  stdin?: Readable | undefined;
  stdout: Writable;
  stderr: Writable;
}

/** How a conversation about streams ends. */
export type SessionEnd =
  | { kind: 'ended'; end: ProgramEnd }
  /** It runs and was to be left alone. */
  | { kind: 'detached'; pid: number | undefined };

/**
 * This side of a conversation with a supervisor: streams of a process in a guest, as frames. A sink that takes nothing
 * more for now slows down the process; one that is closed ends the conversation.
 */
export class ClientSession {
  readonly #socket: Socket;
  readonly #streams: SessionStreams;
  readonly #decoder = new AgentFrameDecoder(GUEST_FRAME_MAX);
  readonly #done = Promise.withResolvers<SessionEnd>();
  readonly #detach: boolean;
  #unhook: () => void = () => {};
  /** The last frame has come. */
  #isOver = false;

  /** @param open what to ask for; undefined where nothing has to be */
  constructor(socket: Socket, open: Records | undefined, streams: SessionStreams) {
    this.#socket = socket;
    this.#streams = streams;
    this.#detach = open?.some(([key, value]) => key === 'detach' && value === '1') ?? false;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => {
      // What was sent last may still be on its way to a slow reader.
      if (!this.#isOver) this.#done.reject(lost());
    });
    this.#hookSinks();
    if (open !== undefined) socket.write(encodeAgentRecords(AGENT.open, 0, open));
    if (streams.stdin !== undefined) this.#hookInput(streams.stdin);
    this.#done.promise.catch(() => {}).finally(() => this.#close());
    socket.resume();
  }

  /**
   * How it ended; all output is written then.
   *
   * @throws PullerError `EXEC_FAILED`, `AGENT_SILENT`, `GUEST_PROTOCOL`, `SUPERVISOR_LOST`, …
   */
  get ended(): Promise<SessionEnd> {
    return this.#done.promise;
  }

  signal(number: number): void {
    this.#send(encodeAgentRecords(AGENT.signal, 0, [['number', String(number)]]));
  }

  resize({ rows, columns }: TerminalSize): void {
    const size = [
      ['rows', String(rows)],
      ['columns', String(columns)],
    ] as const;
    this.#send(encodeAgentRecords(AGENT.resize, 0, size));
  }

  /** Goes away; what runs in the guest for this conversation alone is ended. */
  leave(): void {
    this.#done.resolve({ kind: 'detached', pid: undefined });
  }

  #send(bytes: Buffer): boolean {
    return !this.#socket.writable || this.#socket.write(bytes);
  }

  #close(): void {
    this.#unhook();
    this.#socket.destroy();
  }

  #hookSinks(): void {
    const { stdout, stderr } = this.#streams;
    const resume = (): unknown => this.#socket.resume();
    const gone = (): void => this.leave();
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EPIPE') this.leave();
      else this.#done.reject(outputFailed('the output', error));
    };
    const sinks = new Set([stdout, stderr]);
    for (const sink of sinks) sink.on('drain', resume).on('close', gone).on('error', failed);
    this.#unhook = () => {
      for (const sink of sinks) sink.off('drain', resume).off('close', gone).off('error', failed);
    };
  }

  #hookInput(stdin: Readable): void {
    const receive = (chunk: Buffer | string): void => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      let roomy = true;
      for (let at = 0; at < bytes.length; at += DATA_MAX) {
        roomy = this.#send(encodeAgentFrame(AGENT.input, 0, bytes.subarray(at, at + DATA_MAX)));
      }
      if (!roomy) stdin.pause();
    };
    const drained = (): unknown => stdin.resume();
    let isOver = false;
    const end = (): void => {
      if (!isOver) this.#send(encodeAgentFrame(AGENT.inputEnd, 0));
      isOver = true;
    };
    this.#socket.on('drain', drained);
    stdin.on('data', receive).on('end', end).on('close', end).on('error', end);
    const before = this.#unhook;
    this.#unhook = () => {
      before();
      this.#socket.off('drain', drained);
      stdin.off('data', receive).off('end', end).off('close', end).pause();
      if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
    };
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      this.#done.reject(error);
    }
  }

  #dispatch(frame: AgentFrame): void {
    const { stdout, stderr } = this.#streams;
    switch (frame.type) {
      case AGENT.opened:
        if (this.#detach) this.#done.resolve({ kind: 'detached', pid: numberIn(frame, 'pid') });
        return;
      case AGENT.output:
        if (!stdout.write(frame.payload)) this.#socket.pause();
        return;
      case AGENT.error:
        if (!stderr.write(frame.payload)) this.#socket.pause();
        return;
      case AGENT.exit:
        this.#isOver = true;
        void this.#finish({ kind: 'ended', end: endOf(frame) });
        return;
      case AGENT.failed:
        this.#done.reject(new ExecError(recordOf(recordsOf(frame), 'message') ?? '', numberIn(frame, 'status')));
        return;
      case AGENT.detached:
        this.#done.reject(new PullerError('OUTPUT_FAILED', recordOf(recordsOf(frame), 'message') ?? ''));
        return;
      case AGENT.broken:
        this.#done.reject(brokenBy(frame));
        return;
    }
  }

  async #finish(end: SessionEnd): Promise<void> {
    const { stdout, stderr } = this.#streams;
    await Promise.all([...new Set([stdout, stderr])].map(flushed));
    this.#done.resolve(end);
  }
}

/** A command that could not be started, and the status that a shell would have for it. */
export class ExecError extends PullerError {
  readonly status: number;

  constructor(message: string, status: number) {
    super('EXEC_FAILED', message);
    this.status = status;
  }
}

/** Resolves when a sink has taken what it was given, or takes no more. */
function flushed(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (sink.destroyed || !sink.writable) resolve();
    else {
      sink.once('close', resolve);
      sink.write(Buffer.alloc(0), () => {
        sink.off('close', resolve);
        resolve();
      });
    }
  });
}

function numberIn(frame: AgentFrame, key: string): number {
  return numberOf({ type: frame.type, ...recordsOf(frame) }, key);
}

function endOf(frame: AgentFrame): ProgramEnd {
  if (recordOf(recordsOf(frame), 'signal') === undefined) return { status: numberIn(frame, 'status') };
  return { signal: numberIn(frame, 'signal'), core: false };
}

function brokenBy(frame: AgentFrame): PullerError {
  const records = recordsOf(frame);
  const hint = recordOf(records, 'hint');
  const code = recordOf(records, 'code') ?? 'GUEST_PROTOCOL';
  return new PullerError(
    code as PullerErrorCode,
    recordOf(records, 'message') ?? '',
    hint === undefined ? {} : { hint },
  );
}

function lost(): PullerError {
  return new PullerError('SUPERVISOR_LOST', "the instance's supervisor has ended meanwhile", {
    hint: 'uk ps -a says what became of the instance',
  });
}
