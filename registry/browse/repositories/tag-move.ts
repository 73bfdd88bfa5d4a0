// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { digestSchema } from '../../../image-format/index.ts';
import type { ObjectStore } from '../../storage/contract.ts';

const moveSchema = z.object({ at: z.number(), digest: digestSchema.optional(), previous: digestSchema.optional() });
export type Move = z.infer<typeof moveSchema>;

/** One move of a tag. Its record is not written durably: one that reads as nothing is left out. */
export async function readMove(store: ObjectStore, key: string): Promise<Move | undefined> {
  const stored = await store.get(key);
  if (stored === undefined) return undefined;
  try {
    return moveSchema.parse(JSON.parse(stored.bytes.toString()));
  } catch {
    return undefined;
  }
}
