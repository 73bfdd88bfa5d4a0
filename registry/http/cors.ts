// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers of answers that pages need and that a browser shows them only where they are listed (Fetch, "CORS protocol"). */
const EXPOSED = [
  'Accept-Ranges',
  'Content-Length',
  'Content-Range',
  'Docker-Content-Digest',
  'Docker-Distribution-Api-Version',
  'ETag',
  'Link',
  'Location',
  'OCI-Filters-Applied',
  'OCI-Subject',
  'Range',
  'Retry-After',
  'Warning',
  'WWW-Authenticate',
].join(', ');

/** Headers that a page may send besides those that need no permission. Nothing that carries credentials is among them. */
const REQUEST_HEADERS = 'Accept, Cache-Control, If-Modified-Since, If-None-Match, If-Range, Range';

/** How long a browser may remember a preflight's answer, in seconds. */
const REMEMBERED = 600;

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Any origin. */
const ANY = '*';

/**
 * Says which pages of other origins may read answers (Fetch, "CORS protocol"). Reading is all they may do, and never
 * with a user's credentials.
 *
 * @param origins as browsers send them, such as `https://ui.example.com`; `*` is every origin
 * @returns sets an answer's headers, and answers a preflight: true where it did
 */
export function crossOrigin(
  origins: readonly string[],
): (request: IncomingMessage, response: ServerResponse) => boolean {
  if (origins.length === 0) return () => false;
  const allowed = new Set(origins);
  return (request, response) => {
    const { origin, 'access-control-request-method': asked } = request.headers;
    const isPreflight = request.method === 'OPTIONS' && asked !== undefined;
    if (!isPreflight && !READS.has(request.method ?? '')) return false;
    // What is answered to one origin must not be given to another one by a cache.
    if (!allowed.has(ANY)) response.appendHeader('Vary', 'Origin');
    if (origin === undefined || !(allowed.has(ANY) || allowed.has(origin))) return false;
    if (isPreflight && !READS.has(asked)) return false;
    response.setHeader('Access-Control-Allow-Origin', allowed.has(ANY) ? ANY : origin);
    if (!isPreflight) {
      response.setHeader('Access-Control-Expose-Headers', EXPOSED);
      return false;
    }
    response.writeHead(204, {
      'Access-Control-Allow-Methods': 'GET, HEAD',
      'Access-Control-Allow-Headers': REQUEST_HEADERS,
      'Access-Control-Max-Age': REMEMBERED,
    });
    response.end();
    return true;
  };
}
