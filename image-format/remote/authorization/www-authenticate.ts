// SPDX-License-Identifier: Apache-2.0

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

/** RFC 9110, section 5.6.2 */
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/suy;

/**
 * Reads a `WWW-Authenticate` header, which may hold several challenges, each with parameters separated by the same
 * comma that separates the challenges. What cannot be read is left out: a server that asks in an unknown way asks for
 * something that cannot be given.
 *
 * @see RFC 9110, section 11.6.1
 */
export function parseWwwAuthenticate(header: string): Challenge[] {
  const reader = new HeaderText(header);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  while (!reader.atEnd()) {
    if (reader.skipSeparators()) continue;
    const word = reader.token();
    if (word === undefined) break;
    const value = reader.parameterValue();
    const current = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
    else if (value === 'malformed' || current === undefined) break;
    else if (!current.parameters.has(word.toLowerCase())) current.parameters.set(word.toLowerCase(), value.text);
  }
  return challenges;
}

class HeaderText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Whether there were any. */
  skipSeparators(): boolean {
    return this.#match(/[ \t,]+/y) !== undefined;
  }

  token(): string | undefined {
    return this.#match(TOKEN)?.[0];
  }

  /** What stands behind `=`; undefined, and nothing read, where there is no `=`. */
  parameterValue(): { text: string } | 'malformed' | undefined {
    if (this.#match(/[ \t]*=[ \t]*/y) === undefined) return undefined;
    const quoted = this.#match(QUOTED)?.[1];
    if (quoted !== undefined) return { text: quoted.replace(/\\(.)/gsu, '$1') };
    const text = this.token();
    return text === undefined ? 'malformed' : { text };
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }
}
