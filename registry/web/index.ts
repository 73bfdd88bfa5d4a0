// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http';
import type { Browse, Made, OpenFile } from '../browse/index.ts';
import { Addresses } from './addresses.ts';
import { type Asset, Assets } from './assets.ts';
import { renderPage } from './frame.ts';
import { errorPage, type Failure } from './pages/error.ts';
import { publicAddress } from './public-address.ts';
import { layerOf } from './query.ts';
import { pageAt, parsePath } from './router.ts';
import type { Page, View } from './view.ts';

export type { Asset } from './assets.ts';
export type { Failure } from './pages/error.ts';

export interface WebOptions {
  browse: Browse;
  /** What references begin with, see {@link publicAddress}. */
  host?: string | undefined;
  /** Whether this process serves HTTPS itself. */
  secure: boolean;
  /** Milliseconds since 1970. Default: the system's clock. */
  now?: () => number;
}

/** A request, as far as pages need it. */
export interface PageRequest {
  /** As it stands in the URL, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

/** The pages for people who look at a registry. Nothing here knows how answers are sent. */
export class Web {
  readonly #options: WebOptions;
  readonly #assets: Assets;

  private constructor(options: WebOptions, assets: Assets) {
    this.#options = options;
    this.#assets = assets;
  }

  static async create(options: WebOptions): Promise<Web> {
    return new Web(options, await Assets.load());
  }

  /** @throws RegistryError `ROUTE_UNKNOWN`, and those of what is looked at */
  async page(request: PageRequest): Promise<{ status: number; html: string }> {
    const view = this.#view(request);
    return this.#render(await pageAt(request.path, view), view);
  }

  /** The page that says why there is none. */
  failure(request: PageRequest, failure: Failure): { status: number; html: string } {
    const view = this.#view(request);
    return this.#render(errorPage(failure, view), view);
  }

  /** @throws RegistryError `ROUTE_UNKNOWN` */
  asset(name: string): Promise<Asset> {
    return this.#assets.get(name);
  }

  /** The file behind a download link; undefined for any other address. @throws RegistryError */
  async download({ path, query }: PageRequest): Promise<Made<OpenFile> | undefined> {
    const { name, reference, part } = parsePath(path) ?? {};
    if (name === undefined || reference === undefined || part !== 'download') return undefined;
    const place = { repository: name, reference, layer: layerOf(query) };
    return this.#options.browse.openFile(place, query.get('path') ?? '');
  }

  #view({ path, query, headers }: PageRequest): View {
    const { browse, now = Date.now } = this.#options;
    return {
      browse,
      addresses: Addresses.at(path),
      query,
      publicAddress: publicAddress(headers, this.#options),
      now: now(),
    };
  }

  #render(page: Page, view: View): { status: number; html: string } {
    const html = renderPage(page, view, (name) => this.#assets.version(name));
    return { status: page.status ?? 200, html };
  }
}
