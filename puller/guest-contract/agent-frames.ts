// SPDX-License-Identifier: Apache-2.0
// docs/guest-contract.md, "The agent": the frames of the port uk.agent. The control socket of a supervisor speaks them, too.
import { damaged, encodeRecords, HEADER, parseRecords, type Records } from './frames.ts';

export const AGENT = {
  open: 1,
  input: 2,
  inputEnd: 3,
  credit: 4,
  resize: 5,
  signal: 6,
  close: 7,
  opened: 101,
  failed: 102,
  output: 103,
  error: 104,
  creditBack: 105,
  exit: 106,
  /** Not the guest's: a supervisor tells why a session cannot go on. */
  broken: 200,
  /** Not the guest's: whoever is attached reads too slowly, or wants no more. */
  detached: 201,
} as const;

/** Most bytes of a frame that the host sends. */
export const OPEN_MAX = 256 * 1024;

/** Most bytes of a frame that a guest sends. */
export const GUEST_FRAME_MAX = 64 * 1024;

/** Most bytes of input or output that go into one frame. */
export const DATA_MAX = 32 * 1024 - HEADER;

/** How much input may be on its way that the process in the guest has not taken. */
export const INPUT_WINDOW = 64 * 1024;

/** Sessions at a time. */
export const SESSIONS_MAX = 16;

export interface AgentFrame {
  type: number;
  session: number;
  /** Bytes of a stream, or records. */
  payload: Buffer;
}

export function encodeAgentFrame(type: number, session: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt16LE(type, 4);
  frame.writeUInt16LE(session, 6);
  frame.set(payload, HEADER);
  return frame;
}

/** @throws PullerError `IMAGE_UNSUPPORTED` for a value with a NUL byte, or too many bytes */
export function encodeAgentRecords(type: number, session: number, records: Records): Buffer {
  return encodeAgentFrame(type, session, encodeRecords(records, OPEN_MAX));
}

/** @throws PullerError `GUEST_PROTOCOL` */
export function recordsOf({ payload }: AgentFrame): { records: Records } {
  return { records: parseRecords(payload) };
}

/** Makes frames of a stream of bytes, wherever it is cut. It never holds more than one frame. */
export class AgentFrameDecoder {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);

  /** @param limit most bytes of a payload */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @returns the frames that are whole now, in order; their payloads are parts of what came
   * @throws PullerError `GUEST_PROTOCOL` for a frame that is too long
   */
  push(chunk: Buffer): AgentFrame[] {
    let bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const frames: AgentFrame[] = [];
    while (bytes.length >= HEADER) {
      const length = bytes.readUInt32LE(0);
      if (length > this.#limit) {
        throw damaged(`its agent sends a frame of ${length} bytes, at most ${this.#limit} are allowed`);
      }
      if (bytes.length < HEADER + length) break;
      const payload = bytes.subarray(HEADER, HEADER + length);
      frames.push({ type: bytes.readUInt16LE(4), session: bytes.readUInt16LE(6), payload });
      bytes = bytes.subarray(HEADER + length);
    }
    // A copy: a small rest must not keep a large chunk.
    this.#bytes = Buffer.from(bytes);
    return frames;
  }
}
