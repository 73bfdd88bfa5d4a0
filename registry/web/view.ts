// SPDX-License-Identifier: Apache-2.0
import type { Browse } from '../browse/index.ts';
import type { Addresses } from './addresses.ts';
import type { Content } from './html.ts';
import type { PublicAddress } from './public-address.ts';

/** What a page is made from. */
export interface View {
  browse: Browse;
  addresses: Addresses;
  query: URLSearchParams;
  publicAddress: PublicAddress;
  /** Milliseconds since 1970. */
  now: number;
}

/** A page, before its frame. */
export interface Page {
  /** Text of the window's title. */
  title: string;
  body: Content;
  /** Which link of the head is this page's. */
  section?: 'repositories' | 'compare' | 'space';
  status?: number;
}
