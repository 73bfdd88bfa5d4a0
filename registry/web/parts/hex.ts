// SPDX-License-Identifier: Apache-2.0

const BYTES_A_LINE = 16;
/** Bytes that a page shows. */
const MOST = 16 * 1024;

/** Bytes as `hexdump -C` shows them. @param digits two a byte, without spaces */
export function hexDump(digits: string): string {
  const bytes = Buffer.from(digits.slice(0, MOST * 2), 'hex');
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const line = bytes.subarray(at, at + BYTES_A_LINE);
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0'));
    const left = hex.slice(0, 8).join(' ').padEnd(23);
    const right = hex.slice(8).join(' ').padEnd(23);
    const text = [...line].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}  ${right}  |${text}|`);
  }
  if (digits.length > MOST * 2) lines.push('…');
  return lines.join('\n');
}
