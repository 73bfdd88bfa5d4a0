// SPDX-License-Identifier: Apache-2.0
import type { ImageConfig } from '../../../image-format/index.ts';
import { timeOf } from '../content.ts';
import type { HistoryStep, RunConfig } from '../types/image.ts';

/** How an image runs, as its config says. */
export function runConfig({ author, config }: ImageConfig): RunConfig {
  return {
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    environment: (config?.Env ?? []).map(variable),
    ...(config?.User ? { user: config.User } : {}),
    ...(config?.WorkingDir ? { workingDirectory: config.WorkingDir } : {}),
    ports: Object.keys(config?.ExposedPorts ?? {}),
    volumes: Object.keys(config?.Volumes ?? {}),
    ...(config?.StopSignal ? { stopSignal: config.StopSignal } : {}),
    labels: config?.Labels ?? {},
    ...(author === undefined ? {} : { author }),
  };
}

function variable(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text, value: '' } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** The steps that made the layers, each with the number of the layer that it made. */
export function historyOf(config: ImageConfig | undefined, layers: number, warnings: string[]): HistoryStep[] {
  const steps = config?.history ?? [];
  let next = 0;
  const history = steps.map((step): HistoryStep => {
    const layer = step.empty_layer === true ? undefined : next++;
    const created = timeOf(step.created);
    const { created_by: createdBy, comment } = step;
    const author = typeof step.author === 'string' ? step.author : undefined;
    return {
      ...(created === undefined ? {} : { created }),
      ...(createdBy === undefined ? {} : { createdBy }),
      ...(comment === undefined ? {} : { comment }),
      ...(author === undefined ? {} : { author }),
      ...(layer === undefined || layer >= layers ? {} : { layer }),
    };
  });
  if (steps.length > 0 && next !== layers) warnings.push(`the history tells of ${next} layers, there are ${layers}`);
  return history;
}
