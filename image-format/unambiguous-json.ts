// SPDX-License-Identifier: Apache-2.0
import { type DocumentNode, type ObjectNode, parse, type ValueNode } from '@humanwhocodes/momoa';
import { ImageError, type ImageErrorCode } from './errors.ts';

/**
 * What a reader of a document knows: an object with known keys, a map with keys of any kind, a list, a whole number, or
 * text. `unknown` is not looked into.
 */
export type Shape =
  | { object: Readonly<Record<string, Shape>> }
  | { map: Shape }
  | { list: Shape }
  | 'integer'
  | 'text'
  | 'unknown';

/** Go's encoding/json refuses more than 10,000 levels. No document of an image has more than ten. */
const DEPTH_MAX = 100;

/** What Go reads into an int64 (encoding/json, `literalStore`): no fraction, no exponent. */
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

/**
 * Checks that all readers of a JSON document see the same in it. Most clients of registries are written in Go, whose
 * decoder takes `Layers` for `layers`, lets the last of several equal keys win, and refuses `5.0` as an integer; other
 * decoders do otherwise. A document that two readers understand differently can pass a check in one of them and harm
 * the other (CVE-2021-41190).
 *
 * @param shape which keys are known; others are left alone
 * @param code of the error
 * @throws ImageError that names the key
 */
export function checkUnambiguous(bytes: Uint8Array, shape: Shape, code: ImageErrorCode, what: string): void {
  const fail = (why: string): ImageError => new ImageError(code, `${what} is not accepted: ${why}`);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw fail('it begins with a UTF-8 byte order mark, which JSON must not have (RFC 8259, section 8.1)');
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  if (isTooDeep(text)) throw fail(`its objects and lists are nested more than ${DEPTH_MAX} levels deep`);
  let document: DocumentNode;
  try {
    document = parse(text, { mode: 'json', ranges: true });
  } catch (cause) {
    throw new ImageError(code, `${what} is not JSON`, { cause });
  }
  checkValue(document.body, shape, '', text, fail);
}

type Fail = (why: string) => ImageError;

function checkValue(node: ValueNode, shape: Shape, at: string, text: string, fail: Fail): void {
  if (typeof shape === 'object') {
    if ('list' in shape) {
      if (node.type !== 'Array') return;
      node.elements.forEach(({ value }, index) => {
        checkValue(value, shape.list, `${at}[${index}]`, text, fail);
      });
    } else if (node.type === 'Object') {
      checkObject(node, shape, at, text, fail);
    }
  } else if (shape === 'integer' && node.type === 'Number') {
    const [start = 0, end = 0] = node.range ?? [];
    const spelled = text.slice(start, end);
    if (!INTEGER.test(spelled)) throw fail(`${at} is ${spelled.slice(0, 40)}, which is not written as a whole number`);
  } else if (shape === 'text' && node.type === 'String' && !node.value.isWellFormed()) {
    throw fail(`${at} holds half of a surrogate pair, which is no character`);
  }
}

function checkObject(
  node: ObjectNode,
  shape: { object: Readonly<Record<string, Shape>> } | { map: Shape },
  at: string,
  text: string,
  fail: Fail,
): void {
  const known = 'object' in shape ? new Map(Object.keys(shape.object).map((key) => [fold(key), key])) : undefined;
  const seen = new Set<string>();
  for (const member of node.members) {
    const name = member.name.type === 'String' ? member.name.value : member.name.name;
    const where = at === '' ? name : `${at}.${name}`;
    if (!name.isWellFormed())
      throw fail(`a key of ${at || 'it'} holds half of a surrogate pair, which is no character`);
    if (seen.has(name)) throw fail(`the key ${JSON.stringify(where)} stands in it twice`);
    seen.add(name);
    const alike = known?.get(fold(name));
    if (alike !== undefined && alike !== name) {
      throw fail(`some readers take its key ${JSON.stringify(where)} for ${JSON.stringify(alike)}`);
    }
    const inner = 'map' in shape ? shape.map : Object.hasOwn(shape.object, name) ? shape.object[name] : undefined;
    checkValue(member.value, inner ?? 'unknown', where, text, fail);
  }
}

/**
 * Two keys that are the same to a reader which ignores case have the same folded form. The keys that are known are
 * ASCII, and besides A to Z only two characters fold to ASCII letters: the long s, and the Kelvin sign, which
 * `toLowerCase` handles (Unicode, CaseFolding.txt; Go, encoding/json, `foldName`).
 */
function fold(key: string): string {
  return key.replaceAll('ſ', 's').toLowerCase();
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (quoted) {
      if (character === 0x5c) at++;
      else if (character === 0x22) quoted = false;
    } else if (character === 0x22) {
      quoted = true;
    } else if (character === 0x5b || character === 0x7b) {
      if (++depth > DEPTH_MAX) return true;
    } else if (character === 0x5d || character === 0x7d) {
      depth--;
    }
  }
  return false;
}
