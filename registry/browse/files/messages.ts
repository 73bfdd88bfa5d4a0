// SPDX-License-Identifier: Apache-2.0
import type { PackageList } from '../referrers/read-packages.ts';
import type { ComparedFile } from '../types/compare.ts';
import type { Listed, Located, Question, Summary } from './ask.ts';
import type { IndexLimits } from './make-index.ts';

/** Layers are named by keys that never stand for anything else. */
export type LayerKey = string;

/** What is asked about the layers that the thread holds. */
export type Query =
  | { about: 'stack'; layers: readonly LayerKey[]; question: Question }
  | { about: 'texts'; layers: readonly LayerKey[] }
  | {
      about: 'pair';
      from: readonly LayerKey[];
      to: readonly LayerKey[];
      search: string | undefined;
      change: ComparedFile['change'] | undefined;
      page: number;
      size: number;
    };

/** Files that differ, and what the whole comparison comes to. */
export interface ComparedPage {
  rows: ComparedFile[];
  matched: number;
  total: number;
  added: number;
  removed: number;
  changed: number;
  /** Bytes of each root. */
  from: number;
  to: number;
}

export type Answer = Listed | Located | Summary | Record<string, string> | ComparedPage | undefined;

/** What the thread is told. */
export type ToThread =
  | { type: 'index'; id: number; limits: IndexLimits }
  /** The next bytes of a blob; none at its end. `failed`: there will be no more. */
  | { type: 'chunk'; id: number; bytes?: Uint8Array; failed?: true }
  | { type: 'load'; key: LayerKey; bytes: Uint8Array }
  | { type: 'query'; id: number; query: Query }
  | { type: 'packages'; id: number; bytes: Uint8Array };

/** What the thread says. */
export type FromThread =
  | { type: 'more'; id: number }
  | { type: 'indexed'; id: number; bytes: Uint8Array; unpacked: number; files: number }
  | { type: 'answer'; id: number; answer: Answer }
  /** Layers that it does not hold, or not any more. */
  | { type: 'missing'; id: number; keys: LayerKey[] }
  | { type: 'packages'; id: number; list: PackageList | undefined }
  | { type: 'refused'; id: number; message: string };
