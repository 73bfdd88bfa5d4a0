// SPDX-License-Identifier: Apache-2.0
// The process that looks after one instance. `launch.ts` starts it, in a session of its own, with Node's compile cache
// set: the types of these sources are then taken away once and not by each supervisor, which saves 12 MB of each.
import { closeSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Bootable } from '../../assemble/bootable.ts';
import { answers } from '../control/client.ts';
import { serveControl } from '../control/server.ts';
import { destroyRecords } from '../lifecycle/destroy.ts';
import { FIRST, type FirstReport } from '../lifecycle/first-report.ts';
import { InstanceFolder } from '../state/instance-folder.ts';
import { reasonOf } from './reasons.ts';
import { Supervisor } from './supervisor.ts';

const [instances = '', id = '', volumes = ''] = process.argv.slice(2);
const LINGER_MS = 1_000;
let reported = false;

try {
  await supervise();
} catch (error) {
  console.error(error);
  report({ ok: false, reason: reasonOf(error) });
  process.exitCode = 1;
}

async function supervise(): Promise<void> {
  const { bootable } = JSON.parse(await standardInput()) as { bootable: Bootable };
  const folder = new InstanceFolder(instances, id);
  const config = await folder.config();
  const control = folder.file('control');
  const claim = await folder.claims.take('run', () => answers(control));
  if (claim === undefined) {
    report({ ok: false, reason: { code: 'INSTANCE_RUNNING', message: 'the instance runs already' } });
    return;
  }
  const supervisor = new Supervisor({
    ...{ instances, folder, config, bootable, volumes, claim },
    onFirst: (failure) =>
      report(
        failure === undefined
          ? { ok: true }
          : { ok: false, reason: failure.reason, status: failure.end.status, kernelLog: failure.end.kernelLog },
      ),
  });
  let server: Awaited<ReturnType<typeof serveControl>>;
  try {
    const refusal = (error: unknown) => ({ ok: false as const, reason: reasonOf(error) });
    server = await serveControl(control, {
      answer: (request) => supervisor.answer(request).catch(refusal),
      begin: (request) => supervisor.begin(request).catch((error) => ({ answer: refusal(error) })),
    });
  } catch (error) {
    await folder.claims.release(claim);
    throw error;
  }
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    // The machine is shut down: the instance is not one that its user has stopped.
    process.on(name, () => void supervisor.stop(config.stopTimeoutMs, false));
  }
  process.on('SIGHUP', () => {});
  flushCompileCache();
  const end = await supervisor.run();
  if (config.remove) await destroyRecords(instances, folder);
  await folder.claims.release(claim);
  supervisor.finish(end);
  server.close();
  // Somebody may be connected who asks nothing.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Tells whoever started this process how the first start went; it may have gone long ago. */
function report(message: FirstReport): void {
  if (reported) return;
  reported = true;
  try {
    writeSync(FIRST, `${JSON.stringify(message)}\n`);
    closeSync(FIRST);
  } catch {
    // Nobody waits for it.
  }
}

async function standardInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text;
}
