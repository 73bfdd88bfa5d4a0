// SPDX-License-Identifier: Apache-2.0

import { familiarReference, parseReference } from '../../../../image-format/reference.ts';
import {
  findInstance,
  type InstanceView,
  isActive,
  listInstances,
  SHORT_ID,
  viewOf,
} from '../../../instances/lifecycle/index.ts';
import type { Session } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { formatTable } from '../../output/table.ts';
import { commandOf, portLines, portsOf, sinceWords, statusWords } from './words.ts';

export async function list(session: Session, flags: { all?: boolean; trunc?: boolean }): Promise<undefined> {
  const { output } = session;
  const views = await listInstances(await session.instancesFolder(), ({ message, hint }) =>
    output.note(`uk: ${message} (${hint})`),
  );
  const shown = flags.all ? views : views.filter(isActive);
  const shorten = flags.trunc === false ? (id: string) => id : (id: string) => id.slice(0, SHORT_ID);
  if (output.quiet) {
    const ids = shown.map(({ id }) => shorten(id));
    output.result(ids, () => ids.join('\n'));
    return undefined;
  }
  output.result(shown, () =>
    formatTable(
      ['INSTANCE ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'],
      shown.map((view) => [
        shorten(view.id),
        familiarReference(parseReference(view.config.image.name)),
        commandOf(view, flags.trunc !== false),
        `${sinceWords(view.config.created)} ago`,
        statusWords(view),
        portsOf(view),
        view.name,
      ]),
    ),
  );
  return undefined;
}

/** The ports of an instance that runs, or where one of them leads from. */
export async function port(session: Session, wanted: string, guest: string | undefined): Promise<undefined> {
  const view: InstanceView = await viewOf(await findInstance(await session.instancesFolder(), wanted));
  const [number, protocol = 'tcp'] = guest?.split('/') ?? [];
  const forwards = (isActive(view) ? view.forwards : []).filter(
    (forward) => number === undefined || (String(forward.guest) === number && forward.protocol === protocol),
  );
  if (forwards.length === 0 && guest !== undefined) {
    throw new CliError('USAGE', `port ${guest} of ${view.name} is not forwarded`, {
      hint: `uk port ${view.name} lists what is`,
    });
  }
  session.output.result(forwards, () => portLines(forwards, guest === undefined).join('\n'));
  return undefined;
}
