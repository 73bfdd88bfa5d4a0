// SPDX-License-Identifier: Apache-2.0

/**
 * A text of somebody else's, for a terminal: control characters, and marks that turn the direction of writing, are
 * shown as `\u{202e}`. An image must not write to the terminal of whoever looks at it.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
