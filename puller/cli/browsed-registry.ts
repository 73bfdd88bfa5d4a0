// SPDX-License-Identifier: Apache-2.0
import type { RemoteRegistry } from '../../image-format/remote/index.ts';
import type { Session } from './context.ts';
import { CliError } from './errors.ts';

export interface RegistryFlags {
  plainHttp?: boolean;
}

/** Splits `localhost:5000/words` into the registry and what stands behind it. @throws CliError `USAGE` */
export function splitRegistry(text: string): { registry: string; rest: string } {
  const slash = text.indexOf('/');
  const registry = slash < 0 ? text : text.slice(0, slash);
  if (/[.:[]/.test(registry) || registry === 'localhost') {
    return { registry, rest: slash < 0 ? '' : text.slice(slash + 1) };
  }
  throw new CliError('USAGE', `${JSON.stringify(text.slice(0, 200))} does not say which registry`, {
    hint: 'write it before the name, as in localhost:5000/hello',
  });
}

export async function withRegistry<T>(
  session: Session,
  registry: string,
  { plainHttp }: RegistryFlags,
  work: (remote: RemoteRegistry) => Promise<T>,
): Promise<T> {
  const { openRemote } = await import('../../image-format/remote/index.ts');
  session.signal.throwIfAborted();
  const remote = openRemote({ registry, ...(plainHttp === undefined ? {} : { plainHttp }) });
  try {
    return await work(remote);
  } finally {
    await remote.close();
  }
}

/** How long to wait for something that a registry is making. */
const AGAIN_MS = 500;

/** Asks the API of a registry of ours. @returns undefined where the registry has none */
export async function askApi(
  session: Session,
  remote: RemoteRegistry,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  for (;;) {
    const answer = await remote.fetchJson(`/api/v1/${path}?${new URLSearchParams(query)}`, { signal: session.signal });
    if (answer === undefined || (answer as { making?: unknown }).making === undefined) return answer;
    const { setTimeout: wait } = await import('node:timers/promises');
    await wait(AGAIN_MS, undefined, { signal: session.signal });
  }
}
