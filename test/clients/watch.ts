// SPDX-License-Identifier: Apache-2.0
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Node tells every request of every server of this process; the registry need not know that it is watched. */
const STARTED = 'http.server.request.start';

export interface Watch {
  /** Digests that `repository` was given from another one, no byte sent. */
  mounted(repository: string): string[];
  /** Digests whose bytes came from the client. */
  uploaded(repository: string): string[];
  /** Every request that answered, as `METHOD /path?query STATUS`. */
  answered(): string[];
  stop(): void;
}

/** Watches what is asked of a registry in this process from now on: a client's word for "mounted" proves nothing. */
export function watchRequests(registry: { url: string }): Watch {
  const port = Number(new URL(registry.url).port);
  const seen: { request: IncomingMessage; response: ServerResponse }[] = [];
  const note = (message: unknown) => {
    const started = message as { request: IncomingMessage; response: ServerResponse };
    if (started.request.socket.localPort === port) seen.push(started);
  };
  subscribe(STARTED, note);

  /** Of the requests that made a blob in `repository`: its digest, and whether it was mounted. */
  const created = (repository: string) =>
    seen.flatMap(({ request, response }) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', registry.url);
      if (response.statusCode !== 201 || !pathname.startsWith(`/v2/${repository}/blobs/uploads/`)) return [];
      const [mount, digest] = [searchParams.get('mount'), searchParams.get('digest')];
      return [{ digest: mount ?? digest ?? '', mounted: mount !== null }];
    });
  const digests = (repository: string, mounted: boolean) =>
    created(repository)
      .filter((blob) => blob.mounted === mounted)
      .map(({ digest }) => digest)
      .toSorted();
  return {
    mounted: (repository) => digests(repository, true),
    uploaded: (repository) => digests(repository, false),
    answered: () => seen.map(({ request, response }) => `${request.method} ${request.url} ${response.statusCode}`),
    stop: () => unsubscribe(STARTED, note),
  };
}
