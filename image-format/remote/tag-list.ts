// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { ImageError } from '../errors.ts';
import type { Session } from './session.ts';
import { networkError } from './transport.ts';

const tagsSchema = z.looseObject({ tags: z.array(z.string()).nullish() });

const MAX_PAGES = 10_000;
const MAX_PAGE = 64 * 1024 * 1024;

/**
 * All pages of a repository's tags.
 *
 * @throws ImageError
 * @see distribution-spec, "Listing Tags"
 */
export async function listTags(
  session: Session,
  repository: string,
  scope: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { registry, endpoint } = session.options;
  const what = `listing the tags of ${registry}/${repository}`;
  const tags: string[] = [];
  let url: URL | undefined = new URL(`/v2/${repository}/tags/list`, endpoint);
  for (let page = 0; url !== undefined; page++) {
    if (page >= MAX_PAGES) throw new ImageError('REGISTRY_ERROR', `${what}: the registry's pages have no end`);
    const answer = await session.call({ method: 'GET', url, scope, expect: [200], what, signal });
    tags.push(
      ...parsePage(
        await readPage(answer.body, what).catch((error) => {
          throw networkError(error, endpoint, signal);
        }),
        what,
      ),
    );
    const next = nextPage(answer.headers.link);
    const target: URL | undefined = next === undefined ? undefined : session.resolve(next, url, what);
    url = target?.origin === endpoint.origin ? target : undefined;
  }
  return tags;
}

async function readPage(body: AsyncIterable<Buffer>, what: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > MAX_PAGE) throw new ImageError('REGISTRY_ERROR', `${what}: the page has more than ${MAX_PAGE} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsePage(text: string, what: string): string[] {
  try {
    return tagsSchema.parse(JSON.parse(text)).tags ?? [];
  } catch (cause) {
    throw new ImageError('REGISTRY_ERROR', `${what}: the answer is not a list of tags`, { cause });
  }
}

/** RFC 8288: `<target>; rel="next"` */
export function nextPage(link: string | undefined): string | undefined {
  for (const [, target, parameters] of link?.matchAll(/<([^<>]*)>((?:\s*;\s*[^;,<]+)*)/g) ?? []) {
    if (/;\s*rel\s*=\s*"?(?:[^",;]*\s)?next(?:\s[^",;]*)?"?\s*(?:;|$)/i.test(parameters ?? '')) return target;
  }
  return undefined;
}
