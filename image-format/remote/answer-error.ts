// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { ImageError, type ImageErrorCode } from '../errors.ts';
import type { HttpAnswer } from './transport.ts';

/** distribution-spec, "Error Codes" */
const errorsSchema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string().optional(), message: z.string().nullish() })).min(1),
});

/** No error's text is longer. */
const MAX_BODY = 64 * 1024;
const MAX_TEXT = 300;

/**
 * The error that an answer means; its body is used up.
 *
 * @param what in one phrase: `pulling localhost:5000/hello:1`
 * @param host as in a reference
 */
export async function answerError(answer: HttpAnswer, what: string, host: string): Promise<ImageError> {
  const said = await reason(answer);
  const { code, hint } = meaning(answer.status, host);
  if (said === HTML) {
    return new ImageError('REGISTRY_ERROR', `${host} is not a registry: ${what}: it answers with a web page`, {
      hint: 'check the host and the port',
    });
  }
  const status = `${answer.status}${said === '' ? '' : `: ${said}`}`;
  return new ImageError(code, `${what}: ${WORDS[code] ?? 'the registry answers'} (${status})`, { hint });
}

const HTML = Symbol('html');

const WORDS: Partial<Record<ImageErrorCode, string>> = {
  NOT_FOUND: 'the registry does not have it',
  REGISTRY_UNAUTHORIZED: 'the registry does not allow it',
};

function meaning(status: number, host: string): { code: ImageErrorCode; hint: string | undefined } {
  switch (status) {
    case 401:
      return { code: 'REGISTRY_UNAUTHORIZED', hint: `log in: uk login ${host}` };
    case 403:
      return { code: 'REGISTRY_UNAUTHORIZED', hint: 'ask who runs the registry for the right to do this' };
    case 404:
      return { code: 'NOT_FOUND', hint: 'check the name and the tag' };
    case 429:
      return { code: 'REGISTRY_ERROR', hint: 'it is asked too often: wait, or log in for a higher limit' };
    default:
      return { code: 'REGISTRY_ERROR', hint: undefined };
  }
}

async function reason(answer: HttpAnswer): Promise<string | typeof HTML> {
  const text = await bodyText(answer);
  const type = answer.headers['content-type'] ?? '';
  if (/\bhtml\b/i.test(type) || /^\s*<(?:!doctype|html)/i.test(text)) return HTML;
  try {
    const { errors } = errorsSchema.parse(JSON.parse(text));
    return oneLine(errors.map(({ code, message }) => [code, message].filter(Boolean).join(' ')).join('; '));
  } catch {
    return oneLine(text);
  }
}

function oneLine(text: string): string {
  // Foreign text must not move the cursor of a terminal.
  return text
    .replace(/\p{C}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

async function bodyText({ body }: HttpAnswer): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body) {
      size += piece.length;
      pieces.push(piece);
      if (size > MAX_BODY) break;
    }
  } catch {
    // The status is known; that the text is cut does not change it.
  }
  return Buffer.concat(pieces).toString('utf8');
}
