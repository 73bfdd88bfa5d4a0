// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '../../../image-format/index.ts';
import type { Session } from '../context.ts';
import { pinnedName, resolveLocal } from '../references.ts';
import { pull, push, type TransferFlags } from '../transfer.ts';

export async function pushImage(
  session: Session,
  image: string,
  destination: string | undefined,
  flags: TransferFlags,
): Promise<undefined> {
  const store = await session.openStore();
  const { name } = await resolveLocal(store, image);
  const result = await push(session, store, name, parseReference(destination ?? image), flags);
  session.output.result(result, () => pinnedName(result.name, result.digest));
}

export async function pullImage(session: Session, image: string, flags: TransferFlags): Promise<undefined> {
  const store = await session.openStore();
  const result = await pull(session, store, parseReference(image), flags);
  session.output.result(result, () => pinnedName(result.name, result.digest));
}
