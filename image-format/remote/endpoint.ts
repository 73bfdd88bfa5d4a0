// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_REGISTRY } from '../reference.ts';

/** Docker Hub's registry does not live under the name that references give it. */
const DOCKER_HUB = 'registry-1.docker.io';

/** `host` with or without port. */
export function isLoopback(host: string): boolean {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:[0-9]+$/, '');
  return name.toLowerCase() === 'localhost' || name === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}

/** Where a registry's API is. Loopback hosts speak plain HTTP unless told otherwise, all others TLS. */
export function endpointOf(registry: string, plainHttp: boolean | undefined): URL {
  const host = registry === DEFAULT_REGISTRY ? DOCKER_HUB : registry;
  return new URL(`${(plainHttp ?? isLoopback(host)) ? 'http' : 'https'}://${host}`);
}

/**
 * Whether a host is an address that only this machine or its link knows, such as that of a cloud's metadata service. No
 * registry elsewhere has a reason to send us there.
 */
export function isLocalAddress(host: string): boolean {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:[0-9]+$/, '');
  return isLoopback(host) || /^(?:169\.254\.|0\.)/.test(name) || /^(?:fe[89ab]|::$|::ffff:)/i.test(name);
}
