// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { ImageError } from '../errors.ts';
import type { Session } from './session.ts';
import { networkError } from './transport.ts';

const tagsSchema = z.looseObject({ tags: z.array(z.string()).nullish() });
const catalogSchema = z.looseObject({ repositories: z.array(z.string()).nullish() });

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
  const what = `listing the tags of ${session.options.registry}/${repository}`;
  const read = (json: unknown) => tagsSchema.parse(json).tags ?? [];
  return allPages(session, { path: `/v2/${repository}/tags/list`, scope, what, read, signal });
}

/**
 * All repositories of a registry, where it tells them: the catalogue of Docker's registry, which not all have.
 *
 * @throws ImageError
 */
export async function listRepositories(session: Session, signal: AbortSignal | undefined): Promise<string[]> {
  const what = `listing the repositories of ${session.options.registry}`;
  const read = (json: unknown) => catalogSchema.parse(json).repositories ?? [];
  return allPages(session, { path: '/v2/_catalog?n=1000', scope: 'registry:catalog:*', what, read, signal });
}

interface Listing {
  path: string;
  scope: string;
  what: string;
  /** The names of one page. */
  read(json: unknown): string[];
  signal: AbortSignal | undefined;
}

async function allPages(session: Session, { path, scope, what, read, signal }: Listing): Promise<string[]> {
  const { endpoint } = session.options;
  const names: string[] = [];
  let url: URL | undefined = new URL(path, endpoint);
  for (let page = 0; url !== undefined; page++) {
    if (page >= MAX_PAGES) throw new ImageError('REGISTRY_ERROR', `${what}: the registry's pages have no end`);
    const answer = await session.call({ method: 'GET', url, scope, expect: [200], what, signal });
    names.push(
      ...parsePage(
        await readPage(answer.body, what).catch((error) => {
          throw networkError(error, endpoint, signal);
        }),
        what,
        read,
      ),
    );
    const next = nextPage(answer.headers.link);
    const target: URL | undefined = next === undefined ? undefined : session.resolve(next, url, what);
    url = target?.origin === endpoint.origin ? target : undefined;
  }
  return names;
}

export async function readPage(body: AsyncIterable<Buffer>, what: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > MAX_PAGE) throw new ImageError('REGISTRY_ERROR', `${what}: the page has more than ${MAX_PAGE} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsePage(text: string, what: string, read: Listing['read']): string[] {
  try {
    return read(JSON.parse(text));
  } catch (cause) {
    throw new ImageError('REGISTRY_ERROR', `${what}: the answer is not a list of names`, { cause });
  }
}

/** RFC 8288: `<target>; rel="next"` */
export function nextPage(link: string | undefined): string | undefined {
  for (const [, target, parameters] of link?.matchAll(/<([^<>]*)>((?:\s*;\s*[^;,<]+)*)/g) ?? []) {
    if (/;\s*rel\s*=\s*"?(?:[^",;]*\s)?next(?:\s[^",;]*)?"?\s*(?:;|$)/i.test(parameters ?? '')) return target;
  }
  return undefined;
}
