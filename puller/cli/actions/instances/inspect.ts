// SPDX-License-Identifier: Apache-2.0

import { familiarReference, parseReference } from '../../../../image-format/reference.ts';
import { PullerError } from '../../../errors.ts';
import {
  confirmedUuid,
  findInstance,
  type InstanceView,
  isActive,
  viewOf,
} from '../../../instances/lifecycle/index.ts';
import type { Session } from '../../context.ts';
import { portLines, statusWords } from './words.ts';

/** @returns whether there is such an instance */
export async function inspectInstance(session: Session, wanted: string): Promise<boolean> {
  const folder = await findInstance(await session.instancesFolder(), wanted).catch((error) => {
    if (error instanceof PullerError && error.code === 'INSTANCE_MISSING') return undefined;
    throw error;
  });
  if (folder === undefined) return false;
  const view = await viewOf(folder);
  const said = isActive(view) ? await confirmedUuid(folder) : undefined;
  // The monitor itself says that it runs this machine.
  const confirmed = view.uuid !== undefined && said === view.uuid;
  session.output.result({ ...view, confirmed }, () => facts(view, confirmed));
  return true;
}

function facts(view: InstanceView, confirmed: boolean): string {
  const { config, end, health } = view;
  const { restart } = config;
  const rows: [string, string | undefined][] = [
    ['id', view.id],
    ['name', view.name],
    ['image', `${familiarReference(parseReference(config.image.name))}@${config.image.descriptor.digest}`],
    ['created', config.created],
    ['status', statusWords(view)],
    ['started', view.startedAt],
    ['finished', isActive(view) ? undefined : view.finishedAt],
    ['exit status', end === undefined || isActive(view) ? undefined : String(end.status)],
    ['signal', end?.signal === undefined ? undefined : String(end.signal)],
    ['reason', end?.reason && [end.reason.message, end.reason.hint].filter((text) => text !== undefined).join('; ')],
    ['memory', view.outOfMemory ? 'the guest ran out of it, and its kernel killed a process' : undefined],
    ['health', health && `${health.status}: ${health.detail}`],
    ['restart', restart.max === undefined ? restart.name : `${restart.name}:${restart.max}`],
    ['restarts', String(view.restarts)],
    ['ports', portLines(view.forwards, true).join(', ')],
    ['supervisor', view.supervisor === undefined ? undefined : `process ${view.supervisor}`],
    ['monitor', view.monitor === undefined ? undefined : `process ${view.monitor}${confirmed ? ', confirmed' : ''}`],
    ['machine', view.uuid],
    ['folder', view.folder],
  ];
  const lines = rows
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([label, value]) => `${label.padEnd(13)}${value}`);
  if (end?.kernelLog !== undefined && !isActive(view)) lines.push('', "the end of the kernel's log:", end.kernelLog);
  return lines.join('\n');
}
