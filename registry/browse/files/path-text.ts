// SPDX-License-Identifier: Apache-2.0

/*
 * Names in an archive are bytes, here one character (U+0000 to U+00FF) for each (see image-format/layers). In answers
 * they are text: UTF-8 where the bytes are that; any other byte is `\xNN`, and a backslash is `\\`.
 */

/** All of ASCII but the backslash. */
const ASCII = /^[^\\\u0080-\uffff]*$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name that is kept as bytes. */
export function pathText(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  try {
    return decoder.decode(buffer).replaceAll('\\', '\\\\');
  } catch {
    return pieces(buffer);
  }
}

/** The bytes of a name that is given as text. */
export function pathBytes(text: string): string {
  if (ASCII.test(text)) return text;
  const unescaped = text.split(/(\\x[0-9a-f]{2}|\\\\)/).map((part, at) => {
    if (at % 2 === 0) return Buffer.from(part, 'utf8').toString('latin1');
    return part === '\\\\' ? '\\' : String.fromCharCode(Number.parseInt(part.slice(2), 16));
  });
  return unescaped.join('');
}

/** Valid sequences as text, all other bytes escaped. */
function pieces(buffer: Buffer): string {
  let text = '';
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceAt(buffer, at);
    if (length === 0) {
      // In bounds by the loop's condition.
      text += `\\x${(buffer[at] as number).toString(16).padStart(2, '0')}`;
      at += 1;
    } else {
      text += buffer.toString('utf8', at, at + length).replaceAll('\\', '\\\\');
      at += length;
    }
  }
  return text;
}

/** Bytes of the character that begins here; 0 where none does. */
function sequenceAt(buffer: Buffer, at: number): number {
  const first = buffer[at] as number;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    decoder.decode(buffer.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
