// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../../descriptor.ts';
import { type Digest, isDigest } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import type { BlobAnswer, Range } from '../fetch/blob-range.ts';
import type { Abortable, PullSource, RemoteRegistry } from '../remote.ts';
import type { Capability, RegistryHost } from './hosts-file.ts';

/** So many cuts of a line, and another host is tried. */
const MOST_CUTS = 3;

interface Host {
  host: RegistryHost;
  remote: RemoteRegistry;
  /** It did not answer. It is asked again only when nobody else is left. */
  isDead: boolean;
  cuts: number;
  /** What it lacks, or has wrong. */
  without: Set<string>;
}

/**
 * One registry, through the hosts that stand in for it, in their order. A host that does not answer is not asked again, so
 * it costs one time-out and not one a blob. Whatever a host answers but the content itself leads on to the next.
 */
export class MirroredSource implements PullSource {
  readonly registry: string;
  readonly #hosts: Host[];

  /** @param open makes a client of a host; `isLast` where there is no other to go on to */
  constructor(
    registry: string,
    hosts: readonly RegistryHost[],
    open: (host: RegistryHost, isLast: boolean) => RemoteRegistry,
  ) {
    this.registry = registry;
    this.#hosts = hosts.map((host, i) => ({
      ...{ host, remote: open(host, i === hosts.length - 1), isDead: false, cuts: 0, without: new Set<string>() },
    }));
  }

  async fetchManifest(
    repository: string,
    identifier: string,
    options: Abortable = {},
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    const need = isDigest(identifier) ? 'pull' : 'resolve';
    return await this.#first(need, `${repository}@${identifier}`, options, async ({ remote }) =>
      remote.fetchManifest(repository, identifier, options),
    );
  }

  async fetchReferrers(repository: string, subject: Digest, options: Abortable = {}): Promise<Buffer> {
    return await this.#first('resolve', `referrers of ${repository}@${subject}`, options, async ({ remote }) =>
      remote.fetchReferrers(repository, subject, options),
    );
  }

  async openBlob(
    repository: string,
    descriptor: Descriptor,
    range: Range | undefined,
    options: Abortable = {},
  ): Promise<BlobAnswer> {
    return await this.#first('pull', descriptor.digest, options, async ({ remote }) =>
      remote.openBlob(repository, descriptor, range, options),
    );
  }

  blame(origin: string, digest: Digest, fault: 'cut' | 'wrong'): boolean {
    for (const host of this.#hosts.filter(({ remote }) => remote.url === origin)) {
      if (fault === 'wrong') host.without.add(digest);
      else if (++host.cuts >= MOST_CUTS) host.isDead = true;
    }
    return this.#candidates('pull', digest).length > 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map(({ remote }) => remote.close()));
  }

  #candidates(need: Capability, what: string): Host[] {
    return this.#hosts.filter(({ host, without }) => host.capabilities.has(need) && !without.has(what));
  }

  async #first<T>(need: Capability, what: string, { signal }: Abortable, ask: (host: Host) => Promise<T>): Promise<T> {
    const candidates = this.#candidates(need, what);
    const living = candidates.filter(({ isDead }) => !isDead);
    const failures: { name: string; error: ImageError }[] = [];
    for (const host of living.length > 0 ? living : candidates) {
      try {
        return await ask(host);
      } catch (error) {
        if (signal?.aborted || !(error instanceof ImageError)) throw error;
        if (error.code === 'REGISTRY_UNREACHABLE') host.isDead = true;
        else host.without.add(what);
        failures.push({ name: host.host.name, error });
      }
    }
    throw this.#failed(need, failures);
  }

  #failed(need: Capability, failures: { name: string; error: ImageError }[]): ImageError {
    const last = failures.at(-1);
    if (last === undefined) {
      const what = need === 'pull' ? 'has this content, or may be asked for it' : 'may be asked what a tag stands for';
      return new ImageError('NOT_FOUND', `no host of ${this.registry} ${what}`, { hint: 'hosts.toml lists them' });
    }
    const before = failures.slice(0, -1).map(({ name, error }) => `${name}: ${error.message}`);
    const text = before.length === 0 ? '' : ` (before that, ${before.join('; ')})`;
    return new ImageError(last.error.code, `${last.error.message}${text}`, {
      cause: last.error,
      hint: last.error.hint,
    });
  }
}
