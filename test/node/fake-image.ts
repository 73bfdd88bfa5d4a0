// SPDX-License-Identifier: Apache-2.0
// An image without anything in it that could run: for the monitor of fake-monitor.ts.
import { openContentStore } from '../../image-format/layout/index.ts';
import { makeTestImage, testKernel } from '../../puller/assemble/testing.ts';

/** Puts the image `localhost/fake:1` into a store. */
export async function makeFakeImage(folder: string): Promise<void> {
  const store = await openContentStore(folder);
  const image = await makeTestImage(store, { kernel: await testKernel(2), command: ['sleep'] });
  await store.tag('localhost/fake:1', image);
}
