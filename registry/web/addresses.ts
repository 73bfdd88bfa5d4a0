// SPDX-License-Identifier: Apache-2.0

/** Values of a query; what is undefined, empty or false is left out. */
export type QueryValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** A manifest in a repository: by tag or by digest. */
export interface Named {
  repository: string;
  /** A tag or a digest. */
  reference: string;
}

/** Parts of an image's pages, behind its address. */
export type ImagePart =
  | 'files'
  | 'file'
  | 'download'
  | 'kernel'
  | 'attached'
  | 'content'
  | 'packages'
  | 'sharing'
  | 'document';

/**
 * Addresses of pages, relative to one page: so they hold below any path that a proxy puts before ours.
 * The address of an image is its reference: `r/team/app:1.0`, `r/team/app@sha256:…`.
 */
export class Addresses {
  readonly #root: string;

  /** @param root from this page to the first one: `./`, `../../` */
  constructor(root: string) {
    this.#root = root;
  }

  /** For a page at this path, as the server sees it. */
  static at(path: string): Addresses {
    const depth = path.split('/').length - 2;
    return new Addresses(depth <= 0 ? './' : '../'.repeat(depth));
  }

  asset(name: string, version: string | undefined): string {
    return `${this.#root}assets/${name}${version === undefined ? '' : `?v=${version}`}`;
  }

  repositories(query: QueryValues = {}): string {
    return `${this.#root}${search(query)}`;
  }

  repository(name: string, query: QueryValues = {}): string {
    return `${this.#root}r/${name}${search(query)}`;
  }

  repositoryPart(name: string, part: 'untagged' | 'space' | 'history', query: QueryValues = {}): string {
    return `${this.#root}r/${name}/-/${part}${search(query)}`;
  }

  image({ repository, reference }: Named, fragment?: string): string {
    return `${this.#root}r/${formatNamed({ repository, reference })}${fragment === undefined ? '' : `#${fragment}`}`;
  }

  imagePart(named: Named, part: ImagePart, query: QueryValues = {}): string {
    return `${this.image(named)}/-/${part}${search(query)}`;
  }

  compare(from: Named, to: Named | undefined, query: QueryValues = {}): string {
    const to_ = to === undefined ? {} : { to: formatNamed(to) };
    return `${this.#root}compare${search({ from: formatNamed(from), ...to_, ...query })}`;
  }

  compareFile(from: Named, to: Named, path: string): string {
    return `${this.#root}compare/file${search({ from: formatNamed(from), to: formatNamed(to), path })}`;
  }

  space(query: QueryValues = {}): string {
    return `${this.#root}space${search(query)}`;
  }

  /** A blob or manifest for a script of a page: never answered by sending it to another host. */
  bytes(link: string): string {
    return `${this.protocol(link)}?redirect=no`;
  }

  /** A path of the protocol, `/v2/…`. */
  protocol(path: string): string {
    return `${this.#root}${path.replace(/^\//, '')}`;
  }
}

/** `team/app:1.0`, `team/app@sha256:…` */
export function formatNamed({ repository, reference }: Named): string {
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
}

/** The reverse; undefined for a name without tag or digest. Neither names nor tags have `:` or `@` in them. */
export function parseNamed(text: string): Named | undefined {
  const at = text.search(/[:@]/);
  return at < 1 ? undefined : { repository: text.slice(0, at), reference: text.slice(at + 1) };
}

function search(query: QueryValues): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) parameters.set(name, value === true ? '1' : `${value}`);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
