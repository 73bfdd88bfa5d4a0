// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import compression from 'compression';
import { RegistryError } from '../errors.ts';
import type { Failure, PageRequest, Web } from '../web/index.ts';
import { DOWNLOAD_HEADERS, PAGE_HEADERS } from '../web/security-headers.ts';
import { answer, isNotModified } from './exchange.ts';
import { nameRoute } from './observe.ts';

/** What the pages need of the server. */
export interface PagesOptions {
  /** Called for the first page: what renders pages is loaded then. */
  open(): Promise<Web>;
  /** Status and words for an error; logs what the server failed. */
  explain(request: IncomingMessage, error: unknown): Failure;
}

const PATHS = /^\/(?:$|r\/|space$|compare(?:\/file)?$|assets\/)/;
/** A file whose address has its version never changes. */
const FOR_EVER = 'public, max-age=31536000, immutable';

export type AnswerPage = (request: IncomingMessage, response: ServerResponse) => boolean;

/** @returns answers a request with a page, where it is for one: true where it did */
export function createPages(options: PagesOptions): AnswerPage {
  const compress = compression();
  let web: Promise<Web> | undefined;
  const opened = () => {
    web ??= options.open().catch((error: unknown) => {
      web = undefined;
      throw error;
    });
    return web;
  };

  return (request, response) => {
    const url = request.url ?? '/';
    const cut = url.indexOf('?');
    const path = cut < 0 ? url : url.slice(0, cut);
    if (!PATHS.test(path) || (path === '/' && !isBrowser(request))) return false;
    nameRoute(response, 'page');
    const asked = { path, query: new URLSearchParams(cut < 0 ? '' : url.slice(cut)), headers: request.headers };
    // The middleware is made for Express, and uses of it what node:http has.
    compress(request as never, response as never, () => {
      void respond(asked, request, response);
    });
    return true;
  };

  async function respond(asked: PageRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        throw new RegistryError('METHOD_UNSUPPORTED', `the method ${request.method} is not supported here; GET is`);
      }
      const pages = await opened();
      if (asked.path.startsWith('/assets/')) await sendAsset(pages, asked, request, response);
      else if (!(await sendDownload(pages, asked, request, response))) {
        sendPage(request, response, await pages.page(asked));
      }
    } catch (error) {
      await sendFailure(asked, request, response, options.explain(request, error));
    }
  }

  async function sendFailure(
    asked: PageRequest,
    request: IncomingMessage,
    response: ServerResponse,
    failure: Failure,
  ): Promise<void> {
    if (response.headersSent) {
      // A download that is cut must not look like a whole one.
      response.destroy();
      return;
    }
    try {
      sendPage(request, response, (await opened()).failure(asked, failure));
    } catch (error) {
      const { status, message } = options.explain(request, error);
      const body = Buffer.from(`${message}\n`);
      answer(response, status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length }, body);
    }
  }

  function sendPage(request: IncomingMessage, response: ServerResponse, page: { status: number; html: string }): void {
    const body = Buffer.from(page.html);
    const all = {
      ...PAGE_HEADERS,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': body.length,
      // Pages are true when they are made, and show addresses out of the request.
      'Cache-Control': 'no-store',
      Vary: 'Accept',
      ...(page.status === 503 ? { 'Retry-After': '5' } : {}),
    };
    answer(response, page.status, all, request.method === 'HEAD' ? undefined : body);
  }
}

/** Clients of the protocol ask for no HTML, and are told as before that there is nothing. */
function isBrowser({ headers }: IncomingMessage): boolean {
  return /\btext\/html\b/.test(headers.accept ?? '');
}

async function sendAsset(
  web: Web,
  { path, query }: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { body, type, version } = await web.asset(path.slice('/assets/'.length));
  const etag = `"${version}"`;
  const headers = {
    'Cache-Control': query.get('v') === version ? FOR_EVER : 'no-cache',
    'Content-Type': type,
    ETag: etag,
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  if (isNotModified(request, etag)) {
    answer(response, 304, headers);
    return;
  }
  const whole = { ...headers, 'Content-Length': body.length };
  answer(response, 200, whole, request.method === 'HEAD' ? undefined : body);
}

/** @returns false where the address is no download, or the file cannot be read yet: its page then says how far it is */
async function sendDownload(
  web: Web,
  asked: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const found = await web.download(asked);
  if (found === undefined) return false;
  if (found.state === 'refused') throw new RegistryError('CONTENT_UNREADABLE', found.reason.message);
  if (found.state === 'making') {
    answer(response, 303, { Location: `file?${asked.query}`, 'Cache-Control': 'no-store' });
    return true;
  }
  await using file = found.value;
  const name = encodeURIComponent(file.name.toWellFormed()).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  );
  response.writeHead(200, {
    ...DOWNLOAD_HEADERS,
    // Bytes are sent as they are: whoever saves a file wants these.
    'Cache-Control': 'no-store, no-transform',
    'Content-Length': file.size,
    'Content-Disposition': `attachment; filename="download"; filename*=UTF-8''${name}`,
  });
  if (request.method !== 'HEAD') {
    for await (const chunk of file.content) {
      if (response.destroyed) return true;
      if (!response.write(chunk))
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
    }
  }
  response.end();
  return true;
}
