// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';

export type LogStream = 'stdout' | 'stderr' | 'kernel' | 'uk';

/**
 * A line of a log. The fields are those of Docker's `json-file` logs, so what reads those reads these. A line that is not
 * UTF-8 has `base64` in place of `log`. A text without a line end is a part of a longer line.
 */
export interface LogRecord {
  /** RFC 3339, UTC. */
  time: string;
  stream: LogStream;
  bytes: Buffer;
}

export function encodeRecord({ time, stream, bytes }: LogRecord): string {
  const text = isUtf8(bytes) ? { log: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
  return `${JSON.stringify({ ...text, stream, time })}\n`;
}

/** @returns undefined for a line that was cut, or that something else has written */
export function decodeRecord(line: string): LogRecord | undefined {
  try {
    const { time, stream, log, base64 } = JSON.parse(line) as Partial<Record<string, unknown>>;
    if (typeof time !== 'string' || typeof stream !== 'string') return undefined;
    const bytes = typeof log === 'string' ? Buffer.from(log) : Buffer.from(String(base64 ?? ''), 'base64');
    return { time, stream: stream as LogStream, bytes };
  } catch {
    return undefined;
  }
}

/** A longer line is kept as several records. */
export const LINE_MAX = 16 * 1024;

/**
 * Cuts bytes into lines with their ends.
 *
 * @returns the lines, and what is left of the last one
 */
export function cutLines(bytes: Buffer): { lines: Buffer[]; rest: Buffer } {
  const lines: Buffer[] = [];
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end + 1;
    if (to - from > LINE_MAX) {
      const cut = betweenCharacters(bytes, from + LINE_MAX);
      lines.push(bytes.subarray(from, cut));
      from = cut;
    } else if (end < 0) break;
    else {
      lines.push(bytes.subarray(from, to));
      from = to;
    }
  }
  return { lines, rest: bytes.subarray(from) };
}

/** A character of UTF-8 has at most three bytes that continue it. */
function betweenCharacters(bytes: Buffer, at: number): number {
  for (let back = 0; back < 4; back++) {
    const byte = bytes[at - back] ?? 0;
    if ((byte & 0xc0) !== 0x80) return at - back;
  }
  return at;
}
