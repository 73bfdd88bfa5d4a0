// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { ImageError } from '../errors.ts';
import { type AddressKind, addressKind, isMorePrivate } from './address-kind.ts';

/**
 * Keeps a registry from sending us to places that it cannot see itself, such as a router's pages or a cloud's metadata
 * service: it may refer to addresses only that are as public as its own. Names are judged by the addresses that are
 * really connected to, so that an answer of the DNS which changes in between changes nothing.
 */
export class AddressGuard {
  readonly #registry: string;
  readonly #isLifted: boolean;
  /** Unknown where a proxy connects for us. */
  #own: AddressKind | undefined;

  readonly #resolve: typeof lookup;

  /** @param endpoint of the registry */
  constructor(endpoint: URL, env: NodeJS.ProcessEnv, resolve: typeof lookup = lookup) {
    this.#resolve = resolve;
    this.#registry = endpoint.host;
    this.#isLifted = env.UK_PRIVATE_REDIRECTS === 'allow';
    const address = literalOf(endpoint);
    if (address !== undefined) this.#own = addressKind(address);
  }

  /** Looks up the registry's own name, and takes note of how public its addresses are. */
  readonly lookupOwn: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, options, (error, address, family) => {
      for (const one of addressesOf(address)) {
        const kind = addressKind(one);
        if (this.#own === undefined || isMorePrivate(this.#own, kind)) this.#own = kind;
      }
      callback(error, address, family);
    });
  };

  /** Looks up a name that the registry refers to. */
  readonly lookupOther: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, options, (error, address, family) => {
      const refused = error
        ? undefined
        : addressesOf(address)
            .map((one) => this.#refusal(`${hostname} (${one})`, one))
            .find(Boolean);
      callback(refused ?? error, address, family);
    });
  };

  /**
   * For addresses that need no look-up.
   *
   * @throws ImageError `REGISTRY_ERROR`
   */
  check(url: URL): void {
    const address = literalOf(url);
    const refused = address === undefined ? undefined : this.#refusal(url.origin, address);
    if (refused !== undefined) throw refused;
  }

  #refusal(place: string, address: string): ImageError | undefined {
    const kind = addressKind(address);
    if (this.#isLifted || !isMorePrivate(kind, this.#own ?? 'public')) return undefined;
    const where = kind === 'local' ? 'this machine or its link' : 'a private network';
    return new ImageError('REGISTRY_ERROR', `${this.#registry} refers to ${place}, an address of ${where}: refused`, {
      hint: 'if that is meant to be so: UK_PRIVATE_REDIRECTS=allow',
    });
  }
}

function literalOf({ hostname }: URL): string | undefined {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) !== 0) return name;
  // Every resolver must answer so (RFC 6761), and tests have no other.
  return name === 'localhost' || name.endsWith('.localhost') ? '127.0.0.1' : undefined;
}

function addressesOf(found: string | { address: string }[]): string[] {
  return typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
}
