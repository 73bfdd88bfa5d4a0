// SPDX-License-Identifier: Apache-2.0
// `node test/root/images/main.ts [NAME...]`: makes the images, all or these, and says where they are.
import { builtImage } from './build-image.ts';
import { RECIPES } from './recipes.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !RECIPES.some((recipe) => recipe.name === name));
if (unknown.length > 0) {
  console.error(`no such image: ${unknown.join(', ')}; there are ${RECIPES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
for (const recipe of RECIPES) {
  if (wanted.length > 0 && !wanted.includes(recipe.name)) continue;
  const start = performance.now();
  console.log(`${await builtImage(recipe)}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
