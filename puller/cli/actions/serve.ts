// SPDX-License-Identifier: Apache-2.0
import { printable, printConfig, serve as serveRegistry } from '../../../registry/index.ts';
import type { Session } from '../context.ts';
import { type RegistryFlags, registryConfig } from '../registry-config.ts';

export interface ServeOptions extends RegistryFlags {
  printConfig?: boolean;
}

export async function serve(session: Session, options: ServeOptions): Promise<undefined> {
  const config = registryConfig(options);
  if (options.printConfig === true) {
    session.output.result(printable(config), () => printConfig(config));
    return;
  }
  const { signal } = session;
  const serving = await serveRegistry(config);
  process.on('SIGHUP', serving.reload);
  try {
    const { url, workers } = serving;
    // Where a browser finds the pages; behind a proxy it is another address.
    const pages = config.web.pages ? `${url}/` : undefined;
    session.output.result(
      { url, workers, storage: printable(config).storage, ...(pages === undefined ? {} : { pages }) },
      () => (pages === undefined ? `listening on ${url}` : `listening on ${url}\npages for browsers: ${pages}`),
    );
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    session.output.note('stopping: waiting for requests that are under way');
  } finally {
    // Until the end: a terminal that goes away says SIGHUP as well, and must not cut what still may end.
    await serving.close();
    process.off('SIGHUP', serving.reload);
  }
}
