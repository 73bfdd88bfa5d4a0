// SPDX-License-Identifier: Apache-2.0

/** More characters than this of one text are not shown. */
export const SHOWN = 2_000;

/**
 * Characters that a reader cannot see, or that change how their neighbours are shown: controls, format characters such
 * as right-to-left marks, line and paragraph separators, halves of surrogate pairs, private and unassigned ones.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/** The same, but for line ends and tabs: what a text of several lines may have. */
const HIDDEN_IN_LINES = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/** A part of a foreign text: as it stands, or the escape of one character. */
export interface Piece {
  text: string;
  escaped: boolean;
}

export interface VisibleOptions {
  /** Keep line ends and tabs. Default false. */
  lines?: boolean;
  /** Characters to show. Default {@link SHOWN}. */
  limit?: number;
}

/** A foreign text in pieces, with every character that cannot be seen as an escape; what is too long is cut and says so. */
export function pieces(text: string, { lines = false, limit = SHOWN }: VisibleOptions = {}): Piece[] {
  const shown = text.length > limit ? cut(text, limit) : text;
  const hidden = new RegExp(lines ? HIDDEN_IN_LINES : HIDDEN, 'gu');
  const found: Piece[] = [];
  let from = 0;
  for (const match of shown.matchAll(hidden)) {
    if (match.index > from) found.push({ text: shown.slice(from, match.index), escaped: false });
    found.push({ text: escapeOf(match[0]), escaped: true });
    from = match.index + match[0].length;
  }
  if (from < shown.length) found.push({ text: shown.slice(from), escaped: false });
  if (shown !== text) found.push({ text: `… (${text.length.toLocaleString('en')} characters)`, escaped: true });
  return found;
}

/** The same as one string, for titles, labels and attributes. */
export function visible(text: string, options?: VisibleOptions): string {
  return pieces(text, options)
    .map((piece) => piece.text)
    .join('');
}

/** Not in the middle of a pair of surrogates. */
function cut(text: string, limit: number): string {
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
