// SPDX-License-Identifier: Apache-2.0
import type { Records } from '../../guest-contract/frames.ts';
import { type Execution, mergeEnvironment } from '../execution.ts';

/**
 * What a command in a guest has of the instance's program where its request does not say otherwise: variables, user,
 * working directory.
 *
 * @param records of OPEN, as they were asked for
 * @param program the instance's own
 */
export function completeOpen(records: Records, program: Execution): Records {
  if (!records.some(([key, value]) => key === 'kind' && value === 'exec')) return records;
  const has = (wanted: string): boolean => records.some(([key]) => key === wanted);
  const valuesOf = (wanted: string): string[] => records.filter(([key]) => key === wanted).map(([, value]) => value);
  const complete: (readonly [string, string])[] = records.filter(([key]) => key !== 'env');
  for (const variable of mergeEnvironment(program.env, valuesOf('env'))) complete.push(['env', variable]);
  if (!has('cwd')) complete.push(['cwd', program.cwd]);
  if (!has('user') && program.user !== '') complete.push(['user', program.user]);
  return complete;
}
