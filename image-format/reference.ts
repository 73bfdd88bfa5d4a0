// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from './digest.ts';
import { ImageError } from './errors.ts';

/**
 * A name of an image as users write it: `[registry/]repository[:tag][@digest]`.
 * Without a registry it is Docker Hub's, as every container tool reads it; without tag and digest the tag is `latest`.
 */
export interface Reference {
  /** Host, with `:port` where one was given; lower case is not enforced, hosts are not case sensitive. */
  registry: string;
  /** What stands in the registry's URLs behind `/v2/`; at least one component. */
  repository: string;
  /** Absent only where a digest is given without one. */
  tag?: string;
  digest?: Digest;
}

export const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_NAMESPACE = 'library';

/** distribution-spec, "Pulling manifests": `<name>`; with the host it may not exceed 255 characters. */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** distribution-spec, "Pulling manifests": `<reference>` as a tag. */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HOST =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]{1,5})?$/;
const MAX_REPOSITORY_LENGTH = 255;

/** Whether `name` is a repository's name by the distribution specification. */
export function isRepositoryName(name: string): boolean {
  return name.length <= MAX_REPOSITORY_LENGTH && name.split('/').every((component) => COMPONENT.test(component));
}

/** Whether `tag` is a tag by the distribution specification. */
export function isTag(tag: string): boolean {
  return TAG.test(tag);
}

/** @throws ImageError `REFERENCE_INVALID` */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'what follows "@" is not a digest');

  // A colon behind the last slash starts the tag; one before it belongs to the host's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${tag.slice(0, 80)}" is not a tag`);

  const { registry, repository } = splitHost(path);
  if (registry !== DEFAULT_REGISTRY && !isHost(registry)) throw invalid(text, `"${registry}" is not a host`);
  if (!isRepositoryName(repository)) throw invalid(text, complaint(repository));

  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest !== undefined ? { digest } : {}),
  };
}

/** The full form, with registry; the same text for every way to write the same reference. */
export function formatReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The form that users write: Docker Hub's host and `library/` are left out where what is left still reads as that. */
export function familiarReference(reference: Reference): string {
  const full = formatReference(reference);
  const prefixes = [`${DEFAULT_REGISTRY}/${DEFAULT_NAMESPACE}/`, `${DEFAULT_REGISTRY}/`];
  for (const prefix of prefixes) {
    // `docker.io/a.b/c` is not `a.b/c`, which is on the host a.b.
    const short = full.slice(prefix.length);
    if (full.startsWith(prefix) && canBeRead(short) && formatReference(parseReference(short)) === full) return short;
  }
  return full;
}

function canBeRead(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

/** What stands behind `/manifests/` in a registry's URL: the digest where there is one, else the tag. */
export function manifestIdentifier(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/** Docker's rule: the first component is a host if it could not be a repository's component, or is `localhost`. */
function splitHost(path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/');
  const first = path.slice(0, slash);
  if (slash > 0 && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase())) {
    const rest = path.slice(slash + 1);
    const registry = first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
    return { registry, repository: registry === DEFAULT_REGISTRY ? official(rest) : rest };
  }
  return { registry: DEFAULT_REGISTRY, repository: official(path) };
}

function official(repository: string): string {
  return repository.includes('/') || repository === '' ? repository : `${DEFAULT_NAMESPACE}/${repository}`;
}

function isHost(host: string): boolean {
  if (!HOST.test(host)) return false;
  const port = /:([0-9]+)$/.exec(host.startsWith('[') ? host.slice(host.indexOf(']')) : host)?.[1];
  return port === undefined || (Number(port) > 0 && Number(port) < 65536);
}

function complaint(repository: string): string {
  if (repository === '' || repository === `${DEFAULT_NAMESPACE}/`) return 'it has no repository';
  if (repository.length > MAX_REPOSITORY_LENGTH)
    return `the repository is longer than ${MAX_REPOSITORY_LENGTH} characters`;
  if (/[A-Z]/.test(repository)) return 'a repository is written in lower case';
  return `"${repository.slice(0, 80)}" is not a repository`;
}

function invalid(text: string, why: string): ImageError {
  return new ImageError('REFERENCE_INVALID', `not an image reference: ${JSON.stringify(text.slice(0, 300))}: ${why}`, {
    hint: 'write [HOST[:PORT]/]NAME[:TAG][@DIGEST], as in localhost:5000/hello:1',
  });
}
